"""All that the portal asks of Athena, one method a question, over the SDK's client.

Every call blocks on the network: sessions make them in threads (``PortalSession.run``), never on the server's loop.
"""

from uuid import UUID

from pydantic import JsonValue

from athena.contract.elements import (
    Element,
    ElementCreate,
    ElementKind,
    ElementMove,
    ElementPage,
    ElementUpdate,
    MetadataEntry,
)
from athena.contract.events import EventPage
from athena.contract.jobs import Job, JobAction, JobCount, JobCreate
from athena.contract.live_runs import LiveRun
from athena.contract.metadata import Converted, KnownName, MetadataWrite, Quantity
from athena.contract.neighbours import Shown
from athena.contract.notes import Note, NoteWrite
from athena.contract.people import PasswordChange, User
from athena.contract.search import Placed, SearchPage
from athena.contract.sharing import GrantChange, Grantee, Permissions, PublicChange
from athena.contract.storages import Storage, StorageCreate, StorageUpdate
from athena.contract.tokens import Token, TokenCreate, TokenMade
from athena.contract.visits import Visit
from athena.portal.kernels import ReportKernels
from athena.portal.order import PAGE, Order
from athena.portal.questions.files import FileQuestions
from athena.portal.questions.runs import RunQuestions
from athena.portal.questions.samples import SampleQuestions
from athena.sdk.client import Client, Query
from athena.sdk.report import QualityReport as ShownReport
from athena.sdk.report_notebook import notebook_as


class Catalogue(FileQuestions, RunQuestions, SampleQuestions):
    """Athena as one user sees it.

    Parameters
    ----------
    kernels : executes the notebooks of reports, for all users of the process.
    """

    def __init__(self, client: Client, kernels: ReportKernels | None = None) -> None:
        super().__init__(client)
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

    def visit(
        self,
        element_id: UUID,
        order: Order = Order(),
        *,
        index: int | None = None,
        shown: Shown = Shown.ALL,
        newest_first: bool = False,
        branch: str | None = None,
    ) -> Visit:
        """What a page about an element shows of it; NotFound if it is not there or not the visitor's to see.

        Parameters
        ----------
        order : of its children.
        index : of a run, the acquisition that is shown, among which others, in which branch of results.
        """
        asked: Query = {
            "sort": order.sort and order.sort.value,
            "descending": "true" if order.descending else None,
            "offset": order.first,
            "limit": PAGE,
            "index": index,
            "shown": shown.value,
            "newest_first": "true" if newest_first else None,
            "branch": branch if index is not None else None,
        }
        return self._client.get(f"/api/elements/{element_id}/visit", Visit, params=asked)

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

    def move(self, element: Element, parent_id: UUID | None) -> Element | None:
        """Move an element, as it was read, to another parent (None: the top); None when it is not seen any more."""
        move = ElementMove(parent_id=parent_id, revision=element.revision)
        return self._client.put(f"/api/elements/{element.id}/parent", move, Element | None)  # type: ignore[arg-type]

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
