"""Acting on an instance's database as its built-in account: whoever may open the database is its administrator."""

from collections.abc import Iterator
from contextlib import contextmanager

from athena.cli.services import load_settings
from athena.contract.people import Principal, PrincipalKind
from athena.db.engine import Database
from athena.db.people import BUILTIN_ADMIN
from athena.services.users import principal_for
from athena.settings import Settings


@contextmanager
def operating() -> Iterator[tuple[Settings, Database, Principal]]:
    """Settings and current database of the home, and the built-in account; works whether or not the API runs."""
    settings = load_settings()
    database = Database(settings.resolved_database_url)
    try:
        database.migrate()
        with database.session(read_only=True) as session:
            principal = principal_for(session, BUILTIN_ADMIN, kind=PrincipalKind.OPERATOR)
        yield settings, database, principal
    finally:
        database.dispose()
