"""The workspace tree as objects: folders, workflows, steps, datasets."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self, TypeVar, overload
from uuid import UUID

from athena.contract import elements as wire
from athena.contract.elements import DatasetType, Status, Template
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client, checked
from athena.sdk.files import HoldsFiles
from athena.sdk.jobs import Job, Jobs, list_jobs, start_job
from athena.sdk.metadata import Metadata
from athena.sdk.notes import Notes
from athena.sdk.saving import save_zip
from athena.sdk.sharing import Shared

PAGE = 200
"""Elements asked for at once."""

E = TypeVar("E", bound="Element")


class Element(Shared):
    """A folder, workflow, step or dataset, as it was when last read; ``refresh`` reads it again."""

    def __init__(self, client: Client, model: wire.Element) -> None:
        self._client = client
        self._model = model

    @property
    def client(self) -> Client:
        """The client this was read with."""
        return self._client

    @property
    def model(self) -> wire.Element:
        """All that the API said of it."""
        return self._model

    @property
    def id(self) -> UUID:
        """Identifier, which never changes."""
        return self._model.id

    @property
    def name(self) -> str:
        """Name."""
        return self._model.name

    @property
    def kind(self) -> wire.ElementKind:
        """Folder, workflow, step or dataset."""
        return self._model.kind

    @property
    def status(self) -> Status:
        """How the work on it stands."""
        return self._model.status

    @property
    def description(self) -> str:
        """Free text."""
        return self._model.description

    @property
    def path(self) -> str:
        """Names from the root, ``Folder/Workflow/Step/Dataset``: what ``athena[...]`` takes."""
        crumbs = self._client.get(f"/api/elements/{self.id}/breadcrumb", list[wire.Crumb])
        return "/".join(crumb.name for crumb in crumbs)

    @property
    def parent(self) -> "Element | None":
        """The element it lies in; None at the root."""
        if self._model.parent_id is None:
            return None
        return wrap(self._client, self._client.get(f"/api/elements/{self._model.parent_id}", wire.Element))

    def refresh(self) -> Self:
        """Read it again."""
        self._model = self._client.get(f"/api/elements/{self.id}", wire.Element)
        return self

    def update(
        self, *, name: str | None = None, description: str | None = None, status: Status | str | None = None
    ) -> Self:
        """Rename, describe or set the status; what is left out stays.

        Raises
        ------
        Conflict : somebody else has changed it since it was read; ``refresh`` shows what it is now.
        """
        given = {"name": name, "description": description, "status": status, "revision": self._model.revision}
        change = checked(wire.ElementUpdate, **{key: value for key, value in given.items() if value is not None})
        self._model = self._client.patch(f"/api/elements/{self.id}", change, wire.Element)
        return self

    def download(self, to: str | Path = ".", *, progress: bool = True) -> Path:
        """Save everything that you may see in it as ``<name>.zip`` in a folder; gives the path of the zip."""
        return save_zip(self._client, {"elements": str(self.id)}, self.name, Path(to), progress=progress)

    def children(self) -> "Listing":
        """What lies in it, in order."""
        return list_children(self._client, self.id)

    @property
    def metadata(self) -> Metadata:
        """Metadata by name: ``element.metadata["defocus"] = 1.2 * athena.ureg.um``."""
        return Metadata(self._client, self.id, self.name)

    @property
    def notes(self) -> Notes:
        """Notes on it, the newest first."""
        return Notes(self._client, self.id)

    def delete(self) -> Job:
        """Delete it with all that it holds: closed at once, taken away by the job that is given back."""
        return start_job(self._client, "delete", self.id)

    def archive(self) -> Job:
        """Move the content of a workflow or dataset to the archive storage; results stay browsable."""
        return start_job(self._client, "archive", self.id)

    def restore(self) -> Job:
        """Bring archived content back."""
        return start_job(self._client, "restore", self.id)

    def jobs(self) -> Jobs:
        """Its jobs that you may see, newest first."""
        return list_jobs(self._client, self.id)

    def __getitem__(self, path: str) -> "Element":
        """Element below this one by name, or by names with slashes between.

        Raises
        ------
        NotFound : there is none.
        """
        element: Element = self
        for name in path.split("/"):
            element = element.children()[name]
        return element

    def __iter__(self) -> Iterator["Element"]:
        return iter(self.children())

    def _ipython_key_completions_(self) -> list[str]:
        return [child.name for child in self.children()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Element) and self.id == other.id and self._client == other._client

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.status.value}>"

    def _repr_html_(self) -> str:
        children = self.children()
        inside = html.tree([branch(child, depth=1) for child in children]) if children else html.text("empty", "mute")
        return html.page(html.card(self.name, html.kind_words(self._model), self._note(), inside, status=self.status))

    def _note(self) -> str:
        return html.text(self.description, "mute") if self.description else ""

    def _create(self, new: wire.ElementCreate) -> "Element":
        return wrap(self._client, self._client.post("/api/elements", new, wire.Element))


class Folder(Element):
    """A folder: holds folders and workflows."""

    def create_folder(self, name: str) -> "Folder":
        """Make a folder in it."""
        return _as(Folder, self._create(checked(wire.FolderCreate, name=name, parent_id=self.id)))

    def create_workflow(self, name: str, *, template: str = Template.SPA_QUALITY_MONITOR) -> "Workflow":
        """Make a workflow in it, with the steps of the template."""
        new = checked(wire.WorkflowCreate, name=name, parent_id=self.id, template=template)
        return _as(Workflow, self._create(new))


class Workflow(Element):
    """A workflow: its steps in order."""

    @property
    def template(self) -> str:
        """Name of the template it was made from."""
        return self._model.type

    def create_step(self, name: str) -> "Step":
        """Add a step; only Free workflows take more."""
        return _as(Step, self._create(checked(wire.StepCreate, name=name, parent_id=self.id)))


class Step(Element, HoldsFiles):
    """A step of a workflow: holds datasets."""

    def create_dataset(self, name: str, *, type: DatasetType | str = DatasetType.FREE) -> "Dataset":
        """Make a dataset in it."""
        new = checked(wire.DatasetCreate, name=name, parent_id=self.id, type=type)
        return _as(Dataset, self._create(new))


class Dataset(Element, HoldsFiles):
    """A dataset; those filled by an acquisition are ``athena.sdk.runs.Run``."""

    @property
    def type(self) -> DatasetType:
        """How it is filled."""
        return DatasetType(self._model.type)

    def export(self, folder: str, *, files: bool = True, metadata: bool = True) -> Job:
        """Copy it to the export storage, into ``folder`` with the moment added; ``job.result["location"]`` is where."""
        chosen = {name: "all" if wanted else "none" for name, wanted in (("files", files), ("metadata", metadata))}
        return start_job(self._client, "export", self.id, folder=folder, **chosen)


class Listing(Sequence[Element]):
    """Elements in order; indexed by position or by name."""

    def __init__(self, elements: Sequence[Element], where: str) -> None:
        self._elements = tuple(elements)
        self._where = where

    @overload
    def __getitem__(self, key: int | str) -> Element: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Element]: ...
    def __getitem__(self, key: int | str | slice) -> Element | Sequence[Element]:
        if not isinstance(key, str):
            return self._elements[key]
        for element in self._elements:
            if element.name == key:
                return element
        raise NotFound(f"There is no {key!r} in {self._where}.", hint=self._known())

    def __len__(self) -> int:
        return len(self._elements)

    def _known(self) -> str:
        names = ", ".join(element.name for element in self._elements[:10])
        return f"There are: {names}{', …' if len(self) > 10 else ''}." if names else "It is empty."

    def _ipython_key_completions_(self) -> list[str]:
        return [element.name for element in self._elements]

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self._elements))}]"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.mark(element.status),
                html.text(element.name),
                html.text(html.kind_words(element.model), "mute"),
                html.text(element.model.creator, "mute"),
                html.text(f"{element.model.updated:%Y-%m-%d %H:%M}", "mute"),
            )
            for element in self._elements
        ]
        return html.page(html.table(("", "Name", "Kind", "By", "Changed (UTC)"), rows))


def list_children(client: Client, parent_id: UUID | None) -> Listing:
    """Children of an element, or the roots, all of them in order."""
    found: list[Element] = []
    total = 1
    while len(found) < total:
        params = {"parent_id": str(parent_id) if parent_id else None, "offset": len(found), "limit": PAGE}
        page = client.get("/api/elements", wire.ElementPage, params=params)
        found += [wrap(client, model) for model in page.items]
        total = page.total if page.items else 0
    return Listing(found, "the workspace" if parent_id is None else "this element")


def branch(element: Element, *, depth: int) -> str:
    """Element as a node of an HTML tree, with ``depth`` levels below it."""
    label = f"{html.mark(element.status)} {html.text(element.name)} {html.text(html.kind_words(element.model), 'mute')}"
    if depth == 0 or element.model.child_count == 0:
        return html.branch(label)
    return html.branch(label, [branch(child, depth=depth - 1) for child in element.children()])


def wrap(client: Client, model: wire.Element) -> Element:
    """Object of the kind of a contract element."""
    # a run is a dataset, so its module imports this one
    from athena.sdk.runs import Run

    match model.kind:
        case wire.ElementKind.FOLDER:
            return Folder(client, model)
        case wire.ElementKind.WORKFLOW:
            return Workflow(client, model)
        case wire.ElementKind.STEP:
            return Step(client, model)
        case wire.ElementKind.DATASET:
            return Dataset(client, model) if model.type == DatasetType.FREE else Run(client, model)


def _as(kind: type[E], element: Element) -> E:
    if not isinstance(element, kind):
        raise TypeError(f"the API made a {element.kind.value}, not a {kind.__name__}")
    return element
