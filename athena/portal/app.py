"""The portal's server: one Panel app, the API under the same origin, and the widgets' files."""

import gc
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import panel as pn
from bokeh.server.server import Server
from panel.io.server import get_server
from tornado.web import RequestHandler, StaticFileHandler

import athena_widgets
from athena.portal.auth import Door, HideTokens, LocalDoor, PortalAuth, TokenCheck, cookie_key
from athena.portal.busy import count_nothing
from athena.portal.components import script
from athena.portal.definitions import define_what_is_drawn
from athena.portal.guide import folder
from athena.portal.headers import SecurityHeaders
from athena.portal.heartbeat import report_forever
from athena.portal.kernels import ReportKernels
from athena.portal.proxy import ApiProxy
from athena.portal.theme import THEME_COOKIE
from athena.portal.visitors import Visitors, open_tab
from athena.settings import Settings

log = logging.getLogger(__name__)

THREADS = 16
"""Calls of the SDK under way at once, for all sessions of this process."""
KEEP_SESSION_MS = 20_000
"""How long a tab's session outlives its connection."""


def api_url(settings: Settings) -> str:
    """Address of the API as this process reaches it."""
    if settings.url:
        return settings.url.rstrip("/")
    host = "127.0.0.1" if settings.host in ("", "0.0.0.0", "::") else settings.host
    return f"http://{host}:{settings.api_port}"


def make_server(settings: Settings) -> Server:
    """Make the portal's server, listening but not running."""
    pn.extension(inline=False)
    count_nothing()
    define_what_is_drawn()
    url = api_url(settings)
    api = httpx.AsyncClient(
        base_url=url,
        # long polls of widgets may wait a minute; a movie's tile never should
        timeout=httpx.Timeout(90.0, connect=5.0),
        # uvicorn lets idle connections go after 5 s: be quicker
        limits=httpx.Limits(max_connections=200, max_keepalive_connections=32, keepalive_expiry=3.0),
        trust_env=False,
    )
    settings.home.mkdir(parents=True, exist_ok=True)
    key, check = cookie_key(settings.home / "portal.key"), TokenCheck(api)
    door, prefix, lab = _door(settings, key=key, check=check)
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="portal")
    visitors = Visitors(url, ReportKernels(settings.report_kernels))
    static = Path(athena_widgets.__file__).parent / "static"

    def tab() -> Any:  # a real function: Panel does not call partials
        return open_tab(visitors=visitors, pool=pool, log_out="logout", lab=lab)

    server = get_server(
        pages_of(settings, tab=tab),
        port=settings.portal_port,
        address=settings.host,
        prefix=prefix,
        # signs the short-lived cookies of an OAuth log-in
        cookie_secret=key.decode(),
        # the door itself holds websockets to the page's own origin, whatever name the portal is reached by
        websocket_origin=["*"],
        title="Athena",
        auth_provider=PortalAuth(door),
        # what Bokeh copies of a request into the page: never a credential
        include_headers=["Host"],
        include_cookies=[THEME_COOKIE],
        extra_patterns=[
            (r"/api/(.*)", ApiProxy, {"api": api, "door": door}),
            (f"/{re.escape(script.ADDRESS)}", ComponentScripts),
            (r"/widgets/(.*)", WidgetFiles, {"path": str(static)}),
            (r"/guide/([\w-]+\.png)", WidgetFiles, {"path": str(folder() / "images")}),
        ],
        unused_session_lifetime_milliseconds=KEEP_SESSION_MS,
        check_unused_sessions_milliseconds=5_000,
        keep_alive_milliseconds=15_000,
        transforms=[SecurityHeaders],
    )
    server.io_loop.add_callback(report_forever, api, settings)
    return server


def pages_of(settings: Settings, *, tab: Callable[[], Any]) -> dict[str, Callable[[], Any]]:
    """Panel apps by path; that of all components is there in development alone."""
    if not settings.development:
        return {"/": tab}
    from athena.portal.showcase import open_showcase  # nobody else needs its examples

    return {"/": tab, "/components": open_showcase}


def _door(settings: Settings, *, key: bytes, check: TokenCheck) -> tuple[Door, str, str]:
    """The log-in that the settings ask for, the path below which the portal is served, and what opens notebooks."""
    if settings.auth == "local":
        lab = f"{settings.lab_url.rstrip('/')}/athena/open" if settings.lab_url else ""
        return LocalDoor(key=key, check=check, port=settings.portal_port), "", lab
    # JupyterHub is only imported where there is one
    from athena.portal.hub import HubDoor

    door = HubDoor(key=key, check=check)
    return door, door.prefix, door.lab


class WidgetFiles(StaticFileHandler):
    """Modules, fonts and styles of the widgets; asked for again only when they changed."""

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")


class ComponentScripts(RequestHandler):
    """The scripts of all components; kept for good under the address that names their content."""

    def get(self) -> None:
        """Give them."""
        named = self.get_query_argument("v", "") == script.version()
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if named else "no-cache")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" not in self.request.headers.get("Accept-Encoding", ""):
            self.finish(script.module())
            return
        self.set_header("Content-Encoding", "gzip")
        self.finish(script.zipped())


def serve(settings: Settings) -> None:
    """Run the portal until it is stopped (SIGINT or SIGTERM)."""
    logging.getLogger("tornado.access").addFilter(HideTokens())
    logging.getLogger("httpx").setLevel(logging.WARNING)
    server = make_server(settings)
    log.info("portal on http://%s:%s", settings.host, settings.portal_port)
    server.start()
    # Panel collects after each tab that went: what is imported stays, and need not be looked at each time (0.3 s)
    gc.collect()
    gc.freeze()
    server.run_until_shutdown()
