"""Folders and files are looked at again when, and only when, they can have changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.errors import BadFile
from athena.ingest.memory import RELIST_SECONDS, SETTLE_SECONDS, Folder, FolderMemory, ReadMemory

pytestmark = pytest.mark.feature("AC-01")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def settled(memory: FolderMemory, clock: Clock, path: Path) -> Folder:
    """A look that the next one may rely on."""
    memory.look(str(path))
    clock.now += SETTLE_SECONDS
    return memory.look(str(path))


def test_a_folder_that_stands_still_is_listed_once(tmp_path: Path) -> None:
    clock = Clock()
    memory = FolderMemory(10, clock=clock)
    (tmp_path / "a.xml").write_text("1")
    (tmp_path / "inner").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    folder = settled(memory, clock, tmp_path)
    assert list(folder.files) == ["a.xml"]
    assert folder.folders == {"inner": str(tmp_path / "inner")}
    assert memory.look(str(tmp_path)) is folder
    clock.now += RELIST_SECONDS
    again = memory.look(str(tmp_path))
    assert again is not folder
    # nothing had changed, so what was made of it still stands
    assert again.files is folder.files
    assert again.derived is folder.derived


def add(path: Path) -> None:
    (path / "b.xml").write_text("2")


def grow(path: Path) -> None:
    with (path / "a.xml").open("a") as stream:
        stream.write("more")


def replace(path: Path) -> None:
    (path / "new").write_text("3")
    (path / "new").replace(path / "a.xml")


def remove(path: Path) -> None:
    (path / "a.xml").unlink()


@pytest.mark.parametrize("change", [add, grow, replace, remove])
def test_changes_are_seen_at_once(tmp_path: Path, change: Callable[[Path], None]) -> None:
    clock = Clock()
    memory = FolderMemory(10, clock=clock)
    (tmp_path / "a.xml").write_text("1")
    before = settled(memory, clock, tmp_path)
    assert before.make("names", lambda folder: sorted(folder.files)) == ["a.xml"]
    change(tmp_path)
    after = memory.look(str(tmp_path))
    assert after.files != before.files
    assert after.make("names", lambda folder: sorted(folder.files)) == sorted(
        entry.name for entry in tmp_path.iterdir()
    )


def test_an_old_file_written_over_in_place_is_seen_at_the_next_listing(tmp_path: Path) -> None:
    clock = Clock()
    memory = FolderMemory(10, clock=clock)
    for name, age in (("old.xml", 5000), ("new.xml", 0)):
        (tmp_path / name).write_text("1")
        os.utime(tmp_path / name, (1e9 - age, 1e9 - age))
    before = settled(memory, clock, tmp_path)
    (tmp_path / "old.xml").write_text("written over")
    assert memory.look(str(tmp_path)) is before
    clock.now += RELIST_SECONDS
    assert memory.look(str(tmp_path)).files["old.xml"].size == len("written over")


def test_a_folder_that_is_away_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FolderMemory(10).look(str(tmp_path / "absent"))


def test_files_are_read_once_for_a_state_and_failures_are_kept() -> None:
    memory = ReadMemory(2)
    calls: list[str] = []

    def make(value: str) -> Callable[[], str]:
        def made() -> str:
            calls.append(value)
            if value == "bad":
                raise BadFile("it is bad", hint="mend it")
            return value

        return made

    assert memory.get("a", 1, make("one")) == memory.get("a", 1, make("never")) == "one"
    assert memory.get("a", 2, make("two")) == "two"
    for _ in range(2):
        with pytest.raises(BadFile, match="it is bad"):
            memory.get("b", 1, make("bad"))
    assert calls == ["one", "two", "bad"]
    # the least recently used goes when there are too many
    memory.get("c", 1, make("three"))
    assert memory.get("a", 2, make("two again")) == "two again"
