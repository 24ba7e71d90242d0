"""The portal's door over plain HTTP: log-in, cookies, the API under the same origin, cross-site requests."""

import re
from collections.abc import Iterator

import httpx
import pytest

from athena.portal.auth import local_path
from tests.browser.instance import Instance, make_run
from tests.browser.played import Player


@pytest.fixture
def visitor(instance: Instance) -> Iterator[httpx.Client]:
    """A browser that is logged in."""
    with httpx.Client(base_url=instance.portal, trust_env=False) as client:
        assert client.get(f"/login?token={instance.token}").status_code == 303
        yield client


@pytest.fixture
def stranger(instance: Instance) -> Iterator[httpx.Client]:
    """A browser that is not."""
    with httpx.Client(base_url=instance.portal, trust_env=False) as client:
        yield client


def test_without_a_cookie_nothing_opens(stranger: httpx.Client) -> None:
    assert stranger.get("/").status_code == 302
    assert "athena up" in stranger.get("/", follow_redirects=True).text
    for path in ("/api/me", "/api/elements", "/api/health"):
        assert stranger.get(path).status_code == 401
    assert stranger.get("/login?token=wrong").status_code == 401
    assert not stranger.cookies
    assert stranger.get("/metadata").status_code == 302
    assert stranger.get("/autoload.js?bokeh-autoload-element=x").status_code in (302, 403)


def test_the_token_never_reaches_the_page(visitor: httpx.Client, instance: Instance) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    (sealed,) = visitor.cookies.values()
    assert instance.token not in page.text
    assert sealed not in page.text
    assert instance.token not in sealed
    # Bokeh's session token, which is part of the page, holds base64 of what it keeps of the request
    import base64
    import zlib

    for found in re.findall(r"[A-Za-z0-9_-]{60,}", page.text):
        raw = base64.urlsafe_b64decode(found + "=" * (-len(found) % 4))
        for text in (raw, _inflated(raw, zlib)):
            assert sealed.encode() not in text


def _inflated(raw: bytes, zlib: object) -> bytes:
    try:
        return bytes(zlib.decompress(raw))  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001  most long words of a page are not compressed data
        return b""


def test_a_forged_or_foreign_cookie_is_no_cookie(visitor: httpx.Client, instance: Instance) -> None:
    (name,) = visitor.cookies.keys()
    sealed = visitor.cookies[name]
    for forged in (sealed[:-4] + "AAAA", instance.token, "", "x" * 5000):
        answer = httpx.get(f"{instance.portal}/api/me", headers={"Cookie": f"{name}={forged}"}, trust_env=False)
        assert answer.status_code == 401


def test_the_api_streams_with_ranges_and_validators(visitor: httpx.Client, instance: Instance) -> None:
    run = make_run(instance.client, folder="Ranges")
    player = Player(instance.settings, run.id, size=(256, 256))
    player.complete(player.register(1))
    player.close()
    key = f"/api/zarr/{run.id}/zarr.json"
    whole = visitor.get(key)
    assert whole.status_code == 200
    assert whole.json()["node_type"] == "group"
    part = visitor.get(key, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, whole.content[:4])
    assert part.headers["Content-Range"].startswith("bytes 0-3/")
    again = visitor.get(key, headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = visitor.head(key)
    assert head.headers["Content-Length"] == str(len(whole.content))
    assert visitor.get(f"/api/zarr/{run.id}/nothing").status_code == 404
    picture = visitor.get(f"/api/runs/{run.id}/acquisitions/0/thumbnail.png")
    assert picture.headers["Content-Type"] == "image/png"
    assert "sandbox" in picture.headers["Content-Security-Policy"]


def test_writing_only_from_the_portals_own_pages(visitor: httpx.Client, instance: Instance) -> None:
    body = {"kind": "folder", "name": "Forged"}
    for headers in ({}, {"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert visitor.post("/api/elements", json=body, headers=headers).status_code == 403
    names = [item["name"] for item in visitor.get("/api/elements").json()["items"]]
    assert "Forged" not in names
    made = visitor.post("/api/elements", json=body | {"name": "Honest"}, headers={"Origin": instance.portal})
    assert made.status_code == 201
    assert visitor.delete("/api/elements").status_code == 403
    assert visitor.delete("/api/elements", headers={"Origin": instance.portal}).status_code == 405
    assert visitor.options("/api/elements", headers={"Origin": instance.portal}).status_code == 405


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("/?e=1", "/?e=1"),
        ("https://example.org/", "/"),
        ("//example.org", "/"),
        ("/\\example.org", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_log_in_link_leads_nowhere_else(target: str, led: str) -> None:
    assert local_path(target) == led


def test_log_in_links_are_not_logged(instance: Instance, visitor: httpx.Client) -> None:
    visitor.get(f"/login?token={instance.token}")
    assert instance.token not in (instance.home / "portal.log").read_text()
