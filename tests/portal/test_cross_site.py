"""What pages of other sites can make a browser do at the portal: nothing."""

from collections.abc import Iterator

import httpx
import pytest

from athena.portal.headers import SECURITY_HEADERS
from athena.portal.proxy import ApiProxy
from tests.browser.instance import Instance

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": "https://evil.example/"},
    {},
)


@pytest.fixture
def visitor(instance: Instance) -> Iterator[httpx.Client]:
    """A browser that is logged in."""
    with httpx.Client(base_url=instance.portal, trust_env=False) as client:
        assert client.get(f"/login?token={instance.token}").status_code == 303
        yield client


def test_no_method_that_changes_works_from_elsewhere(visitor: httpx.Client, instance: Instance) -> None:
    before = visitor.get("/api/elements").json()
    last = visitor.get("/api/events?after=-1").json()
    unsafe = [method for method in ApiProxy.SUPPORTED_METHODS if method not in {"GET", "HEAD"}]
    assert unsafe
    for headers in (*FOREIGN, {"Origin": f"http://localhost:{instance.settings.portal_port}"}):
        for method in unsafe:
            for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                body = b'{"kind": "folder", "name": "Forged"}'
                sent = {**headers, "Content-Type": kind}
                answer = visitor.request(method, "/api/elements", content=body, headers=sent)
                assert answer.status_code in {400, 403}, f"{method} {headers} {kind}"
    for method in ("DELETE", "OPTIONS"):
        if method not in ApiProxy.SUPPORTED_METHODS:
            assert visitor.request(method, "/api/elements", headers=FOREIGN[0]).status_code in {403, 405}
    # a method in disguise is what it is on the wire
    disguised = visitor.get("/api/elements?_method=POST", headers={"X-HTTP-Method-Override": "POST"})
    assert disguised.status_code == 200
    assert visitor.get("/api/elements").json() == before
    assert visitor.get("/api/events?after=-1").json() == last


def test_the_cookie_stays_with_this_site(instance: Instance) -> None:
    with httpx.Client(base_url=instance.portal, trust_env=False) as client:
        cookie = client.get(f"/login?token={instance.token}").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "domain=" not in cookie


def test_a_link_from_elsewhere_does_not_log_out(visitor: httpx.Client) -> None:
    for site in ("cross-site", "same-site"):
        answer = visitor.get("/logout", headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 302
        assert "set-cookie" not in answer.headers
    assert visitor.get("/api/me").status_code == 200
    assert visitor.get("/logout", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert visitor.get("/api/me").status_code == 401


def test_other_sites_neither_frame_nor_read_the_portal(visitor: httpx.Client) -> None:
    for path in ("/", "/login", "/static/js/bokeh.min.js", "/widgets/nothing.js", "/api/me", "/api/nothing"):
        answer = visitor.get(path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")], path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer"), path
        assert answer.headers["x-frame-options"] == "SAMEORIGIN", path
        assert (
            "frame-ancestors" in answer.headers["content-security-policy"]
            or "sandbox" in answer.headers["content-security-policy"]
        )
    assert visitor.get("/").headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]


def test_a_log_in_link_adds_no_header(instance: Instance) -> None:
    with httpx.Client(base_url=instance.portal, trust_env=False) as client:
        for target in ("/%0d%0aSet-Cookie:%20evil=1", "/%0aX:%20y", "//evil.example", "https://evil.example"):
            answer = client.get(f"/login?token={instance.token}&next={target}")
            assert answer.status_code == 303
            assert answer.headers["location"] == "./"
            assert "evil" not in str(answer.headers)


def test_a_websocket_from_elsewhere_is_not_opened(visitor: httpx.Client) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "bokeh, x",
    }
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert visitor.get("/ws", headers=upgrade | headers).status_code in {403, 401}
