"""What a filter leaves of a run, and what to do with it: always at the foot of Dataviz (EQ-08, EQ-09)."""

import param

from athena.portal.components.asking import Asking


class FilterBar(Asking):
    """Count of matching micrographs, named filters, Reset and Apply, exports and how they go.

    Asks ``{"do": name}`` of ``reset``, ``apply``, ``export``, ``live-export``, ``update-live`` and ``name-filter``, and
    with an ``id`` ``choose-filter``, ``change-filter``, ``filter-history`` and ``remove-filter``.
    """

    kept = param.Integer(default=0, doc="Micrographs that match.")
    total = param.Integer(default=0, doc="All of the run.")
    accepted = param.Integer(default=0, doc="Of them accepted by hand.")
    rejected = param.Integer(default=0, doc="Of them rejected by hand.")
    ruled = param.Boolean(default=False, doc="Whether there are any rules.")
    filters = param.List(default=[], item_type=dict, doc="Named ones: {id, name, words, lacking, chosen}.")
    changed = param.Boolean(default=False, doc="Whether the rules are others than those saved for the run.")
    may_write = param.Boolean(default=False, doc="Whether the visitor may save the filter and export.")
    live = param.Boolean(default=False, doc="Whether a live export goes on.")
    jobs = param.List(
        default=[], item_type=dict, doc="{id, label, state, done, total, unit, message, location, filter}"
    )
    said = param.String(default="", doc="What was just done.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
