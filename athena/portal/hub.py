"""Log-in behind JupyterHub: OAuth against the hub, so that nobody needs a second password.

The portal runs as a service of the hub, which tells it all it needs in ``JUPYTERHUB_*`` variables. The token that the
hub issues for a visitor is kept like a local one (sealed, in a cookie of the portal) and is what the portal shows to
Athena's API, which asks the hub whose it is.
"""

import os
from typing import Any

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import RequestHandler

from athena.errors import Unavailable
from athena.portal.auth import CookieDoor, TokenCheck, from_elsewhere, local_path, refuse_for_now


class HubDoor(CookieDoor):
    """Log-in by OAuth against the hub."""

    def __init__(self, *, key: bytes, check: TokenCheck) -> None:
        self.prefix = service_prefix()
        super().__init__(key=key, check=check, cookie="athena-portal", path=self.prefix)
        self.oauth = _KeepingOAuth(self)
        # each person's own server, started first where it does not run
        self.lab = f"{self.oauth.hub_host}{self.oauth.hub_prefix}user-redirect/athena/open"

    def endpoints(self) -> list[tuple[Any, ...]]:
        """Log-in, the hub's answer to it, and log-out."""
        return [
            (r"/login", HubLoginHandler, {"door": self}),
            (r"/oauth_callback", HubCallbackHandler, {"door": self}),
            (r"/logout", HubLogoutHandler, {"door": self}),
        ]


def service_prefix() -> str:
    """Path below which the hub's proxy shows the portal, with slashes at both ends.

    Raises
    ------
    Unavailable : this process was not started by a hub.
    """
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    if not prefix:
        raise Unavailable(
            "The portal is to log people in through JupyterHub, but no hub started it.",
            hint="Start it as a service of the hub ('athena up --hub'), or set ATHENA_AUTH=local.",
        )
    return prefix


class _KeepingOAuth(HubOAuth):
    """The hub's OAuth client, with the token kept in the door's cookie instead of one that is only signed."""

    def __init__(self, door: HubDoor) -> None:
        super().__init__()
        self._door = door

    def set_cookie(self, handler: RequestHandler, access_token: str) -> None:
        self._door.keep(handler, access_token)


class HubLoginHandler(HubOAuthenticated, RequestHandler):
    """``/login``: off to the hub; who comes back logged in goes on to where he wanted."""

    def initialize(self, door: HubDoor) -> None:
        self.door = door
        self.hub_auth = door.oauth

    async def get(self) -> None:
        """Log in."""
        self.set_header("Cache-Control", "no-store")
        try:
            token = await self.door.token(self)
        except Unavailable as error:
            refuse_for_now(self, error)
            return
        if token is None:
            self.redirect(self.get_login_url())
            return
        target = local_path(self.get_argument("next", self.door.prefix))
        self.redirect(target if target.startswith(self.door.prefix) else self.door.prefix, status=303)


class HubCallbackHandler(HubOAuthCallbackHandler):
    """``/oauth_callback``: the hub's answer; JupyterHub's own code checks it."""

    def initialize(self, door: HubDoor) -> None:
        self.hub_auth = door.oauth


class HubLogoutHandler(RequestHandler):
    """``/logout``: forget the cookie, then log out of the hub, which withdraws the token."""

    def initialize(self, door: HubDoor) -> None:
        self.door = door

    def get(self) -> None:
        """Log out."""
        if from_elsewhere(self):
            self.redirect(self.door.prefix)
            return
        self.door.forget(self)
        self.set_header("Cache-Control", "no-store")
        self.redirect(f"{self.door.oauth.hub_host}{self.door.oauth.hub_prefix}logout")
