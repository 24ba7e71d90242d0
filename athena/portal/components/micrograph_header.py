"""Head of a micrograph: which one, how it went, and the way to its neighbours."""

import param

from athena.portal.components.script import Script


class MicrographHeader(Script):
    """Name, state and key numbers of an acquisition; previous, next, back to the run."""

    title = param.String(default="")
    state = param.String(default="", doc="Acquisition state.")
    error = param.String(default="")
    warnings = param.List(default=[], item_type=dict, doc="{name, text}: flags and doubts, as warnings_of gives them.")
    figures = param.List(default=[], item_type=dict, doc="{label, value, unit}.")
    views = param.List(default=[], item_type=dict, doc="{name, label, search, chosen}: what can stand in the centre.")
    branches = param.List(default=[], item_type=dict, doc="{name, search, default, chosen}; empty: there is but one.")
    where = param.String(default="", doc="Its place among the others.")
    back = param.String(default="", doc="Address of the run.")
    previous = param.String(default="", doc="Address; empty: this is the first.")
    following = param.String(default="", doc="Address; empty: this is the last.")
