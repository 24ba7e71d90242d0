"""Answers that many ask for at once: made once for each version of a run, and kept while there is room.

When a micrograph is done, everybody who follows the run asks for the same rows, curves and pictures in the same second.
A run's version grows with every change of its content, after what was changed has been written, so that what was made
at a version tells what is there at it.
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cachetools import LRUCache, cached

from athena.server.caller import Caller
from athena.services.guard import get_visible_run
from athena.services.results import find_results, store_of

KEPT_BYTES = 64 << 20


@dataclass(frozen=True)
class Seen:
    """Results of a run as they are now, which the caller may see.

    Attributes
    ----------
    run_id, number, version : name them: nothing of them is another while these are the same.
    store : folder of their zarr group.
    """

    run_id: UUID
    number: int
    version: int
    store: Path


def see(caller: Caller, run_id: UUID, branch: str | None) -> Seen:
    """Results by the name of a branch; NotFound."""
    with caller.reading() as session:
        run = get_visible_run(session, caller.principal, run_id)
        results = find_results(session, run, branch)
        return Seen(run_id, results.number, run.version, store_of(results, caller.settings))


def _key(asked: Hashable, _make: Callable[[], bytes]) -> Hashable:
    return asked


@cached(LRUCache(KEPT_BYTES, getsizeof=len), key=_key, condition=threading.Condition())
def shared(asked: Hashable, make: Callable[[], bytes]) -> bytes:
    """What ``make`` gives, made once for what ``asked`` names; others who ask meanwhile wait for it."""
    return make()
