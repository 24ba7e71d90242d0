"""The shape of the workspace tree: what may be made where, paths, and the order of names (WS-01…05)."""

import re
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from athena.contract.elements import DatasetCreate, ElementCreate, ElementKind, Name
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
            hint="EPU runs go into Screening and Imaging, Tomo runs into Imaging.",
        )


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
    if path.count("/") > MAX_DEPTH + 1:
        raise Invalid(f"The tree cannot be deeper than {MAX_DEPTH} levels.", hint="Make it higher up.")
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
