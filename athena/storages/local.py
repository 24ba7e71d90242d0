"""A storage that is a folder."""

import errno
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from athena.errors import AthenaError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from athena.storages.base import PIECE, Capacity, Stat, Stored, hashed
from athena.storages.keys import PARTIAL_FOLDER, check_key, check_prefix, is_key

_ATTEMPTS = 1000
"""How often a folder is made that others remove as empty at the same moment; then something else is in the way."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


class LocalStorage:
    """Files below a folder, each under its key as relative path.

    A file is written in ``<root>/.partial`` and renamed to its key once it is whole and on the disk, so a process may
    be killed at any moment. Links that lead out of the folder are not followed.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.read_only = read_only

    def __repr__(self) -> str:
        return f"LocalStorage({str(self.root)!r}, read_only={self.read_only})"

    @property
    def url(self) -> str:
        """``file://`` and the folder."""
        return self.root.as_uri()

    @property
    def staging(self) -> Path | None:
        """The folder of what is not whole yet, on the same file system."""
        return None if self.read_only else self.root / PARTIAL_FOLDER

    def path(self, key: str) -> Path:
        """Path of a key."""
        path = self.root.joinpath(*check_key(key).split("/"))
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise _absent(key)
        return path

    def stat(self, key: str) -> Stat:
        """Size, time and tag of a file."""
        path = self.path(key)
        with told(key):
            found = path.stat()
        if not path.is_file():
            raise _absent(key)
        return _stat(check_key(key), found)

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        try:
            self.stat(key)
        except NotFound:
            return False
        return True

    def read(self, key: str, *, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes of a file."""
        return b"".join(self.stream(key, start=start, stop=stop))

    def stream(self, key: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Bytes of a file in pieces, all from the file that was there at the call."""
        path = self.path(key)
        return _pieces(_open(path, key), start, stop)

    def put(self, key: str, content: bytes | Iterable[bytes], *, sha256: str = "") -> Stored:
        """Write a file, all of it or nothing; also removes what a killed write of the same key has left."""
        target = self._writable(key)
        pieces = hashed(content, sha256=sha256)
        with self._partial(key) as (handle, partial):
            for piece in pieces:
                with told(key):
                    write_all(handle, piece)
            with told(key):
                os.fdatasync(handle)
            self._put_in_place(partial, target, key)
        return pieces.stored

    def adopt(self, key: str, file: Path) -> None:
        """Move a file in: by renaming it where it lies on the same file system, else by copying it first."""
        target = self._writable(key)
        with told(key):
            handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(handle)
                same_device = os.fstat(handle).st_dev == self._device()
            finally:
                os.close(handle)
        if same_device:
            self._put_in_place(file, target, key)
            return
        self.put(key, _pieces(_open(file, key), 0, None))
        file.unlink()

    def delete(self, key: str) -> None:
        """Remove a file, and the folders it leaves empty."""
        path = self._writable(key)
        with told(key), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
        self._drop_empty(path.parent)

    def delete_prefix(self, prefix: str) -> int:
        """Remove all files below a prefix, whatever their names."""
        checked = check_prefix(prefix)
        if not checked:
            raise Invalid("A whole storage is not deleted at once.", hint="Name the prefix to delete.")
        folder = self._writable(checked.removesuffix("/"))
        count = 0
        for parent, folders, files in os.walk(folder, topdown=False):
            for name in files:
                with told(prefix), suppress(FileNotFoundError):
                    Path(parent, name).unlink()
                    count += 1
            for name in folders:
                path = Path(parent, name)
                if path.is_symlink():
                    path.unlink(missing_ok=True)
                else:
                    _drop(path)
        self._drop_empty(folder)
        return count

    def list(self, prefix: str = "") -> Iterator[Stat]:
        """Files below a prefix; names that no key can have, and links, are passed over."""
        checked = check_prefix(prefix)
        top = self.path(checked.removesuffix("/")) if checked else self.root
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            try:
                entries = list(os.scandir(folder))
            except (FileNotFoundError, NotADirectoryError):
                continue
            for entry in entries:
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    if path != self.root / PARTIAL_FOLDER:
                        waiting.append(path)
                    continue
                key = path.relative_to(self.root).as_posix()
                if entry.is_file(follow_symlinks=False) and is_key(key):
                    with suppress(FileNotFoundError):  # deleted while we look
                        yield _stat(key, entry.stat())

    def usage(self, prefix: str = "") -> int:
        """Bytes of all files below a prefix."""
        return sum(found.size for found in self.list(prefix))

    def sweep(self, older_than: timedelta) -> int:
        """Remove unfinished files that nobody has written to for that long."""
        return 0 if self.staging is None else sweep_folder(self.staging, older_than)

    def capacity(self) -> Capacity | None:
        """Room on the file system of the folder."""
        try:
            found = shutil.disk_usage(self.root)
        except OSError as problem:
            raise Unavailable(f"The folder {self.root} cannot be looked at: {problem.strerror}.") from problem
        return Capacity(found.total, found.free)

    def check(self) -> None:
        """Look at the folder, making it where it may be written; then write and read a small file."""
        try:
            if not self.read_only:
                self.root.mkdir(parents=True, exist_ok=True)
            with os.scandir(self.root) as entries:
                next(entries, None)
        except OSError as problem:
            raise Unavailable(
                f"The folder {self.root} cannot be used: {problem.strerror}.", hint="Is it mounted, and readable?"
            ) from problem
        if not self.read_only:
            key = f"athena-check-{uuid.uuid4().hex}"
            self.put(key, b"athena")
            self.delete(key)

    def _writable(self, key: str) -> Path:
        path = self.path(key)
        if self.read_only:
            raise Forbidden(f"The storage {self.url} is read only.")
        return path

    def _device(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root.stat().st_dev

    @contextmanager
    def _partial(self, key: str) -> Iterator[tuple[int, Path]]:
        """Temporary file to write to, as (handle, path); gone afterwards whatever happens."""
        folder = self.root / PARTIAL_FOLDER
        mark = hashlib.sha256(key.encode()).hexdigest()[:32]
        partial = folder / f"{mark}-{uuid.uuid4().hex}"
        handle = create_file(partial, key)
        try:
            yield handle, partial
            for left in _inside(folder):
                if left.name.startswith(f"{mark}-"):
                    left.unlink(missing_ok=True)
        finally:
            os.close(handle)
            partial.unlink(missing_ok=True)
            _drop(folder)

    def _put_in_place(self, partial: Path, target: Path, key: str) -> None:
        """Rename to the final name. A folder that others empty (and so remove) at this moment is made again."""
        for attempt in range(_ATTEMPTS):
            with told(key):
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    partial.replace(target)
                except (FileNotFoundError, FileExistsError):
                    if not partial.exists():
                        raise Conflict(f"Another has written {key!r} at the same moment.") from None
                    if self._blocked(target) or attempt == _ATTEMPTS - 1:
                        raise
                    continue
                _sync_folder(target.parent)
            return

    def _blocked(self, target: Path) -> bool:
        """Whether something that is no folder stands where a folder of the path has to be."""
        above = [folder for folder in target.parents if folder.is_relative_to(self.root)]
        return any(folder.is_file() for folder in above)

    def _drop_empty(self, folder: Path) -> None:
        """Remove a folder and those above it as long as they are empty."""
        while folder != self.root and folder.is_relative_to(self.root) and _drop(folder):
            folder = folder.parent


def sweep_folder(folder: Path, older_than: timedelta) -> int:
    """Remove the files of a folder that nobody has written to for that long, and the folder if that empties it."""
    count = 0
    before = time.time() - older_than.total_seconds()
    for left in _inside(folder):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < before:
                left.unlink()
                count += 1
    _drop(folder)
    return count


def create_file(path: Path, key: str, *, exclusive: bool = True) -> int:
    """Handle of a new file (``exclusive=False``: or of the one that is there).

    Its folder is made, again if another writer has just removed it as empty.
    """
    with told(key):
        for attempt in range(_ATTEMPTS):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_EXCL if exclusive else 0)
                return os.open(path, flags, 0o666)
            except (FileNotFoundError, FileExistsError):
                blocked = (exclusive and path.exists()) or any(folder.is_file() for folder in path.parents)
                if blocked or attempt == _ATTEMPTS - 1:
                    raise
    raise AssertionError("the last attempt returns or raises")


def _drop(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # not empty: another has put something there
        return False
    return True


def _stat(key: str, found: os.stat_result) -> Stat:
    tag = f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"
    return Stat(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC), tag)


def _pieces(handle: int, start: int, stop: int | None) -> Iterator[bytes]:
    with os.fdopen(handle, "rb", buffering=0) as file:
        file.seek(start)
        left = None if stop is None else max(0, stop - start)
        while left is None or left > 0:
            piece = file.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it is just gone."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []


def _open(path: Path, key: str) -> int:
    """Handle of a plain file: a folder is none, and a pipe would be waited for."""
    with told(key):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _absent(key)
    return handle


def write_all(handle: int, piece: bytes) -> None:
    """Write all of a piece: one call may take only a part of it."""
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _absent(key: str) -> NotFound:
    return NotFound(f"There is no file {key!r} on the storage.")


@contextmanager
def told(key: str) -> Iterator[None]:
    """Tell an error of the file system as one of Athena's."""
    try:
        yield
    except AthenaError:
        raise
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as problem:
        raise _absent(key) from problem
    except OSError as problem:
        hint = "Make room on it, then try again." if problem.errno in _FULL else ""
        raise Unavailable(f"The storage failed at {key!r}: {problem.strerror}.", hint=hint) from problem
