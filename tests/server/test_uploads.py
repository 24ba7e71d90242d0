"""Uploads over a real API: the tus protocol, and everything that must not work."""

import base64
import hashlib
import itertools
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from athena.contract.elements import DatasetType, Element, Template
from athena.contract.people import Principal, Role
from athena.db import base
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.server.run import serving
from athena.services.uploads import remove_expired, sweep_partials
from tests.server import tus
from tests.server.conftest import Api

CONTENT = bytes(range(256)) * 40_000
"""10 MB."""


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def dataset(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice, "Screens", type=DatasetType.FREE)


def left_on_disk(api: Api) -> list[str]:
    """Every file of the primary storage and of the folder where uploads grow."""
    roots = (api.settings.home / "data" / "files", api.settings.home / "uploads")
    return [str(path.relative_to(root)) for root in roots for path in root.rglob("*") if path.is_file()]


def files_of(client: httpx.Client, element: Element) -> dict[str, Any]:
    page = client.get(f"/elements/{element.id}/files").json()
    return {one["name"]: one for one in page["items"]}


@pytest.mark.feature("WS-16", "ST-01")
def test_a_file_comes_in_chunks_and_is_what_was_sent(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    told = client.options(f"/elements/{dataset.id}/uploads")
    assert (told.status_code, told.headers["tus-version"]) == (204, "1.0.0")
    assert {"creation", "checksum", "termination", "expiration"} <= set(told.headers["tus-extension"].split(","))
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    begun = tus.begin(client, dataset.id, "raw/Größe 1.mrc", len(CONTENT), sha256=sha256, filetype="image/x-mrc")
    path = tus.place(begun)
    assert "upload-expires" in begun.headers
    assert tus.offset(client, path) == 0
    cuts = (0, 1, 4_000_001, 4_000_001, len(CONTENT))
    for number, (start, stop) in enumerate(itertools.pairwise(cuts)):
        part = CONTENT[start:stop]
        algorithm = ("sha1", "sha256", "md5", "sha1")[number]
        answer = tus.send(client, path, start, part, Upload_Checksum=tus.checksum(part, algorithm))
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(stop)), answer.text
        assert tus.offset(client, path) == stop
    file = files_of(client, dataset)["raw/Größe 1.mrc"]
    assert (file["size"], file["sha256"], file["creator"]) == (len(CONTENT), sha256, "alice")
    assert (file["id"], file["storage"], file["media_type"]) == (path.rsplit("/", 1)[-1], "Primary", "image/x-mrc")
    assert client.get(f"/elements/{dataset.id}/files/{file['id']}/content").content == CONTENT
    assert len(left_on_disk(api)) == 1
    assert client.get(f"/elements/{dataset.id}/uploads").json() == []
    kinds = [event["kind"] for event in client.get("/events", params={"after": 0}).json()["events"]]
    assert kinds.count("file.changed") == 1


@pytest.mark.feature("WS-16")
def test_a_browser_may_send_the_first_bytes_with_the_creation(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    for name, content in (("small.txt", b"hello"), ("empty.txt", b"")):
        metadata = tus.encoded(filename=name, filetype="text/plain", relativePath="null")
        headers = {**tus.CHUNK, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answer = client.post(f"/elements/{dataset.id}/uploads", headers=headers, content=content)
        assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(content)))
        assert tus.offset(client, tus.place(answer)) == len(content)
    assert {name: one["size"] for name, one in files_of(client, dataset).items()} == {"small.txt": 5, "empty.txt": 0}


@pytest.mark.feature("WS-16")
def test_a_broken_connection_is_taken_up_where_it_broke(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)

    def broken() -> Iterator[bytes]:
        yield CONTENT[:3_000_000]
        raise ConnectionError("the cable was pulled")

    path = tus.place(tus.begin(client, dataset.id, "a.mrc", len(CONTENT)))
    with pytest.raises(ConnectionError):
        tus.send(client, path, 0, broken(), Content_Length=str(len(CONTENT)))
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while (here := tus.offset(client, path)) == 0 and datetime.now(UTC) < deadline:
        pass
    assert 0 < here <= 3_000_000
    (open_one,) = client.get(f"/elements/{dataset.id}/uploads").json()
    assert open_one["name"] == "a.mrc"
    answer = tus.send(client, path, tus.offset(client, path), CONTENT[tus.offset(client, path) :])
    assert answer.status_code == 204, answer.text
    assert files_of(client, dataset)["a.mrc"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.feature("WS-16")
def test_an_upload_outlives_the_server_and_a_kill_at_its_last_step(
    api: Api, alice: Principal, dataset: Element, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from athena.services import uploads

    client = api.client(alice)
    path = tus.place(tus.begin(client, dataset.id, "a.mrc", 6))
    assert tus.send(client, path, 0, b"abc").status_code == 204

    def killed(*_: object, **__: object) -> None:
        raise RuntimeError("killed between moving the bytes and adding the row")

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "_add_file", killed)
        assert tus.send(api.client(alice), path, 3, b"def").status_code == 500
    assert files_of(client, dataset) == {}
    # another process of the API, over the same database and home
    with serving(api.settings) as url:
        other = httpx.Client(base_url=f"{url}/api", headers=client.headers)
        assert tus.offset(other, path) == 6
        other.close()
    assert files_of(client, dataset)["a.mrc"]["sha256"] == hashlib.sha256(b"abcdef").hexdigest()
    assert len(left_on_disk(api)) == 1


@pytest.mark.feature("WS-16")
def test_cancelling_and_expiring_leave_nothing(
    api: Api, alice: Principal, dataset: Element, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api.client(alice)
    path = tus.place(tus.begin(client, dataset.id, "a.mrc", 10))
    tus.send(client, path, 0, b"12345").raise_for_status()
    assert len(left_on_disk(api)) == 1
    assert client.delete(path, headers=tus.VERSION).status_code == 204
    assert left_on_disk(api) == []
    for answer in (client.head(path, headers=tus.VERSION), tus.send(client, path, 5, b"67890")):
        assert answer.status_code == 404

    path = tus.place(tus.begin(client, dataset.id, "b.mrc", 10))
    tus.send(client, path, 0, b"12345").raise_for_status()
    assert remove_expired(database, api.settings) == 0
    later = datetime.now(UTC) + timedelta(hours=api.settings.upload_hours, seconds=5)
    with monkeypatch.context() as patch:
        patch.setattr(base, "now", lambda: later)
        assert client.head(path, headers=tus.VERSION).status_code == 404
        remove_expired(database, api.settings)  # or the server's own housekeeping has done it
        assert client.get(f"/elements/{dataset.id}/uploads").json() == []
    assert left_on_disk(api) == []
    stray = api.settings.home / "data" / "files" / ".partial" / uuid.uuid4().hex
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of a writer that was killed")
    assert sweep_partials(database, api.settings) == 0
    old = api.settings.model_copy(update={"upload_hours": -1.0})
    assert sweep_partials(database, old) == 1
    assert left_on_disk(api) == []


@pytest.mark.feature("WS-16")
def test_what_is_not_the_protocol_is_refused_and_changes_nothing(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    path = tus.place(tus.begin(client, dataset.id, "a.mrc", 10))
    tus.send(client, path, 0, b"0123").raise_for_status()
    crc = base64.b64encode(zlib.crc32(b"45").to_bytes(4, "big")).decode()
    refused = [
        (tus.send(client, path, 3, b"x"), 409),  # wrong offset
        (tus.send(client, path, 5, b"x"), 409),
        (tus.send(client, path, -1, b"x"), 422),
        (tus.send(client, path, 4, b"4567890"), 413),  # one byte too many
        (tus.send(client, path, 4, iter([b"456", b"7890"])), 413),  # of unannounced length
        (tus.send(client, path, 4, b"45", Upload_Checksum=tus.checksum(b"46")), 460),
        (tus.send(client, path, 4, b"45", Upload_Checksum=f"crc32 {crc[:-4]}AAA="), 460),
        (tus.send(client, path, 4, b"45", Upload_Checksum="whirlpool AAAA"), 400),
        (tus.send(client, path, 4, b"45", Upload_Checksum="sha1 %%"), 400),
        (tus.send(client, path, 4, b"45", Content_Type="text/plain"), 415),
        (tus.send(client, path, 4, b"45", Tus_Resumable="0.2.2"), 412),
        (tus.send(client, f"/elements/{dataset.id}/uploads/{uuid.uuid4()}", 4, b"45"), 404),
    ]
    for answer, status in refused:
        assert answer.status_code == status, answer.text
        assert tus.offset(client, path) == 4
    good = tus.send(client, path, 4, b"45", Upload_Checksum=f"crc32 {crc}")
    assert (good.status_code, tus.offset(client, path)) == (204, 6)

    whole = tus.place(tus.begin(client, dataset.id, "b.mrc", 3, sha256=hashlib.sha256(b"abc").hexdigest()))
    assert tus.send(client, whole, 0, b"abd").status_code == 409
    assert client.head(whole, headers=tus.VERSION).status_code == 404
    assert files_of(client, dataset) == {}
    assert left_on_disk(api) == [f".partial/{uuid.UUID(path.rsplit('/', 1)[-1]).hex}"]


NAMES = (
    *("../evil", "/etc/passwd", "a/../../evil", "..\\evil", "C:\\evil", "a\0b", "a\r\nSet-Cookie: x=1", "con", "a//b"),
    *("", " ", "a\u202egpj.exe", "x" * 1001, "x" * 300, ".partial/x"),
)


@pytest.mark.feature("WS-16")
def test_names_and_sizes_that_are_not_safe_are_refused(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    place = f"/elements/{dataset.id}/uploads"
    for name in NAMES:
        assert tus.begin(client, dataset.id, name, 1).status_code == 422, repr(name)
    good = tus.encoded(filename="a.mrc")
    for length, metadata in (
        ("-1", good),
        ("1e3", good),
        ("9" * 30, good),
        ("٣", good),
        ("", good),
        ("1", "filename %%%"),
    ):
        headers = {**tus.VERSION, "Upload-Length": length.encode(), "Upload-Metadata": metadata}
        assert client.post(place, headers=headers).status_code == 422, length
    for metadata in (f"{good},{good}", "filename //79", "", tus.encoded(filename="a", sha256="zz")):
        headers = {**tus.VERSION, "Upload-Length": "1", "Upload-Metadata": metadata}
        assert client.post(place, headers=headers).status_code == 422, metadata
    assert tus.begin(client, dataset.id, "a.mrc", 10**17).status_code == 413  # no such disk
    primary = next(one["id"] for one in api.owner.get("/storages").json() if one["role"] == "primary")
    api.owner.patch(f"/storages/{primary}", json={"quota_bytes": 10}).raise_for_status()
    assert tus.begin(client, dataset.id, "a.mrc", 11).status_code == 413
    first = tus.begin(client, dataset.id, "a.mrc", 6)
    assert first.status_code == 201
    assert tus.begin(client, dataset.id, "b.mrc", 6).status_code == 413  # what is on its way counts
    assert client.delete(tus.place(first), headers=tus.VERSION).status_code == 204
    assert client.get(place).json() == []
    assert left_on_disk(api) == []


@pytest.mark.feature("WS-05", "WS-16", "SH-02")
def test_only_writers_upload_and_only_where_files_belong(
    api: Api,
    alice: Principal,
    dataset: Element,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    make_workflow: Callable[..., Element],
    grant: Callable[..., None],
    database: Database,
) -> None:
    bob, carol = make_user("bob"), make_user("carol")
    grant(dataset, bob, Role.VIEWER)
    grant(dataset, carol, Role.COLLABORATOR)
    client, viewer, writer = api.client(alice), api.client(bob), api.client(carol)
    path = tus.place(tus.begin(client, dataset.id, "a.mrc", 4))
    assert tus.begin(viewer, dataset.id, "b.mrc", 4).status_code == 403
    assert tus.send(viewer, path, 0, b"evil").status_code == 403
    assert viewer.delete(path, headers=tus.VERSION).status_code == 403
    # an upload is its sender's alone, whoever else may write there
    for answer in (tus.send(writer, path, 0, b"evil"), writer.head(path, headers=tus.VERSION)):
        assert answer.status_code == 404
    assert writer.delete(path, headers=tus.VERSION).status_code == 404
    assert tus.send(api.with_token("0" * 43), path, 0, b"evil").status_code == 401
    assert tus.offset(client, path) == 0
    tus.upload(writer, dataset.id, "hers.mrc", b"1234")

    workflow = make_workflow(alice, template=Template.SPA)
    run = make_run(alice, workflow=workflow)
    for element in (run, workflow):
        refused = tus.begin(client, element.id, "a.mrc", 4)
        assert refused.status_code == 422
    assert "acquisition" in tus.begin(client, run.id, "a.mrc", 4).json()["message"]
    (step,) = [one for one in workflow.steps if one.name == "Imaging"]
    tus.upload(client, step.id, "protocol.pdf", b"%PDF")

    assert tus.begin(client, dataset.id, "hers.mrc", 4).status_code == 409  # the name is taken
    tus.send(client, path, 0, b"12").raise_for_status()
    with database.session() as session:
        session.get_one(ElementRow, dataset.id).state = "deleting"
    assert tus.send(client, path, 2, b"34").status_code == 409
    with database.session() as session:
        session.get_one(ElementRow, dataset.id).state = "active"
    # the same name came in another way in the meantime: the later one is refused and leaves nothing
    tus.upload(writer, dataset.id, "a.mrc", b"hers")
    assert tus.send(client, path, 2, b"34").status_code == 409
    content = files_of(client, dataset)["a.mrc"]
    assert client.get(f"/elements/{dataset.id}/files/{content['id']}/content").content == b"hers"
    assert len(left_on_disk(api)) == 3


@pytest.mark.feature("ST-01", "WS-16")
def test_uploads_go_to_object_storage_too(
    api: Api, alice: Principal, dataset: Element, make_bucket: Callable[..., Any], database: Database
) -> None:
    bucket = make_bucket()
    wanted = {"name": "S3", "url": bucket.url, "role": "primary", "options": bucket.options, "chosen": True}
    api.owner.post("/storages", json=wanted).raise_for_status()
    client = api.client(alice)
    path = tus.place(tus.begin(client, dataset.id, "a.mrc", len(CONTENT)))
    tus.send(client, path, 0, CONTENT[:5_000_000]).raise_for_status()
    tus.send(client, path, 5_000_000, CONTENT[5_000_000:]).raise_for_status()
    file = files_of(client, dataset)["a.mrc"]
    assert (file["storage"], file["sha256"]) == ("S3", hashlib.sha256(CONTENT).hexdigest())
    place = f"/elements/{dataset.id}/files/{file['id']}"
    assert client.get(f"{place}/content", headers={"Range": "bytes=5-9"}).content == CONTENT[5:10]
    assert left_on_disk(api) == []
    storage = next(one["id"] for one in api.owner.get("/storages").json() if one["name"] == "S3")
    assert api.owner.delete(f"/storages/{storage}").status_code == 409
    assert client.delete(place).status_code == 204
    assert client.get(f"{place}/content").status_code == 404
