"""The way in: who a token stands for, whether they may come in, and when they were last seen."""

import logging
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from athena.contract.health import ServiceHealth
from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.errors import Unauthorized
from athena.server.auth.base import AuthProvider
from athena.services import licences, users
from athena.services.tokens import TOKEN_PREFIX
from athena.settings import Settings

SEEN_SECONDS = 300.0
"""How exactly last log-in and last use are known; one write a token and this long."""
SEEN_SIZE = 10_000

logger = logging.getLogger(__name__)


class Gate:
    """Asks Athena's own rows about tokens that people made for scripts, and another provider about all others.

    Parameters
    ----------
    settings : say whether a licence is needed.
    database : of the instance.
    provider : vouches for tokens that are not of Athena's making.
    clock : seconds that only grow; tests move it.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        provider: AuthProvider,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._database = database
        self._provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def prepare(self) -> None:
        """Prepare the provider."""
        self._provider.prepare()

    def health(self) -> ServiceHealth | None:
        """How the provider stands."""
        return self._provider.health()

    def close(self) -> None:
        """Close the provider."""
        self._provider.close()

    def authenticate(self, token: str) -> Principal:
        """Principal the token stands for, if that person may come in.

        Raises
        ------
        Unauthorized, Unavailable : as the provider.
        LoginRefused : the account is switched off, or has no licence where one is needed.
        """
        principal = self._script(token) if token.startswith(TOKEN_PREFIX) else self._provider.authenticate(token)
        if principal.kind is PrincipalKind.SERVICE:
            return principal
        if self._settings.licence_required:
            with self._database.session(read_only=True) as session:
                licences.require_seat(session, principal, settings=self._settings)
        self._note(principal, token)
        return principal

    def _script(self, token: str) -> Principal:
        with self._database.session(read_only=True) as session:
            principal = users.authenticate_token(session, token)
        if principal.kind is not PrincipalKind.TOKEN:
            raise Unauthorized("The token is not valid.")
        return principal

    def _note(self, principal: Principal, token: str) -> None:
        key, now = users.token_digest(token), self._clock()
        with self._lock:
            if now - self._seen.get(key, -SEEN_SECONDS) < SEEN_SECONDS:
                return
            if len(self._seen) >= SEEN_SIZE:
                self._seen.clear()
            self._seen[key] = now
        try:
            with self._database.session() as session:
                users.note_seen(session, principal.user_id, token)
        except OperationalError as error:
            # a busy database is no reason to turn away somebody who only reads
            logger.warning("could not note that %s was here: %s", principal.username, error)
