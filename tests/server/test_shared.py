"""Answers that many ask for at once: made once, never told to who may not see them, never of an earlier version."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pytest

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.acquisitions import bump_version
from athena.db.engine import Database
from athena.server.run import THREADS
from athena.server.shared import shared
from athena.zarrio import layout
from athena.zarrio.writer import RunWriter
from tests.server.conftest import Api

PATHS = (
    "acquisitions/0/thumbnail.png",
    "acquisitions/0/spectrum.png?fit=1",
    "table?columns=defocus_um",
    "curves?indices=0",
)


def test_those_who_ask_meanwhile_wait_for_the_one_answer() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(threading.get_ident())
        time.sleep(0.2)
        return b"an answer"

    asked = uuid4()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shared(asked, make), range(8)))
    assert answers == [b"an answer"] * 8
    assert len(made) == 1


def test_a_failure_is_not_kept() -> None:
    asked = uuid4()

    def fail() -> bytes:
        raise OSError("the disk is away")

    with pytest.raises(OSError, match="away"):
        shared(asked, fail)
    assert shared(asked, lambda: b"it is back") == b"it is back"


@pytest.mark.feature("EQ-02", "SH-01")
@pytest.mark.parametrize("path", PATHS)
def test_what_was_made_for_one_is_not_told_to_a_stranger(
    api: Api, run: Element, make_user: Callable[..., Principal], path: str
) -> None:
    assert api.owner.get(f"/runs/{run.id}/{path}").status_code == 200
    assert api.client(make_user("carol")).get(f"/runs/{run.id}/{path}").status_code == 404


@pytest.mark.feature("EQ-02")
def test_a_new_version_is_told_at_once(api: Api, run: Element, database: Database) -> None:
    def told() -> list[bytes]:
        return [api.owner.get(f"/runs/{run.id}/{path}").raise_for_status().content for path in PATHS]

    before = told()
    assert told() == before
    picture = np.full((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), 7, np.uint8)
    writer = RunWriter.open(api.settings.run_store(str(run.id)))
    writer.write_images(0, thumbnail=picture, spectrum=picture, spectrum_fit=picture)
    with database.session() as session:
        bump_version(session, run.id)
    after = told()
    assert [new != old for new, old in zip(after, before, strict=True)] == [True, True, True, False]


def test_a_server_has_a_connection_for_each_thread(database: Database) -> None:
    """Threads that wait for a connection hold up everybody while the processor stands idle."""
    held = [database.engine.connect() for _ in range(THREADS)]
    for one in held:
        one.close()
    pool = database.engine.pool
    assert pool.checkedin() >= THREADS  # type: ignore[attr-defined]
