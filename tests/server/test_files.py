"""Files over a real API: listed, renamed, deleted, downloaded one by one and as a zip."""

import io
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import httpx
import pytest

from athena.contract.elements import DatasetType, Element
from athena.contract.people import Principal, Role
from athena.db.elements import FileRow
from athena.db.engine import Database
from athena.services import zipping
from athena.services.files import remove_deleted
from athena.storages.keys import is_key
from tests.server import tus
from tests.server.conftest import Api


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def dataset(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice, "Screens", type=DatasetType.FREE)


def listed(client: httpx.Client, element: Element, **query: Any) -> list[str]:
    page = client.get(f"/elements/{element.id}/files", params=query)
    assert page.status_code == 200, page.text
    return [one["name"] for one in page.json()["items"]]


@pytest.mark.feature("WS-15", "WS-16")
def test_files_are_listed_renamed_and_deleted(
    api: Api, alice: Principal, dataset: Element, make_user: Callable[..., Principal], grant: Callable[..., None]
) -> None:
    client = api.client(alice)
    sizes = {"a 10.mrc": 3, "a 9.mrc": 1, "b.txt": 2}
    ids = {name: tus.upload(client, dataset.id, name, b"x" * size) for name, size in sizes.items()}
    assert listed(client, dataset) == ["a 9.mrc", "a 10.mrc", "b.txt"]  # as people order numbers
    assert listed(client, dataset, sort="size", descending=True) == ["a 10.mrc", "b.txt", "a 9.mrc"]
    assert listed(client, dataset, sort="created", offset=1, limit=1) == ["a 9.mrc"]
    page = client.get(f"/elements/{dataset.id}/files", params={"limit": 1}).json()
    assert (page["total"], page["total_bytes"], len(page["items"])) == (3, 6, 1)

    place = f"/elements/{dataset.id}/files/{ids['b.txt']}"
    assert client.patch(place, json={"name": "notes/c.txt"}).json()["name"] == "notes/c.txt"
    for name, status in (("a 9.mrc", 409), ("../c.txt", 422), ("a\r\nb", 422), ("", 422)):
        assert client.patch(place, json={"name": name}).status_code == status, name
    viewer = make_user("bob")
    grant(dataset, viewer, Role.VIEWER)
    assert api.client(viewer).patch(place, json={"name": "mine"}).status_code == 403
    assert api.client(viewer).delete(place).status_code == 403
    assert client.get(f"{place}/content").content == b"xx"

    assert ["notes", "c.txt"][-1] in client.get("/search", params={"text": "c.txt"}).text
    assert client.delete(place).status_code == 204
    assert "c.txt" not in client.get("/search", params={"text": "c.txt"}).text
    assert client.get(place).status_code == client.get(f"{place}/content").status_code == 404
    assert listed(client, dataset) == ["a 9.mrc", "a 10.mrc"]
    tus.upload(client, dataset.id, "notes/c.txt", b"again")  # its name is free
    deeds = client.get(f"/elements/{dataset.id}/audit").json()["items"]
    assert [deed["action"] for deed in deeds[:3]] == ["file_added", "file_deleted", "file_renamed"]
    stored = [path for path in (api.settings.home / "data" / "files").rglob("*") if path.is_file()]
    assert len(stored) == 3


def test_a_deletion_that_was_killed_is_ended_by_the_housekeeping(
    api: Api, alice: Principal, dataset: Element, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from athena.server.routes import files as routes

    client = api.client(alice)
    file = tus.upload(client, dataset.id, "a.mrc", b"x")
    with monkeypatch.context() as patch:
        patch.setattr(routes.files, "remove_deleted", lambda *_, **__: 0)
        client.delete(f"/elements/{dataset.id}/files/{file}").raise_for_status()
    assert listed(client, dataset) == []
    assert remove_deleted(database, api.settings) == 0  # not yet
    monkeypatch.setattr("athena.services.files.LEFT_AFTER", -remove_deleted.__globals__["LEFT_AFTER"])
    remove_deleted(database, api.settings)  # or the server's own
    with database.session() as session:
        assert session.query(FileRow).count() == 0
    assert not [path for path in (api.settings.home / "data" / "files").rglob("*") if path.is_file()]


@pytest.mark.feature("WS-15")
def test_a_file_is_downloaded_as_it_is_with_ranges_and_tags(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    content = bytes(range(256)) * 20_000
    file = tus.upload(client, dataset.id, 'raw/Grüße "1".mrc'.replace('"', "'"), content)
    place = f"/elements/{dataset.id}/files/{file}/content"
    whole = client.get(place)
    assert whole.content == content
    assert whole.headers["content-disposition"] == (
        "attachment; filename=\"Gr__e '1'.mrc\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%271%27.mrc"
    )
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    head = client.head(place)
    assert (head.headers["content-length"], head.content) == (str(len(content)), b"")
    tag = whole.headers["etag"]
    assert client.get(place, headers={"If-None-Match": tag}).status_code == 304
    for asked, start, stop in (("0-0", 0, 1), ("1000-", 1000, None), ("-7", -7, None), ("5-99999999", 5, None)):
        part = client.get(place, headers={"Range": f"bytes={asked}", "If-Range": tag})
        assert (part.status_code, part.content) == (206, content[start:stop])
    assert client.get(place, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    assert client.get(place, headers={"Range": "bytes=0-1", "If-Range": '"old"'}).status_code == 200
    page = tus.upload(client, dataset.id, "page.html", b"<script>")
    assert client.get(f"/elements/{dataset.id}/files/{page}/content").headers["content-disposition"].startswith("att")


def unzipped(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len({name.casefold() for name in names}) == len(names)
        for name in names:
            assert is_key(name), name
            assert not PurePosixPath(name).is_absolute()
        return {name: archive.read(name) for name in names}


@pytest.mark.feature("WS-15", "SH-06")
def test_a_zip_holds_what_is_visible_under_safe_names(
    api: Api,
    alice: Principal,
    make_user: Callable[..., Principal],
    make_workflow: Callable[..., Element],
    make_run: Callable[..., Element],
    own_permissions: Callable[..., None],
    grant: Callable[..., None],
) -> None:
    workflow = make_workflow(alice, "Apo: \\..\\..\\ferritin?")
    first = make_run(alice, "Data", workflow=workflow, type=DatasetType.FREE)
    second = make_run(alice, "data", workflow=workflow, type=DatasetType.FREE)
    secret = make_run(alice, "Secret", workflow=workflow, type=DatasetType.FREE)
    own_permissions(secret, {alice: Role.OWNER})
    bob = make_user("bob")
    grant(workflow, bob)
    (step,) = [one for one in workflow.steps if one.name == "Imaging"]
    client = api.client(alice)
    a = tus.upload(client, first.id, "raw/A.mrc", b"first")
    b = tus.upload(client, second.id, "a.mrc", b"second")
    c = tus.upload(client, step.id, "Data", b"a file named as a dataset beside it")
    hidden = tus.upload(client, secret.id, "hidden.mrc", b"hidden")

    his = api.client(bob)
    whole = his.get("/zip", params={"elements": str(workflow.id)})
    top = "Apo_ _.._.._ferritin_"
    assert unzipped(whole) == {
        f"{top}/Imaging/Data/raw/A.mrc": b"first",
        f"{top}/Imaging/data (2)/a.mrc": b"second",
        f"{top}/Imaging/Data (3)": b"a file named as a dataset beside it",
    }
    assert whole.headers["content-disposition"].startswith(f'attachment; filename="{top}.zip"')
    assert f"{top}/Imaging/Secret/hidden.mrc" in unzipped(client.get("/zip", params={"elements": str(workflow.id)}))

    picked = his.get("/zip", params={"files": [a, b, c, a]})
    assert unzipped(picked) == {
        "A.mrc": b"first",
        "a (2).mrc": b"second",
        "Data": b"a file named as a dataset beside it",
    }
    for query in ({"files": [a, hidden]}, {"elements": [str(first.id), str(secret.id)]}):
        refused = his.get("/zip", params=query)
        assert refused.status_code == 404
        assert "hidden" not in refused.text
        assert "Secret" not in refused.text
    assert his.get("/zip").status_code == 422


def test_a_zip_of_many_files_is_looked_up_page_by_page(
    api: Api, alice: Principal, dataset: Element, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipping, "_PAGE", 2)
    client = api.client(alice)
    ids = [tus.upload(client, dataset.id, name, name.encode()) for name in ("e", "a", "d", "b", "c")]
    assert list(unzipped(client.get("/zip", params={"elements": str(dataset.id)}))) == [f"Screens/{n}" for n in "abcde"]
    assert list(unzipped(client.get("/zip", params={"files": ids}))) == ["e", "a", "d", "b", "c"]


@pytest.mark.feature("WS-15")
def test_a_zip_whose_file_is_lost_is_cut_short_and_not_whole(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    for name in ("a", "b"):
        tus.upload(client, dataset.id, name, b"x" * 3_000_000)
    for path in (api.settings.home / "data" / "files").rglob("*"):
        if path.is_file():
            path.unlink()
            break
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/zip", params={"elements": str(dataset.id)})


@pytest.mark.feature("WS-15", "WS-16")
def test_folders_that_names_spell_are_listed_and_zipped(api: Api, alice: Principal, dataset: Element) -> None:
    client = api.client(alice)
    for name in ("a.txt", "Day 10/x.mrc", "Day 2/raw/y.mrc", "Day 2/z.txt", "day 2/other.txt", "100%_/w.txt"):
        tus.upload(client, dataset.id, name, b"xy")

    def folder(path: str) -> tuple[list[str], list[tuple[str, int, int]]]:
        page = client.get(f"/elements/{dataset.id}/files", params={"folder": path}).json()
        assert page["total"] == len(page["items"])
        told = [(one["name"], one["count"], one["size"]) for one in page["folders"]]
        return [one["name"] for one in page["items"]], told

    top = [("100%_", 1, 2), ("Day 2", 2, 4), ("day 2", 1, 2), ("Day 10", 1, 2)]
    files, folders = folder("")
    assert files == ["a.txt"]
    assert sorted(folders) == sorted(top)
    assert folder("Day 2") == (["Day 2/z.txt"], [("raw", 1, 2)])
    assert folder("Day 2/raw") == (["Day 2/raw/y.mrc"], [])
    assert folder("100__") == ([], [])
    assert client.get(f"/elements/{dataset.id}/files", params={"folder": "../x"}).status_code == 422

    answer = client.get("/zip", params={"elements": str(dataset.id), "folder": "Day 2"})
    assert 'filename="Day 2.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["Day 2/raw/y.mrc", "Day 2/z.txt"]
    top = client.get(f"/elements/{dataset.id}/files", params={"name": "a.txt"}).json()["items"][0]["id"]
    both = client.get("/zip", params={"elements": str(dataset.id), "folder": ["Day 2/raw", "day 2"], "files": top})
    with zipfile.ZipFile(io.BytesIO(both.content)) as packed:
        assert sorted(packed.namelist()) == ["a.txt", "day 2/other.txt", "raw/y.mrc"]
    assert client.get("/zip", params={"elements": str(dataset.id), "folder": "../x"}).status_code == 422
    assert client.get("/zip", params={"files": top, "folder": "Day 2"}).status_code == 422
