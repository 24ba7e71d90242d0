"""The store over HTTP passes zarr's own conformance tests for stores.

zarr's tests write and list through the store they test. Athena's store does neither, so the class under test adds both
by going to the served folder directly; every read goes through ``ApiStore`` and a real HTTP server.
"""

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, cpu
from zarr.core.sync import sync
from zarr.storage import LocalStore
from zarr.testing.store import StoreTests

from athena.errors import NotFound, Unavailable
from athena.server.caching import file_response
from athena.zarrio.stores import ApiStore, Fetch

CLIENT = httpx.Client(trust_env=False)
"""One for the module: making a client costs more than a test."""


@dataclass(frozen=True)
class HttpFetch:
    """Fetch from a server of files, picklable as zarr wants stores to be."""

    url: str

    def __call__(self, method: str, key: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        answer = CLIENT.request(method, f"{self.url}/{key}", headers=dict(headers))
        return answer.status_code, answer.headers, answer.content


class ServedStore(ApiStore):
    """ApiStore for reading; writes and lists in the served folder."""

    supports_writes = True
    supports_deletes = True
    supports_listing = True

    def __init__(self, fetch: Fetch, folder: Path, *, read_only: bool = False) -> None:
        Store.__init__(self, read_only=read_only)
        self._fetch = fetch
        self.local = LocalStore(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._fetch, self.local.root)

    def with_read_only(self, read_only: bool = False) -> Self:
        return type(self)(self._fetch, self.local.root, read_only=read_only)

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await self.local.set(key, value)

    async def delete(self, key: str) -> None:
        self._check_writable()
        await self.local.delete(key)

    def list(self) -> AsyncIterator[str]:
        return self.local.list()

    def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        return self.local.list_prefix(prefix)

    def list_dir(self, prefix: str) -> AsyncIterator[str]:
        return self.local.list_dir(prefix)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address and folder of a server that answers with the API's own file responses (ranges, entity tags, HEAD)."""
    root = tmp_path_factory.mktemp("served")
    app = FastAPI()

    @app.api_route("/{key:path}", methods=["GET", "HEAD"])
    def read(key: str, request: Request) -> Response:
        try:
            return file_response(request, root / key)
        except NotFound:
            return Response(status_code=404)

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    with server.config.bind_socket() as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        host, port = bound.getsockname()[:2]
        yield f"http://{host}:{port}", root
        CLIENT.close()
        server.should_exit = True
        thread.join()


@pytest.mark.anyio
@pytest.mark.feature("NB-02")
class TestApiStore(StoreTests[ServedStore, cpu.Buffer]):
    """zarr's tests, unchanged."""

    store_cls = ServedStore
    buffer_cls = cpu.Buffer

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def store_kwargs(self, folders: tuple[str, Path], tmp_path: Path) -> dict[str, Any]:  # type: ignore[override]
        url, root = folders
        folder = root / tmp_path.name
        folder.mkdir()
        return {"fetch": HttpFetch(f"{url}/{tmp_path.name}"), "folder": folder}

    # as plain fixtures: the anyio plugin gives coroutine fixtures to coroutine tests alone

    @pytest.fixture
    def store(self, open_kwargs: dict[str, Any]) -> ServedStore:  # type: ignore[override]
        return sync(ServedStore.open(**open_kwargs))

    @pytest.fixture
    def store_not_open(self, store_kwargs: dict[str, Any]) -> ServedStore:  # type: ignore[override]
        return ServedStore(**store_kwargs)

    async def set(self, store: ServedStore, key: str, value: Buffer) -> None:
        await store.local.set(key, value)

    async def get(self, store: ServedStore, key: str) -> Buffer:
        value = await store.local.get(key)
        assert value is not None
        return value

    def test_store_repr(self, store: ServedStore) -> None:
        assert "ApiStore" in repr(store)

    def test_store_supports_writes(self, store: ServedStore) -> None:
        assert not ApiStore.supports_writes

    def test_store_supports_listing(self, store: ServedStore) -> None:
        assert not ApiStore.supports_listing


def test_the_real_store_neither_writes_nor_lists() -> None:
    store = ApiStore(HttpFetch("http://127.0.0.1:9"))
    assert store.read_only
    assert store.with_read_only(True) == store
    for write in (store.set("k", cpu.Buffer.from_bytes(b"v")), store.delete("k")):
        with pytest.raises(ValueError, match="read-only"):
            sync(write)
    for listing in (store.list, lambda: store.list_prefix(""), lambda: store.list_dir("")):
        with pytest.raises(NotImplementedError, match="layout"):
            listing()
    with pytest.raises(ValueError, match="reads only"):
        store.with_read_only(False)


def test_whole_answers_are_cut_and_faults_are_told() -> None:
    store = ApiStore(lambda method, key, headers: (200, {}, b"0123456789"))
    for asked, expected in (
        (RangeByteRequest(2, 5), b"234"),
        (OffsetByteRequest(7), b"789"),
        (SuffixByteRequest(2), b"89"),
        (SuffixByteRequest(20), b"0123456789"),
        (None, b"0123456789"),
    ):
        found = store.get_sync("k", byte_range=asked)
        assert found is not None
        assert found.to_bytes() == expected
    beyond = ApiStore(lambda method, key, headers: (416, {}, b"")).get_sync("k", byte_range=OffsetByteRequest(99))
    assert beyond is not None
    assert beyond.to_bytes() == b""
    with pytest.raises(Unavailable, match="HTTP 503"):
        ApiStore(lambda method, key, headers: (503, {}, b"")).get_sync("k")
