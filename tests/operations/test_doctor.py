"""The doctor finds each failure that is provoked, says what to do, and finds nothing else."""

import errno
import json
import os
import resource
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from athena.cli import app
from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.health import ServiceKind
from athena.contract.jobs import JobKind
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.db import base
from athena.db.acquisitions import SourceRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.health import ServiceRow
from athena.db.jobs import JobRow
from athena.operations import doctor
from athena.operations.checks import catalogue, home, machine, stores
from athena.operations.findings import Finding, Level
from athena.services.heartbeat import introduce
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.writer import RunWriter
from tests.conftest import add_acquisitions

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def patient(settings: Settings, database_url: str) -> Settings:
    """Settings of an instance that has been started once."""
    settings.home.mkdir(parents=True)
    (settings.home / "token").write_text("token")
    (settings.home / "token").chmod(0o600)
    return Settings(home=settings.home, database_url=database_url, api_port=0, portal_port=0, notebook_port=0)


def bad(findings: Any) -> list[Finding]:
    return [one for one in findings if one.level is not Level.OK]


def the(findings: Any, level: Level) -> Finding:
    """The only finding that is not OK; it must say what to do."""
    (found,) = bad(findings)
    assert found.level is level, found
    assert found.reason
    assert found.advice
    return found


@pytest.mark.feature("NB-06")
def test_a_healthy_instance_has_no_errors(
    patient: Settings, database: Database, make_user: Callable[..., Principal], make_run: Callable[..., Element]
) -> None:
    run = make_run(make_user("alice"))
    fill(patient, database, run)
    report = doctor.examine(patient)
    assert [one for one in report.findings if one.level is Level.ERROR] == []
    said = {one.check for one in report.findings}
    assert {"packages", "memory", "ports", "file watches", "kernels", "disk of home", "writing to data"} <= said
    assert {"secrets", "database", "clock", "services", "jobs", "run stores"} <= said
    assert "All 1 stores" in next(one.reason for one in report.findings if one.check == "run stores")


# ── the machine ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_packages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["surely-not-installed>=1", "numpy<1", "zarr>=3", "pytest>=99; extra == 'dev'", "x; python_version < '3'"]
    monkeypatch.setattr(machine, "requires", lambda _: wanted)
    found = the(machine.check_python(settings), Level.ERROR)
    assert "surely-not-installed is missing" in found.reason
    assert "numpy<1 (there is " in found.reason
    assert "zarr" not in found.reason
    assert "pytest" not in found.reason


def test_memory(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_memory(**values: int) -> Any:
        monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(**values))
        return machine.check_memory(Settings(home=settings.home, workers=8))

    the(with_memory(available=1 << 20, total=64 << 30), Level.ERROR)
    assert "ATHENA_WORKERS=2" in the(with_memory(available=3 << 30, total=4 << 30), Level.WARNING).advice
    assert bad(with_memory(available=60 << 30, total=64 << 30)) == []


def test_a_taken_port(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        chosen = Settings(home=settings.home, api_port=port, portal_port=0, notebook_port=0)
        assert f"{port} (API)" in the(machine.check_ports(chosen), Level.WARNING).reason
    assert bad(machine.check_ports(chosen)) == []


def test_limits(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max_user_watches").write_text("8192\n")
    (tmp_path / "max_user_instances").write_text("1024\n")
    monkeypatch.setattr(machine, "INOTIFY", tmp_path)
    found = the(machine.check_watches(settings), Level.WARNING)
    assert found.reason == "max_user_watches is 8192."
    assert "sysctl" in found.advice
    monkeypatch.setattr(machine, "INOTIFY", tmp_path / "none")
    assert bad(machine.check_watches(settings)) == []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1 << 20))
    assert "ulimit" in the(machine.check_open_files(settings), Level.WARNING).advice


def test_kernels_that_are_not_compiled(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    found = the(machine.check_kernels(settings), Level.WARNING)
    assert "motion_kernels" in found.reason
    assert "make install" in found.advice


# ── the home ─────────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
def test_room(patient: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(patient.home)
    for free, level in ((1 << 20, Level.ERROR), (5 << 30, Level.WARNING)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        the(home.check_disk(patient), level)


@only_sqlite
def test_writing(patient: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bad(home.check_writing(patient)) == []
    assert "athena up" in the(home.check_writing(Settings(home=patient.home / "none")), Level.WARNING).advice

    def refuse(**_: Any) -> Any:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert "Read-only file system" in the(home.check_writing(patient), Level.ERROR).reason


@only_sqlite
def test_a_file_server_with_another_clock(patient: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bad(home.check_file_clock(patient)) == []
    monkeypatch.setattr(home, "time", SimpleNamespace(time=lambda: time.time() + 60))
    assert "-60 s" in the(home.check_file_clock(patient), Level.WARNING).reason


@only_sqlite
@pytest.mark.feature("NB-06")
def test_open_secrets_are_found_and_only_with_fix_closed(patient: Settings) -> None:
    token, other = patient.home / "token", patient.home / "notes.txt"
    token.chmod(0o644)
    other.write_text("for all")
    other.chmod(0o644)
    found = the(home.check_secrets(patient), Level.ERROR)
    assert str(token) in found.reason
    assert "mode 0644" in found.reason
    assert doctor.examine(patient).level is Level.ERROR
    assert stat.S_IMODE(token.stat().st_mode) == 0o644
    fixed = doctor.examine(patient, fix=True)
    assert any("now has 0600" in one.reason for one in fixed.findings)
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE(other.stat().st_mode) == 0o644
    assert bad(home.check_secrets(patient)) == []
    (patient.home / "athena.toml").write_text("workers = 2\n")
    (patient.home / "athena.toml").chmod(0o644)
    assert bad(home.check_secrets(patient)) == []
    (patient.home / "athena.toml").write_text('database_url = "postgresql://alice:hunter2@db.example/athena"\n')
    assert "athena.toml can be read" in the(home.check_secrets(patient), Level.ERROR).reason
    (patient.home / "athena.toml").unlink()
    patient.home.chmod(0o777)
    assert "changed by everybody" in the(home.check_secrets(patient), Level.ERROR).reason


# ── the catalogue ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_database(patient: Settings, database: Database) -> None:
    assert bad(catalogue.check_database(patient)) == []
    for revision, level in (("0001", Level.WARNING), ("from-the-future", Level.ERROR)):
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
        assert revision in the(catalogue.check_database(patient), level).reason
        # what cannot be read is not judged
        assert [
            *catalogue.check_services(patient),
            *catalogue.check_clock(patient),
            *stores.check_stores(patient),
        ] == []


def test_a_database_that_is_away(settings: Settings) -> None:
    secret = "hunter2"
    chosen = Settings(home=settings.home, database_url=f"postgresql://alice:{secret}@127.0.0.1:1/athena")
    found = the(catalogue.check_database(chosen), Level.ERROR)
    assert "ATHENA_DATABASE_URL" in found.advice
    assert secret not in found.reason
    absent = Settings(home=settings.home)
    the(catalogue.check_database(absent), Level.WARNING)
    assert not settings.home.exists(), "looking makes nothing"


@only_sqlite
def test_a_damaged_database(patient: Settings, database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.dispose()
    path = Path(str(database.engine.url.database))
    data = bytearray(path.read_bytes())
    data[4096 * 4 : 4096 * 12] = os.urandom(4096 * 8)
    path.write_bytes(data)
    found = the(catalogue.check_database(patient), Level.ERROR)
    assert "damaged" in found.reason or "does not answer" in found.reason


def test_events_of_the_future(patient: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bad(catalogue.check_clock(patient)) == []
    now = base.now
    with monkeypatch.context() as patch, database.session() as session:
        patch.setattr(base, "now", lambda: now() + timedelta(hours=1))
        append_event(session, EventKind.ELEMENT_UPDATED)
        from athena.db.events import EventRow

        session.flush()
        session.query(EventRow).update({"time": now() + timedelta(hours=1)})
    assert "yet to come" in the(catalogue.check_clock(patient), Level.WARNING).reason


def test_stuck_work_and_silent_services(
    patient: Settings, database: Database, make_user: Callable[..., Principal], make_run: Callable[..., Element]
) -> None:
    assert bad(catalogue.check_services(patient)) == []
    alice = make_user("alice")
    past = base.now() - timedelta(hours=1)
    with database.session() as session:
        session.add_all(
            [
                job(make_run(alice, "One"), alice, state="running", lease_owner="gone", lease_until=past),
                job(make_run(alice, "Two"), alice, state="pending", created=past),
                job(make_run(alice, "Three"), alice, state="pending"),
                SourceRow(
                    run_id=make_run(alice, "Four").id,
                    adapter="epu",
                    path="/",
                    state=SourceState.WATCHING.value,
                    lease_until=past,
                ),
            ]
        )
    found = the(catalogue.check_services(patient), Level.WARNING)
    assert "1 jobs whose runner fell silent, 1 jobs that wait since" in found.reason
    assert "1 sources that nobody follows" in found.reason
    runner = introduce(ServiceKind.RUNNER, period_s=10)
    with database.session() as session:
        session.add(ServiceRow(**runner.model_dump(exclude={"cluster"})))
    assert "does not take them" in the(catalogue.check_services(patient), Level.ERROR).advice
    with database.session() as session:
        session.get_one(ServiceRow, runner.id).seen = past
    silent, stuck = bad(catalogue.check_services(patient))
    assert (silent.level, stuck.level) == (Level.WARNING, Level.WARNING)
    assert "is silent since" in silent.reason


def job(run: Element, user: Principal, **values: Any) -> JobRow:
    return JobRow(kind=JobKind.PROCESSING.value, element_id=run.id, initiator_id=user.user_id, **values)


# ── the run stores ───────────────────────────────────────────────────────────────────────────────────────────────


def fill(settings: Settings, database: Database, run: Element, count: int = 3) -> Path:
    """Results of some completed acquisitions."""
    store = settings.run_store(str(run.id))
    writer = RunWriter.create(store, frames=4)
    writer.write_metrics(list(range(count)), {"defocus_um": [1.0] * count})
    picture = np.full((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), 7, np.uint8)
    writer.write_images(0, thumbnail=picture)
    add_acquisitions(database, run, count=count, state=AcquisitionState.COMPLETED)
    return store


@only_sqlite
@pytest.mark.feature("NB-06")
def test_torn_and_missing_stores(
    patient: Settings, database: Database, make_user: Callable[..., Principal], make_run: Callable[..., Element]
) -> None:
    run = make_run(make_user("alice"), "Grid 7")
    store = fill(patient, database, run)
    whole = store.with_name("whole")
    shutil.copytree(store, whole)
    shutil.move(whole, patient.home / "whole")
    whole = patient.home / "whole"

    def look(harm: Callable[[], object]) -> str:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(whole, store)
        assert bad(stores.check_stores(patient)) == []
        harm()
        found = bad(stores.check_stores(patient))
        assert found
        for one in found:
            assert one.level is Level.ERROR
            assert "Grid 7" in one.reason
            assert "backup" in one.advice
        return "\n".join(one.reason for one in found)

    def shorter() -> None:
        about = json.loads((store / "motion_global" / "zarr.json").read_text())
        about["shape"][0] = 2
        (store / "motion_global" / "zarr.json").write_text(json.dumps(about))

    chunk = store / "metrics" / "defocus_um" / "c" / "0"
    assert "is missing, with the results of 3 acquisitions" in look(lambda: shutil.rmtree(store))
    assert "cannot be opened" in look(lambda: (store / "zarr.json").write_text("{"))
    assert "motion_global is torn: 2 long, 256 are needed" in look(shorter)
    assert "the array thumbnail is missing" in look(lambda: shutil.rmtree(store / "thumbnail"))
    assert "metrics cannot be read" in look(lambda: chunk.write_bytes(chunk.read_bytes()[:20]))
    assert "3 of 3 completed acquisitions have no numbers" in look(chunk.unlink)
    assert "1 files are empty (thumbnail/c/0/0/0)" in look(lambda: (store / "thumbnail/c/0/0/0").write_bytes(b""))

    shutil.rmtree(store)
    shutil.copytree(whole, store)
    shutil.copytree(whole, store.with_name("11111111-1111-1111-1111-111111111111.zarr"))
    assert "1 stores belong to no run" in the(stores.check_stores(patient), Level.WARNING).reason


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


@only_sqlite
@pytest.mark.feature("NB-06")
def test_the_command(patient: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_DATABASE_URL", patient.database_url)

    def broken(_: Settings) -> Any:
        raise ValueError("odd")

    well = CliRunner().invoke(app, ["doctor", "--home", str(patient.home)])
    assert well.exit_code == 0, well.output
    assert "OK" in well.output
    (patient.home / "token").chmod(0o604)
    ill = CliRunner().invoke(app, ["doctor", "--json"])
    assert ill.exit_code == 1
    report = json.loads(ill.output)
    assert report["level"] == "error"
    assert any(str(patient.home / "token") in one["reason"] for one in report["findings"])
    assert CliRunner().invoke(app, ["doctor", "--fix"]).exit_code == 0
    # a check that fails does not keep the others from being carried out
    monkeypatch.setattr(doctor, "CHECKS", (broken, home.check_secrets))
    first, second = doctor.examine(patient).findings
    assert "The check itself failed: ValueError: odd" in first.reason
    assert second.level is Level.OK
