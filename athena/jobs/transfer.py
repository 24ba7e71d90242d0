"""Copying many files for a job: verified, several at a time, each settled once whatever interrupts the work."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete, insert, select

from athena.db.jobs import JobItemRow
from athena.errors import AthenaError, Conflict, NotFound, Unavailable
from athena.jobs.context import JobContext
from athena.jobs.failures import ItemFailures
from athena.jobs.work import explain_os_error
from athena.storages import Storage
from athena.storages.base import PIECE, Stored
from athena.storages.copying import verify

T = TypeVar("T")

COPIES_AT_A_TIME = 4
CHUNK = 32
"""Items after which the catalogue is told; a kill costs at most so many copies made again."""


@dataclass(frozen=True)
class Item:
    """One file to make: its name below the job's folder, and where its bytes come from.

    ``source`` tells two files apart that would get the same name. ``sha256`` is what the bytes must have, where it is
    known. ``open`` is called on any thread.
    """

    name: str
    open: Callable[[], Iterable[bytes]]
    source: str = ""
    sha256: str = ""


class Transfer:
    """Copies items to a folder of a storage and keeps the list of those that are done, in the job's own rows.

    An item appears under its name once it is whole; it is then read back and compared.
    """

    def __init__(self, context: JobContext, target: Storage, folder: str) -> None:
        self._context = context
        self._target = target
        self._folder = folder
        self._pool = ThreadPoolExecutor(COPIES_AT_A_TIME, thread_name_prefix="copy")
        self.failures = ItemFailures()
        self._sources: dict[str, str] = {}
        self._offered: set[str] = set()
        columns = (JobItemRow.name, JobItemRow.size, JobItemRow.sha256, JobItemRow.left_out)
        with context.reading() as session:
            rows = session.execute(select(*columns).where(JobItemRow.job_id == context.lease.job_id)).all()
        self._settled = {name: left_out for name, _, _, left_out in rows}
        self.bytes = sum(size for _, size, _, _ in rows)
        self.count = sum(bool(sha256) for _, _, sha256, _ in rows)

    def close(self) -> None:
        """Let go of the threads; what they are at is waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def is_settled(self, name: str) -> bool:
        """Whether the item was copied, or left out, before."""
        return name in self._settled

    def is_left_out(self, name: str) -> bool:
        """Whether it was decided that the item is not copied."""
        return self._settled.get(name, False)

    def copy(self, items: Iterable[Item]) -> bool:
        """Copy what is not settled yet; whether all of it could be."""
        complete = True
        for chunk in in_chunks(self._unsettled(items), CHUNK):
            self._context.check()
            done = [
                {"name": item.name, "size": stored.size, "sha256": stored.sha256, "left_out": False}
                for item, stored in zip(chunk, self._pool.map(self._attempt, chunk), strict=True)
                if stored is not None
            ]
            self._record(done)
            complete = complete and len(done) == len(chunk)
        return complete

    def _unsettled(self, items: Iterable[Item]) -> Iterator[Item]:
        """Items to copy, each once though it be offered twice."""
        for item in items:
            known = self._sources.setdefault(item.name, item.source)
            if known != item.source:
                self.failures.add(item.source, f"Its name here would be {item.name}, which is that of {known} too.")
            elif not self.is_settled(item.name) and item.name not in self._offered:
                self._offered.add(item.name)
                yield item

    def replace(self, items: Iterable[Item]) -> None:
        """Copy items anew, whether or not they were there: documents of how things stand now."""
        for item in items:
            if self.is_settled(item.name):
                with self._context.transaction() as session:
                    session.execute(
                        delete(JobItemRow).where(
                            JobItemRow.job_id == self._context.lease.job_id, JobItemRow.name == item.name
                        )
                    )
                del self._settled[item.name]
                self._offered.discard(item.name)
                self.count -= 1
            self.copy([item])

    def settle(self, names: Sequence[str]) -> None:
        """Note that all of a group was copied."""
        self._decide(names, left_out=False)

    def leave_out(self, names: Sequence[str]) -> None:
        """Note what is not to be copied."""
        self._decide(names, left_out=True)

    def _decide(self, names: Sequence[str], *, left_out: bool) -> None:
        for chunk in in_chunks(names, 500):
            self._record([{"name": name, "size": 0, "sha256": "", "left_out": left_out} for name in chunk], count=False)

    def sums(self) -> Iterator[bytes]:
        """The list of all copies as ``sha256sum --check`` takes it."""
        query = (
            select(JobItemRow.name, JobItemRow.sha256)
            .where(JobItemRow.job_id == self._context.lease.job_id, JobItemRow.sha256 != "")
            .order_by(JobItemRow.name)
        )
        with self._context.reading() as session:
            rows = session.execute(query).all()
        for chunk in in_chunks(rows, 1000):
            yield "".join(f"{sha256}  {name}\n" for name, sha256 in chunk).encode()

    def _attempt(self, item: Item) -> Stored | None:
        try:
            stored = put_verified(self._target, f"{self._folder}/{item.name}", item.open(), sha256=item.sha256)
        except Unavailable:
            raise  # a storage that is away concerns every item: the job waits and tries again
        except (AthenaError, OSError) as error:
            reason = explain_os_error(error) if isinstance(error, OSError) else str(error)
            self.failures.add(item.name, reason)
            self._offered.discard(item.name)
            return None
        self.failures.discard(item.name)
        return stored

    def _record(self, rows: list[dict[str, object]], *, count: bool = True) -> None:
        if not rows:
            return
        job_id = self._context.lease.job_id
        with self._context.transaction() as session:
            session.execute(insert(JobItemRow), [{"job_id": job_id, **row} for row in rows])
        self._settled.update({str(row["name"]): bool(row["left_out"]) for row in rows})
        if count:
            self.count += len(rows)
            self.bytes += sum(int(str(row["size"])) for row in rows)
            self._context.progress(self.count)


def in_chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def put_verified(target: Storage, key: str, content: Iterable[bytes], *, sha256: str = "") -> Stored:
    """Write a file and read it back; Conflict, and nothing left, where the copy differs."""
    stored = target.put(key, content, sha256=sha256)
    try:
        verify(target, key, stored.sha256)
    except Conflict:
        target.delete(key)
        raise
    return stored


def read_file(path: Path) -> Iterator[bytes]:
    """Bytes of a file of this machine in pieces; Conflict where it changes meanwhile."""
    try:
        with path.open("rb", buffering=0) as file:
            before = path.stat()
            while piece := file.read(PIECE):
                yield piece
            after = path.stat()
    except FileNotFoundError as missing:
        raise NotFound(f"{path} is not there.", hint="Was it moved, or is its storage away?") from missing
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Conflict(f"{path} changed while it was read.", hint="Try again when it is finished.")
