"""The portal behind JupyterHub: a hub log-in opens it as that person, without a second password."""

import httpx
import pytest

from tests.hub.conftest import Hub, wait_until

PORTAL = "/services/athena-portal/"


@pytest.fixture
def portal(hub: Hub) -> str:
    """Path of the portal at the hub's address, once it answers."""

    def answers() -> bool:
        return httpx.get(f"{hub.url}{PORTAL}login", timeout=20).status_code == 302

    wait_until(answers, "the portal behind the hub")
    return PORTAL


@pytest.mark.feature("HB-01", "HB-04")
def test_a_hub_log_in_opens_the_portal_as_that_person(hub: Hub, portal: str) -> None:
    for name, password in (("alice", "wonderland"), ("bob", "can we fix it")):
        with hub.browser(name, password) as browser:
            page = browser.get(f"{portal}?e=x", follow_redirects=True)
            assert page.status_code == 200, page.text[:500]
            assert str(page.url) == f"{hub.url}{portal}?e=x"
            assert "Athena" in page.text
            assert browser.get(f"{portal}api/me").json()["username"] == name
            sealed = next(cookie for cookie in browser.cookies.jar if cookie.name == "athena-portal")
            assert sealed.path == portal
            assert sealed.value not in page.text


def test_without_a_hub_log_in_the_portal_shows_nothing(hub: Hub, portal: str) -> None:
    with httpx.Client(base_url=hub.url, timeout=60) as stranger:
        assert stranger.get(f"{portal}api/elements").status_code == 401
        page = stranger.get(portal, follow_redirects=True)
        assert page.url.path == "/hub/login"


def test_logging_out_of_the_portal_leaves_the_hub_too(hub: Hub, portal: str) -> None:
    with hub.browser("alice", "wonderland") as browser:
        browser.get(portal, follow_redirects=True)
        assert browser.get(f"{portal}api/me").status_code == 200
        browser.get(f"{portal}logout", follow_redirects=True)
        assert browser.get(f"{portal}api/me").status_code == 401
        assert browser.get(portal, follow_redirects=True).url.path == "/hub/login"


@pytest.mark.feature("AD-02")
def test_hub_and_portal_are_among_the_services(hub: Hub, portal: str) -> None:
    with hub.browser("Dora Mixed", "upper and lower") as browser:
        browser.get(portal, follow_redirects=True)

        def states() -> dict[str, str]:
            found = browser.get(f"{portal}api/services").json()
            return {one["kind"]: one["state"] for one in found["services"]}

        # the portal reports with the hub's word for it, not with a visitor's token
        wait_until(lambda: states().get("portal") == "stable", "the portal's heartbeat", seconds=60)
        assert states()["hub"] == "stable"


@pytest.mark.slow
@pytest.mark.feature("NB-03", "HB-01")
def test_a_page_opens_as_a_notebook_in_ones_own_lab(hub: Hub, portal: str) -> None:
    with hub.browser("alice", "wonderland") as browser:
        browser.get(portal, follow_redirects=True)

        # as the portal's button leads: the hub starts her server, which writes the notebook and opens it
        def opened() -> str:
            answer = browser.get("/hub/user-redirect/athena/open?p=jobs", follow_redirects=True)
            return str(answer.url) if answer.status_code == 200 else ""

        wait_until(lambda: opened().endswith("/user/alice/lab/tree/Athena/Jobs.ipynb"), "the notebook in her Lab")
        kept = hub.settings.home / "users" / "alice" / "Athena" / "Jobs.ipynb"
        assert "a.jobs()" in kept.read_text()
        # another person's server is not hers to open anything in
        assert browser.get("/user/bob/athena/open?p=jobs", follow_redirects=True).status_code in (403, 404)
    with httpx.Client(base_url=hub.url, timeout=60) as stranger:
        page = stranger.get("/user/alice/athena/open?p=jobs", follow_redirects=True)
        assert page.url.path == "/hub/login"
