"""How a run is processed and judged: what failed, criteria, parameters (AC-04, EQ-12)."""

import param

from athena.portal.components.asking import Asking


class ProcessingEditor(Asking):
    """Three sections of a run.

    It asks ``retry``, ``criteria`` (rules), ``reset-criteria`` and ``parameters`` (parameters).
    """

    failed = param.Integer(default=0, doc="Acquisitions in error.")
    criteria = param.Dict(default={}, doc="{rules, own, complying, judged}.")
    metrics = param.List(default=[], item_type=dict, doc="What rules may be on: {name, label, unit}.")
    parameters = param.List(default=[], item_type=dict, doc="{name, label, about, kind, choices, value, usual}.")
    may_write = param.Boolean(default=False)
    problem = param.String(default="", doc="Why the last thing asked was not done.")
    done = param.Integer(default=0, doc="Grows when something asked was done.")
    waiting = param.Boolean(default=True)
