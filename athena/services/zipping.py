"""What a zip of elements and files holds: visible content only, under names that are safe to unpack (WS-15).

A zip can be larger than any memory, so its members are looked up page by page while it is sent, each page in a short
transaction of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from athena.contract.elements import State
from athena.contract.people import Principal
from athena.db.base import now
from athena.db.elements import ElementRow, FileRow
from athena.db.engine import Database
from athena.db.visibility import restrict
from athena.errors import Invalid, NotFound
from athena.services.files import Content, below_folder, content_of
from athena.services.guard import find_visible, get_visible_element, get_visible_run
from athena.services.session_files import SessionFile, session_files
from athena.settings import Settings
from athena.storages.keys import check_prefix, safe_name

MAX_PICKED = 500
"""Elements and files one zip may be asked for by name."""
MISSING_NAME = "MISSING FILES.txt"
_MISSING_HEAD = ("These files of the session were not there any more (cleaned up, or their disk is away):", "")
_PAGE = 500


@dataclass(frozen=True)
class Member:
    """A file of a zip: its path in there, and where its bytes are, or they themselves."""

    path: str
    modified: datetime
    content: Content | bytes


@dataclass(frozen=True)
class Folder:
    """Where the files of an element go, and the names that are taken there by the elements in it."""

    element_id: UUID
    path: str
    names: "_Names"
    within: str = ""
    """Only files whose names begin so (with a slash at the end), and without that part of their names."""


@dataclass(frozen=True)
class Selection:
    """What was asked for, after the guard: folders, one an element, single files, acquisitions of one run."""

    name: str
    folders: tuple["Folder", ...]
    files: tuple[UUID, ...]
    acquisitions: tuple[UUID, tuple[int, ...]] | None = None


def select_for_zip(
    session: Session,
    principal: Principal,
    *,
    elements: Sequence[UUID] = (),
    files: Sequence[UUID] = (),
    run_id: UUID | None = None,
    acquisitions: Sequence[int] = (),
    folders_in: Sequence[str] = (),
) -> Selection:
    """Elements with all below them, files, and acquisitions of a run, as far as the caller may see them.

    With ``folders_in`` only what lies in these folders of the one element.

    Raises
    ------
    NotFound : an element or a file that was named is not there, or may not be seen.
    Invalid : nothing, or too much, was named.
    """
    if not 1 <= len(elements) + len(folders_in) + len(files) + len(acquisitions) <= MAX_PICKED:
        raise Invalid(
            f"A zip is made of 1 to {MAX_PICKED} elements, files and acquisitions.",
            hint="Name the element that holds them.",
        )
    if acquisitions and run_id is None:
        raise Invalid("Acquisitions are of a run: name it too.")
    if folders_in and len(elements) != 1:
        raise Invalid("Folders are of one element: name that element alone.")
    names = _Names()
    folders: list[Folder] = []
    for element_id in dict.fromkeys(elements):
        row = get_visible_element(session, principal, element_id)
        if folders_in:
            folders += _picked_folders(row, folders_in, names)
        else:
            folders += _subtree(session, principal, row, names.free("", row.name))
    for file_id in dict.fromkeys(files):
        _guard_file(session, principal, file_id)
    picked = None
    if run_id is not None and acquisitions:
        get_visible_run(session, principal, run_id)
        picked = (run_id, tuple(sorted(set(acquisitions))))
    alone = len(elements) == 1 and len(folders_in) <= 1 and not files and not picked
    only = folders[0].path if alone else "Athena files"
    return Selection(f"{only}.zip", tuple(folders), tuple(dict.fromkeys(files)), picked)


def members(database: Database, selection: Selection, settings: Settings) -> Iterator[Member]:
    """Files of a selection, one after another."""
    names = _Names()
    for start in range(0, len(selection.files), _PAGE):
        wanted = selection.files[start : start + _PAGE]
        with database.session(read_only=True) as session:
            rows = session.scalars(select(FileRow).where(FileRow.id.in_(wanted), FileRow.deleted.is_(None)))
            by_id = {row.id: (row, content_of(session, row, settings)) for row in rows}
            found = [by_id[file_id] for file_id in wanted if file_id in by_id]
        for row, content in found:
            yield Member(names.free("", PurePosixPath(row.name).name), row.created, content)
    missing: list[str] = []
    if selection.acquisitions is not None:
        run_id, indices = selection.acquisitions
        yield from _present(session_files(database, run_id, indices), "", names, missing)
    for folder in selection.folders:
        yield from _files_of(database, folder, settings)
        if not folder.within:
            yield from _present(session_files(database, folder.element_id), folder.path, folder.names, missing)
    if missing:
        yield Member(names.free("", MISSING_NAME), now(), "\n".join((*_MISSING_HEAD, *missing, "")).encode())


def _present(files: Iterator[SessionFile], folder: str, names: "_Names", missing: list[str]) -> Iterator[Member]:
    """Those files of a session that are there; what lies on the microscope's disk may go at any time."""
    for file in files:
        if file.content.storage.exists(file.content.key):
            yield Member(names.free(folder, file.name), file.modified, file.content)
        else:
            missing.append(f"{folder}/{file.name}" if folder else file.name)


def _files_of(database: Database, folder: Folder, settings: Settings) -> Iterator[Member]:
    after: tuple[str, UUID] | None = None
    while True:
        with database.session(read_only=True) as session:
            query = select(FileRow).where(
                FileRow.element_id == folder.element_id, FileRow.deleted.is_(None), *below_folder(folder.within)
            )
            if after is not None:
                query = query.where(tuple_(FileRow.sort_key, FileRow.id) > tuple_(*after))
            rows = session.scalars(query.order_by(FileRow.sort_key, FileRow.id).limit(_PAGE)).all()
            found = [(row, content_of(session, row, settings)) for row in rows]
        for row, content in found:
            yield Member(folder.names.free(folder.path, row.name[len(folder.within) :]), row.created, content)
        if len(rows) < _PAGE:
            return
        after = (rows[-1].sort_key, rows[-1].id)


def _subtree(session: Session, principal: Principal, top: ElementRow, name: str) -> list[Folder]:
    """Folders of the visible elements from ``top`` down; what lies below an unseen one is left out."""
    below = select(ElementRow.id, ElementRow.parent_id, ElementRow.name).where(
        ElementRow.path.startswith(top.path, autoescape=True),
        ElementRow.id != top.id,
        ElementRow.state != State.DELETING.value,
    )
    children: dict[UUID | None, list[tuple[UUID, str]]] = {}
    for child_id, parent_id, child_name in session.execute(restrict(below, principal).order_by(ElementRow.position)):
        children.setdefault(parent_id, []).append((child_id, child_name))
    found: list[Folder] = []
    waiting = [Folder(top.id, name, _Names())]
    while waiting:
        folder = waiting.pop()
        found.append(folder)
        waiting += [
            Folder(child_id, folder.names.free(folder.path, child_name), _Names())
            for child_id, child_name in children.get(folder.element_id, [])
        ]
    return found


def _picked_folders(row: ElementRow, wanted: Sequence[str], names: "_Names") -> list[Folder]:
    """Folders that the names of an element's files spell."""
    prefixes = dict.fromkeys(map(check_prefix, wanted))
    return [
        Folder(row.id, names.free("", prefix.rstrip("/").rsplit("/", 1)[-1]), _Names(), prefix) for prefix in prefixes
    ]


def _guard_file(session: Session, principal: Principal, file_id: UUID) -> None:
    row = session.scalar(select(FileRow).where(FileRow.id == file_id, FileRow.deleted.is_(None)))
    absent = NotFound(f"There is no file {file_id}.", hint="It may have been deleted, or it is not shared with you.")
    if row is None:
        raise absent
    try:
        find_visible(session, principal, row.element_id)
    except NotFound:
        raise absent from None


class _Names:
    """Gives each member of a folder a path of its own, whatever people named it, also where case does not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, folder: str, name: str) -> str:
        """Path in the folder for a name; a second one of the same gets a number."""
        parts = [safe_name(part) for part in name.split("/") if part]
        path = "/".join([*([folder] if folder else []), *parts])
        stem, dot, ending = path.rpartition(".") if "." in parts[-1][1:] else (path, "", "")
        number = 1
        chosen = path
        while chosen.casefold() in self._taken:
            number += 1
            chosen = f"{stem} ({number}){dot}{ending}"
        self._taken.add(chosen.casefold())
        return chosen
