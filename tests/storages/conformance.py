"""What every storage must do; each implementation inherits these tests and gives the fixture ``storage``."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.storages import Storage
from athena.storages.keys import check_key

BIG = bytes(range(256)) * 4096 * 5
"""5 MiB: more than one piece."""


class StorageTests:
    """The contract of ``athena.storages.base.Storage``."""

    @pytest.fixture
    def storage(self) -> Storage:
        raise NotImplementedError

    @pytest.fixture
    def reader(self, storage: Storage) -> Storage:
        """The same place, read only."""
        raise NotImplementedError

    def partials(self, storage: Storage) -> int:
        """How many unfinished writes lie on the storage."""
        raise NotImplementedError

    @pytest.mark.parametrize("key", ["a.mrc", "a/b/c d.mrc", "ü n/ä+%20.txt", "x/[1]{2}~#&'.tif", ".hidden"])
    def test_what_is_put_is_read(self, storage: Storage, key: str) -> None:
        stored = storage.put(key, b"content")
        assert (stored.size, stored.sha256) == (7, hashlib.sha256(b"content").hexdigest())
        assert storage.read(key) == b"content"
        assert (storage.stat(key).key, storage.stat(key).size) == (check_key(key), 7)
        assert [found.key for found in storage.list()] == [check_key(key)]
        assert storage.exists(key)

    def test_pieces_of_any_size_make_one_file(self, storage: Storage) -> None:
        pieces = [BIG, b"", b"x", BIG[:1000]]
        stored = storage.put("big", iter(pieces))
        whole = b"".join(pieces)
        assert stored.size == len(whole) == storage.stat("big").size
        assert b"".join(storage.stream("big")) == whole
        assert max(map(len, storage.stream("big"))) < len(whole)

    def test_an_empty_file_is_a_file(self, storage: Storage) -> None:
        storage.put("empty", iter(()))
        assert storage.read("empty") == b""
        assert storage.read("empty", start=5, stop=9) == b""
        assert storage.stat("empty").size == 0

    @pytest.mark.parametrize(("start", "stop"), [(0, 3), (2, None), (2, 5), (8, 99), (10, None), (50, 60), (4, 4)])
    def test_ranges_are_those_of_a_slice(self, storage: Storage, start: int, stop: int | None) -> None:
        storage.put("digits", b"0123456789")
        assert storage.read("digits", start=start, stop=stop) == b"0123456789"[start:stop]

    def test_putting_again_replaces_and_changes_the_tag(self, storage: Storage) -> None:
        storage.put("a", b"old")
        before = storage.stat("a").tag
        storage.put("a", b"new content")
        assert storage.read("a") == b"new content"
        assert storage.stat("a").tag != before

    def test_a_reader_keeps_the_file_it_opened(self, storage: Storage) -> None:
        storage.put("a", b"old")
        stream = storage.stream("a")
        storage.put("a", b"new")
        assert b"".join(stream) == b"old"

    def test_a_failing_write_leaves_the_old_file_and_nothing_else(self, storage: Storage) -> None:
        storage.put("a", b"old")

        def broken() -> Iterator[bytes]:
            yield BIG
            yield BIG
            raise ValueError("the sender went away")

        with pytest.raises(ValueError, match="went away"):
            storage.put("a", broken())
        assert storage.read("a") == b"old"
        assert self.partials(storage) == 0

    @pytest.mark.parametrize("content", [b"other", [b"ot", b"her"]])
    def test_a_wrong_checksum_stores_nothing(self, storage: Storage, content: bytes | list[bytes]) -> None:
        with pytest.raises(Conflict, match="SHA-256"):
            storage.put("a", content, sha256=hashlib.sha256(b"content").hexdigest())
        assert list(storage.list()) == []
        assert self.partials(storage) == 0

    def test_adopting_moves_a_file_in(self, storage: Storage, tmp_path: Path) -> None:
        folder = storage.staging or tmp_path
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "finished"
        file.write_bytes(BIG)
        storage.adopt("a/b", file)
        assert storage.read("a/b") == BIG
        assert not file.exists()

    def test_what_is_not_there_is_not_found(self, storage: Storage) -> None:
        storage.put("a/b", b"x")
        for key in ("b", "a", "a/b/c"):
            assert not storage.exists(key)
            for ask in (storage.stat, storage.read, storage.stream):
                with pytest.raises(NotFound):
                    ask(key)

    def test_deleting(self, storage: Storage) -> None:
        storage.put("a/b", b"x")
        storage.delete("a/b")
        storage.delete("a/b")  # once more is no error
        assert not storage.exists("a/b")
        assert list(storage.list()) == []

    def test_a_prefix_is_whole_parts(self, storage: Storage) -> None:
        for key in ("a/1", "a/b/2", "ab/3", "a.x"):
            storage.put(key, b"12")
        assert (
            {found.key for found in storage.list("a")}
            == {found.key for found in storage.list("a/")}
            == {"a/1", "a/b/2"}
        )
        assert (storage.usage(), storage.usage("a")) == (8, 4)
        assert storage.delete_prefix("a") == 2
        assert {found.key for found in storage.list()} == {"ab/3", "a.x"}
        assert storage.delete_prefix("nothing") == 0
        with pytest.raises(Invalid):
            storage.delete_prefix("")

    @pytest.mark.parametrize(
        "key", ["", "/etc/passwd", "../a", "a/../../b", "a//b", "a/./b", "a\\b", "a\0b", "C:/a", "con"]
    )
    def test_unsafe_keys_are_refused_everywhere(self, storage: Storage, key: str, tmp_path: Path) -> None:
        storage.put("safe", b"x")
        file = tmp_path / "file"
        file.write_bytes(b"x")
        for act in (storage.stat, storage.read, storage.stream, storage.exists, storage.path, storage.delete):
            with pytest.raises(Invalid):
                act(key)
        for write in (
            lambda: storage.put(key, b"bad"),
            lambda: storage.adopt(key, file),
            lambda: storage.delete_prefix(key),
        ):
            with pytest.raises(Invalid):
                write()
        assert file.exists()
        assert [found.key for found in storage.list()] == ["safe"]

    def test_read_only_means_it(self, storage: Storage, reader: Storage, tmp_path: Path) -> None:
        storage.put("a/b", b"content")
        file = tmp_path / "file"
        file.write_bytes(b"x")
        assert reader.read("a/b") == b"content"
        assert reader.staging is None
        reader.check()
        for write in (
            lambda: reader.put("a/b", b"new"),
            lambda: reader.adopt("a/b", file),
            lambda: reader.delete("a/b"),
            lambda: reader.delete_prefix("a"),
        ):
            with pytest.raises(Forbidden):
                write()
        assert reader.read("a/b") == b"content"
        assert file.exists()

    def test_checking_leaves_nothing(self, storage: Storage) -> None:
        storage.check()
        assert list(storage.list()) == []
