"""A storage that is a folder."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from athena.errors import NotFound, Unavailable
from athena.storages import Storage
from athena.storages.local import LocalStorage
from tests.storages.conformance import StorageTests


@contextmanager
def killed_write(storage: LocalStorage, key: str) -> Iterator[None]:
    """Leave what a process killed while writing a key leaves."""
    before = set(storage.root.glob(".partial/*"))

    def pieces() -> Iterator[bytes]:
        yield b"half"
        (found,) = set(storage.root.glob(".partial/*")) - before
        kept.append((found.name, found.read_bytes()))
        raise KeyboardInterrupt

    kept: list[tuple[str, bytes]] = []
    with pytest.raises(KeyboardInterrupt):
        storage.put(key, pieces())
    for name, content in kept:
        (storage.root / ".partial").mkdir(exist_ok=True)
        (storage.root / ".partial" / name).write_bytes(content)
    yield


class TestLocalStorage(StorageTests):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> LocalStorage:
        return LocalStorage(tmp_path / "storage")

    @pytest.fixture
    def reader(self, storage: Storage) -> LocalStorage:
        assert isinstance(storage, LocalStorage)
        return LocalStorage(storage.root, read_only=True)

    def partials(self, storage: Storage) -> int:
        assert storage.staging is not None
        return len(list(storage.staging.glob("*"))) if storage.staging.exists() else 0

    def test_links_out_of_the_folder_are_not_followed(self, storage: LocalStorage, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "file").write_text("secret")
        storage.root.mkdir()
        (storage.root / "link").symlink_to(secret)
        (storage.root / "direct").symlink_to(secret / "file")
        for key in ("link/file", "direct"):
            with pytest.raises(NotFound):
                storage.read(key)
        with pytest.raises(NotFound):
            storage.put("link/new", b"x")
        assert list(storage.list()) == []
        (storage.root / "folder").mkdir()
        (storage.root / "folder" / "link").symlink_to(secret)
        storage.delete_prefix("folder")
        assert (secret / "file").read_text() == "secret"
        assert [path.name for path in secret.iterdir()] == ["file"]

    def test_adopting_across_file_systems_copies(self, storage: LocalStorage) -> None:
        other = Path("/dev/shm") / f"athena-test-{os.getpid()}"
        if not other.parent.is_dir() or other.parent.stat().st_dev == Path(storage.root.parent).stat().st_dev:
            pytest.skip("needs a second file system at /dev/shm")
        other.write_bytes(b"content")
        storage.adopt("a", other)
        assert storage.read("a") == b"content"
        assert not other.exists()

    def test_writers_and_deleters_of_one_folder_do_not_meet(self, storage: LocalStorage) -> None:
        """Deleting the last file of a folder removes it; a write at the same moment makes it again."""
        failures: list[Exception] = []

        def turn(name: str) -> None:
            try:
                for _ in range(60):
                    storage.put(f"folder/deep/{name}", b"x")
                    storage.delete(f"folder/deep/{name}")
            except Exception as problem:  # noqa: BLE001 - told by the assertion
                failures.append(problem)

        threads = [threading.Thread(target=turn, args=(str(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert list(storage.list()) == []

    def test_a_full_disk_is_told_and_leaves_nothing(
        self, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_handle: int, _piece: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(Unavailable, match="No space left"):
                storage.put("a", b"content")
        assert not storage.exists("a")
        assert self.partials(storage) == 0

    def test_a_file_is_not_a_folder(self, storage: LocalStorage) -> None:
        storage.put("a", b"file")
        with pytest.raises((NotFound, Unavailable)):
            storage.put("a/b/c", b"x")
        assert [found.key for found in storage.list()] == ["a"]
        assert self.partials(storage) == 0

    def test_what_a_killed_write_left_goes_with_the_next_one(self, storage: LocalStorage) -> None:
        put = storage.put("a", b"whole")
        storage.put("b", b"other")
        with killed_write(storage, "a"), killed_write(storage, "b"):
            assert self.partials(storage) == 2
        assert storage.put("a", b"whole") == put
        assert self.partials(storage) == 1  # that of another key is not touched …
        assert storage.sweep(timedelta(hours=1)) == 0
        assert storage.sweep(timedelta(seconds=-1)) == 1  # … until it is old
        assert {path.name for path in storage.root.iterdir()} == {"a", "b"}

    def test_capacity_is_that_of_the_file_system(self, storage: LocalStorage) -> None:
        storage.check()
        room = storage.capacity()
        assert room is not None
        assert 0 < room.free <= room.total

    def test_a_folder_that_is_gone_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("not a folder")
        for storage in (LocalStorage(tmp_path / "nowhere", read_only=True), LocalStorage(tmp_path / "file")):
            with pytest.raises(Unavailable, match="cannot be used"):
                storage.check()
