"""Storages over the API: what everybody sees, what administrators do."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from athena.db import base
from athena.db.engine import Database
from athena.server.run import serving
from athena.services.storage_checks import CHECK_EVERY, check_due
from athena.settings import Settings
from tests.s3 import Bucket
from tests.server.conftest import Api


def by_name(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/storages")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()}


@pytest.mark.feature("ST-01")
def test_an_instance_begins_with_one_storage_of_each_role(api: Api) -> None:
    found = by_name(api.owner)
    assert [(one["role"], one["url"], one["chosen"]) for one in found.values()] == [
        ("primary", "home:data/files", True),
        ("export", "home:export", True),
        ("archive", "home:archive", True),
    ]


def test_acquisition_folders_of_the_settings_are_connected_read_only(settings: Settings, tmp_path: Path) -> None:
    roots = (tmp_path / "krios", tmp_path / "glacios")
    for _ in range(2):  # a second start changes nothing
        chosen = Settings(home=settings.home, api_port=0, log_level="WARNING", acquisition_roots=roots)
        with serving(chosen) as url:
            token = chosen.token_file.read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            found = httpx.get(f"{url}/api/storages", headers=headers).json()
    acquisition = [one for one in found if one["role"] == "acquisition"]
    assert sorted(one["url"] for one in acquisition) == sorted(root.as_uri() for root in roots)
    assert all(one["read_only"] and not one["chosen"] for one in acquisition)


@pytest.mark.feature("ST-01", "AD-01")
def test_an_object_store_is_connected_checked_and_removed(api: Api, make_bucket: Callable[[], Bucket]) -> None:
    bucket = make_bucket()
    wanted = {"name": "Cold", "url": f"{bucket.url}/athena", "role": "archive", "options": bucket.options}
    added = api.owner.post("/storages", json=wanted)
    assert added.status_code == 201, added.text
    storage = added.json()
    assert storage["use"]["state"] == "stable"
    assert storage["options"] == {name: bucket.options[name] for name in ("endpoint", "region")}
    assert storage["secrets"] == ["access_key_id", "secret_access_key"]
    assert bucket.options["secret_access_key"] not in added.text

    place = f"/storages/{storage['id']}"
    assert api.owner.patch(place, json={"chosen": True}).json()["chosen"]
    assert not by_name(api.owner)["Archive"]["chosen"]
    refused = api.owner.delete(place)
    assert (refused.status_code, "chosen" in refused.json()["message"]) == (409, True)

    wrong = api.owner.patch(place, json={"options": {"endpoint": "http://127.0.0.1:9"}})
    assert wrong.json()["use"]["state"] == "unknown"
    down = api.owner.post(f"{place}/check").json()
    assert (down["use"]["state"], "failed" in down["use"]["message"]) == ("down", True)
    assert down["secrets"] == ["access_key_id", "secret_access_key"]  # options not named stay

    other = by_name(api.owner)["Archive"]["id"]
    api.owner.patch(f"/storages/{other}", json={"chosen": True}).raise_for_status()
    assert api.owner.delete(place).status_code == 204
    assert "Cold" not in by_name(api.owner)


REFUSED: tuple[tuple[dict[str, Any], int], ...] = (
    ({"url": "ftp://host/a"}, 422),
    ({"url": "home:../outside"}, 422),
    ({"url": "s3://key:hushed@bucket"}, 422),
    ({"url": "file:///proc/nothing/here"}, 503),
    ({"url": "s3://bucket", "options": {"endpoint": "http://127.0.0.1:9", "skip_signature": "true"}}, 503),
    ({"url": "s3://bucket", "options": {"colour": "red"}}, 422),
    ({"name": "a/b"}, 422),
    ({"name": "Export"}, 409),
    ({"url": "home:export"}, 409),
    ({"role": "other"}, 422),
    ({"role": "acquisition", "chosen": True, "url": "file:///tmp"}, 422),
)


@pytest.mark.feature("AD-01")
def test_what_cannot_be_connected_is_refused_and_changes_nothing(api: Api) -> None:
    before = by_name(api.owner).keys()
    for change, status in REFUSED:
        answer = api.owner.post("/storages", json={"name": "New", "url": "home:new", "role": "export", **change})
        assert answer.status_code == status, f"{change}: {answer.text}"
        assert "hushed" not in answer.text
    assert by_name(api.owner).keys() == before


@pytest.mark.feature("ST-02", "AD-01")
def test_others_see_use_but_neither_places_nor_secrets_and_change_nothing(
    api: Api, make_user: Callable[..., Any]
) -> None:
    alice = api.client(make_user("alice"))
    before = by_name(api.owner)
    seen = by_name(alice)
    assert seen.keys() == before.keys()
    assert all(one["url"] is one["options"] is one["secrets"] is None for one in seen.values())
    place = f"/storages/{before['Export']['id']}"
    for answer in (
        alice.post("/storages", json={"name": "New", "url": "home:new", "role": "export"}),
        alice.patch(place, json={"name": "Mine"}),
        alice.post(f"{place}/check"),
        alice.delete(place),
    ):
        assert answer.status_code == 403, answer.text
    after = by_name(api.owner)
    assert {name: one["url"] for name, one in after.items()} == {name: one["url"] for name, one in before.items()}


@pytest.mark.feature("ST-02")
def test_storages_are_looked_at_in_the_background_every_five_minutes(
    api: Api, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # whatever the server's own housekeeping has done by now
        check_due(database, api.settings)
    first = by_name(api.owner)
    assert {one["use"]["state"] for one in first.values()} == {"stable"}
    assert 0 < first["Primary"]["use"]["free_bytes"] <= first["Primary"]["use"]["total_bytes"]
    assert check_due(database, api.settings) == 0

    later = datetime.now(UTC) + CHECK_EVERY + timedelta(seconds=1)
    shutil.rmtree(api.settings.home / "export")
    (api.settings.home / "export").write_text("in the way")
    monkeypatch.setattr(base, "now", lambda: later)
    assert check_due(database, api.settings) >= 0  # the server's own may come first
    second = by_name(api.owner)
    assert second["Export"]["use"]["state"] == "down"
    assert second["Primary"]["use"]["checked"] != first["Primary"]["use"]["checked"]
