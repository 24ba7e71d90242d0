"""What a route gets: who calls, and a session to act with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from athena.contract.people import Principal, PrincipalKind, TokenScope
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
        Forbidden : the caller is one of Athena's services, which is nobody and so can own nothing; or its token reads
            only.
        """
        refuse_reader(self.principal)
        if self.principal.kind is PrincipalKind.SERVICE:
            raise Forbidden(f"“{self.principal.username}” is a service of Athena: it changes nothing.")
        with self.server.database.session() as session:
            yield session

    @contextmanager
    def reporting(self) -> Iterator[Session]:
        """A transaction in which one of Athena's services may say that it lives, and write nothing else."""
        with self.server.database.session() as session:
            yield session


READING_METHODS = frozenset({"GET", "HEAD"})
"""What a token of scope ``read`` may send; every route that changes something has another method."""

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
    principal = server.auth.authenticate(token)
    if request.method not in READING_METHODS:
        refuse_reader(principal)
    return Caller(principal, server)


def refuse_reader(principal: Principal) -> None:
    """Refuse with Forbidden whatever a token that reads only would change."""
    if principal.scope is TokenScope.READ:
        raise Forbidden("This token only reads.", hint="Make one with the scope 'write' for what changes something.")


CallerDep = Annotated[Caller, Depends(get_caller)]
