"""Tokens for scripts: ``athena.tokens``."""

from collections.abc import Iterator, Sequence

from athena.contract import tokens as wire
from athena.contract.people import TokenScope
from athena.contract.tokens import Token
from athena.errors import NotFound
from athena.sdk import html
from athena.sdk.client import Client, checked


class NewToken:
    """A token just made. Its text is in ``text``, this once; it shows itself without it, since notebooks are kept."""

    def __init__(self, made: wire.TokenMade) -> None:
        self.token = made.token
        self.text = made.text

    def __repr__(self) -> str:
        return f"<NewToken {self.token.name!r}, {self.token.scope.value}; its text is in .text, and nowhere else>"


class Tokens:
    """Your own tokens; ``athena.connect(url, token=…)`` takes their text."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, name: str, *, scope: TokenScope | str = TokenScope.READ, days: int | None = 90) -> NewToken:
        """Make a token.

        Parameters
        ----------
        name : what it is for, to tell it from others.
        scope : ``read``, ``write``, or ``admin``, which alone carries your platform roles.
        days : after which it is void; None: not until it is revoked.
        """
        new = checked(wire.TokenCreate, name=name, scope=scope, days=days)
        return NewToken(self._client.post("/api/tokens", new, wire.TokenMade))

    def revoke(self, name: str) -> None:
        """Make a token void at once; NotFound if you have none of this name."""
        for token in self:
            if token.name == name:
                self._client.delete(f"/api/tokens/{token.id}")
                return
        raise NotFound(f"You have no token {name!r}.")

    def __iter__(self) -> Iterator[Token]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> Sequence[Token]:
        return self._client.get("/api/tokens", tuple[Token, ...])

    def __repr__(self) -> str:
        return f"<Tokens: {', '.join(token.name for token in self._all())}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                html.text(one.name),
                html.text(one.scope.value),
                html.text(f"{one.start}…", "mute"),
                html.text(f"{one.expires:%Y-%m-%d}" if one.expires else "never"),
                html.text(f"{one.last_used:%Y-%m-%d %H:%M}" if one.last_used else "never", "mute"),
            )
            for one in self._all()
        ]
        return html.page(html.table(("Token", "Scope", "Begins with", "Expires (UTC)", "Last used (UTC)"), rows))
