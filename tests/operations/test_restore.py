"""A damaged or hostile backup is refused by name, and what is there already is left alone."""

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
from tests.operations.conftest import at, silent

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
