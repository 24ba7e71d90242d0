"""The shape of the workspace tree: what may be made where, paths, and the order of names (WS-01…05)."""

import re
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from athena.contract.elements import DatasetCreate, DatasetType, ElementCreate, ElementKind, Name
from athena.domain.templates import TEMPLATES, dataset_types
from athena.errors import Invalid

MAX_DEPTH = 64
"""Levels of the tree; the path of the deepest element must still fit into a database index entry."""

_CHILDREN: dict[ElementKind | None, tuple[ElementKind, ...]] = {
    None: (ElementKind.FOLDER,),
    ElementKind.FOLDER: (ElementKind.FOLDER, ElementKind.WORKFLOW),
    ElementKind.WORKFLOW: (ElementKind.STEP,),
    ElementKind.STEP: (ElementKind.DATASET,),
    ElementKind.DATASET: (),
}
_NAME = TypeAdapter[str](Name)
_SORT_KEY_LENGTH = 400
_RUN_HINT = "EPU runs go into Screening and Imaging, Tomo runs into Imaging."


def child_kinds(kind: ElementKind | None, type_: str) -> tuple[ElementKind, ...]:
    """Kinds a user may make in an element (``None``: at the root); template steps come with their workflow only."""
    if kind is ElementKind.WORKFLOW and not TEMPLATES[type_].own_steps:
        return ()
    return _CHILDREN[kind]


def check_child(kind: ElementKind | None, type_: str, *, child: ElementCreate) -> None:
    """Refuse with Invalid what may not be made in an element of this kind and type (``None``: at the root)."""
    wanted = ElementKind(child.kind)
    place = f"a {kind.value}" if kind else "the root"
    if kind is ElementKind.WORKFLOW and wanted is ElementKind.STEP and not TEMPLATES[type_].own_steps:
        raise Invalid(
            f"The steps of a workflow “{TEMPLATES[type_].label}” are fixed.",
            hint="Only workflows of the template “Free” take steps of your own.",
        )
    if wanted not in _CHILDREN[kind]:
        allowed = ", ".join(_CHILDREN[kind]) or "nothing"
        raise Invalid(f"A {wanted.value} cannot be made in {place}.", hint=f"It can hold: {allowed}.")
    if isinstance(child, DatasetCreate) and child.type not in dataset_types(type_):
        step = f"step “{type_}”" if type_ else "step of your own"
        raise Invalid(
            f"A dataset of type {child.type.value} cannot be made in a {step}.",
            hint=_RUN_HINT,
        )


def check_move(kind: ElementKind, type_: str, *, to: ElementKind | None, to_type: str, same_workflow: bool) -> None:
    """Refuse with Invalid to move an element of this kind and type into one of another (``None``: to the root).

    Parameters
    ----------
    same_workflow : whether the element and its new place lie in one workflow, which processes its runs in one way.
    """
    place = f"a {to.value}" if to else "the root"
    if kind is ElementKind.STEP:
        raise Invalid("A step stays in its workflow.", hint="Its place among the other steps can be changed.")
    if kind not in _CHILDREN[to]:
        allowed = ", ".join(_CHILDREN[to]) or "nothing"
        raise Invalid(f"A {kind.value} cannot be moved to {place}.", hint=f"It can hold: {allowed}.")
    if kind is not ElementKind.DATASET or type_ == DatasetType.FREE:
        return
    if not same_workflow:
        raise Invalid("A run stays in its workflow, whose template says how it is processed.")
    if DatasetType(type_) not in dataset_types(to_type):
        raise Invalid(
            f"A dataset of type {type_} cannot be moved to step “{to_type or 'of your own'}”.", hint=_RUN_HINT
        )


def check_order(kind: ElementKind, type_: str) -> None:
    """Refuse with Invalid to move an element of this kind and type among its siblings."""
    if kind is ElementKind.STEP and type_:
        raise Invalid(
            "The order of a template's steps is fixed.",
            hint="Steps of your own, in a Free workflow, can be ordered.",
        )


def check_status(kind: ElementKind, type_: str, name: str) -> None:
    """Refuse with Invalid to set the status of an element that has none, or whose status follows its acquisitions."""
    if kind not in (ElementKind.STEP, ElementKind.DATASET):
        raise Invalid(f"“{name}” is a {kind.value}: only steps and datasets have a status.")
    if kind is ElementKind.DATASET and type_ != DatasetType.FREE:
        raise Invalid(f"The status of the run “{name}” follows its acquisitions; it cannot be set.")


def check_depth(path: str, below: int = 0) -> None:
    """Refuse with Invalid a path with this many levels below it if that makes the tree too deep."""
    if path.count("/") - 1 + below > MAX_DEPTH:
        raise Invalid(f"The tree cannot be deeper than {MAX_DEPTH} levels.", hint="Put it higher up.")


def checked_name(name: str) -> str:
    """Name as it is stored: trimmed; Invalid if it is empty, too long, or has a slash or control character."""
    try:
        return _NAME.validate_python(name)
    except ValidationError:
        raise Invalid(
            f"“{name[:60]}” cannot be a name.", hint="A name has 1 to 200 characters and no slash or control character."
        ) from None


def sort_key(name: str) -> str:
    """Key that puts names in the order people expect: case ignored, numbers by value ("Grid 2" before "Grid 10")."""
    # each run of digits gets its length in front, so that longer numbers sort after shorter ones
    digits = re.sub(r"\d+", lambda m: f"{len(m[0].lstrip('0')):03d}{m[0].lstrip('0')}", name.casefold())
    return digits[:_SORT_KEY_LENGTH]


def child_path(parent_path: str | None, element_id: UUID) -> str:
    """Path of a new element below ``parent_path`` (``None``: at the root); Invalid where the tree gets too deep."""
    path = f"{parent_path or '/'}{element_id.hex}/"
    check_depth(path)
    return path


def path_ids(path: str) -> tuple[UUID, ...]:
    """Ids on the way from the root to an element, its own last."""
    return tuple(UUID(hex=part) for part in path.strip("/").split("/"))


@dataclass(frozen=True)
class RunPath:
    """Names on the way to a run: folders from the root, workflow, step, run."""

    folders: tuple[str, ...]
    workflow: str
    step: str
    run: str


def split_path(path: str) -> tuple[str, ...]:
    """Names of a path ``a/b/c``; empty parts are ignored, each name is checked."""
    names = tuple(checked_name(part) for part in path.split("/") if part.strip())
    if not names:
        raise Invalid("The path names nothing.", hint="Write it as Folder/Workflow/Imaging/Run name.")
    return names


def parse_run_path(path: str) -> RunPath:
    """Split "Folder/…/Workflow/Step/Run name"; Invalid with fewer than four names."""
    names = split_path(path)
    if len(names) < 4:
        raise Invalid(
            f"“{path}” does not lead to a run.",
            hint="Write Folder/Workflow/Imaging/Run name; more folders may come first.",
        )
    return RunPath(names[:-3], *names[-3:])
