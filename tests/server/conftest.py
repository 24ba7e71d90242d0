"""A real API on a loopback port, and a run with real arrays."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import numpy as np
import pytest

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.server.run import serving
from athena.services import users
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from tests.zarrio.factories import make_result


@dataclass(frozen=True)
class Api:
    """A running API and clients of it; paths are given without ``/api``."""

    url: str
    settings: Settings
    anonymous: httpx.Client
    client: Callable[[Principal], httpx.Client]

    @property
    def owner(self) -> httpx.Client:
        """Client with the instance's own token."""
        return self.with_token(self.settings.token_file.read_text().strip())

    def with_token(self, token: str) -> httpx.Client:
        """Client with a token."""
        client = httpx.Client(base_url=f"{self.url}/api", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._clients.append(client)
        return client

    _clients: list[httpx.Client]


@pytest.fixture
def api(settings: Settings, database_url: str, database: Database) -> Iterator[Api]:
    """An API over a fresh database; tests that use it run on SQLite and on PostgreSQL."""
    chosen = Settings(home=settings.home, database_url=database_url, api_port=0, log_level="WARNING")
    clients: list[httpx.Client] = []
    with ExitStack() as stack:
        url = stack.enter_context(serving(chosen))
        anonymous = stack.enter_context(httpx.Client(base_url=f"{url}/api", timeout=30))

        def client(user: Principal) -> httpx.Client:
            with database.session() as session:
                token = users.issue_token(session, user.user_id, "test")
            return made.with_token(token)

        made = Api(url, chosen, anonymous, client, clients)
        yield made
        for one in clients:
            one.close()


IMAGE_SHAPE = (700, 1100)
"""(height, width) of the micrograph of acquisition 0: no multiple of a tile."""


def grey_image() -> np.ndarray:
    """Micrograph whose value tells the place: row (0 is the bottom) + column / 2000."""
    height, width = IMAGE_SHAPE
    return (np.arange(height)[:, None] + np.arange(width)[None, :] / 2000).astype(np.float32)


@pytest.fixture
def write_arrays() -> Callable[[Api, Element], None]:
    """``write_arrays(api, run)`` gives acquisition 0 of a run its arrays, as a worker and the collector would."""

    def write(api: Api, run: Element) -> None:
        store = api.settings.run_store(str(run.id))
        writer = RunWriter.create(store, frames=4)
        writer.ensure_length(2)
        picture = np.zeros((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), np.uint8)
        picture[:16] = 200  # bright at the bottom: row 0 is the bottom
        writer.write_images(0, thumbnail=picture, spectrum=picture, spectrum_fit=picture // 2)
        writer.write_results([make_result(0, frames=4, defocus_um=1.25)])
        write_pyramid(store, 0, grey_image(), pixel_size_angstrom=0.84)

    return write


@pytest.fixture
def run(
    api: Api,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    write_arrays: Callable[[Api, Element], None],
) -> Element:
    """A run of alice's with two acquisitions, the first of them processed."""
    run = make_run(make_user("alice"), acquisitions=2)
    write_arrays(api, run)
    return run
