"""Metadata as a table of groups."""

import param

from athena.portal.components.script import Script


class Facts(Script):
    """Name, value and unit, under the heading of their group."""

    facts = param.List(default=[], item_type=dict, doc="{group, name, value, unit, type}.")
    empty = param.String(default="Nothing is known yet.")
