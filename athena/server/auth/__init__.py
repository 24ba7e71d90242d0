"""Who a request acts as: a token becomes a principal, by this instance's word or by the hub's."""

from athena.db.engine import Database
from athena.server.auth.base import AuthProvider
from athena.server.auth.gate import Gate
from athena.server.auth.local import LocalAuth
from athena.settings import Settings

__all__ = ["AuthProvider", "make_auth"]


def make_auth(settings: Settings, database: Database) -> AuthProvider:
    """The way in that the settings ask for: tokens of scripts are Athena's own, all others the provider's."""
    if settings.auth == "hub":
        from athena.server.auth.hub import HubAuth  # imports JupyterHub, which is slow

        return Gate(settings, database, HubAuth.from_environment(database))
    return Gate(settings, database, LocalAuth(settings, database))
