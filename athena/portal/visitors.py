"""What the portal keeps per visitor (client, event poll), and the opening of a browser tab."""

import hashlib
import threading
from concurrent.futures import Executor
from typing import Any

import panel as pn

from athena.portal.catalogue import Catalogue
from athena.portal.events import EventFan
from athena.portal.loading import load
from athena.portal.session import PortalSession
from athena.portal.shell import Shell
from athena.portal.theme import THEME_COOKIE, Scheme
from athena.sdk.client import Client

TICK_MS = 10_000
"""How often views look at their ages."""


class Visitors:
    """One client and one event poll per token, shared by all tabs of that visitor."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Catalogue, EventFan]] = {}

    def of(self, token: str) -> tuple[Catalogue, EventFan]:
        """Catalogue and event fan of a token."""
        key = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            if key not in self._known:
                catalogue = Catalogue(Client(self._url, token))
                self._known[key] = (catalogue, EventFan(catalogue.events))
            return self._known[key]


def open_tab(*, visitors: Visitors, pool: Executor, log_out: str) -> Any:
    """Make the page of one browser tab: the frame at once, what it holds as soon as it is read."""
    doc = pn.state.curdoc
    request = doc.session_context.request
    token: str = request.athena_token
    catalogue, fan = visitors.of(token)
    scheme: Scheme = "light" if pn.state.cookies.get(THEME_COOKIE) == "light" else "dark"
    search = f"?{request.query}" if request.query else ""
    shell = Shell(search=search, scheme=scheme, user="", log_out=log_out)
    session = PortalSession(doc, catalogue=catalogue, fan=fan, pool=pool, shell=shell, load=load, base_url="api/")
    session.run(catalogue.me, lambda me: shell.greet(me.display_name or me.username))
    pn.state.add_periodic_callback(session.tick, period=TICK_MS)
    pn.state.on_session_destroyed(lambda _context: session.close())
    pn.state.onload(lambda: session.open(search))
    doc.template_variables["html_attrs"] = f'data-theme="{scheme}"'
    return shell.page
