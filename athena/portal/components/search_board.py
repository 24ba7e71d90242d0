"""The search box, what narrows it, and what was found (SE-01, SE-02)."""

from typing import Any

import param

from athena.contract.search import Placed, SearchHit
from athena.portal.components.asking import Asking
from athena.portal.components.element_list import item_of
from athena.portal.labels import kind_label
from athena.portal.place import Place


def hit_item(hit: Placed) -> dict[str, Any]:
    """Something found, or opened lately, as the component takes it: the element's item, its file, the way to it."""
    way = [{"kind": kind_label(c.kind), "name": c.name, "search": Place(c.id).search} for c in hit.breadcrumb[:-1]]
    return item_of(hit.element) | {"file": hit.file if isinstance(hit, SearchHit) else "", "way": way}


class SearchBoard(Asking):
    """It asks ``look`` with the options of the search, and ``more`` near the end of the hits that are shown."""

    options = param.Dict(default={}, doc="What is asked, by name: q, in, kind, status, owner, since, until, where.")
    hits = param.List(default=[], item_type=dict, doc="As hit_item gives them.")
    further = param.Dict(
        default={},
        doc="{after, read, hits}: hits that follow so many; read tells two without any apart. "
        "{answer}, its number: none follow, what is shown is what ``hits`` holds.",
    )
    total = param.Integer(default=0)
    more = param.Boolean(default=False, doc="Whether the total is a lower bound.")
    asked = param.Boolean(default=False, doc="Whether anything was asked; else the hits were opened lately.")
    problem = param.String(default="", doc="Why the search is not understood.")
