"""Following what happens, by long poll."""

import time
from collections.abc import Iterator
from uuid import UUID

from athena.contract.events import Event
from athena.sdk.client import POLL_WAIT_S, Client


def watch(
    client: Client, *, after: int | None = None, timeout: float | None = None, element_id: UUID | None = None
) -> Iterator[Event]:
    """Events as they come, of everything the user may see or of one element.

    Parameters
    ----------
    after : number of the last event known; None: from this call on (not from the first ``next``).
    timeout : ends when nothing came for so many seconds; None: never.
    """
    start = client.events(-1).last_seq if after is None else after
    return _events(client, start, timeout=timeout, element_id=element_id)


def _events(client: Client, after: int, *, timeout: float | None, element_id: UUID | None) -> Iterator[Event]:
    heard = time.monotonic()
    while True:
        wait = POLL_WAIT_S
        if timeout is not None:
            left = heard + timeout - time.monotonic()
            wait = min(wait, max(0.0, left))
        page = client.events(after, wait=wait)
        after = page.last_seq
        wanted = [event for event in page.events if element_id is None or event.element_id == element_id]
        yield from wanted
        if wanted:
            heard = time.monotonic()
        elif timeout is not None and time.monotonic() - heard >= timeout:
            return
