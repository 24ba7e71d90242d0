"""A storage on an S3-compatible server (a real one, on a loopback port)."""

from collections.abc import Callable

import httpx
import pytest

from athena.errors import Invalid, Unavailable
from athena.storages import Storage
from athena.storages.objects import ObjectStorage
from tests.s3 import Bucket
from tests.storages.conformance import StorageTests


class TestObjectStorage(StorageTests):
    @pytest.fixture
    def bucket(self, make_bucket: Callable[[], Bucket]) -> Bucket:
        return make_bucket()

    @pytest.fixture
    def storage(self, bucket: Bucket) -> ObjectStorage:
        return ObjectStorage(bucket.url, bucket.options)

    @pytest.fixture
    def reader(self, bucket: Bucket) -> ObjectStorage:
        return ObjectStorage(bucket.url, bucket.options, read_only=True)

    def partials(self, storage: Storage) -> int:
        assert isinstance(storage, ObjectStorage)
        name = storage.url.split("/")[2]
        endpoint = storage._store.config["endpoint"]
        return httpx.get(f"{endpoint}/{name}", params={"uploads": ""}).text.count("<UploadId>")

    def test_two_folders_of_a_bucket_do_not_meet(self, bucket: Bucket) -> None:
        first, second = (ObjectStorage(f"{bucket.url}/{name}", bucket.options) for name in ("one", "two"))
        first.put("a", b"1")
        assert not second.exists("a")
        assert [found.key for found in first.list()] == ["a"]

    def test_a_bucket_that_is_not_there_is_told(self, bucket: Bucket) -> None:
        for storage in (ObjectStorage("s3://no-such-bucket/x", bucket.options),):
            with pytest.raises(Unavailable, match="bucket"):
                storage.check()

    def test_a_server_that_does_not_answer_is_told_without_secrets(self) -> None:
        options = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1"}
        secret = {"access_key_id": "name", "secret_access_key": "very-secret"}
        storage = ObjectStorage("s3://bucket", {**options, **secret})
        with pytest.raises(Unavailable) as told:
            storage.stat("a")
        assert "very-secret" not in f"{told.value} {storage!r}"

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(Invalid, match="colour"):
            ObjectStorage("s3://bucket", {"colour": "red"})
