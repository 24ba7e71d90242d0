"""A disk that is full, on a real one: a small tmpfs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from athena.contract.people import Principal
from athena.db.engine import Database
from athena.services.retry import retry_failed
from athena.settings import Settings


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.feature("EQ-01")
def test_a_full_disk_fails_movies_and_a_freed_one_makes_good(
    small_disk: Path, folder, attach, running, wait_for, database: Database, quick: Settings
) -> None:
    settings = quick.model_copy(update={"data_dir": small_disk})
    ballast = small_disk / "ballast"
    folder.add("a")
    run = attach(folder.path)
    with running(settings=settings):
        wait_for(lambda: run.states() == {"a": "completed"})
        with ballast.open("wb", buffering=0) as file:  # fill what is left, to the last byte
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                os.ftruncate(file.fileno(), file.tell())
        folder.add("b")
        wait_for(lambda: run.states().get("b") == "error")
        assert "no space left on" in run.acquisitions()[1].error
        ballast.unlink()
        folder.add("c")
        wait_for(lambda: run.states().get("c") == "completed", what="the run going on")
        with database.session() as session:
            owner = Principal(user_id=run.job().initiator_id, username="alice")
            assert retry_failed(session, owner, run.id) == 1
        wait_for(lambda: set(run.states().values()) == {"completed"})
    assert run.job().message == "3 processed"


def test_a_disk_too_full_to_begin_keeps_movies_waiting(
    small_disk: Path, folder, attach, running, wait_for, quick: Settings
) -> None:
    settings = quick.model_copy(update={"data_dir": small_disk / "data"})
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (8 * 1024 * 1024 - 8192))
    folder.add("a")
    run = attach(folder.path)
    with running(settings=settings):
        wait_for(lambda: "no space left on" in run.job().message)
        assert run.states() == {"a": "registered"}
        ballast.unlink()
        wait_for(lambda: run.states() == {"a": "completed"})
