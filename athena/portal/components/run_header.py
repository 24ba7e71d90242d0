"""Head of a run: what it is, how it goes, where its data comes from (AC-04)."""

import param

from athena.portal.components.asking import Asking


class RunHeader(Asking):
    """Name, status and counts of a run; state and message of its source; its tabs."""

    title = param.String(default="")
    kind = param.String(default="")
    status = param.String(default="")
    counts = param.Dict(default={}, doc="RunCounts as a dict.")
    source = param.Dict(default={}, doc="state, path, session, message, problems, last_scan, quiet; empty: none.")
    branches = param.List(default=[], item_type=dict, doc="{name, search, default, chosen}; empty: there is but one.")
    tabs = param.List(default=[], item_type=dict, doc="{label, search, chosen}.")
    item = param.Dict(default={}, doc="The run, as item_of gives it: what its menu is about.")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
