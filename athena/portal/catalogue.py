"""All that the portal asks of Athena, one method a question, over the SDK's client.

Every call blocks on the network: sessions make them in threads (``PortalSession.run``), never on the server's loop.
"""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote
from uuid import UUID

from pydantic import JsonValue

from athena.contract.acquisitions import Acquisition
from athena.contract.branches import Branch, BranchComparison
from athena.contract.criteria import RunCriteria
from athena.contract.elements import (
    Crumb,
    Element,
    ElementCreate,
    ElementKind,
    ElementPage,
    ElementUpdate,
    MetadataEntry,
)
from athena.contract.events import EventPage
from athena.contract.files import File, FilePage, FileSort, FileUpdate
from athena.contract.filters import FilterRule, RunFilter, SavedFilter
from athena.contract.jobs import Job, JobAction, JobCount, JobCreate
from athena.contract.live_runs import LiveRun
from athena.contract.metadata import Converted, KnownName, MetadataWrite, Quantity
from athena.contract.neighbours import Neighbours, Shown
from athena.contract.notes import Note, NoteWrite
from athena.contract.people import PasswordChange, User
from athena.contract.report import QualityReport
from athena.contract.runs import ParametersUpdate, Retried, Run, RunTable, SourceCreate
from athena.contract.search import Placed, SearchPage
from athena.contract.sharing import GrantChange, Grantee, Permissions, PublicChange
from athena.contract.storages import Storage, StorageCreate, StorageUpdate
from athena.contract.tokens import Token, TokenCreate, TokenMade
from athena.contract.verdicts import VerdictKind
from athena.errors import NotFound
from athena.portal.kernels import ReportKernels
from athena.portal.order import PAGE, Order
from athena.sdk import files as sdk_files
from athena.sdk import tables
from athena.sdk.client import Client, Query
from athena.sdk.filters import get_criteria, give_verdict, reset_criteria, set_criteria
from athena.sdk.report import QualityReport as ShownReport
from athena.sdk.report_notebook import notebook_as

FILES_SHOWN = 500
"""Files asked for at once."""


class Catalogue:
    """Athena as one user sees it.

    Parameters
    ----------
    kernels : executes the notebooks of reports, for all users of the process.
    """

    def __init__(self, client: Client, kernels: ReportKernels | None = None) -> None:
        self._client = client
        self._kernels = kernels or ReportKernels()

    @property
    def client(self) -> Client:
        """What the questions are asked through."""
        return self._client

    def me(self) -> User:
        """The visitor."""
        return self._client.get("/api/me", User)

    def change_password(self, change: PasswordChange) -> None:
        """Change the visitor's password."""
        self._client.put("/api/me/password", change, None)

    def tokens(self) -> list[Token]:
        """The visitor's tokens, newest first."""
        return self._client.get("/api/tokens", list[Token])

    def create_token(self, new: TokenCreate) -> TokenMade:
        """Make a token; its text is in the answer and nowhere else."""
        return self._client.post("/api/tokens", new, TokenMade)

    def revoke_token(self, token_id: UUID) -> None:
        """Make a token void."""
        self._client.delete(f"/api/tokens/{token_id}")

    def element(self, element_id: UUID) -> Element:
        """One element; NotFound if it is not there or not the visitor's to see."""
        return self._client.get(f"/api/elements/{element_id}", Element)

    def breadcrumb(self, element_id: UUID) -> list[Crumb]:
        """Levels from the root down to the element."""
        return self._client.get(f"/api/elements/{element_id}/breadcrumb", list[Crumb])

    def children(
        self, parent_id: UUID | None, order: Order = Order(), *, limit: int = PAGE, holding: UUID | None = None
    ) -> ElementPage:
        """Children of an element, or (None) what is at the top of the workspace, in an order.

        With ``holding``, one of them: the page that it is on.
        """
        asked: Query = {
            "parent_id": str(parent_id) if parent_id else None,
            "sort": order.sort and order.sort.value,
            "descending": "true" if order.descending else None,
            "offset": order.first,
            "limit": limit,
            "holding": str(holding) if holding else None,
        }
        return self._client.get("/api/elements", ElementPage, params=asked)

    def files(
        self,
        element_id: UUID,
        folder: str,
        *,
        offset: int = 0,
        limit: int = FILES_SHOWN,
        sort: FileSort = FileSort.NAME,
        descending: bool = False,
    ) -> FilePage:
        """Files and folders that lie in a folder of an element; the empty one is the top."""
        asked: Query = {
            "folder": folder,
            "offset": offset,
            "limit": limit,
            "sort": sort.value,
            "descending": descending,
        }
        return self._client.get(f"/api/elements/{element_id}/files", FilePage, params=asked)

    def file(self, element_id: UUID, file_id: UUID) -> File:
        """One file of an element."""
        return self._client.get(f"/api/elements/{element_id}/files/{file_id}", File)

    def beginning(self, file: File, count: int) -> bytes:
        """First bytes of a file."""
        return sdk_files.File(self._client, file).read(0, count)

    def rename_file(self, element_id: UUID, file_id: UUID, change: FileUpdate) -> File:
        """Give a file another name."""
        return self._client.patch(f"/api/elements/{element_id}/files/{file_id}", change, File)

    def delete_files(self, element_id: UUID, files: Iterable[UUID], folders: Iterable[str]) -> int:
        """Delete files, and all that lies in folders; how many there were. What went meanwhile is no error."""
        wanted = [*files]
        for folder in folders:
            wanted += [file.id for file in self._below(element_id, folder)]
        for file_id in wanted:
            try:
                self._client.delete(f"/api/elements/{element_id}/files/{file_id}")
            except NotFound:
                continue
        return len(wanted)

    def _below(self, element_id: UUID, folder: str) -> Iterator[File]:
        page = self.files(element_id, folder)
        yield from page.items
        offset = len(page.items)
        while page.items and offset < page.total:
            page = self.files(element_id, folder, offset=offset)
            yield from page.items
            offset += len(page.items)
        for one in page.folders:
            yield from self._below(element_id, f"{folder}/{one.name}" if folder else one.name)

    def metadata(self, element_id: UUID) -> list[MetadataEntry]:
        """Metadata of an element."""
        return self._client.get(f"/api/elements/{element_id}/metadata", list[MetadataEntry])

    def set_metadatum(self, element_id: UUID, new: MetadataWrite) -> MetadataEntry:
        """Add or replace a metadatum of the group Custom."""
        return self._client.put(f"/api/elements/{element_id}/metadata", new, MetadataEntry)

    def remove_metadatum(self, element_id: UUID, name: str) -> None:
        """Remove a metadatum of the group Custom."""
        self._client.delete(f"/api/elements/{element_id}/metadata", params={"name": name})

    def metadata_names(self, text: str) -> list[KnownName]:
        """Names of metadata already used that begin so."""
        return self._client.get("/api/metadata/names", list[KnownName], params={"text": text})

    def quantities(self) -> list[Quantity]:
        """All physical quantities with their units."""
        return self._client.get("/api/quantities", list[Quantity])

    def converted(self, value: float, quantity: str, unit: str, to: str) -> dict[str, float | str]:
        """A value in another unit of its quantity, as ``value`` and ``unit``."""
        asked: Query = {"value": value, "unit": unit, "to": to}
        return self._client.get(f"/api/quantities/{quantity}/converted", Converted, params=asked).model_dump()

    def notes(self, element_id: UUID) -> list[Note]:
        """Notes on an element, the newest first."""
        return self._client.get(f"/api/elements/{element_id}/notes", list[Note])

    def add_note(self, element_id: UUID, new: NoteWrite) -> Note:
        """Write a note on an element."""
        return self._client.post(f"/api/elements/{element_id}/notes", new, Note)

    def change_note(self, element_id: UUID, note_id: UUID, new: NoteWrite) -> Note:
        """Replace what a note says."""
        return self._client.put(f"/api/elements/{element_id}/notes/{note_id}", new, Note)

    def delete_note(self, element_id: UUID, note_id: UUID) -> None:
        """Delete a note."""
        self._client.delete(f"/api/elements/{element_id}/notes/{note_id}")

    def permissions(self, element_id: UUID) -> Permissions:
        """Who may do what with an element."""
        return self._client.get(f"/api/elements/{element_id}/permissions", Permissions)

    def grant(self, element_id: UUID, change: GrantChange) -> Permissions | None:
        """Give a role or take it away; None when the visitor does not see the element any more."""
        return self._client.put(f"/api/elements/{element_id}/permissions/grant", change, Permissions | None)  # type: ignore[arg-type]

    def make_public(self, element_id: UUID, change: PublicChange) -> Permissions | None:
        """Make an element public or private; None when the visitor does not see it any more."""
        return self._client.put(f"/api/elements/{element_id}/permissions/public", change, Permissions | None)  # type: ignore[arg-type]

    def inherit_again(self, element_id: UUID) -> Permissions | None:
        """Give an element the permissions of the one above; None when the visitor does not see it any more."""
        return self._client.post(f"/api/elements/{element_id}/permissions/inherit", None, Permissions | None)  # type: ignore[arg-type]

    def grantees(self, text: str) -> list[Grantee]:
        """Users and groups whose name begins so."""
        return self._client.get("/api/grantees", list[Grantee], params={"text": text})

    def create(self, what: ElementCreate) -> Element:
        """Make an element."""
        return self._client.post("/api/elements", what, Element)

    def change(self, element_id: UUID, change: ElementUpdate) -> Element:
        """Rename, describe or set the status of an element."""
        return self._client.patch(f"/api/elements/{element_id}", change, Element)

    def search(self, asked: Query) -> SearchPage:
        """What is found, the best first; ``asked`` as ``GET /search`` takes it."""
        return self._client.get("/api/search", SearchPage, params=asked)

    def recent(self, kind: ElementKind | None = None, *, limit: int = 10) -> list[Placed]:
        """What the visitor opened last, of a kind or of all."""
        return self._client.get("/api/recent", list[Placed], params={"kind": kind and kind.value, "limit": limit})

    def live_runs(self) -> list[LiveRun]:
        """Runs that are acquired now."""
        return self._client.get("/api/live-runs", list[LiveRun])

    def storages(self) -> list[Storage]:
        """The connected storages with their use."""
        return self._client.get("/api/storages", list[Storage])

    def add_storage(self, new: StorageCreate) -> Storage:
        """Connect a storage, if it answers."""
        return self._client.post("/api/storages", new, Storage)

    def change_storage(self, storage_id: UUID, change: StorageUpdate) -> Storage:
        """Rename a storage, renew its options, set its quota, or choose it for new files of its role."""
        return self._client.patch(f"/api/storages/{storage_id}", change, Storage)

    def remove_storage(self, storage_id: UUID) -> None:
        """Disconnect a storage that is not in use."""
        self._client.delete(f"/api/storages/{storage_id}")

    def check_storage(self, storage_id: UUID) -> Storage:
        """Look at a storage now."""
        return self._client.post(f"/api/storages/{storage_id}/check", None, Storage)

    def jobs(self) -> list[Job]:
        """Jobs the visitor may see, newest first."""
        return self._client.get("/api/jobs", list[Job])

    def start_job(self, kind: str, element_id: UUID, parameters: dict[str, JsonValue] | None = None) -> Job:
        """Start a job of a kind on an element."""
        wanted = JobCreate(kind=kind, element_id=element_id, parameters=parameters or {})
        return self._client.post("/api/jobs", wanted, Job)

    def act_on_job(self, job_id: UUID, action: JobAction) -> None:
        """Cancel a job, begin it again, or take it off the list."""
        if action is JobAction.REMOVE:
            self._client.delete(f"/api/jobs/{job_id}")
        else:
            self._client.post(f"/api/jobs/{job_id}/{action.value}", None, Job)

    def remove_ended_jobs(self) -> int:
        """Take the visitor's ended jobs off the list; how many there were."""
        return self._client.delete("/api/jobs/ended", JobCount).count

    def opened(self, element_id: UUID) -> None:
        """Remember that the visitor opened it."""
        self._client.post(f"/api/elements/{element_id}/opened", None, None)

    def run(self, run_id: UUID) -> Run:
        """A run: counts, source, version."""
        return self._client.get(f"/api/runs/{run_id}", Run)

    def attach(self, run_id: UUID, source: SourceCreate) -> Run:
        """Attach a session folder to a run; the runner fills the run from it."""
        return self._client.put(f"/api/runs/{run_id}/source", source, Run)

    def acquisition(self, run_id: UUID, index: int, *, branch: str | None = None) -> Acquisition:
        """One acquisition of a run, as it stands in a branch of results (None: the default one)."""
        return self._client.get(f"/api/runs/{run_id}/acquisitions/{index}", Acquisition, params={"branch": branch})

    def neighbours(
        self, run_id: UUID, index: int, *, shown: Shown, descending: bool, branch: str | None = None
    ) -> Neighbours:
        """Place of an acquisition among those a gallery shows."""
        asked: Query = {"shown": shown.value, "descending": descending, "branch": branch}
        return self._client.get(f"/api/runs/{run_id}/acquisitions/{index}/neighbours", Neighbours, params=asked)

    def table(
        self,
        run_id: UUID,
        columns: Iterable[str],
        *,
        start: int = 0,
        limit: int | None = None,
        branch: str | None = None,
    ) -> RunTable:
        """Columns of a run from an acquisition on; ``limit`` acquisitions, or all."""
        if limit is None and start == 0:
            return tables.read_columns(self._client, run_id, tuple(columns), branch=branch)
        asked: Query = {"columns": ",".join(columns), "start": start, "limit": limit, "branch": branch}
        return self._client.get(f"/api/runs/{run_id}/table", RunTable, params=asked)

    def saved_filter(self, run_id: UUID, *, branch: str | None = None) -> SavedFilter:
        """The filter saved for a run, and how many of a branch's acquisitions match it."""
        return self._client.get(f"/api/runs/{run_id}/filter", SavedFilter, params={"branch": branch})

    def save_filter(self, run_id: UUID, wanted: RunFilter) -> SavedFilter:
        """Save the filter of a run, for everyone who sees it."""
        return self._client.put(f"/api/runs/{run_id}/filter", wanted, SavedFilter)

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

    def report_file(self, run_id: UUID, ending: str, *, branch: str | None = None) -> bytes:
        """The report as an executed notebook, by one of ``NOTEBOOK_ENDINGS``; the first of its numbers takes seconds.

        Conflict or Unavailable where too many are being executed.
        """
        model = self.report(run_id, branch=branch)
        key = (run_id, model.branch, model.version, model.data_hash)
        shown = ShownReport(self._client, model)
        return notebook_as(self._kernels.executed(self.me().username, key, shown.executed), ending)

    def events(self, after: int, wait: float) -> EventPage:
        """Events after one; blocks up to ``wait`` seconds for the next."""
        return self._client.events(after, wait=wait)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()
