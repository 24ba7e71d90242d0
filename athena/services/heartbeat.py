"""A process says that it lives: a thread that writes its row, as long as it does."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Self
from uuid import uuid4

import psutil
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from athena.contract.health import ClusterHealth, ServiceKind, ServiceReport
from athena.db.engine import Database
from athena.db.health import ServiceRow, forget_processes, forget_service, note_alive

log = logging.getLogger(__name__)

START_SLACK_S = 2.0
"""Two readings of when a process began differ by less."""


@dataclass(frozen=True)
class Standing:
    """What a service says of itself now: what it waits for (empty: nothing), and its cluster if it has one."""

    message: str = ""
    cluster: ClusterHealth | None = None


def introduce(kind: ServiceKind, *, period_s: float) -> ServiceReport:
    """First report of this process."""
    return ServiceReport(
        id=uuid4(),
        kind=kind,
        version=version("athena-cryoem"),
        host=socket.gethostname()[:100] or "localhost",
        pid=os.getpid(),
        started=datetime.fromtimestamp(psutil.Process().create_time(), UTC),
        period_s=period_s,
    )


class Heartbeat:
    """Writes the row of a service every ``period_s`` while the ``with`` block lasts, and removes it at its end.

    Parameters
    ----------
    describe : asked before each beat; it may take its time, nothing else waits for it.
    """

    def __init__(
        self,
        database: Database,
        kind: ServiceKind,
        *,
        period_s: float,
        describe: Callable[[], Standing] = Standing,
    ) -> None:
        self._database = database
        self._report = introduce(kind, period_s=period_s)
        self._describe = describe
        self._ended = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name=f"{kind} heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(self._report.period_s)
        self._write(lambda session: forget_service(session, self._report.id))

    def _run(self) -> None:
        self._write(lambda session: forget_crashed(session, self._report))
        while True:
            standing = self._describe()
            report = self._report.model_copy(update={"message": standing.message, "cluster": standing.cluster})
            if self._ended.is_set():
                return
            self._write(partial(note_alive, report=report))
            if self._ended.wait(self._report.period_s):
                return

    def _write(self, act: Callable[[Session], None]) -> None:
        """A database that is away is said once; the work of the process does not depend on this row."""
        try:
            with self._database.session() as session:
                act(session)
        except SQLAlchemyError as error:
            if not self._failing:
                log.warning("the heartbeat of %s cannot be written: %s", self._report.kind, error)
            self._failing = True
        else:
            self._failing = False


def forget_crashed(session: Session, report: ServiceReport) -> None:
    """Remove what earlier processes of the same kind left behind on this machine: this one has replaced them."""
    query = select(ServiceRow.pid, ServiceRow.started)
    found = session.execute(query.where(ServiceRow.kind == report.kind.value, ServiceRow.host == report.host))
    gone = {pid for pid, started in found if process_is_gone(pid, started)}
    if gone:
        forget_processes(session, report.kind.value, report.host, gone)


def process_is_gone(pid: int, started: datetime) -> bool:
    """Whether a process of this machine has ended, also where another has its number now."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return bool(abs(process.create_time() - started.timestamp()) > START_SLACK_S)
    except psutil.NoSuchProcess:
        return True
