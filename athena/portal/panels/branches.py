"""Branches of a run's results: looked at, compared, made, promoted, deleted (BY-06)."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from athena.contract.branches import Branch, BranchComparison, DeleteBranchParameters, ReprocessParameters
from athena.contract.elements import Element
from athena.contract.filters import SavedFilter
from athena.contract.jobs import Job, JobAction, JobKind, JobState
from athena.contract.people import Role
from athena.contract.runs import Run
from athena.domain.readable import count
from athena.errors import Invalid
from athena.portal.branches import branch_links
from athena.portal.catalogue import Catalogue
from athena.portal.components.branch_board import BranchBoard
from athena.portal.panels.parameters import parameter_items
from athena.portal.panels.side import Side, may_write
from athena.portal.place import BRANCH, Place
from athena.portal.session import PortalSession
from athena.sdk.client import checked
from athena.zarrio.layout import METRICS

COMPARED = (
    *("ctf_resolution_angstrom", "ctf_score", "defocus_um", "astigmatism_nm", "phase_shift_deg"),
    *("drift_total_angstrom", "drift_early_angstrom", "drift_late_angstrom", "iciness"),
)
"""Metrics shown side by side, with those that people added."""
JOBS_SHOWN = 3
_LISTED = re.compile(r"(\d{1,7})(?:\s*[-–]\s*(\d{1,7}))?")
_OPEN = (JobState.PENDING, JobState.RUNNING)


@dataclass(frozen=True)
class BranchesReading:
    """What the board shows."""

    run: Run
    branches: list[Branch]
    saved: SavedFilter
    jobs: list[Job]
    comparison: BranchComparison | None
    pair: tuple[str, str] | None


class BranchesSide(Side[BranchBoard]):
    """A run's branches of results."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, BranchBoard)
        self._place = Place()

    def look(self, place: Place) -> None:
        """Say where in the portal it is: which branch is looked at, and which two are compared."""
        self._place = place

    def _read(self, element: Element) -> None:
        catalogue, place = self._session.catalogue, self._place

        def show(found: BranchesReading) -> None:
            self.root.param.update(
                branches=branch_items(found.run, found.branches, place),
                jobs=job_items(found.jobs, element.id),
                comparison=comparison_item(found),
                parameters=form_items(found.run),
                matching=f"{count(found.saved.matching)} of {count(found.saved.total)}",
                total=found.run.counts.total,
                may_write=may_write(element),
                may_delete=element.my_role is Role.OWNER,
            )

        self._fetch(element, lambda: read_branches(catalogue, element.id, place), show)

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue, run_id = self._session.catalogue, element.id
        try:
            match asked["do"]:
                case "promote":
                    self._do(element, lambda: catalogue.promote(run_id, str(asked["name"])))
                case "delete":
                    gone = checked(DeleteBranchParameters, branch=asked["name"]).model_dump(mode="json")
                    self._do(element, lambda: catalogue.start_job(JobKind.DELETE_BRANCH.value, run_id, gone))
                case "cancel":
                    job_id = UUID(str(asked["id"]))
                    self._do(element, lambda: catalogue.act_on_job(job_id, JobAction.CANCEL))
                case "compare":
                    self._place = self._place.having(compare=str(asked["this"]), **{"with": str(asked["other"])})
                    self._session.say(self._place)
                    self._read(element)
                case "reprocess":
                    self._reprocess(element, asked)
        except Invalid as error:
            self._refused(error)

    def _reprocess(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue, chosen = self._session.catalogue, asked["chosen"]
        wanted = checked(
            ReprocessParameters,
            branch=asked["branch"],
            parameters=asked["parameters"],
            exposures=asked["exposures"],
            indices=listed_indices(str(asked["numbers"])) if chosen == "numbers" else None,
        )

        def start() -> None:
            rules = catalogue.saved_filter(element.id).filter if chosen == "filter" else None
            told = wanted.model_copy(update={"filter": rules})
            catalogue.start_job(JobKind.REPROCESS.value, element.id, told.model_dump(mode="json"))

        def started(_: None) -> None:
            self.root.begun += 1
            self._done(element)

        self._fetch(element, start, started)


def read_branches(catalogue: Catalogue, run_id: UUID, place: Place) -> BranchesReading:
    """Read all that the board shows; two branches are compared where there are two."""
    run, branches = catalogue.run(run_id), [one for one in catalogue.branches(run_id) if not one.deleting]
    pair = compared_pair([one.name for one in branches], run.branch, place)
    comparison = catalogue.compare(run_id, *pair) if pair and pair[0] != pair[1] else None
    return BranchesReading(run, branches, catalogue.saved_filter(run_id), catalogue.jobs(), comparison, pair)


def compared_pair(names: list[str], default: str, place: Place) -> tuple[str, str] | None:
    """Names of the two branches to compare: those of the address, else the one looked at, else the newest."""
    if len(names) < 2:
        return None
    others = [name for name in names if name != default]
    wanted = (place.option("compare"), place.branch or "", others[-1])
    this = next(name for name in wanted if name in names)
    other = place.option("with")
    return this, other if other in names else default


def branch_items(run: Run, branches: list[Branch], place: Place) -> list[dict[str, Any]]:
    """Branches as the component takes them."""
    links = {link["name"]: link for link in branch_links(run, place, place.branch)}
    items = []
    for branch in branches:
        counts, link = branch.counts, links.get(branch.name, {})
        items.append(
            {
                "name": branch.name,
                "default": branch.default,
                "parameters": ", ".join(f"{name} = {value}" for name, value in branch.parameters.items()),
                "completed": counts.completed,
                "waiting": counts.registered + counts.processing,
                "error": counts.error,
                "maker": branch.creator,
                "created": branch.created.isoformat(),
                "chosen": link.get("chosen", True),
                # to look at it is to look at its micrographs
                "search": Place(run.element.id).having(**{BRANCH: "" if branch.default else branch.name}).search,
            }
        )
    return items


def job_items(jobs: list[Job], run_id: UUID) -> list[dict[str, Any]]:
    """Reprocessing of a run as the component takes it: what is open, and how the last ended."""
    mine = [job for job in jobs if job.kind == JobKind.REPROCESS.value and job.element_id == run_id]
    shown = [job for at, job in enumerate(mine) if at < JOBS_SHOWN or job.state in _OPEN]
    told = {"id", "state", "cancelling", "done", "total", "message", "actions"}
    return [
        job.model_dump(mode="json", include=told) | {"branch": str(job.result.get("branch", "a branch"))}
        for job in shown
    ]


def comparison_item(found: BranchesReading) -> dict[str, Any]:
    """Two branches side by side, as the component takes them."""
    if found.pair is None:
        return {}
    own = {metric.name: metric for metric in found.run.user_metrics}
    by_name = {one.metric: one for one in found.comparison.metrics} if found.comparison is not None else {}
    metrics = []
    for name in (*COMPARED, *own):
        one, about = by_name.get(name), METRICS.get(name) or own.get(name)
        if one is None or about is None or not one.count or one.median_difference is None:
            continue
        equal = one.count - one.lower - one.higher
        ways = {"lower": one.lower, "higher": one.higher, "equal": equal}
        words = [f"{way} in {'all' if many == one.count else many}" for way, many in ways.items() if many]
        metrics.append(
            {
                "metric": name,
                "label": about.label or name,
                "unit": about.unit,
                "this": f"{one.median_this:.{about.digits}f}",
                "other": f"{one.median_other:.{about.digits}f}",
                # differences are small beside what they are of
                "difference": f"{one.median_difference:+.{about.digits + 1}f}".replace("-", "−"),
                "deviation": f"{one.deviation:.{about.digits + 1}f}",
                "words": ", ".join(words),
            }
        )
    both = found.comparison.both if found.comparison is not None else 0
    return {"this": found.pair[0], "other": found.pair[1], "both": both, "metrics": metrics}


def form_items(run: Run) -> list[dict[str, Any]]:
    """Parameters of the form: what holds where nothing is typed is what the run's default branch has."""
    return [
        item | {"usual": item["usual"] if item["value"] is None else str(item["value"])} | {"value": None}
        for item in parameter_items(run)
    ]


def listed_indices(text: str) -> tuple[int, ...]:
    """Indices of micrographs that a person listed by number, counted from 1: ``1-3, 7`` is 0, 1, 2, 6. Invalid."""
    indices: dict[int, None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _LISTED.fullmatch(part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last:
            raise Invalid(f"“{part}” names no micrographs.", hint="Count from 1 and write 1-20, 35.")
        indices |= dict.fromkeys(range(first - 1, last))
    if not indices:
        raise Invalid("No micrograph is named.", hint="Write their numbers, counted from 1: 1-20, 35.")
    return tuple(indices)
