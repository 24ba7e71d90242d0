"""Name of what is shown, with its kind and status."""

import param

from athena.portal.components.asking import Asking


class TitleBar(Asking):
    """Heading of a page, with the menu of what may be done with what it shows."""

    kind = param.String(default="")
    title = param.String(default="")
    status = param.String(default="")
    about = param.String(default="")
    item = param.Dict(default={}, doc="What is shown, as item_of gives it; empty: nothing can be done with it.")
    adds = param.List(default=[], item_type=dict, doc="What may be made here: {what, label}; it asks ``add`` (what).")
    problem = param.String(default="", doc="Why the last thing asked was not done.")
