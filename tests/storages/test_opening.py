"""From a URL to a storage."""

from pathlib import Path

import pytest

from athena.errors import Invalid
from athena.storages import open_storage
from athena.storages.local import LocalStorage
from athena.storages.objects import ObjectStorage


@pytest.mark.parametrize(
    ("url", "folder"),
    [("file:///data/a%20b", "/data/a b"), ("file://localhost/data", "/data"), ("home:data/files", "HOME/data/files")],
)
def test_folders(url: str, folder: str, tmp_path: Path) -> None:
    storage = open_storage(url, home=tmp_path)
    assert isinstance(storage, LocalStorage)
    assert storage.root == Path(folder.replace("HOME", str(tmp_path)))


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/a/b", "gs://bucket/a", "az://container/a"])
def test_object_stores(url: str, tmp_path: Path) -> None:
    options = {"azure_storage_account_name": "someone"} if url.startswith("az:") else {}
    storage = open_storage(url, options, home=tmp_path, read_only=True)
    assert isinstance(storage, ObjectStorage)
    assert (storage.url, storage.read_only) == (url, True)


@pytest.mark.parametrize(
    "url",
    [
        *("", "data", "/data", "ftp://host/a", "http://host/a", "memory:///", "file:data", "file:///", "file://host/a"),
        *("file:///a/../b", "file:///a%00b", "file:///a?b", "home:", "home:../a", "home:/etc", "home:a/../../b"),
        *("s3://", "s3:///a", "s3://key:secret@bucket", "s3://key@bucket", "s3://bucket/../a", "s3://bucket?x=1"),
    ],
)
def test_other_urls_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        open_storage(url, home=tmp_path)


def test_a_folder_takes_no_options(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="region"):
        open_storage("home:a", {"region": "x"}, home=tmp_path)
