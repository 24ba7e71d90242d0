"""Commands about tokens for scripts: ``athena token …``, as whoever this machine is connected as."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from athena.contract.people import TokenScope

token_app = typer.Typer(help="Tokens for your scripts.", no_args_is_help=True)
console = Console()


@token_app.callback()
def _group() -> None:
    """Tokens for your scripts."""


@token_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[TokenScope, typer.Option(help="How far it reaches.")] = TokenScope.READ,
    days: Annotated[int, typer.Option(min=0, help="Days until it is void; 0: not until it is revoked.")] = 90,
) -> None:
    """Make a token and print its text, which cannot be shown again."""
    from athena.sdk.connect import connect

    with connect(start=False) as athena:
        typer.echo(athena.tokens.create(name, scope=scope, days=days or None).text)


@token_app.command("list")
def list_tokens() -> None:
    """List your tokens."""
    from athena.sdk.connect import connect

    table = Table("Token", "Scope", "Begins with", "Expires", "Last used", box=None, pad_edge=False)
    with connect(start=False) as athena:
        for one in athena.tokens:
            table.add_row(
                one.name,
                one.scope.value,
                f"{one.start}…",
                f"{one.expires:%Y-%m-%d}" if one.expires else "never",
                f"{one.last_used:%Y-%m-%d %H:%M}" if one.last_used else "never",
            )
    console.print(table)


@token_app.command("revoke")
def revoke(name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """Make a token void at once."""
    from athena.sdk.connect import connect

    with connect(start=False) as athena:
        athena.tokens.revoke(name)
