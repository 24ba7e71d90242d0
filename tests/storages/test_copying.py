"""Copies between storages, verified."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from athena.errors import Conflict, NotFound
from athena.storages import Storage, Stored, copy, open_storage, verify
from athena.storages.local import LocalStorage
from tests.s3 import Bucket


@pytest.fixture
def local(tmp_path: Path) -> Storage:
    return LocalStorage(tmp_path / "local")


@pytest.fixture
def remote(make_bucket: Callable[[], Bucket], tmp_path: Path) -> Storage:
    bucket = make_bucket()
    return open_storage(bucket.url, bucket.options, home=tmp_path)


def test_a_copy_is_the_same_on_either_storage(local: Storage, remote: Storage) -> None:
    content = bytes(range(256)) * 20_000
    first = local.put("a/movie.mrc", content)
    assert copy(local, "a/movie.mrc", remote, "b/movie.mrc", sha256=first.sha256) == first
    assert copy(remote, "b/movie.mrc", local, "c/movie.mrc") == first
    assert local.read("c/movie.mrc") == content


def test_a_source_that_changed_is_not_copied(local: Storage, remote: Storage) -> None:
    known = local.put("a", b"first").sha256
    local.put("a", b"other")
    with pytest.raises(Conflict, match="SHA-256"):
        copy(local, "a", remote, "a", sha256=known)
    assert not remote.exists("a")
    with pytest.raises(NotFound):
        copy(local, "b", remote, "b")


def test_a_copy_that_reads_back_differently_is_removed(local: Storage, tmp_path: Path) -> None:
    class BadDisk(LocalStorage):
        def put(self, key: str, content: bytes | Iterable[bytes], *, sha256: str = "") -> Stored:
            stored = super().put(key, content, sha256=sha256)
            self.path(key).write_bytes(b"rotten")
            return stored

    bad = BadDisk(tmp_path / "bad")
    local.put("a", b"content")
    with pytest.raises(Conflict, match="damaged"):
        copy(local, "a", bad, "a")
    assert not bad.exists("a")


def test_verifying_finds_damage(local: LocalStorage) -> None:
    stored = local.put("a", b"content")
    verify(local, "a", stored.sha256)
    local.path("a").write_bytes(b"contend")
    with pytest.raises(Conflict, match="damaged"):
        verify(local, "a", stored.sha256)
