"""The workspace tree: folders, workflows, steps, datasets."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from athena.contract.base import Wire
from athena.contract.people import Action, Role

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f]+$")
]


class ElementKind(StrEnum):
    """What an element is."""

    FOLDER = "folder"
    WORKFLOW = "workflow"
    STEP = "step"
    DATASET = "dataset"


class Status(StrEnum):
    """How the work on a step, dataset or run stands (WS-04)."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    WARNING = "warning"


class State(StrEnum):
    """Whether an element can be opened."""

    ACTIVE = "active"
    DELETING = "deleting"
    ARCHIVED = "archived"


TemplateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
"""Name of a workflow template: that of its file in ``athena.domain.templates``."""


class Template(StrEnum):
    """The templates Athena ships (WS-02), for code to name; any other is a data file away and a plain name."""

    FREE = "free"
    SPA = "spa"
    SPA_QUALITY_MONITOR = "spa_quality_monitor"
    SPA_CRYOSPARC_LIVE = "spa_cryosparc_live"
    TOMO_LIVE = "tomo_live"


class DatasetType(StrEnum):
    """How a dataset is filled (WS-05)."""

    FREE = "free"
    EPU_RUN = "epu_run"
    TOMO_RUN = "tomo_run"
    CRYOSPARC_LIVE_RUN = "cryosparc_live_run"


class ElementSort(StrEnum):
    """What a listing is ordered by; position is the order of steps in their workflow."""

    POSITION = "position"
    NAME = "name"
    CREATED = "created"
    UPDATED = "updated"


class Crumb(Wire):
    """One level of the breadcrumb (WS-09)."""

    id: UUID
    kind: ElementKind
    name: str


class StepStatus(Wire):
    """One coloured piece of a workflow card's strip (WS-04)."""

    id: UUID
    name: str
    status: Status


class Element(Wire):
    """An element as the caller may see it."""

    id: UUID
    kind: ElementKind
    parent_id: UUID | None
    name: str
    type: str = Field(
        "", description="Template of a workflow, dataset type of a dataset, step name of a template step; else empty."
    )
    status: Status = Status.NOT_STARTED
    state: State = State.ACTIVE
    position: int = 0
    description: str = ""
    creator: str
    created: datetime
    updated: datetime
    revision: int = Field(1, description="Grows with each change a person makes; say it with a change of your own.")
    my_role: Role = Field(description="The caller's role on this element (admins: owner).")
    may: tuple[Action, ...] = Field(
        (), description="What the caller may do with it, as far as its role, kind and creator go."
    )
    steps: tuple[StepStatus, ...] = Field((), description="Of a workflow: its steps in order.")
    child_count: int = 0


class FolderCreate(Wire):
    """A folder at the root (no parent) or in another folder."""

    kind: Literal["folder"] = "folder"
    name: Name
    parent_id: UUID | None = None


class WorkflowCreate(Wire):
    """A workflow in a folder; the template can never change afterwards."""

    kind: Literal["workflow"] = "workflow"
    name: Name
    parent_id: UUID
    template: TemplateName = Field(description="Name of one of the offered templates: see GET /api/templates.")


class StepCreate(Wire):
    """A step of a Free workflow."""

    kind: Literal["step"] = "step"
    name: Name
    parent_id: UUID


class DatasetCreate(Wire):
    """A dataset in a step."""

    kind: Literal["dataset"] = "dataset"
    name: Name
    parent_id: UUID
    type: DatasetType


ElementCreate = Annotated[FolderCreate | WorkflowCreate | StepCreate | DatasetCreate, Field(discriminator="kind")]


class ElementUpdate(Wire):
    """What to change; what is left out stays."""

    name: Name | None = None
    description: str | None = Field(None, max_length=20_000)
    status: Status | None = None
    revision: int | None = Field(
        None, description="Revision the change was made on: Conflict if the element has changed since then."
    )


class ElementMove(Wire):
    """Where an element goes: into another element, or (null) to the root."""

    parent_id: UUID | None
    revision: int | None = Field(None, description="As in ElementUpdate.")


class ElementPlace(Wire):
    """Before which of its siblings an element goes; null: last."""

    before_id: UUID | None


class PathCreate(Wire):
    """A path of names, ``Folder/Workflow/Step/Run name``; what is missing on the way is created."""

    path: str = Field(min_length=1, max_length=2000)
    dataset_type: DatasetType = DatasetType.EPU_RUN


class ElementPage(Wire):
    """Children of an element (or the roots), in order."""

    items: tuple[Element, ...]
    total: int
    offset: int = Field(0, description="How many come before the first of these.")


class MetadataEntry(Wire):
    """One metadatum of an element (MD-02)."""

    group: str
    name: str
    type: Literal["string", "boolean", "date", "double", "integer"]
    value: str | bool | float | int
    quantity: str = ""
    unit: str = ""
