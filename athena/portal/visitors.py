"""What the portal keeps per visitor (client, event poll), and the opening of a browser tab."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import panel as pn

from athena.portal.catalogue import Catalogue
from athena.portal.events import EventFan
from athena.portal.holding import keep_unsent
from athena.portal.job_acts import act_on_jobs
from athena.portal.kernels import ReportKernels
from athena.portal.loading import load
from athena.portal.panels.explorer import ExplorerPanel
from athena.portal.session import PortalSession
from athena.portal.shell import Shell
from athena.portal.theme import THEME_COOKIE, Scheme
from athena.sdk.client import Client

TICK_MS = 10_000
"""How often views look at their ages."""


@dataclass
class Visitor:
    """A token's client and event poll, and how many tabs use them."""

    catalogue: Catalogue
    fan: EventFan
    tabs: int = 0


class Visitors:
    """One client and one event poll per token, shared by all tabs of that visitor, gone with the last of them."""

    def __init__(self, url: str, kernels: ReportKernels | None = None) -> None:
        self._url = url
        self._kernels = kernels or ReportKernels()
        self._lock = threading.Lock()
        self._known: dict[str, Visitor] = {}

    def enter(self, token: str) -> tuple[Visitor, Callable[[], None]]:
        """What the tabs of a token share, and the call that a tab makes when it goes."""
        key = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            visitor = self._known.get(key)
            if visitor is None:
                catalogue = Catalogue(Client(self._url, token), self._kernels)
                visitor = self._known[key] = Visitor(catalogue, EventFan(catalogue.events))
            visitor.tabs += 1
        return visitor, lambda: self._leave(key, visitor)

    def _leave(self, key: str, visitor: Visitor) -> None:
        with self._lock:
            visitor.tabs -= 1
            if visitor.tabs or self._known.get(key) is not visitor:
                return
            del self._known[key]
        visitor.catalogue.close()


def open_tab(*, visitors: Visitors, pool: Executor, log_out: str, lab: str = "") -> Any:
    """Make the page of one browser tab: the frame at once, what it holds as soon as it is read."""
    doc = pn.state.curdoc
    keep_unsent(doc)
    request = doc.session_context.request
    token: str = request.athena_token
    visitor, leave = visitors.enter(token)
    catalogue = visitor.catalogue
    scheme: Scheme = "light" if pn.state.cookies.get(THEME_COOKIE) == "light" else "dark"
    search = f"?{request.query}" if request.query else ""
    shell = Shell(search=search, scheme=scheme, user="", log_out=log_out, lab=lab)
    session = PortalSession(
        doc, catalogue=catalogue, fan=visitor.fan, pool=pool, shell=shell, load=load, base_url="api/"
    )
    shell.job_asked = partial(act_on_jobs, session, refused=shell.job_refused)
    session.attach(ExplorerPanel(session, shell.explorer))
    session.run(catalogue.me, shell.greet)
    session.count_jobs()
    pn.state.add_periodic_callback(session.tick, period=TICK_MS)

    def gone(_context: object) -> None:
        session.close()
        leave()

    pn.state.on_session_destroyed(gone)
    pn.state.onload(lambda: session.open(search))
    doc.template_variables["html_attrs"] = f'data-theme="{scheme}"'
    return shell.page
