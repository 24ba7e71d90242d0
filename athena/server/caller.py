"""What a route gets: who calls, and a session to act with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.errors import Forbidden, Unauthorized
from athena.server.auth.base import AuthProvider, bearer_token
from athena.server.clock import EventClock
from athena.settings import Settings


@dataclass(frozen=True)
class Server:
    """What lives as long as the app (``app.state.server``)."""

    settings: Settings
    database: Database
    auth: AuthProvider
    clock: EventClock


@dataclass(frozen=True)
class Caller:
    """One authenticated request."""

    principal: Principal
    server: Server

    @property
    def settings(self) -> Settings:
        """Settings of the instance."""
        return self.server.settings

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with self.server.database.session(read_only=True) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that may write; committed before the answer leaves, so that a caller reads what it wrote.

        Raises
        ------
        Forbidden : the caller is one of Athena's services, which is nobody and so can own nothing.
        """
        if self.principal.kind is PrincipalKind.SERVICE:
            raise Forbidden(f"“{self.principal.username}” is a service of Athena: it changes nothing.")
        with self.server.database.session() as session:
            yield session


# Only told to the contract: HTTPBearer itself knows nothing of the hub's "token" scheme.
_SCHEME = HTTPBearer(scheme_name="token", description="A token of this instance, or of its hub.", auto_error=False)


def get_caller(
    request: Request, _told: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)] = None
) -> Caller:
    """Caller of a request; every route below ``/api`` but the health route depends on it."""
    server: Server = request.app.state.server
    token = bearer_token(request.headers.get("authorization"))
    if token is None:
        raise Unauthorized("This address needs a token.", hint="Send it as 'Authorization: Bearer <token>'.")
    return Caller(server.auth.authenticate(token), server)


CallerDep = Annotated[Caller, Depends(get_caller)]
