"""Who a request acts as: a token becomes a principal, by this instance's word or by the hub's."""

from athena.db.engine import Database
from athena.server.auth.base import AuthProvider
from athena.server.auth.local import LocalAuth
from athena.settings import Settings

__all__ = ["AuthProvider", "make_auth"]


def make_auth(settings: Settings, database: Database) -> AuthProvider:
    """Provider that the settings ask for."""
    if settings.auth == "hub":
        from athena.server.auth.hub import HubAuth  # imports JupyterHub, which is slow

        return HubAuth.from_environment(database)
    return LocalAuth(settings, database)
