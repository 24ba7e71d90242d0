"""The seam between the API and whoever vouches for a token."""

from typing import Protocol

from athena.contract.health import ServiceHealth
from athena.contract.people import Principal


class AuthProvider(Protocol):
    """Turns a token into a principal."""

    def prepare(self) -> None:
        """Do what is needed before the first request; called once, after the schema is current."""
        ...

    def authenticate(self, token: str) -> Principal:
        """Principal the token stands for.

        Raises
        ------
        Unauthorized : the token is not valid, or its user is none of Athena's.
        Unavailable : whoever vouches for tokens does not answer.
        """
        ...

    def health(self) -> ServiceHealth | None:
        """How whoever vouches for tokens stands; None when that is this instance itself."""
        ...

    def close(self) -> None:
        """Let go of what is held; called once, when the app stops."""
        ...


def bearer_token(header: str | None) -> str | None:
    """Token of an ``Authorization`` header: ``Bearer <t>`` or JupyterHub's ``token <t>``; None when there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() in {"bearer", "token"} else None
