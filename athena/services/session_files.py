"""Files of a run that lie where the microscope wrote them: they are no rows, but whoever sees the run may have them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import State
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.errors import NotFound
from athena.services.files import Content, media_type
from athena.services.guard import get_visible_run
from athena.storages.local import LocalStorage

_PAGE = 500


@dataclass(frozen=True)
class SessionFile:
    """A file of a session, by its path in the session folder."""

    name: str
    modified: datetime
    content: Content


def session_files(database: Database, run_id: UUID, indices: Sequence[int] | None = None) -> Iterator[SessionFile]:
    """Movies and what was written beside them, by acquisition, then the gain reference (of a whole run).

    Looked up page by page, each in a short transaction; for callers past their guard. Nothing of a run that has no
    session folder, or whose files are archived: those are rows.

    Parameters
    ----------
    indices : of these acquisitions only; None: of all.
    """
    after = -1
    while True:
        with database.session(read_only=True) as session:
            source, element = session.get(SourceRow, run_id), session.get(ElementRow, run_id)
            if source is None or element is None or element.state == State.ARCHIVED:
                return
            query = select(AcquisitionRow).where(AcquisitionRow.run_id == run_id, AcquisitionRow.index > after)
            if indices is not None:
                query = query.where(AcquisitionRow.index.in_(indices))
            rows = session.scalars(query.order_by(AcquisitionRow.index).limit(_PAGE)).all()
        folder = Path(source.path)
        for row in rows:
            yield from _files_of(row, folder)
        if len(rows) < _PAGE:
            break
        after = rows[-1].index
    if indices is None and source.gain_reference:
        yield from _file(Path(source.gain_reference), folder, source.last_scan or element.updated)


def movie_content(session: Session, principal: Principal, run_id: UUID, index: int) -> Content:
    """Where the movie of an acquisition is. NotFound where it is unseen, not there, or still to come."""
    get_visible_run(session, principal, run_id)
    row = session.get(AcquisitionRow, (run_id, index))
    source = session.get(SourceRow, run_id)
    if row is None or source is None or not row.movie or row.state == AcquisitionState.AWAITING_MOVIE:
        raise NotFound(f"Acquisition {index} of run {run_id} has no movie here.", hint="It may be archived or to come.")
    for file in _file(Path(row.movie), Path(source.path), row.registered):
        return file.content
    raise NotFound(f"The movie of acquisition {index} of run {run_id} lies outside its session folder.")


def _files_of(row: AcquisitionRow, folder: Path) -> Iterator[SessionFile]:
    when = row.acquired or row.registered
    if row.movie and row.state != AcquisitionState.AWAITING_MOVIE:
        yield from _file(Path(row.movie), folder, when)
    for _, path in sorted(row.files.items()):
        yield from _file(Path(path), folder, when)


def _file(path: Path, folder: Path, modified: datetime) -> Iterator[SessionFile]:
    """The file, if it lies in the session folder; whether it is (still) there shows when it is opened."""
    if not path.is_relative_to(folder):
        return
    key = path.relative_to(folder).as_posix()
    storage = LocalStorage(folder, read_only=True)  # follows no link that leads out of the folder
    yield SessionFile(key, modified, Content(key, media_type(key), 0, storage, key))
