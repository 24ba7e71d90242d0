"""Tokens of this instance: kept hashed in the database; the instance's own lies in its home for its owner to read."""

import getpass

from athena.contract.health import ServiceHealth
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.services import users
from athena.settings import Settings


class LocalAuth:
    """Tokens are rows of this instance's database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    def prepare(self) -> None:
        """Make sure that the owner of this process is a user, and that the token file holds a valid token of theirs."""
        with self._database.session() as session:
            owner = users.ensure_local_user(session, getpass.getuser())
            users.ensure_local_token(session, owner, self._settings.token_file)

    def authenticate(self, token: str) -> Principal:
        """Principal of a token row."""
        with self._database.session(read_only=True) as session:
            return users.authenticate_token(session, token)

    def health(self) -> ServiceHealth | None:
        """Nobody else vouches."""
        return None

    def close(self) -> None:
        """Nothing: the database is the app's."""
