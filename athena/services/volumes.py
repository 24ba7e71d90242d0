"""Files of elements as volumes: a file by itself, a zarr folder, or the images of a folder on one another (WS-06)."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from athena.contract.files import VolumeItem
from athena.contract.people import Principal
from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.domain.zarr_folders import ROOTS, zarr_folder
from athena.errors import AthenaError, Invalid, NotFound, TooLarge
from athena.formats.sections import StackVolume, open_volume
from athena.formats.volumes import Volume
from athena.services.files import Content, below_folder, content_of, describe_files, file_row, in_folder
from athena.services.guard import get_visible_element
from athena.settings import Settings
from athena.storages.keys import check_prefix, safe_name
from athena.zarrio.foreign import Read, ZarrVolume

MAX_FETCHED_BYTES = 2 << 30
"""A file that lies on no file system of this machine is fetched whole to be decoded; a larger one is not."""
MAX_STACK = 5000
"""Images of a stack."""
MAX_LOOKED = 100
"""Files of a folder whose heads are read to see whether they hold volumes."""
STACKED = ("mrc", "tif", "tiff")
"""Endings of images that make stacks."""
SINGLE = ("mrc", "mrcs", "map", "rec", "st", "ali")
"""Endings of files that may hold a volume."""
TIFFS = ("tif", "tiff")
"""Those that may hold a volume, a movie or a single image."""

Opening = Callable[[], AbstractContextManager[Volume]]


@dataclass(frozen=True)
class Source:
    """Where a volume is read from.

    Attributes
    ----------
    key : names the content: another where it is another.
    name : for people.
    open : opens it for reading. Raises BadFile, TooLarge, NotFound.
    """

    key: str
    name: str
    open: Opening


def find_source(
    session: Session,
    principal: Principal,
    element_id: UUID,
    file_id: UUID,
    *,
    database: Database,
    settings: Settings,
    stack: bool = False,
) -> Source:
    """Volume of a file; of one at the top of a zarr folder, that folder. Raises NotFound.

    Parameters
    ----------
    stack : the images of its folder with its ending, on one another by name. Raises Invalid where they are none.
    """
    get_visible_element(session, principal, element_id)
    row = file_row(session, element_id, file_id)
    if stack:
        return _stack(session, row, settings)
    folder = zarr_folder(row.name)
    if folder:
        return _zarr(session, element_id, file_id, folder, database=database, settings=settings)
    content = content_of(session, row, settings)
    return Source(file_id.hex, content.name, partial(_open_file, content))


def list_volumes(
    session: Session, principal: Principal, element_id: UUID, folder: str, *, settings: Settings
) -> list[VolumeItem]:
    """What of a folder of files can be looked at as a volume; of many files only the first are looked into.

    A file that cannot be read is left out: it says why where it is opened itself. Raises NotFound, Invalid.
    """
    get_visible_element(session, principal, element_id)
    prefix = check_prefix(folder)
    found = _single_files(session, element_id, prefix, settings)
    deep = {ending_of(one.file.name) for one in found}
    tiffs, several = _tiff_volumes(session, element_id, prefix, settings)
    found += tiffs
    for root in _zarr_roots(session, element_id, prefix):
        name = zarr_folder(root.name).rsplit("/", 1)[-1]
        found.append(VolumeItem(file=describe_files(session, [root])[0], name=name))
    for ending in STACKED:
        rows = _images(session, element_id, prefix, ending)
        # one file of several images among them, and they make no stack
        if len(rows) > 1 and ending not in deep | several:
            name = f"{len(rows)} {ending.upper()} images on one another"
            first = describe_files(session, rows[:1])[0]
            found.append(VolumeItem(file=first, name=name, sections=len(rows), stack=True))
    return found


def ending_of(name: str) -> str:
    """What a file's name ends in, lower case."""
    return name.rsplit(".", 1)[-1].lower()


def _looked_into(session: Session, element_id: UUID, prefix: str, endings: Sequence[str]) -> Sequence[FileRow]:
    named = or_(*(func.lower(FileRow.name).endswith(f".{ending}") for ending in endings))
    query = select(FileRow).where(*in_folder(element_id, prefix), named).order_by(FileRow.sort_key, FileRow.id)
    return session.scalars(query.limit(MAX_LOOKED)).all()


def _single_files(session: Session, element_id: UUID, prefix: str, settings: Settings) -> list[VolumeItem]:
    """MRC files of a folder that hold several sections."""
    found = []
    for row in _looked_into(session, element_id, prefix, SINGLE):
        sections = _sections(content_of(session, row, settings))
        if sections != 1:
            found.append(_item(session, row, sections))
    return found


def _tiff_volumes(
    session: Session, element_id: UUID, prefix: str, settings: Settings
) -> tuple[list[VolumeItem], set[str]]:
    """TIFF files of a folder whose images are sections of a volume, and the endings of those that hold several."""
    # imported late: its codecs take long to load, and most folders hold none
    from athena.formats.tiff_stacks import read_tiff_stack

    found: list[VolumeItem] = []
    several: set[str] = set()
    for row in _looked_into(session, element_id, prefix, TIFFS):
        content = content_of(session, row, settings)
        path = content.storage.path(content.key)
        if path is None:
            continue  # on another machine, and a TIFF is a single image far more often than not
        try:
            stack = read_tiff_stack(path)
        except (AthenaError, OSError):
            continue
        if stack.images > 1:
            several.add(ending_of(row.name))
        if stack.is_volume:
            found.append(_item(session, row, stack.images))
    return found, several


def _item(session: Session, row: FileRow, sections: int) -> VolumeItem:
    return VolumeItem(file=describe_files(session, [row])[0], name=row.name.rsplit("/", 1)[-1], sections=sections)


def _sections(content: Content) -> int:
    """Sections of a file by its head; 0 where it is not on this machine; 1 where it cannot be read."""
    if content.storage.path(content.key) is None:
        return 0
    try:
        with _open_file(content) as volume:
            return volume.shape[0]
    except AthenaError:
        return 1


def _zarr_roots(session: Session, element_id: UUID, prefix: str) -> list[FileRow]:
    """Of each zarr folder in a folder, the file that stands for it."""
    rest = func.substr(FileRow.name, len(prefix) + 1)
    at_top = or_(*(rest.like(f"%.zarr/{root}") for root in ROOTS))
    rows = session.scalars(
        select(FileRow)
        .where(FileRow.element_id == element_id, FileRow.deleted.is_(None), *below_folder(prefix), at_top)
        .where(~rest.like("%/%/%"))
        .order_by(FileRow.sort_key)
        .limit(MAX_LOOKED)
    ).all()
    first: dict[str, FileRow] = {}
    for row in sorted(rows, key=lambda one: ROOTS.index(one.name.rsplit("/", 1)[-1])):
        first.setdefault(zarr_folder(row.name), row)
    return [first[name] for name in sorted(first) if name]


def _images(session: Session, element_id: UUID, prefix: str, ending: str) -> Sequence[FileRow]:
    """Images of a folder that end alike, by name; one more than a stack may have where there are too many."""
    named = func.lower(FileRow.name).endswith(f".{ending}")
    query = select(FileRow).where(*in_folder(element_id, prefix), named).order_by(FileRow.sort_key, FileRow.id)
    return session.scalars(query.limit(MAX_STACK + 1)).all()


def _stack(session: Session, row: FileRow, settings: Settings) -> Source:
    folder, _, last = row.name.rpartition("/")
    ending = last.rsplit(".", 1)[-1].lower()
    rows = _images(session, row.element_id, f"{folder}/" if folder else "", ending)
    if ending not in STACKED or len(rows) < 2:
        raise Invalid(
            f"{row.name} makes no stack: there is no other image like it in its folder.",
            hint=f"Images ending in {', '.join(STACKED)} do, several of one ending in a folder.",
        )
    if len(rows) > MAX_STACK:
        raise TooLarge(
            f"There are more than {MAX_STACK} images in the folder.", hint="Put those of one stack into a folder."
        )
    key = hashlib.blake2b(b"".join(one.id.bytes for one in rows), digest_size=16).hexdigest()
    contents = [content_of(session, one, settings) for one in rows]
    name = f"{len(rows)} images of {folder.rsplit('/', 1)[-1] or 'the dataset'}"

    @contextmanager
    def opened() -> Iterator[Volume]:
        yield StackVolume(name, [partial(_named, content) for content in contents])

    return Source(key, name, opened)


def _zarr(
    session: Session, element_id: UUID, file_id: UUID, folder: str, *, database: Database, settings: Settings
) -> Source:
    here = [FileRow.element_id == element_id, FileRow.deleted.is_(None), *below_folder(f"{folder}/")]
    # a folder that is still being uploaded is another with each file that comes
    count, size = session.execute(select(func.count(), func.coalesce(func.sum(FileRow.size), 0)).where(*here)).one()
    name = folder.rsplit("/", 1)[-1]

    @contextmanager
    def opened() -> Iterator[Volume]:
        yield ZarrVolume(name, _reader(database, element_id, folder, settings))

    return Source(f"{file_id.hex}{int(count):x}x{int(size):x}", name, opened)


def _reader(database: Database, element_id: UUID, folder: str, settings: Settings) -> Read:
    """Reads the files of a folder by their names in it: one look-up each, since a folder may have a million."""

    def read(key: str, start: int, stop: int | None) -> bytes | None:
        where = [FileRow.element_id == element_id, FileRow.deleted.is_(None), FileRow.name == f"{folder}/{key}"]
        with database.session(read_only=True) as session:
            row = session.scalar(select(FileRow).where(*where))
            if row is None:
                return None
            content = content_of(session, row, settings)
        first = start if start >= 0 else max(0, content.size + start)
        try:
            return content.storage.read(content.key, start=first, stop=stop)
        except NotFound:
            return None

    return read


@contextmanager
def _open_file(content: Content) -> Iterator[Volume]:
    with _named(content) as path, open_volume(path) as volume:
        yield volume


@contextmanager
def _named(content: Content) -> Iterator[Path]:
    """The file under its own name, so that what is said of it names it; fetched where it lies elsewhere."""
    with tempfile.TemporaryDirectory(prefix="athena-file-") as folder:
        path = Path(folder) / safe_name(content.name.rsplit("/", 1)[-1])
        here = content.storage.path(content.key)
        content.storage.stat(content.key)  # NotFound, in words, where the bytes are missing
        if here is not None:
            path.symlink_to(here.resolve())
        else:
            _fetch(content, path)
        yield path


def _fetch(content: Content, path: Path) -> None:
    room = shutil.disk_usage(path.parent).free
    if content.size > min(MAX_FETCHED_BYTES, room // 2):
        raise TooLarge(
            f"{path.name} has {content.size} bytes and lies on another machine: too much to be shown from there.",
            hint="Download it to open it elsewhere.",
        )
    with path.open("wb") as file:
        for piece in content.storage.stream(content.key):
            file.write(piece)
