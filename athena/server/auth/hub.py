"""Tokens of JupyterHub: the hub says whose they are, Athena's own rows say who that is."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5

import httpx
from jupyterhub.services.auth import check_scopes

from athena.contract.health import ServiceHealth, ServiceKind, ServiceState
from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.errors import NotFound, Unauthorized, Unavailable
from athena.services import users

CACHE_SECONDS = 30.0
"""How long the hub's word is believed: a revoked token works at most this much longer."""
CACHE_SIZE = 10_000
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class HubIdentity:
    """What the hub says of a token: a user's or a service's name."""

    name: str
    is_service: bool


class HubAuth:
    """Asks the hub's API with the very token that is to be verified (``GET /hub/api/user``).

    JupyterHub's own ``HubAuth`` client passes every check through one background thread and keeps refusals for as
    long as consent; this one is called from many threads and keeps consent only.

    Parameters
    ----------
    database : where Athena's users are.
    api_url : of the hub, ``http://host:port/hub/api``.
    access_scopes : one of these a token must hold to be let in (``access:services!service=athena-api``).
    clock : seconds that only grow; tests move it.
    """

    def __init__(
        self,
        database: Database,
        *,
        api_url: str,
        access_scopes: frozenset[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._client = httpx.Client(base_url=api_url.rstrip("/"), timeout=TIMEOUT_SECONDS, trust_env=False)
        self._access_scopes = set(access_scopes)
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, HubIdentity]] = {}

    @classmethod
    def from_environment(cls, database: Database) -> "HubAuth":
        """Provider for a service that the hub started, or was told of, through ``JUPYTERHUB_*`` variables."""
        api_url = os.environ.get("JUPYTERHUB_API_URL")
        if not api_url:
            raise Unavailable(
                "Tokens are to be verified by JupyterHub, but JUPYTERHUB_API_URL is not set.",
                hint="Start the API as a service of the hub ('athena up --hub'), or set ATHENA_AUTH=local.",
            )
        scopes = os.environ.get("JUPYTERHUB_OAUTH_ACCESS_SCOPES")
        return cls(
            database,
            api_url=api_url,
            access_scopes=frozenset(json.loads(scopes) if scopes else ["access:services!service=athena-api"]),
        )

    def prepare(self) -> None:
        """Nothing: people come from the catalogue, tokens from the hub."""

    def close(self) -> None:
        """Close the connections to the hub."""
        self._client.close()

    def health(self) -> ServiceHealth:
        """Whether the hub answers, and its version."""
        try:
            answer = self._client.get("/")
            answer.raise_for_status()
            found = str(answer.json()["version"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            return ServiceHealth(
                kind=ServiceKind.HUB, name="JupyterHub", state=ServiceState.DOWN, message=f"It does not answer: {error}"
            )
        return ServiceHealth(kind=ServiceKind.HUB, name="JupyterHub", state=ServiceState.STABLE, version=found)

    def authenticate(self, token: str) -> Principal:
        """Principal of a hub token; a service's principal owns nothing and sees nothing."""
        identity = self._identify(token)
        if identity.is_service:
            return Principal(
                user_id=uuid5(NAMESPACE_URL, f"athena:service:{identity.name}"),
                username=identity.name,
                kind=PrincipalKind.SERVICE,
            )
        try:
            with self._database.session(read_only=True) as session:
                return users.principal_for(session, identity.name, kind=PrincipalKind.HUB)
        except NotFound as error:
            raise Unauthorized(f"The hub knows “{identity.name}”, Athena does not.") from error

    def _identify(self, token: str) -> HubIdentity:
        key = hashlib.sha256(token.encode()).hexdigest()
        with self._lock:
            until, identity = self._known.get(key, (0.0, None))
        if identity is not None and self._clock() < until:
            return identity
        identity = self._ask(token)
        with self._lock:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
            self._known[key] = (self._clock() + CACHE_SECONDS, identity)
        return identity

    def _ask(self, token: str) -> HubIdentity:
        if not token.isascii() or not token.isprintable():
            raise Unauthorized("The token is not valid.")
        try:
            answer = self._client.get("/user", headers={"Authorization": f"token {token}"})
        except httpx.HTTPError as error:
            raise Unavailable(f"JupyterHub does not answer: {error}.") from error
        if answer.status_code in {401, 403, 404}:
            raise Unauthorized("The hub does not know this token.", hint="It may have expired: get a new one.")
        if answer.is_error:
            raise Unavailable(f"JupyterHub answered {answer.status_code} when asked about a token.")
        model = answer.json()
        is_service = model.get("kind") == "service"
        if not is_service and not check_scopes(self._access_scopes, set(model.get("scopes", ()))):
            raise Unauthorized(
                "The hub's token does not reach Athena.", hint="Ask the hub for one with the scope access:services."
            )
        return HubIdentity(name=str(model["name"]), is_service=is_service)
