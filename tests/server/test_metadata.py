"""Metadata and search over HTTP: files with proper names, and queries that are refused in words."""

import json
from collections.abc import Callable

import pytest

from athena.contract.base import Problem
from athena.contract.elements import Element
from athena.contract.metadata import MetadataFile
from tests.server.conftest import Api

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.feature("MD-06")
def test_files_have_the_name_asked_for_and_no_more(
    api: Api, make_user: Callable[..., object], make_folder: Callable[..., Element]
) -> None:
    alice = make_user("alice")
    folder = make_folder(alice, "Grid Ä")
    hers = api.client(alice)
    place = f"/elements/{folder.id}/metadata"
    new = {"name": "Dose", "type": "double", "value": 40, "quantity": "electron_dose", "unit": "e/A^2"}
    assert hers.post(place, json=new).json()["unit"] == "e⁻/Å²"
    for format, media in (("csv", "text/csv; charset=utf-8"), ("json", "application/json"), ("xml", "application/xml")):
        answer = hers.get(f"{place}/file", params={"format": format})
        assert answer.headers["content-type"] == media
        assert answer.headers["content-disposition"] == (
            f"attachment; filename=\"Grid _.{format}\"; filename*=UTF-8''Grid%20%C3%84.{format}"
        )
        assert "e⁻/Å²" in answer.content.decode()
    answer = hers.get(f"{place}/file", params={"name": 'x"\r\nSet-Cookie: a=b\r\n/../y'})
    assert "set-cookie" not in answer.headers
    assert "\n" not in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith('attachment; filename="x___Set-Cookie_ a_b')
    again = hers.post(f"{place}/file", content=answer.content, headers={"Content-Type": "application/json"})
    assert again.json()["imported"] == 1
    assert MetadataFile.model_validate_json(answer.content).element == "Grid Ä"
    assert hers.get(place, params={"filter": "40 e"}).json()[0]["name"] == "Dose"


@pytest.mark.feature("MD-04", "SE-04")
def test_what_is_refused_says_why(
    api: Api, make_user: Callable[..., object], make_folder: Callable[..., Element]
) -> None:
    alice = make_user("alice")
    folder = make_folder(alice)
    hers = api.client(alice)
    place = f"/elements/{folder.id}/metadata"
    before = hers.get(place).json()
    for body, reason in (
        ({"name": "Dose", "type": "double", "value": "much"}, "“Dose”: “much” is not a number"),
        ({"name": "Dose", "type": "double", "value": 1, "quantity": "length", "unit": "kV"}, "no unit of length"),
        ({"name": "Dose", "type": "double", "value": 1, "quantity": "sadness"}, "no physical quantity"),
        ({"name": "a\x00b", "type": "string", "value": "x"}, "name"),
        ({"name": "Dose", "type": "string", "value": "a\ud800"}, ""),
        ({"name": "Dose", "type": "colour", "value": "x"}, "type"),
        ({"name": "Dose", "type": "string", "value": "x", "group": "Instrument"}, "group"),
    ):
        # JSON can spell half characters, which httpx's own encoder would not send
        answer = hers.put(place, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body
        assert reason in Problem.model_validate_json(answer.content).message
    assert hers.get(place).json() == before
    for query in (
        {"where": "defocus >"},
        {"where": "a = 1 or"},
        {"kind": "galaxy"},
        {"since": "yesterday"},
        {"since": "2025-01-01T00:00:00"},
        {"limit": 0},
        {"where": "(" * 1999},
    ):
        assert hers.get("/search", params=query).status_code == 422, query
    assert hers.get("/search", params={"text": "\x00"}).json() == {"hits": [], "total": 0, "more": False}
    assert hers.get("/search", params={"text": "fold", "kind": ["folder", "step"], "in": ["name"]}).json()["total"] == 1
    assert hers.get("/quantities/nothing/converted", params={"value": 1, "unit": "m", "to": "m"}).status_code == 422
    note = hers.post(f"/elements/{folder.id}/notes", json={"text": "x", "links": [{"url": "javascript:alert(1)"}]})
    assert note.status_code == 422
    assert hers.get(f"/elements/{folder.id}/notes").json() == []
