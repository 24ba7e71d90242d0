"""How a list of elements is ordered and which part of it is shown, as the address says it (WS-08, WS-10)."""

from dataclasses import dataclass
from typing import Any

from athena.contract.elements import ElementSort
from athena.portal.place import Place

PAGE = 200
"""Elements shown at once."""
LABELS = {
    ElementSort.POSITION: "Own order",
    ElementSort.NAME: "Name",
    ElementSort.CREATED: "Created",
    ElementSort.UPDATED: "Changed",
}


@dataclass(frozen=True)
class Order:
    """Order and first element of a list.

    Parameters
    ----------
    sort : what it is ordered by; None: roots by name, everything else in its own order.
    first : how many elements come before the first one that is shown.
    """

    sort: ElementSort | None = None
    descending: bool = False
    first: int = 0

    @classmethod
    def of(cls, place: Place) -> "Order":
        """Read ``sort=name&order=down&from=200``; what cannot be read is left out, as a list is there in any order."""
        named, first = place.option("sort"), place.option("from")
        return cls(
            ElementSort(named) if named in set(ElementSort) else None,
            place.option("order") == "down",
            int(first) if first.isascii() and first.isdecimal() and len(first) < 10 else 0,
        )

    def choices(self, place: Place, *, at_root: bool) -> dict[str, Any]:
        """What can be chosen, for the component: ``{here, sorts: [{label, search, chosen}], turn, descending}``.

        The addresses say what they change of ``here``: whoever follows two of them before the page is drawn gets both.
        """
        natural = ElementSort.NAME if at_root else ElementSort.POSITION
        chosen = self.sort or natural
        down = "down" if self.descending else ""
        front = {"order": down, "from": ""}
        offered = [sort for sort in LABELS if not (at_root and sort is ElementSort.POSITION)]
        return {
            "here": place.search,
            "sorts": [
                {
                    "label": LABELS[sort],
                    "search": place.having(sort="" if sort is natural else sort.value, **front).search,
                    "chosen": sort is chosen,
                }
                for sort in offered
            ],
            "turn": place.having(order="" if self.descending else "down", **{"from": ""}).search,
            "descending": self.descending,
        }

    def pages(self, place: Place, *, shown: int, total: int) -> dict[str, Any]:
        """Where one is in the list: ``{first, last, total, before, after}``; the addresses of no page are empty."""
        last = self.first + shown
        before, after = max(0, self.first - PAGE), self.first + PAGE
        return {
            "first": self.first + 1 if shown else 0,
            "last": last,
            "total": total,
            "before": place.having(**{"from": str(before or "")}).search if self.first else "",
            "after": place.having(**{"from": str(after)}).search if last < total else "",
        }
