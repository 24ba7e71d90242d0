"""Which micrographs of a run are listed and in which order, as the address says it (EQ-03)."""

from dataclasses import dataclass
from typing import Self

from athena.contract.neighbours import Neighbours, Shown
from athena.contract.runs import Run
from athena.domain.readable import count
from athena.portal.place import ORDER, SHOW, Place

NEWEST, OLDEST = "newest", "oldest"
WORDS = {
    Shown.ALL: "",
    Shown.FILTERED: "filtered",
    Shown.EXCLUDED: "excluded",
    Shown.FINISHED: "finished",
    Shown.PROGRESS: "in progress",
    Shown.ERROR: "in error",
}


@dataclass(frozen=True)
class Listed:
    """What is listed.

    Parameters
    ----------
    shown : None: what the filter keeps of those finished, or all where there are no rules.
    order : ``newest`` or ``oldest`` first; empty: not said.
    """

    shown: Shown | None = None
    order: str = ""

    @classmethod
    def of(cls, place: Place) -> Self:
        """Read ``show=filtered&order=oldest``; what cannot be read is left out, as a list is there in any way."""
        shown, order = place.option(SHOW), place.option(ORDER)
        return cls(Shown(shown) if shown in set(Shown) else None, order if order in (NEWEST, OLDEST) else "")

    def chosen(self, run: Run) -> Shown:
        """What is shown of a run."""
        return self.shown or (Shown.FILTERED if run.filter else Shown.ALL)

    def on(self, place: Place) -> Place:
        """A place of the run, with the same said in its address."""
        return place.having(**{SHOW: self.shown or "", ORDER: self.order})


def where_words(neighbours: Neighbours) -> str:
    """Where an acquisition stands: ``3 of 412 filtered``."""
    word = WORDS[neighbours.shown]
    if neighbours.position is None:
        return f"not among the {count(neighbours.count)} {word}"
    return " ".join(part for part in (f"{count(neighbours.position + 1)} of {count(neighbours.count)}", word) if part)
