"""A connection to an instance: where everything else is found from."""

from collections.abc import Iterator
from typing import Any, Self
from uuid import UUID

from athena.contract import elements as wire
from athena.contract.elements import DatasetType
from athena.contract.events import Event
from athena.contract.health import Health
from athena.contract.jobs import JobCount
from athena.contract.people import User
from athena.errors import Invalid
from athena.sdk import html
from athena.sdk.client import Client, checked
from athena.sdk.elements import Element, Folder, Listing, branch, list_children, wrap
from athena.sdk.instance import find_instance, stop_instance
from athena.sdk.jobs import Job, Jobs, list_jobs, start_job
from athena.sdk.runs import Run
from athena.sdk.watching import watch
from athena.settings import Settings

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

    def folders(self) -> Listing:
        """The roots of the workspace."""
        return list_children(self._client, None)

    def element(self, element_id: UUID | str) -> Element:
        """Element by its identifier."""
        return wrap(self._client, self._client.get(f"/api/elements/{UUID(str(element_id))}", wire.Element))

    def run(self, key: UUID | str) -> Run:
        """Run by its identifier or its path."""
        element = self.element(key) if isinstance(key, UUID) else self[key]
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
