"""What the dashboard shows beside the jobs (WS-19)."""

import param

from athena.portal.components.script import Script


class DashboardBoard(Script):
    """What is acquired now, workflows and folders opened lately, and how full the storages are."""

    live = param.List(default=[], item_type=dict, doc="Runs that are acquired now, as live_item gives them.")
    workflows = param.List(default=[], item_type=dict, doc="As hit_item gives them.")
    folders = param.List(default=[], item_type=dict, doc="As hit_item gives them.")
    storages = param.List(
        default=[], item_type=dict, doc="{name, role, state, message, used, total, free, quota, files}."
    )
    version = param.String(default="")
