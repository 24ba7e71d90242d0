"""The bar at the far left: where one can go, and who one is."""

import param

from athena.portal.components.script import Script


class ToolBar(Script):
    """Pages at the top and the bottom; colour scheme and user below them."""

    theme = param.Selector(default="dark", objects=["dark", "light"])
    user = param.String(default="")
    log_out = param.String(default="", doc="Address of the log-out page; empty where there is none.")
    tools = param.List(default=[], doc="Pages that are one click away, as ``athena.portal.tools`` gives them.")
    here = param.String(default="", allow_None=True, doc="Name of the page that is shown; None where none of them is.")
