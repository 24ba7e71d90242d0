"""A strip of tabs whose choice stands in the address."""

import param

from athena.portal.components.script import Script


class SideTabs(Script):
    """Links drawn as tabs."""

    tabs = param.List(default=[], item_type=dict, doc="{name, label, search, chosen}.")
