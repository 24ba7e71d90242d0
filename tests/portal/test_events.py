"""One poll for many listeners: nothing is lost over an outage, the thread ends with the last listener."""

import queue
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from athena.contract.events import Event, EventKind, EventPage
from athena.errors import Unavailable
from athena.portal.events import EventFan

SECONDS = 10.0


class Log:
    """An event log that answers long polls, and can be out of order."""

    def __init__(self) -> None:
        self.seq = 0
        self.broken = False
        self.polls = 0
        self._news = threading.Condition()

    def add(self) -> None:
        """Append one event."""
        with self._news:
            self.seq += 1
            self._news.notify_all()

    def poll(self, after: int, wait: float) -> EventPage:
        """Answer as the API does."""
        with self._news:
            self.polls += 1
            if self.broken:
                raise Unavailable("gone")
            if after < 0:
                return EventPage(events=(), last_seq=self.seq)
            self._news.wait_for(lambda: self.seq > after or self.broken, min(wait, 0.2))
            events = tuple(_event(number) for number in range(after + 1, self.seq + 1))
            return EventPage(events=events, last_seq=self.seq)


def _event(seq: int) -> Event:
    return Event(seq=seq, kind=EventKind.RUN_CHANGED, time=datetime(2024, 5, 17, tzinfo=UTC))


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.heard: queue.Queue[int] = queue.Queue()
        self.links: queue.Queue[bool] = queue.Queue()

    def events(self, events: Sequence[Event]) -> None:
        """Remember the numbers."""
        for event in events:
            self.heard.put(event.seq)

    def link(self, up: bool) -> None:
        """Remember the state."""
        self.links.put(up)


def test_every_listener_hears_every_event_through_one_poll() -> None:
    log, ears = Log(), [Ear(), Ear(), Ear()]
    log.add()
    fan = EventFan(log.poll)
    leave = [fan.subscribe(ear) for ear in ears]
    assert ears[0].links.get(timeout=SECONDS) is True
    for number in (2, 3):
        log.add()
        assert [ear.heard.get(timeout=SECONDS) for ear in ears] == [number] * 3
    before = {thread for thread in threading.enumerate() if thread.name == "portal-events"}
    assert len(before) == 1
    for one in leave:
        one()
    (thread,) = before
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_an_outage_is_told_and_nothing_is_missed() -> None:
    log, ear = Log(), Ear()
    fan = EventFan(log.poll)
    leave = fan.subscribe(ear)
    assert ear.links.get(timeout=SECONDS) is True
    log.broken = True
    assert ear.links.get(timeout=SECONDS) is False
    log.add()
    log.broken = False
    assert ear.links.get(timeout=SECONDS) is True
    assert ear.heard.get(timeout=SECONDS) == 1
    leave()
