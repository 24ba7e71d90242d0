"""Branches of a run's results: listed, compared, made by processing again with other parameters (BY-06)."""

import param

from athena.portal.components.asking import Asking


class BranchBoard(Asking):
    """Three sections: the branches with what works on them, two of them compared, and a form for another one.

    It asks ``promote`` (name), ``delete`` (name), ``cancel`` (id of a job), ``compare`` (this, other) and ``reprocess``
    (branch, parameters, exposures, chosen, numbers).
    """

    branches = param.List(
        default=[],
        item_type=dict,
        doc="{name, default, parameters, completed, waiting, error, search, chosen, maker, created}.",
    )
    jobs = param.List(default=[], item_type=dict, doc="Reprocessing of the run: {id, branch, state, done, total, …}.")
    comparison = param.Dict(default={}, doc="{this, other, both, metrics}; empty: there is nothing to compare.")
    parameters = param.List(default=[], item_type=dict, doc="{name, label, about, kind, choices, usual}: of the form.")
    matching = param.String(default="", doc="How many match the saved filter, in words.")
    total = param.Integer(default=0, doc="Acquisitions of the run.")
    may_write = param.Boolean(default=False)
    may_delete = param.Boolean(default=False)
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
    begun = param.Integer(default=0, doc="Grows when a reprocessing was started: the form closes.")
