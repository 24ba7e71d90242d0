"""Metadata as a table of groups."""

from collections.abc import Iterable
from typing import Any

import param

from athena.contract.elements import MetadataEntry
from athena.portal.components.script import Script


def facts_of(entries: Iterable[MetadataEntry]) -> list[dict[str, Any]]:
    """Metadata entries as the component takes them."""
    return [{"group": e.group, "name": e.name, "value": e.value, "unit": e.unit, "type": e.type} for e in entries]


class Facts(Script):
    """Name, value and unit, under the heading of their group."""

    facts = param.List(default=[], item_type=dict, doc="{group, name, value, unit, type}.")
    empty = param.String(default="Nothing is known yet.")
