"""A connection to an instance: where everything else is found from."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from athena.contract import elements as wire
from athena.contract.elements import DatasetType, Status
from athena.contract.events import Event
from athena.contract.health import Health, InstanceHealth, Plugin
from athena.contract.jobs import JobCount
from athena.contract.metadata import Quantity
from athena.contract.people import User
from athena.contract.search import Placed, SearchIn, SearchKind
from athena.contract.templates import WorkflowTemplate
from athena.errors import Invalid
from athena.sdk import html
from athena.sdk.client import Client, checked
from athena.sdk.elements import Element, Folder, Listing, branch, list_children, wrap
from athena.sdk.groups import Group, Groups, create_group
from athena.sdk.health import Services
from athena.sdk.instance import find_instance, stop_instance
from athena.sdk.jobs import Job, Jobs, list_jobs, start_job
from athena.sdk.licences import Licence
from athena.sdk.runs import Run
from athena.sdk.samples import Samples
from athena.sdk.search import Places, SearchResults, as_list, as_moment, find
from athena.sdk.storages import Storages
from athena.sdk.tokens import Tokens
from athena.sdk.users import Users
from athena.sdk.watching import watch
from athena.settings import Settings

if TYPE_CHECKING:
    from pint import UnitRegistry

TREE_DEPTH = 2
"""Levels shown below the roots: workflows and their steps."""
TREE_ROOTS = 20
"""Roots shown; the rest is counted."""


class Athena:
    """A connection to one instance, as one user. ``athena.connect()`` makes it.

    ``athena["Folder/Workflow/Imaging/Run"]`` finds an element by path.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def client(self) -> Client:
        """The HTTP client."""
        return self._client

    @property
    def url(self) -> str:
        """Address of the API."""
        return self._client.url

    @property
    def me(self) -> User:
        """Who the token belongs to."""
        return self._client.get("/api/me", User)

    @property
    def health(self) -> Health:
        """State and version of the instance."""
        return self._client.get("/api/health", Health)

    @property
    def services(self) -> Services:
        """Every part of the instance with version and state, and what waits. For administrators."""
        return Services(self._client.get("/api/services", InstanceHealth))

    @property
    def plugins(self) -> list[Plugin]:
        """What installed packages add to the instance: steps, acquisition adapters, job kinds …"""
        return self._client.get("/api/plugins", list[Plugin])

    def folders(self) -> Listing:
        """The roots of the workspace."""
        return list_children(self._client, None)

    def element(self, element_id: UUID | str) -> Element:
        """Element by its identifier."""
        return wrap(self._client, self._client.get(f"/api/elements/{UUID(str(element_id))}", wire.Element))

    def run(self, key: UUID | str) -> Run:
        """Run by its identifier, which may be text, or by its path."""
        element = self.element(key) if _is_identifier(key) else self[str(key)]
        if not isinstance(element, Run):
            raise Invalid(f"{element.name!r} is a {element.kind.value} that no acquisition fills, not a run.")
        return element

    def runs(self) -> list[Run]:
        """Every run of the workspace that you may see, the one that changed last first."""
        waiting, found = list(self.folders()), list[Run]()
        while waiting:
            element = waiting.pop()
            if isinstance(element, Run):
                found.append(element)
            elif element.model.child_count:
                waiting += element.children()
        return sorted(found, key=lambda run: run.model.updated, reverse=True)

    def __getitem__(self, path: str) -> Element:
        """Element at a path of names, ``Folder/Workflow/Step/Run``.

        Raises
        ------
        NotFound : there is none, or you may not see it.
        """
        return wrap(self._client, self._client.get("/api/paths", wire.Element, params={"path": path}))

    def ensure(self, path: str, *, dataset_type: DatasetType | str = DatasetType.EPU_RUN) -> Element:
        """Element at ``Folder/Workflow/Step/Run``, made with whatever is missing on the way."""
        new = checked(wire.PathCreate, path=path, dataset_type=dataset_type)
        return wrap(self._client, self._client.post("/api/paths", new, wire.Element))

    def create_folder(self, name: str) -> Folder:
        """Make a folder at the root."""
        new = checked(wire.FolderCreate, name=name)
        return Folder(self._client, self._client.post("/api/elements", new, wire.Element))

    @property
    def groups(self) -> Groups:
        """Groups by name: those you are in; for user managers all."""
        return Groups(self._client)

    def create_group(self, name: str, *, members: Iterable[str] = (), description: str = "") -> Group:
        """Make a group of users, by user name; for user managers."""
        return create_group(self._client, name, members=members, description=description)

    def templates(self) -> list[WorkflowTemplate]:
        """What new workflows can be made from."""
        return self._client.get("/api/templates", list[WorkflowTemplate])

    def events(self, after: int | None = None, *, timeout: float | None = None) -> Iterator[Event]:
        """All events you may see, as they come; see ``Run.watch``."""
        return watch(self._client, after=after, timeout=timeout)

    def jobs(self) -> Jobs:
        """Jobs you may see, newest first; a table wherever it is shown."""
        return list_jobs(self._client)

    def start_job(self, kind: str, element: Element | None = None, **parameters: Any) -> Job:
        """Start a job of any kind, those of installed packages too."""
        return start_job(self._client, kind, element.id if element is not None else None, **parameters)

    def remove_ended_jobs(self) -> int:
        """Take all your own ended jobs off the list; returns how many."""
        return self._client.delete("/api/jobs/ended", JobCount).count

    def stop_live_exports(self) -> int:
        """Cancel every live export, keeping what was copied; returns how many. For administrators."""
        return self._client.post("/api/jobs/kinds/live_export/cancel", None, JobCount).count

    @property
    def storages(self) -> Storages:
        """Where files lie, and how full it is there; what is told was found in the last five minutes."""
        return Storages(self._client)

    @property
    def users(self) -> Users:
        """People of the platform, for those who manage them."""
        return Users(self._client)

    @property
    def licence(self) -> Licence:
        """Licence of the platform, for those who manage it."""
        return Licence(self._client)

    @property
    def tokens(self) -> Tokens:
        """Your own tokens for scripts."""
        return Tokens(self._client)

    @property
    def samples(self) -> Samples:
        """Samples you may see."""
        return Samples(self._client)

    @property
    def ureg(self) -> "UnitRegistry[Any]":
        """Units: ``1.2 * athena.ureg.um``."""
        from athena.domain.registry import ureg

        return ureg

    def quantities(self, text: str = "") -> list[Quantity]:
        """Physical quantities with their units, searched by name, unit or symbol."""
        return self._client.get("/api/quantities", list[Quantity], params={"text": text})

    def search(
        self,
        text: str = "",
        *,
        kind: SearchKind | str | Sequence[str] = (),
        within: SearchIn | str | Sequence[str] = (),
        status: Status | str | Sequence[str] = (),
        owner: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        where: str = "",
        limit: int = 50,
    ) -> SearchResults:
        """Find elements and files, the best first.

        Parameters
        ----------
        text : words; each is the beginning of one in name, metadata or notes.
        kind, status, owner, since, until : what to keep; times are of the last change.
        within : "name", "metadata", "notes"; all of them if left out.
        where : condition on metadata, units converted: ``defocus > 1 um and microscope = 'Krios G4'``.
        limit : how many hits at most, up to 1000.

        Raises
        ------
        Invalid : the condition cannot be read; the message says where.
        """
        filters = {
            "text": text,
            "kind": as_list(kind),
            "in": as_list(within),
            "status": as_list(status),
            "owner": owner,
            "since": as_moment(since),
            "until": as_moment(until),
            "where": where,
        }
        return find(self._client, filters, limit=limit)

    def recent(self, kind: wire.ElementKind | str | None = None, *, limit: int = 10) -> Places:
        """What you opened last, the last first; of one kind ("folder", "workflow") or of all."""
        params = {"kind": None if kind is None else str(wire.ElementKind(kind)), "limit": limit}
        return Places(self._client, self._client.get("/api/recent", list[Placed], params=params))

    def close(self) -> None:
        """Close the connection; the instance runs on."""
        self._client.close()

    def shutdown(self) -> None:
        """Stop the instance, if it is your own on this machine; what it was doing goes on at its next start.

        Raises
        ------
        Invalid : it is another instance.
        """
        settings = Settings()
        instance = find_instance(settings)
        if instance is None or instance.api_url != self.url:
            raise Invalid(f"{self.url} is not your own instance on this machine.")
        self.close()
        stop_instance(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Element]:
        return iter(self.folders())

    def _ipython_key_completions_(self) -> list[str]:
        return [folder.name for folder in self.folders()]

    def __repr__(self) -> str:
        return f"<Athena {self.url}>"

    def _repr_html_(self) -> str:
        roots = self.folders()
        branches = [branch(element, depth=TREE_DEPTH) for element in roots[:TREE_ROOTS]]
        more = html.text(f"and {len(roots) - TREE_ROOTS} more", "mute") if len(roots) > TREE_ROOTS else ""
        if not roots:
            more = html.text("The workspace is empty: athena.create_folder('…') starts it.", "mute")
        who = f"{self.me.username} · {self.url} · version {self.health.version}"
        return html.page(html.card("Athena", who, html.tree(branches), more))


def _is_identifier(key: UUID | str) -> bool:
    try:
        return str(UUID(str(key))) == str(key)
    except ValueError:
        return False
