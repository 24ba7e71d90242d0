"""The user guide: its pages, a page, and what a search in it found."""

import param

from athena.portal.components.asking import Asking


class GuideBoard(Asking):
    """It asks ``look`` (text)."""

    pages = param.List(default=[], item_type=dict, doc="{title, search, here}, in reading order.")
    html = param.String(default="", doc="The page, trusted markup of the project's own.")
    at = param.String(default="", doc="Heading to begin at.")
    text = param.String(default="", doc="What is searched for; empty: the page is shown.")
    found = param.List(default=[], item_type=dict, doc="{heading, page, search, excerpt}.")
