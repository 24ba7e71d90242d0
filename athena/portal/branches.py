"""Looking at a branch of a run's results without making it the default one (BY-06)."""

from typing import Any

from athena.contract.runs import Run
from athena.portal.catalogue import Catalogue
from athena.portal.place import BRANCH, Place


def other_branch(run: Run, name: str | None) -> str | None:
    """Name of a branch that is not the default one; None where it is."""
    return None if name == run.branch else name


def in_branch(catalogue: Catalogue, run: Run, name: str | None) -> tuple[Run, str | None]:
    """A run with the counts of a branch, and the branch's name; None where that is the default one. NotFound."""
    name = other_branch(run, name)
    if name is None:
        return run, None
    return run.model_copy(update={"counts": catalogue.branch(run.element.id, name).counts}), name


def branch_links(run: Run, place: Place, shown: str | None) -> list[dict[str, Any]]:
    """The run's branches as the headers take them: ``{name, search, default, chosen}``; none where there is but one.

    The links lead to the same view of each.
    """
    if len(run.branches) < 2:
        return []
    return [
        {
            "name": name,
            "search": place.having(**{BRANCH: "" if name == run.branch else name}).search,
            "default": name == run.branch,
            "chosen": name == (shown or run.branch),
        }
        for name in run.branches
    ]
