"""One browser tab: where it is, what it shows, and the rule that its objects change only on its own loop."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any, Protocol, TypeVar
from uuid import UUID

from bokeh.document import Document
from panel.io.state import set_curdoc
from panel.viewable import Viewable
from tornado.ioloop import IOLoop

from athena.contract.elements import Element
from athena.contract.events import Event, EventKind
from athena.contract.jobs import Job
from athena.errors import AthenaError, Unavailable
from athena.portal.catalogue import Catalogue
from athena.portal.events import EventFan
from athena.portal.holding import held
from athena.portal.place import Place
from athena.portal.shell import Shell
from athena.portal.theme import Scheme

log = logging.getLogger(__name__)
T = TypeVar("T")

BURST_MS = 300
"""Shortest time between two readings of what is shown."""


class View(Protocol):
    """A page while it is shown. Every method runs on the session's loop."""

    root: Viewable

    def concerns(self, event: Event) -> bool:
        """Whether an event may change what is shown."""

    def update(self, data: Any) -> bool:
        """Show newer data in place; False: this needs a page of its own."""

    def said(self, place: Place) -> None:
        """The address says another thing of how it is looked at: links to its other sides follow."""

    def stays_under(self, place: Place) -> bool:
        """Whether to be kept, hidden, while a place is shown: to be there at once, as it was left, on the way back."""

    def shows(self, place: Place) -> bool:
        """Whether a place is another side of what is shown, so that it need not wait for a reading."""

    def scheme(self, scheme: Scheme) -> None:
        """Dark or light was chosen."""

    def tick(self) -> None:
        """Some seconds passed: ages may need another look."""


class Beside(Protocol):
    """What stands beside every page and follows the session. Every method runs on the session's loop."""

    def going(self, place: Place) -> None:
        """Someone goes to a place, which is not read yet."""

    def arrived(self, loaded: "Loaded") -> None:
        """A place is shown, or what is shown was read again."""

    def hear(self, events: Sequence[Event]) -> None:
        """Something changed."""

    def renew(self) -> None:
        """Anything may have changed while nothing was heard."""


class Loaded(Protocol):
    """What a place holds, read in a thread: enough to show it."""

    @property
    def place(self) -> Place:
        """Where it is."""

    @property
    def title(self) -> str:
        """Name of the page."""

    @property
    def crumbs(self) -> list[dict[str, str]]:
        """The way here from Home."""

    @property
    def element(self) -> Element | None:
        """What it is about; None where it is about no element."""

    def view(self, session: "PortalSession") -> View:
        """Build the page, on the loop."""


def _named(error: BaseException) -> AthenaError:
    """An error as people may see it; what is no error of Athena's own goes to the log in full."""
    if isinstance(error, AthenaError):
        return error
    log.error("unexpected failure", exc_info=error)
    return AthenaError(f"{type(error).__name__}: {error}", hint="The portal's log has the details.")


def _not_remembered(error: AthenaError) -> None:
    log.info("not remembered as opened: %s", error)


class PortalSession:
    """Connects a document with the catalogue: loads places in threads, shows them on the loop.

    Parameters
    ----------
    load : reads a place through the catalogue; runs in a thread.
    """

    def __init__(
        self,
        doc: Document,
        *,
        catalogue: Catalogue,
        fan: EventFan,
        pool: Executor,
        shell: Shell,
        load: Callable[[Catalogue, Place], Loaded],
        base_url: str,
    ) -> None:
        self.doc = doc
        self._loop = IOLoop.current()
        self.catalogue = catalogue
        self.shell = shell
        self.base_url = base_url
        self.place = Place()
        self._pool = pool
        self._load = load
        self._beside: list[Beside] = []
        self._view: View | None = None
        self._under: View | None = None
        self._turn = 0
        self._opened: UUID | None = None
        self._loading = False
        self._stale = False
        self._closed = False
        self._before: list[Callable[[], None]] | None = []
        self._counting = self._recount = False
        shell.browser.param.watch(lambda change: self._address_changed(change.new), "search")
        shell.browser.param.watch(lambda change: self._scheme_changed(change.new), "theme")
        if fan.up:
            shell.live.link = "up"
        self._fan = fan
        self._unsubscribe = fan.subscribe(self)

    # ── what callers use ────────────────────────────────────────────────────────────────────────

    def run(
        self, work: Callable[[], T], then: Callable[[T], None], *, failed: Callable[[AthenaError], None] | None = None
    ) -> None:
        """Do ``work`` in a thread, then ``then(result)`` on the loop; ``failed(error)`` where Athena refused."""

        def finish(done: Future[T]) -> None:
            error = done.exception()
            if error is None:
                try:
                    then(done.result())
                except Exception as fault:  # noqa: BLE001  the last frame before the server's loop: say it on the page
                    self._show_error(_named(fault))
            else:
                (failed or self._show_error)(_named(error))

        self._pool.submit(work).add_done_callback(lambda done: self._on_loop(lambda: finish(done)))

    def attach(self, beside: Beside) -> None:
        """Let something follow where the tab is and what happens."""
        self._beside.append(beside)

    def go(self, place: Place) -> None:
        """Show a place, and say so in the address."""
        self.shell.browser.search = place.search
        self._show(place)

    def say(self, place: Place) -> None:
        """Say in the address how the present page is looked at; it shows that already, so nothing is read."""
        self.place = place
        self.shell.browser.search = place.search
        if self._view is not None:
            self._view.said(place)

    def refresh(self) -> None:
        """Read the present place again; changes that come while reading lead to one more reading."""
        if self._loading:
            self._stale = True
        else:
            self._show(self.place)

    def count_jobs(self) -> None:
        """Say in the tool bar how the jobs stand; what changes while they are counted leads to one more count."""
        if self._counting:
            self._recount = True
            return
        self._counting, self._recount = True, False

        def counted(jobs: list[Job]) -> None:
            self._counting = False
            self.shell.count_jobs(jobs)
            if self._recount:
                self.count_jobs()

        def failed(error: AthenaError) -> None:
            self._counting = False
            log.info("jobs not counted: %s", error)

        self.run(self.catalogue.jobs, counted, failed=failed)

    def open(self, search: str) -> None:
        """First page of the tab, whose browser is ready."""
        self.listen()
        self._address_changed(search, force=True)

    def listen(self) -> None:
        """The browser is ready: make what changes came before, in their order, and from now on all as they come.

        Panel (1.9) drops what changes between the browser's reading of the document and its being ready: on a busy
        machine the page stayed at "Connecting…" for good.
        """
        before, self._before = self._before or [], None
        for change in before:
            self._on_loop(change)

    def close(self) -> None:
        """The tab is gone."""
        self._closed = True
        self._unsubscribe()

    # ── what the fan calls, in its thread ───────────────────────────────────────────────────────

    def events(self, events: Sequence[Event]) -> None:
        """Refresh if the view is concerned."""
        self._on_loop(lambda: self._hear(events))

    def link(self, up: bool) -> None:
        """Show the state of the connection to the API; what happened meanwhile is pulled."""

        def show() -> None:
            self.shell.live.link = "up" if up else "down"
            if up:
                self.refresh()
                for beside in self._beside:
                    beside.renew()

        self._on_loop(show)

    def tick(self) -> None:
        """Let the view look at its ages."""
        if self._view is not None:
            with held(self.doc):
                self._view.tick()

    # ── on the loop ─────────────────────────────────────────────────────────────────────────────

    def _on_loop(self, change: Callable[[], None]) -> None:
        """Change the document from any thread.

        Bokeh keeps the present document in one list for all threads, and touches it when a callback is added: done in
        a thread, a page that the loop builds at that moment would be built with parts of another visitor's.
        """

        def on_loop() -> None:
            if self._closed:
                return
            with set_curdoc(self.doc), held(self.doc):
                change()

        def schedule() -> None:
            if self._closed:
                return
            if self._before is not None:
                self._before.append(change)
            else:
                self.doc.add_next_tick_callback(on_loop)

        self._loop.add_callback(schedule)

    def _hear(self, events: Sequence[Event]) -> None:
        if any(event.kind is EventKind.JOB_CHANGED for event in events):
            self.count_jobs()
        for beside in self._beside:
            beside.hear(events)
        if self._view is None or any(self._view.concerns(event) for event in events):
            self.refresh()

    def _address_changed(self, search: str, *, force: bool = False) -> None:
        with held(self.doc):
            try:
                place = Place.parse(search)
            except AthenaError as error:
                self._show_error(error)
                return
            if force or self._view is None or place != self.place:
                self._show(place)

    def _scheme_changed(self, scheme: Scheme) -> None:
        with held(self.doc):
            self.shell.scheme(scheme)
            for view in (self._view, self._under):
                if view is not None:
                    view.scheme(scheme)

    def _show(self, place: Place) -> None:
        self._turn += 1
        turn, self._loading, self._stale = self._turn, True, False
        again = place == self.place and self._view is not None
        if place != self.place:
            self.place = place
            self.shell.waiting(place)
            for beside in self._beside:
                beside.going(place)
        if self._under is not None and self._under.shows(place):
            # back to what was kept: as it was left, at once; the reading brings it up to date
            self._view, self._under = self._under, None
            self.shell.show(self._view.root)

        def show(loaded: Loaded) -> None:
            if turn != self._turn:
                return
            self._loading = False
            if self._view is None or not self._view.update(loaded):
                self._turn_to(loaded)
            self._note_opened(loaded)
            self.shell.told(loaded)
            for beside in self._beside:
                beside.arrived(loaded)
            if self._fan.up:
                self.shell.live.link = "up"
            if self._stale:
                # a burst of events is one more reading, not one each
                self._stale = False
                self.doc.add_timeout_callback(self.refresh, BURST_MS)

        def failed(error: AthenaError) -> None:
            if turn != self._turn:
                return
            self._loading = False
            if again and isinstance(error, Unavailable):
                # what is shown may be old, but it is more than an error page; the mark says that it may be old
                self.shell.live.link = "down"
            else:
                self._show_error(error)

        self.run(lambda: self._load(self.catalogue, place), show, failed=failed)

    def _turn_to(self, loaded: Loaded) -> None:
        """Show another view than the present one."""
        if self._view is not None and self._view.stays_under(loaded.place):
            self._under = self._view
        elif self._under is not None and not self._under.stays_under(loaded.place):
            self._under = None
        self._view = loaded.view(self)
        self.shell.show(self._view.root, under=self._under.root if self._under else None)

    def _note_opened(self, loaded: Loaded) -> None:
        """Remember, once for each visit, that an element was opened."""
        element = loaded.place.element
        if element is not None and element != self._opened:
            self.run(lambda: self.catalogue.opened(element), lambda _: None, failed=_not_remembered)
        self._opened = element

    def _show_error(self, error: AthenaError) -> None:
        self._view = self._under = None
        self.shell.show_error(error)
