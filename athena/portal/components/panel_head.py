"""Head of the data panel: its sides, and how wide it is (WS-18)."""

import param

from athena.portal.components.script import Script

WIDTHS = {"two-thirds": "66.6%", "half": "50%", "third": "33.3%", "none": "44px"}
"""Widths of the data panel, by name; none: collapsed to its buttons."""


class PanelHead(Script):
    """Tabs and four width buttons. The browser remembers the width."""

    tabs = param.List(default=[], item_type=dict, doc="{name, label, search, chosen}.")
    width_name = param.Selector(default="third", objects=list(WIDTHS))
