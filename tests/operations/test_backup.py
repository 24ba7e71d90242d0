"""A backup taken while an instance writes, restored elsewhere, is that instance; a damaged one is refused by name."""

import errno
import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.errors import BadFile, Conflict, Invalid, NotFound, Unavailable
from athena.operations import copying
from athena.operations.backup import back_up, verify
from athena.operations.manifest import CATALOGUE, NAME, Foot, read_manifest
from athena.operations.restore import restore
from athena.server.run import serving
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.reader import open_results
from athena.zarrio.writer import RunWriter
from tests.conftest import add_acquisitions

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def at(home: Path) -> Settings:
    """Settings of the instance in a home, its settings file included."""
    os.environ["ATHENA_HOME"] = str(home)  # set before by the fixture ``settings``, which puts it back
    return Settings(home=home, api_port=0, log_level="WARNING")


def silent(_stage: str) -> Callable[[int, int], None]:
    return lambda _done, _whole: None


@pytest.fixture
def source(settings: Settings, database_url: str) -> Settings:
    """Settings of an instance with secrets, a hub's database and notebooks in its home."""
    chosen = Settings(home=settings.home, database_url=database_url, api_port=0, log_level="WARNING")
    home = settings.home
    (home / "hub").mkdir(parents=True, mode=0o700)
    (home / "hub" / "cookie_secret").write_text("secret")
    (home / "hub" / "cookie_secret").chmod(0o600)
    (home / "portal.key").write_bytes(b"key")
    (home / "portal.key").chmod(0o600)
    (home / "logs").mkdir()
    (home / "logs" / "api.log").write_text("log")
    (home / "scratch").mkdir()
    (home / "athena.toml").write_text('workers = 3\ndatabase_url = "postgresql://elsewhere/x"\n')
    hub = Database(f"sqlite:///{home / 'hub' / 'jupyterhub.sqlite'}")
    with hub.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (name TEXT)")
        connection.exec_driver_sql("INSERT INTO users VALUES ('alice')")
    hub.dispose()
    return chosen


@pytest.fixture
def fill(source: Settings, database: Database) -> Callable[[Element, int], None]:
    """``fill(run, count)`` adds completed acquisitions to a run, arrays first as the collector does."""

    def add(run: Element, count: int = 1) -> None:
        store = source.run_store(str(run.id))
        writer = RunWriter.create(store, frames=4)
        with database.session(read_only=True) as session:
            first = session.scalar(
                text("SELECT acquisition_count FROM run WHERE id = :id"),
                {"id": run.id.hex if database.is_sqlite else run.id},
            )
        indices = range(first, first + count)
        writer.ensure_length(first + count)
        picture = np.full((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), 7, np.uint8)
        for index in indices:
            writer.write_images(index, thumbnail=picture, spectrum=picture)
        writer.write_metrics(list(indices), {"defocus_um": [1.0 + index for index in indices]})
        add_acquisitions(database, run, count=count, state=AcquisitionState.COMPLETED)

    return add


def answers(url: str, token: str, run: Element) -> dict[str, Any]:
    """What the API says of everything a backup must keep."""
    with httpx.Client(base_url=f"{url}/api", headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        places = (
            "/me",
            "/elements",
            f"/elements/{run.parent_id}",
            f"/elements/{run.id}",
            f"/elements/{run.id}/breadcrumb",
            f"/elements/{run.id}/metadata",
            f"/runs/{run.id}",
            f"/runs/{run.id}/table?columns=defocus_um",
            f"/runs/{run.id}/grid",
            "/jobs",
            "/events?after=0",
        )
        found = {place: client.get(place) for place in places}
        assert {answer.status_code for answer in found.values()} == {200}
        picture = client.get(f"/runs/{run.id}/acquisitions/0/thumbnail.png")
        return {place: answer.json() for place, answer in found.items()} | {"picture": picture.content}


@pytest.mark.feature("NB-06")
def test_a_restored_instance_answers_as_the_one_that_was_backed_up(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
) -> None:
    run = make_run(make_user("alice"))
    fill(run, 3)
    with serving(source) as url:
        token = source.token_file.read_text().strip()
        httpx.put(
            f"{url}/api/runs/{run.id}/source",
            json={"path": str(tmp_path)},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        before = answers(url, token, run)
        backup = tmp_path / "backup"
        manifest = back_up(source, backup, silent)
    assert verify(backup, silent) == manifest
    assert not list(tmp_path.glob(".backup*"))
    names = {entry.path for entry in manifest.entries}
    assert {CATALOGUE, "home/token", "home/hub/cookie_secret", "home/athena.toml"} <= names
    assert not [name for name in names if name.startswith(("home/logs", "home/data", "home/athena.db"))]

    # into SQLite, from either database
    home = tmp_path / "elsewhere" / "home"
    assert restore(backup, at(home), silent) == home
    restored = at(home)
    assert restored.resolved_database_url == f"sqlite:///{home}/athena.db"
    with serving(restored) as url:
        assert answers(url, token, run) == before
        headers = {"Authorization": f"Bearer {token}"}
        made = httpx.post(f"{url}/api/elements", json={"kind": "folder", "name": "New"}, headers=headers)
        assert made.status_code == 201
    for name in ("token", "portal.key", "hub/cookie_secret", "athena.toml"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE((home / "hub").stat().st_mode) == 0o700
    assert "# as it was backed up: database_url" in (home / "athena.toml").read_text()
    hub = Database(f"sqlite:///{home / 'hub' / 'jupyterhub.sqlite'}")
    with hub.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT name FROM users").scalar() == "alice"
    hub.dispose()


@pytest.mark.feature("NB-06")
def test_an_instance_moves_from_sqlite_to_postgresql_and_back(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    postgres_url: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    from tests.conftest import _named, _postgres

    run = make_run(make_user("alice"))
    fill(run, 2)
    with serving(source) as url:
        token = source.token_file.read_text().strip()
        before = answers(url, token, run)
    back_up(source, tmp_path / "backup", silent)
    name = f"restored_{os.urandom(4).hex()}"
    _postgres(postgres_url, f"CREATE DATABASE {name}")
    target = _named(postgres_url, name)
    request.addfinalizer(lambda: _postgres(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))
    home = tmp_path / "restored"
    restore(tmp_path / "backup", at(home), silent, database_url=target)
    moved = at(home)
    assert f'database_url = "{target}"' in (home / "athena.toml").read_text()
    assert not (home / CATALOGUE).exists()
    with serving(moved) as url:
        assert answers(url, token, run) == before
    # every constraint is as strict as before
    looked = Database(target)
    with looked.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND condeferrable")) == 0
    looked.dispose()
    with pytest.raises(Conflict, match="holds an instance"):
        restore(tmp_path / "backup", at(tmp_path / "third"), silent, database_url=target)
    assert not (tmp_path / "third").exists()
    restore(tmp_path / "backup", at(tmp_path / "third"), silent, database_url=target, replace=True)


def test_a_backup_while_the_instance_writes_is_of_one_moment(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
) -> None:
    alice = make_user("alice")
    run = make_run(alice)
    fill(run, layout.BLOCK - 2)  # the arrays grow while the backup is under way
    begun, stop = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            fill(run, 1)
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(30)
        for number in range(2):
            back_up(source, tmp_path / f"backup{number}", silent)
    finally:
        stop.set()
        writer.join()
    for number in range(2):
        home = tmp_path / f"home{number}"
        restore(tmp_path / f"backup{number}", at(home), silent)
        copy = Database(f"sqlite:///{home / 'athena.db'}")
        with copy.session(read_only=True) as session:
            count = session.scalar(text("SELECT acquisition_count FROM run"))
            listed = session.scalar(text("SELECT count(*) FROM acquisition"))
            events = session.scalar(text("SELECT count(*) FROM event"))
            assert session.scalar(text("SELECT seq FROM event_clock")) == events
            assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        copy.dispose()
        assert count == listed >= layout.BLOCK - 1
        results = open_results(at(home).run_store(str(run.id)), length=count)
        # whatever the catalogue counts is in the arrays
        assert np.array_equal(results["defocus_um"].values, 1.0 + np.arange(count))
        assert (results["thumbnail"].isel(acquisition=count - 1).values == 7).all()


@pytest.fixture
def backup(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
) -> Path:
    fill(make_run(make_user("alice")), 1)
    back_up(source, tmp_path / "backup", silent)
    return tmp_path / "backup"


def tampered(folder: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change lines of a manifest, and close it as its writer would."""
    import hashlib

    lines = change((folder / NAME).read_bytes().splitlines(keepends=True)[:-1])
    sha256 = hashlib.sha256(b"".join(lines)).hexdigest()
    lines.append(Foot(files=len(lines) - 1, bytes=0, sha256=sha256).model_dump_json().encode() + b"\n")
    (folder / NAME).write_bytes(b"".join(lines))


@only_sqlite
@pytest.mark.feature("NB-06")
def test_a_damaged_backup_is_refused_naming_the_file(backup: Path, tmp_path: Path) -> None:
    victim = next(backup.glob("data/runs/*.zarr/metrics/defocus_um/c/*"))
    original = victim.read_bytes()

    def refused(match: str) -> None:
        for attempt in (
            lambda: verify(backup, silent),
            lambda: restore(backup, at(tmp_path / "new"), silent),
        ):
            with pytest.raises(BadFile, match=match):
                attempt()
            assert not (tmp_path / "new").exists()
            assert not list(tmp_path.glob("*restoring*"))

    victim.write_bytes(original[:-1] + bytes([original[-1] ^ 1]))
    refused(r"defocus_um/c/0: its content is not what was written")
    victim.write_bytes(original[:-1])
    refused(r"defocus_um/c/0: it has \d+ bytes, not \d+")
    victim.unlink()
    refused("defocus_um/c/0: it is missing")
    victim.symlink_to("/etc/passwd")
    refused("defocus_um/c/0: it is missing")
    victim.unlink()
    victim.write_bytes(original)
    verify(backup, silent)

    whole = (backup / NAME).read_bytes()
    for damaged in (
        whole[:-40],
        whole[:-1].rsplit(b"\n", 1)[0] + b"\n",
        whole.replace(b'"size":', b'"size":1', 1),
        b"",
    ):
        (backup / NAME).write_bytes(damaged)
        refused("is damaged or cut short")
    (backup / NAME).unlink()
    refused("is not a backup of Athena")


@only_sqlite
def test_a_backup_that_names_files_outside_is_refused(backup: Path, tmp_path: Path) -> None:
    whole = (backup / NAME).read_bytes()
    for path in ("home/../../evil", "/etc/evil", "evil", "home/./x", "data/../../x", "home/a\\u0000b", ".."):
        (backup / NAME).write_bytes(whole)

        def rename(lines: list[bytes], path: str = path) -> list[bytes]:
            entry = json.loads(lines[-1])
            return [*lines[:-1], json.dumps(entry).replace(entry["path"], path).encode() + b"\n"]

        tampered(backup, rename)
        with pytest.raises(BadFile, match=r"no file of a backup|is damaged"):
            restore(backup, at(tmp_path / "new"), silent)
        assert not (tmp_path / "new").exists()
        assert not (tmp_path / "evil").exists()
        with pytest.raises(BadFile):
            read_manifest(backup)


@only_sqlite
def test_a_home_that_is_not_empty_is_left_alone_unless_told(backup: Path, source: Settings, tmp_path: Path) -> None:
    home = tmp_path / "used"
    home.mkdir()
    (home / "mine").write_text("mine")
    with pytest.raises(Conflict, match="is not empty"):
        restore(backup, at(home), silent)
    assert [path.name for path in home.iterdir()] == ["mine"]
    former = restore(backup, at(home), silent, replace=True)
    assert (former / "mine").read_text() == "mine"
    assert not (home / "mine").exists()
    assert (home / "athena.db").exists()
    with pytest.raises(Conflict, match="is there already"):
        back_up(source, backup, silent)
    verify(backup, silent)
    with pytest.raises(NotFound, match="no instance to back up"):
        back_up(at(tmp_path / "none"), tmp_path / "other", silent)
    assert not (tmp_path / "other").exists()


@only_sqlite
def test_a_running_instance_is_not_restored_over(backup: Path, source: Settings) -> None:
    from athena.embedded import announced

    with serving(source) as url, announced(source, api_url=url), pytest.raises(Conflict, match="Athena runs in"):
        restore(backup, source, silent, replace=True)


@only_sqlite
def test_unchanged_files_are_shared_with_an_earlier_backup(
    backup: Path,
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
) -> None:
    fill(make_run(make_user("bob"), "Second"), 1)
    second = tmp_path / "second"
    manifest = back_up(source, second, silent, since=backup)
    verify(second, silent)
    links = {entry.path: (second / entry.path).stat().st_nlink for entry in manifest.entries}
    assert links[CATALOGUE] == 1
    assert links["home/hub/jupyterhub.sqlite"] == 1
    known = {entry.path for entry in read_manifest(backup).entries}
    assert {links[path] for path in known if path.startswith("data/")} == {2}
    assert {links[path] for path in links.keys() - known} == {1}
    shutil.rmtree(backup)
    verify(second, silent)


@only_sqlite
def test_a_full_disk_is_said_and_leaves_nothing(
    source: Settings,
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    fill: Callable[[Element, int], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(make_run(make_user("alice")), 1)
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
        with pytest.raises(Unavailable, match="The backup needs"):
            back_up(source, tmp_path / "backup", silent)
    copied = copying.copy_file
    done = []

    def full(path: Path, target: Path, *, name: str) -> Any:
        done.append(name)
        if len(done) > 5:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return copied(path, target, name=name)

    monkeypatch.setattr("athena.operations.backup.copy_file", full)
    with pytest.raises(Unavailable, match="the disk is full") as error:
        back_up(source, tmp_path / "backup", silent)
    assert "another disk" in error.value.hint
    assert not list(tmp_path.glob("*backup*"))


@only_sqlite
@pytest.mark.feature("NB-06")
def test_the_commands(backup: Path, source: Settings, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from athena.cli import app

    run = CliRunner().invoke
    env = {"ATHENA_DATABASE_URL": source.database_url, "ATHENA_HOME": str(source.home)}
    made = run(app, ["backup", str(tmp_path / "by-command"), "--since", str(backup)], env=env)
    assert made.exit_code == 0, made.output
    assert "is written" in made.output
    checked = run(app, ["backup", "--verify", str(tmp_path / "by-command")])
    assert (checked.exit_code, "is whole" in checked.output) == (0, True)
    both = run(app, ["backup", "--verify", str(tmp_path / "by-command"), "--since", str(backup)])
    assert isinstance(both.exception, Invalid)
    home = tmp_path / "by-command-home"
    back = run(app, ["restore", str(tmp_path / "by-command"), "--home", str(home)], env={"ATHENA_HOME": str(home)})
    assert back.exit_code == 0, back.output
    assert "athena up --home" in back.output
    assert (home / "athena.db").exists()
