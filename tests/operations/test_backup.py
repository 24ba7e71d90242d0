"""A backup taken while an instance writes, restored elsewhere, is that instance, in either database."""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.errors import Conflict
from athena.operations.backup import back_up, verify
from athena.operations.manifest import CATALOGUE
from athena.operations.restore import restore
from athena.server.run import serving
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.reader import open_results
from tests.operations.conftest import at, silent

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
            f"/elements/{run.id}/audit",
            "/jobs",
            "/events?after=0",
        )
        found = {place: client.get(place) for place in places}
        assert {answer.status_code for answer in found.values()} == {200}
        picture = client.get(f"/runs/{run.id}/acquisitions/0/thumbnail.png")
        # the index itself is each database's own, and so is the order of what is found
        assert str(run.id) in client.get("/search", params={"text": run.name}).text
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
    with serving(moved) as url:
        assert answers(url, token, run) == before


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
        back_up(source, tmp_path / "backup", silent)
    finally:
        stop.set()
        writer.join()
    home = tmp_path / "restored"
    restore(tmp_path / "backup", at(home), silent)
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
