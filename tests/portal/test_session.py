"""What threads hand to a browser tab is taken over on the server's loop alone."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc
from panel.util import edit_readonly

from athena.portal.catalogue import Catalogue
from athena.portal.events import EventFan
from athena.portal.loading import load
from athena.portal.session import PortalSession
from athena.portal.shell import Shell
from athena.sdk.client import Client


def make_session(doc: Document, pool: ThreadPoolExecutor) -> PortalSession:
    """A session of an API that does not answer."""
    catalogue = Catalogue(Client("http://127.0.0.1:9", "no token"))
    return PortalSession(
        doc,
        catalogue=catalogue,
        fan=EventFan(catalogue.events),
        pool=pool,
        shell=Shell(search="", scheme="dark", user="", log_out=""),
        load=load,
        base_url="api/",
    )


@pytest.mark.feature("WS-01")
def test_a_thread_never_touches_the_list_of_present_documents() -> None:
    """Bokeh's list is one for all threads: a page built meanwhile got parts of another visitor's."""
    seen: list[object] = []

    async def scene() -> None:
        doc, other = Document(), Document()
        added: list[tuple[int, Callable[[], None]]] = []
        doc.add_next_tick_callback = lambda callback: added.append((threading.get_ident(), callback))
        with ThreadPoolExecutor(4) as pool:
            session = make_session(doc, pool)
            session.listen()
            for _ in range(50):
                session.run(threading.get_ident, lambda _: seen.append(pn.state.curdoc))
            while len(added) < 50:
                await asyncio.sleep(0.01)
        assert {thread for thread, _ in added} == {threading.get_ident()}
        with set_curdoc(other):
            for _, callback in added:
                callback()
        assert seen == [doc] * 50
        session.close()

    asyncio.run(scene())


def test_a_page_does_not_follow_what_other_visitors_do() -> None:
    """Panel's mark of being busy is one for all sessions: each event of each visitor changed each visitor's page."""
    page, told = Shell(search="", scheme="dark", user="", log_out="").page, []
    page.param.watch(told.append, "busy")
    with edit_readonly(pn.state):
        pn.state.busy = not pn.state.busy
        pn.state.busy = not pn.state.busy
    assert told == []


def test_what_changes_before_the_browser_is_ready_is_kept_for_it() -> None:
    """Panel drops it: a page that met a busy machine said "Connecting…" for good."""
    seen: list[int] = []

    async def scene() -> None:
        doc = Document()
        added: list[Callable[[], None]] = []
        doc.add_next_tick_callback = added.append
        with ThreadPoolExecutor(1) as pool:
            session = make_session(doc, pool)
            for number in range(3):
                session.run(partial(int, number), seen.append)
            pool.shutdown()
            await asyncio.sleep(0.05)
            assert added == []
            session.listen()
            await asyncio.sleep(0.05)
        for callback in added:
            callback()
        assert seen == [0, 1, 2]
        session.close()

    asyncio.run(scene())
