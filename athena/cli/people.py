"""Commands about people: ``athena user add``."""

import getpass
from typing import Annotated

import typer

from athena.contract.people import PlatformRole

user_app = typer.Typer(help="People who may log in.", no_args_is_help=True)


@user_app.callback()
def _group() -> None:
    """People who may log in."""


@user_app.command("add")
def add(
    username: Annotated[str, typer.Argument(help="Log-in name.")],
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="ATHENA_NEW_PASSWORD")
    ],
    admin: Annotated[bool, typer.Option(help="May see and change every element.")] = False,
) -> None:
    """Add a person who logs in through the hub with a password."""
    from athena.cli.services import load_settings
    from athena.db.engine import Database
    from athena.services.users import create_user, ensure_local_user, principal_for

    settings = load_settings()
    database = Database(settings.resolved_database_url)
    try:
        database.migrate()
        roles = frozenset({PlatformRole.ADMIN}) if admin else frozenset[PlatformRole]()
        with database.session() as session:
            # whoever may open the database file is the instance's administrator
            owner = ensure_local_user(session, getpass.getuser())
            create_user(session, principal_for(session, owner.username), username, password=password, roles=roles)
    finally:
        database.dispose()
    typer.echo(f"{username} may now log in.")
