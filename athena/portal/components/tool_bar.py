"""The bar at the far left: where one can go, and who one is."""

import param

from athena.portal.components.script import Script


class ToolBar(Script):
    """Workspace at the top; colour scheme and user at the bottom. Only what is built is named."""

    theme = param.Selector(default="dark", objects=["dark", "light"])
    user = param.String(default="")
    log_out = param.String(default="", doc="Address of the log-out page; empty where there is none.")
    home = param.Boolean(default=True, doc="Whether the workspace's roots are shown now.")
