"""Serve the API in this process, until it is told to stop."""

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from athena.errors import Unavailable
from athena.server.app import create_app
from athena.server.caller import Server
from athena.settings import Settings

STOP_SECONDS = 5
"""How long answers under way may take once the server is told to stop."""
THREADS = 16
"""Requests at work at once: of more, threads take Python's lock from each other a third of the time."""
START_SECONDS = 60.0
"""A first start migrates the database, and waits for others that do."""


class _UvicornServer(uvicorn.Server):
    """Says when it answers, and lets long polls go before it waits for open connections."""

    def __init__(self, app: FastAPI, *, on_ready: Callable[[], None], log_level: str) -> None:
        config = uvicorn.Config(
            app, log_level=log_level.lower(), access_log=False, timeout_graceful_shutdown=STOP_SECONDS, lifespan="on"
        )
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets=sockets)
        current_default_thread_limiter().total_tokens = THREADS
        if self.started and not self.should_exit:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those who wait for events go, then stop."""
        server: Server = self._app.state.server
        await server.clock.close()
        await super().shutdown(sockets=sockets)


def serve(settings: Settings, ready: Callable[[str], None] | None = None) -> None:
    """Serve the API on ``settings.host:settings.api_port`` until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : of the instance; port 0 takes a free one.
    ready : called with the address, ``http://host:port``, once requests are answered.

    Raises
    ------
    Unavailable : the port is taken, or the app could not start (the log says why).
    """
    bound = _bind(settings)

    def on_ready() -> None:
        # what is imported stays: looked at again and again, it took a tenth of the processor time under load
        gc.collect()
        gc.freeze()
        if ready is not None:
            ready(_address(bound))

    server = _make_server(settings, on_ready)
    with bound:
        server.run(sockets=[bound])
    if not server.started:
        raise Unavailable("The API could not start.", hint="The log above says why.")


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve the API from a thread while the block lasts; gives its address. For tests and embedding."""
    bound = _bind(settings)
    ready = threading.Event()
    server = _make_server(settings, ready.set)

    def run() -> None:
        try:
            with bound:
                server.run(sockets=[bound])
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="athena api", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_SECONDS) or not server.started:
            raise Unavailable("The API could not start.", hint="The log says why.")
        yield _address(bound)
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS + 5)


def _make_server(settings: Settings, on_ready: Callable[[], None]) -> _UvicornServer:
    app = create_app(settings)
    return _UvicornServer(app, on_ready=on_ready, log_level=settings.log_level)


def _bind(settings: Settings) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.api_port))
    except OSError as error:
        bound.close()
        raise Unavailable(
            f"The API cannot listen on {settings.host}:{settings.api_port}: {error.strerror}.",
            hint="Set ATHENA_API_PORT to a free port, or 0 to let one be chosen.",
        ) from error
    return bound


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
