"""Who may open the portal: a door per kind of log-in, and what a visitor without a key sees.

A door turns a request into the API token of its user. The token lives in an HttpOnly cookie, encrypted with a key of
this instance, so that neither page scripts nor Bokeh's session token (which is part of the page) can carry it.
"""

import logging
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from bokeh.server.auth_provider import AuthProvider
from cryptography.fernet import Fernet, InvalidToken
from tornado.web import Finish, RequestHandler
from tornado.websocket import WebSocketHandler

from athena.errors import Unavailable
from athena.portal.notices import notice_page
from athena.portal.theme import THEME_COOKIE

COOKIE_DAYS = 30
CHECK_SECONDS = 20.0
"""How long the API's word on a token is believed before it is asked again."""

TOKENS_REMEMBERED = 10_000


class HideTokens(logging.Filter):
    """Keeps log-in links out of the access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Blank the value of every ``token=`` in the message."""
        record.msg, record.args = re.sub(r"(token=)[^&\s]+", r"\1…", record.getMessage()), ()
        return True


class Door(Protocol):
    """One kind of log-in."""

    login_path: str
    """Where a visitor without a token is sent, below the portal's prefix."""

    async def token(self, handler: RequestHandler) -> str | None:
        """API token behind a request, verified; None: not logged in."""

    def endpoints(self) -> list[tuple[Any, ...]]:
        """Tornado routes of this door, below the portal's prefix."""


def cookie_key(path: Path) -> bytes:
    """Key of the cookies of this instance, made at first use, readable by its owner only."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = Fernet.generate_key()
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    return key


class TokenCheck:
    """Asks the API whether a token is valid, and remembers a yes for a moment."""

    def __init__(self, api: httpx.AsyncClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._believed: dict[str, float] = {}

    async def valid(self, token: str) -> bool:
        """Whether the API knows the token.

        While the API is down, a token it knew before stays valid (it opens nothing without the API); of another one
        nothing can be said: Unavailable.
        """
        now = self._clock()
        if self._believed.get(token, 0.0) > now:
            return True
        try:
            answer = await self._api.get("/api/me", headers={"Authorization": f"Bearer {token}"})
        except httpx.TransportError as error:
            return self._known_before(token, error)
        if answer.is_server_error:
            return self._known_before(token, None)
        if not answer.is_success:
            self._believed.pop(token, None)
            return False
        if len(self._believed) >= TOKENS_REMEMBERED:
            self._believed = {known: until for known, until in self._believed.items() if until > now}
        self._believed[token] = now + CHECK_SECONDS
        return True

    def _known_before(self, token: str, error: Exception | None) -> bool:
        if token in self._believed:
            return True
        raise Unavailable("Athena's API does not answer.", hint="Is `athena api` running?") from error


class CookieDoor(ABC):
    """A door that keeps the token in a sealed cookie; kinds differ in how one gets it.

    Parameters
    ----------
    key : of the cookies of this instance.
    cookie : name of the cookie.
    path : below which the browser sends it.
    """

    login_path = "/login"

    def __init__(self, *, key: bytes, check: TokenCheck, cookie: str, path: str = "/") -> None:
        self._vault = Fernet(key)
        self._check = check
        self.cookie = cookie
        self._path = path

    async def token(self, handler: RequestHandler) -> str | None:
        """Token sealed in the request's cookie, if the API still knows it."""
        sealed = handler.get_cookie(self.cookie)
        if not sealed:
            return None
        try:
            token = self._vault.decrypt(sealed.encode(), ttl=COOKIE_DAYS * 86_400).decode()
        except InvalidToken:
            return None
        return token if await self._check.valid(token) else None

    def keep(self, handler: RequestHandler, token: str) -> None:
        """Set the cookie."""
        handler.set_cookie(
            self.cookie,
            self._vault.encrypt(token.encode()).decode(),
            expires_days=COOKIE_DAYS,
            path=self._path,
            httponly=True,
            samesite="Lax",
            secure=handler.request.protocol == "https",
        )

    def forget(self, handler: RequestHandler) -> None:
        """Clear the cookie."""
        handler.clear_cookie(self.cookie, path=self._path)

    async def enter(self, handler: RequestHandler, token: str) -> bool:
        """Set the cookie if the token is good."""
        if not await self._check.valid(token):
            return False
        self.keep(handler, token)
        return True

    @abstractmethod
    def endpoints(self) -> list[tuple[Any, ...]]:
        """Tornado routes of this door."""


class LocalDoor(CookieDoor):
    """Log-in by a link that carries the instance's token, as ``athena up`` prints it."""

    def __init__(self, *, key: bytes, check: TokenCheck, port: int) -> None:
        # cookies are shared by all ports of a host: two instances must not log each other out
        super().__init__(key=key, check=check, cookie=f"athena-{port}")

    def endpoints(self) -> list[tuple[Any, ...]]:
        """Log-in and log-out."""
        return [
            (r"/login", LoginHandler, {"door": self}),
            (r"/logout", LogoutHandler, {"door": self}),
        ]


def local_path(target: str) -> str:
    """``target`` if it stays on this portal, else its front page: a log-in link must not send people elsewhere."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if inside and not any(ord(char) < 0x20 for char in target) else "/"


class LoginHandler(RequestHandler):
    """``/login?token=…``: exchange the token for a cookie; without one, say how to get in."""

    def initialize(self, door: LocalDoor) -> None:
        self.door = door

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")

    async def get(self) -> None:
        """Log in."""
        token = self.get_argument("token", "")
        try:
            entered = bool(token) and await self.door.enter(self, token)
        except Unavailable as error:
            refuse_for_now(self, error)
            return
        if entered:
            # relative: behind a proxy the portal does not stand at the root
            self.redirect("." + local_path(self.get_argument("next", "/")), status=303)
            return
        self.set_status(401)
        self.finish(
            notice_page(
                "This log-in link is not valid" if token else "Log in to Athena",
                "Open the link that <code>athena up</code> printed in its terminal: it logs this browser in.",
                light=self.get_cookie(THEME_COOKIE) == "light",
            )
        )


class LogoutHandler(RequestHandler):
    """``/logout``: forget the cookie."""

    def initialize(self, door: LocalDoor) -> None:
        self.door = door

    def get(self) -> None:
        """Log out."""
        if from_elsewhere(self):
            self.redirect("./")
            return
        self.door.forget(self)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            notice_page(
                "You are logged out",
                "The link that <code>athena up</code> printed logs you in again.",
                light=self.get_cookie(THEME_COOKIE) == "light",
            )
        )


class PortalAuth(AuthProvider):
    """Puts a door before every Bokeh page and websocket."""

    def __init__(self, door: Door) -> None:
        self._door = door
        super().__init__()

    @property
    def endpoints(self) -> list[tuple[Any, ...]]:
        return self._door.endpoints()

    @property
    def get_user(self) -> None:
        return None

    @property
    def get_user_async(self) -> Callable[[RequestHandler], Awaitable[str | None]]:
        async def user(handler: RequestHandler) -> str | None:
            if isinstance(handler, WebSocketHandler) and not same_origin(handler):
                return None
            try:
                token = await self._door.token(handler)
            except Unavailable as error:
                refuse_for_now(handler, error)
                raise Finish from error
            # Bokeh hands the request on to the session's document: server-side only, unlike its cookies and headers
            handler.request.athena_token = token
            return "visitor" if token else None

        return user

    @property
    def login_url(self) -> str:
        return self._door.login_path

    @property
    def get_login_url(self) -> None:
        return None

    @property
    def login_handler(self) -> None:
        return None

    @property
    def logout_url(self) -> None:
        return None

    @property
    def logout_handler(self) -> None:
        return None


def refuse_for_now(handler: RequestHandler, error: Unavailable) -> None:
    """Answer with a page that says what is missing."""
    handler.set_status(503)
    handler.set_header("Cache-Control", "no-store")
    light = handler.get_cookie(THEME_COOKIE) == "light"
    handler.finish(notice_page(error.message, escape(error.hint), light=light))


def from_elsewhere(handler: RequestHandler) -> bool:
    """Whether a browser says that a page of another site led here: such a link must not log people out."""
    return handler.request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")


def same_origin(handler: RequestHandler) -> bool:
    """Whether a request was made by a page of this portal (CSRF, cross-site websockets).

    Browsers send ``Origin`` with unsafe methods and websockets; a request without it, and without a
    ``Sec-Fetch-Site`` that vouches for it, is refused: programs use the API itself, not this door.
    """
    origin = handler.request.headers.get("Origin")
    if origin:
        return bool(urlsplit(origin).netloc.lower() == handler.request.host.lower())
    return bool(handler.request.headers.get("Sec-Fetch-Site") == "same-origin")
