"""What the dashboard shows beside the jobs (WS-19)."""

import param

from athena.portal.components.script import Script


class DashboardBoard(Script):
    """Workflows and folders opened lately, and how full the storages are."""

    workflows = param.List(default=[], item_type=dict, doc="As hit_item gives them.")
    folders = param.List(default=[], item_type=dict, doc="As hit_item gives them.")
    storages = param.List(
        default=[], item_type=dict, doc="{name, role, state, message, used, total, free, quota, files}."
    )
    version = param.String(default="")
