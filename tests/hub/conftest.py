"""A real JupyterHub on loopback ports, with Athena's API as its service and Athena's users as its people."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from athena.contract.licences import Licence, LicensedFeature
from athena.contract.people import PlatformRole
from athena.db.engine import Database
from athena.domain.licences import new_key_pair, sign_licence
from athena.services import licences, users
from athena.settings import Settings
from hub_config.launch import hub_command

START_SECONDS = 240.0
ADMINS = frozenset({PlatformRole.ADMIN})


def free_ports(count: int) -> list[int]:
    """Different ports nobody listens on."""
    with ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = START_SECONDS) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)


@dataclass(frozen=True)
class Hub:
    """A running hub."""

    url: str
    settings: Settings
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def api_url(self) -> str:
        """Address of Athena's API through the hub's proxy."""
        return f"{self.url}/services/athena-api/api"

    @contextmanager
    def browser(self, username: str, password: str) -> Iterator[httpx.Client]:
        """Browser that has posted the log-in form; it holds cookies if the hub let the person in."""
        with httpx.Client(base_url=self.url, timeout=60) as browser:
            browser.get("/hub/login")
            form = {"username": username, "password": password, "_xsrf": browser.cookies["_xsrf"]}
            browser.post("/hub/login", data=form)
            yield browser

    def new_token(self, browser: httpx.Client, username: str, *, scopes: list[str] | None = None) -> str:
        """Token a person asks for on the hub's token page."""
        answer = browser.post(
            f"/hub/api/users/{username}/tokens",
            json={"note": "test", **({"scopes": scopes} if scopes is not None else {})},
            headers=self.page_headers(browser),
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def page_headers(self, browser: httpx.Client) -> dict[str, str]:
        """What a page of the hub sends along with a request of its own."""
        browser.get("/hub/token")  # a fresh token against forged requests
        found = [cookie.value for cookie in browser.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/"]
        return {"X-XSRFToken": str(found[-1]), "Referer": f"{self.url}/hub/token"}


class HubKeeper:
    """Starts the hub when a test first wants it, and again after a test has killed it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: Hub | None = None

    def running(self) -> Hub:
        """The hub, answering."""
        if self._running is None or self._running.process.poll() is not None:
            self._running = self._start()
        return self._running

    def stop(self) -> None:
        """Stop the hub if it runs, with all that it started."""
        if self._running is None:
            return
        process = self._running.process
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> Hub:
        argv, environment = hub_command(self._settings, portal=True, runner=False)
        log = self._settings.home / "hub.log"
        with log.open("ab") as output:
            process = subprocess.Popen(argv, env=environment, cwd=self._settings.home, stdout=output, stderr=output)
        hub = self._running = Hub(f"http://127.0.0.1:{self._settings.hub_port}", self._settings, process, log)

        def answers() -> bool:
            assert process.poll() is None, log.read_text()[-4000:]
            try:
                return httpx.get(f"{hub.api_url}/health", timeout=10).status_code == 200
            except httpx.HTTPError:
                return False

        wait_until(answers, "the API behind the hub")
        return hub


@pytest.fixture(scope="session")
def hub_keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubKeeper]:
    """Keeper of this session's hub; alice and bob are Athena's users, carol its administrator.

    A licence is needed there: all hold a seat but *seatless*.
    """
    home = tmp_path_factory.mktemp("hub")
    names = ("api_port", "portal_port", "hub_port", "hub_internal_port", "hub_proxy_port")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    private, public = new_key_pair()
    settings = Settings(home=home, vendor_key=public, **ports)
    database = Database(settings.resolved_database_url)
    database.migrate()
    behind_the_hub = settings.model_copy(update={"auth": "hub"})
    with database.session() as session:
        users.ensure_local_user(session, "carol")
        carol = users.principal_for(session, "carol")
        seated = [
            users.create_user(session, carol, "alice", password="wonderland"),
            users.create_user(session, carol, "bob", password="can we fix it"),
            users.create_user(session, carol, "Dora Mixed", password="upper and lower", roles=ADMINS),
        ]
        users.create_user(session, carol, "seatless", password="stands in line")
        licence = Licence(
            id=uuid4(),
            platform_id=licences.get_platform_id(session, carol),
            issued=datetime.now(UTC),
            features=(LicensedFeature(name="platform", seats=len(seated)),),
        )
        licences.install_licence(session, carol, sign_licence(licence, private), settings=behind_the_hub)
        for user in seated:
            licences.give_seat(session, carol, user.id, settings=behind_the_hub)
    database.dispose()
    keeper = HubKeeper(settings)
    yield keeper
    keeper.stop()


@pytest.fixture
def hub(hub_keeper: HubKeeper) -> Hub:
    """JupyterHub with API and portal, shared by all tests of a session."""
    return hub_keeper.running()
