"""Tokens of this instance: kept hashed in the database; the instance's own lies in its home for its owner to read."""

import os
import tempfile
from pathlib import Path

from athena.contract.people import Principal
from athena.db.engine import Database
from athena.errors import Unauthorized
from athena.services import users
from athena.settings import Settings


class LocalAuth:
    """Tokens are rows of this instance's database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    def prepare(self) -> None:
        """Make sure that the owner of this process is a user, and that the token file holds a valid token of theirs."""
        path = self._settings.token_file
        known = path.read_text().strip() if path.exists() else ""
        if known and self._is_valid(known):
            return
        with self._database.session() as session:
            owner = users.ensure_local_user(session)
            token = users.issue_token(session, owner.user_id, name="local")
        # Two processes that start at once each write a valid token; the last file stays.
        _write_private(path, token)

    def authenticate(self, token: str) -> Principal:
        """Principal of a token row."""
        with self._database.session(read_only=True) as session:
            return users.authenticate_token(session, token)

    def _is_valid(self, token: str) -> bool:
        try:
            self.authenticate(token)
        except Unauthorized:
            return False
        return True


def _write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    Path(temporary).replace(path)
