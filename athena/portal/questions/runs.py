"""What the portal asks of Athena about runs: a part of the catalogue."""

from collections.abc import Sequence
from urllib.parse import quote
from uuid import UUID

from athena.contract.branches import Branch, BranchComparison
from athena.contract.cleanup import CleanupSize
from athena.contract.criteria import RunCriteria
from athena.contract.filters import FilterRule, RunFilter, SavedFilter
from athena.contract.jobs import Job
from athena.contract.listings import Listing, ListingSort
from athena.contract.named_filters import FilterVersion, NamedFilter, NamedFilterCreate, NamedFilterUpdate
from athena.contract.neighbours import Shown
from athena.contract.report import QualityReport
from athena.contract.runs import ParametersUpdate, Retried, Run, SourceCreate
from athena.contract.verdicts import VerdictKind
from athena.errors import NotFound
from athena.portal.questions.base import Questions
from athena.sdk.client import Query
from athena.sdk.filters import get_criteria, give_verdict, reset_criteria, set_criteria


class RunQuestions(Questions):
    """Runs and their results as one user sees them."""

    def run(self, run_id: UUID) -> Run:
        """A run: counts, source, version."""
        return self._client.get(f"/api/runs/{run_id}", Run)

    def attach(self, run_id: UUID, source: SourceCreate) -> Run:
        """Attach a session folder to a run; the runner fills the run from it."""
        return self._client.put(f"/api/runs/{run_id}/source", source, Run)

    def listing(
        self,
        run_id: UUID,
        *,
        shown: Shown | None,
        sort: ListingSort,
        descending: bool,
        offset: int,
        limit: int,
        holding: int | None = None,
        branch: str | None = None,
    ) -> Listing:
        """A page of a run's acquisitions; ``shown`` None: what its filter keeps, or all."""
        asked: Query = {
            "shown": shown and shown.value,
            "sort": sort.value,
            "descending": descending,
            "offset": offset,
            "limit": limit,
            "holding": holding,
            "branch": branch,
        }
        return self._client.get(f"/api/runs/{run_id}/listing", Listing, params=asked)

    def saved_filter(self, run_id: UUID, *, branch: str | None = None) -> SavedFilter:
        """The filter saved for a run, and how many of a branch's acquisitions match it."""
        return self._client.get(f"/api/runs/{run_id}/filter", SavedFilter, params={"branch": branch})

    def save_filter(self, run_id: UUID, wanted: RunFilter) -> SavedFilter:
        """Save the filter of a run, for everyone who sees it."""
        return self._client.put(f"/api/runs/{run_id}/filter", wanted, SavedFilter)

    def named_filters(self, run_id: UUID) -> list[NamedFilter]:
        """Filters that the workflow of a run keeps, by name."""
        return self._client.get(f"/api/runs/{run_id}/filters", list[NamedFilter])

    def add_named_filter(self, run_id: UUID, new: NamedFilterCreate) -> NamedFilter:
        """Keep rules under a name, for all runs of the workflow."""
        return self._client.post(f"/api/runs/{run_id}/filters", new, NamedFilter)

    def change_named_filter(self, run_id: UUID, filter_id: UUID, change: NamedFilterUpdate) -> NamedFilter:
        """Give a named filter another name or other rules."""
        return self._client.patch(f"/api/runs/{run_id}/filters/{filter_id}", change, NamedFilter)

    def filter_versions(self, run_id: UUID, filter_id: UUID) -> list[FilterVersion]:
        """What a named filter was, newest first: the last ones."""
        return self._client.get(f"/api/runs/{run_id}/filters/{filter_id}/versions", list[FilterVersion])

    def remove_named_filter(self, run_id: UUID, filter_id: UUID) -> None:
        """Forget a named filter."""
        self._client.delete(f"/api/runs/{run_id}/filters/{filter_id}")

    def update_live_export(self, run_id: UUID) -> Job:
        """Apply the saved filter to what the live export of a run has still to come."""
        return self._client.post(f"/api/runs/{run_id}/live-export/update", None, Job)

    def judge(self, run_id: UUID, indices: Sequence[int], verdict: VerdictKind | None) -> None:
        """Accept or reject acquisitions by hand; None takes it back."""
        give_verdict(self._client, run_id, indices, verdict)

    def report(self, run_id: UUID, *, branch: str | None = None) -> QualityReport:
        """What a run was worth so far, by a branch of its results."""
        return self._client.get(f"/api/runs/{run_id}/report", QualityReport, params={"branch": branch})

    def branches(self, run_id: UUID) -> list[Branch]:
        """Branches of a run's results, the oldest first."""
        return self._client.get(f"/api/runs/{run_id}/branches", list[Branch])

    def branch(self, run_id: UUID, name: str) -> Branch:
        """One branch of a run's results; NotFound."""
        for branch in self.branches(run_id):
            if branch.name == name and not branch.deleting:
                return branch
        raise NotFound(f"The run has no branch of results “{name}”.", hint="Its Processing tab lists those it has.")

    def compare(self, run_id: UUID, name: str, other: str | None = None) -> BranchComparison:
        """Metrics of a branch beside those of another (None: the default one)."""
        path = f"/api/runs/{run_id}/branches/{quote(name, safe='')}/comparison"
        return self._client.get(path, BranchComparison, params={"other": other})

    def promote(self, run_id: UUID, name: str) -> None:
        """Make a branch the default one."""
        self._client.post(f"/api/runs/{run_id}/branches/{quote(name, safe='')}/promote", None, None)

    def criteria(self, run_id: UUID) -> RunCriteria:
        """Quality criteria of a run, and how many comply."""
        return get_criteria(self._client, run_id)

    def set_criteria(self, run_id: UUID, rules: Sequence[FilterRule]) -> RunCriteria:
        """Set the quality criteria of a run."""
        return set_criteria(self._client, run_id, rules)

    def reset_criteria(self, run_id: UUID) -> RunCriteria:
        """Let the instance's criteria apply again."""
        return reset_criteria(self._client, run_id)

    def set_parameters(self, run_id: UUID, wanted: ParametersUpdate) -> Run:
        """Set parameters of a run's processing."""
        return self._client.patch(f"/api/runs/{run_id}/parameters", wanted, Run)

    def retry_failed(self, run_id: UUID) -> int:
        """Process what failed again; how many there are."""
        return self._client.post(f"/api/runs/{run_id}/retry", None, Retried).count

    def cleanup_sizes(self, run_id: UUID) -> list[CleanupSize]:
        """What a cleanup of a run could take away, and how much."""
        return self._client.get(f"/api/runs/{run_id}/cleanup", list[CleanupSize])
