"""The browser itself: its address, title and choice of dark or light."""

import param

from athena.portal.components.script import Script


class Browser(Script):
    """Keeps the tab's address, title and colour scheme in step with the session.

    Panel's own Location does not hear the browser's Back button; this one does, and it turns every link marked
    ``data-go`` on the page into a move inside the session.
    """

    search = param.String(default="")
    title = param.String(default="Athena")
    theme = param.Selector(default="dark", objects=["dark", "light"])
    cookie = param.String(default="", doc="Name of the cookie that remembers the scheme.")
