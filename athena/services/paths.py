"""Elements by the names on the way to them, as people and notebooks write it: "Folder/Workflow/Imaging/Run name"."""

from collections.abc import Sequence

from sqlalchemy import or_
from sqlalchemy.orm import Session

from athena.contract.elements import (
    DatasetCreate,
    DatasetType,
    Element,
    ElementKind,
    FolderCreate,
    State,
    StepCreate,
    WorkflowCreate,
)
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.visibility import visible_with_roles
from athena.domain.templates import TEMPLATES, default_template
from athena.domain.tree import parse_run_path, split_path
from athena.errors import Conflict, Invalid, NotFound
from athena.services.describe import describe_element
from athena.services.elements import at_top, create_element, get_element, lock_children, visible_rows
from athena.services.guard import Visible


def find_path(session: Session, principal: Principal, path: str) -> Element:
    """Visible element at a path of names; where siblings share a name, the oldest. NotFound where a name is missing."""
    found: Visible | None = None
    for name in split_path(path):
        found = _child(session, principal, found.row if found else None, name=name, kinds=tuple(ElementKind))
        if found is None:
            raise NotFound(f"There is nothing at “{path}”: “{name}” is missing.", hint="Or it is not shared with you.")
    if found is None:
        raise AssertionError("split_path returns at least one name")
    return describe_element(session, principal, found)


def ensure_path(
    session: Session,
    principal: Principal,
    path: str,
    *,
    dataset_type: DatasetType = DatasetType.EPU_RUN,
    features: frozenset[str] | None = None,
) -> Element:
    """Dataset at "Folder/…/Workflow/Step/Name", made with all that is missing on the way.

    Missing folders are made, a missing workflow from the default template for the type of dataset. Calling
    it again, or at the same time from elsewhere as the same user, gives the same element. ``features`` of the licence
    limit the templates (None: all may be used).
    """
    wanted = parse_run_path(path)
    place: ElementRow | None = None
    for name in wanted.folders:
        place = _ensure(session, principal, place, name=name, kind=ElementKind.FOLDER)
    place = _ensure(
        session,
        principal,
        place,
        name=wanted.workflow,
        kind=ElementKind.WORKFLOW,
        dataset_type=dataset_type,
        features=features,
    )
    place = _ensure(session, principal, place, name=wanted.step, kind=ElementKind.STEP)
    run = _ensure(session, principal, place, name=wanted.run, kind=ElementKind.DATASET, dataset_type=dataset_type)
    if run.type != dataset_type:
        raise Conflict(
            f"“{path}” is there already, but its type is {run.type}, not {dataset_type.value}.",
            hint="Use another name.",
        )
    return get_element(session, principal, run.id)


def _ensure(
    session: Session,
    principal: Principal,
    parent: ElementRow | None,
    *,
    name: str,
    kind: ElementKind,
    dataset_type: DatasetType = DatasetType.EPU_RUN,
    features: frozenset[str] | None = None,
) -> ElementRow:
    """Child of this name and kind, made if it is missing."""
    found = _child(session, principal, parent, name=name, kinds=(kind,))
    if found is None:
        lock_children(session, principal, parent)
        found = _child(session, principal, parent, name=name, kinds=(kind,))
    if found is not None:
        return found.row
    if parent is None:
        made = create_element(session, principal, FolderCreate(name=name))
    elif kind is ElementKind.FOLDER:
        made = create_element(session, principal, FolderCreate(name=name, parent_id=parent.id))
    elif kind is ElementKind.WORKFLOW:
        workflow = WorkflowCreate(name=name, parent_id=parent.id, template=default_template(dataset_type))
        made = create_element(session, principal, workflow, features=features)
    elif kind is ElementKind.STEP:
        made = _own_step(session, principal, parent, name=name)
    else:
        made = create_element(session, principal, DatasetCreate(name=name, parent_id=parent.id, type=dataset_type))
    return session.get_one(ElementRow, made.id)


def _own_step(session: Session, principal: Principal, workflow: ElementRow, *, name: str) -> Element:
    spec = TEMPLATES[workflow.type]
    if not spec.own_steps:
        raise Invalid(
            f"The workflow “{workflow.name}” has no step “{name}”.", hint=f"Its steps: {', '.join(spec.steps)}."
        )
    return create_element(session, principal, StepCreate(name=name, parent_id=workflow.id))


def _child(
    session: Session, principal: Principal, parent: ElementRow | None, *, name: str, kinds: Sequence[ElementKind]
) -> Visible | None:
    """Oldest visible child of this name; a template step also answers to its template's name once it is renamed."""
    place = at_top(principal) if parent is None else ElementRow.parent_id == parent.id
    named = or_(ElementRow.name == name, (ElementRow.kind == ElementKind.STEP.value) & (ElementRow.type == name))
    query = (
        visible_with_roles(principal)
        .where(place, named, ElementRow.kind.in_(kinds), ElementRow.state != State.DELETING.value)
        .order_by((ElementRow.name == name).desc(), ElementRow.created, ElementRow.id)
        .limit(1)
    )
    return next(iter(visible_rows(session, principal, query)), None)
