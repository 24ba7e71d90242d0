"""Commands about people: ``athena user …``, on the machine of the instance, whether or not it runs."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from athena.contract.people import PlatformRole, UserSource
from athena.errors import Invalid

user_app = typer.Typer(help="People who may log in.", no_args_is_help=True)
console = Console()

Name = Annotated[str, typer.Argument(help="Log-in name.")]
Email = Annotated[str | None, typer.Option(help="E-mail address.")]
FirstName = Annotated[str | None, typer.Option(help="First name.")]
LastName = Annotated[str | None, typer.Option(help="Last name.")]
Password = Annotated[
    str | None, typer.Option(envvar="ATHENA_NEW_PASSWORD", help="New password; asked for if it is not given.")
]
Take = Annotated[bool, typer.Option("--take", help="Take it instead of giving it.")]


@user_app.callback()
def _group() -> None:
    """People who may log in."""


@user_app.command("list")
def list_users(search: Annotated[str, typer.Argument(help="Part of a name or an e-mail address.")] = "") -> None:
    """List accounts with their roles and licences."""
    from athena.cli.operator import operating
    from athena.services.accounts import list_accounts

    with operating() as (settings, database, principal), database.session(read_only=True) as session:
        page = list_accounts(session, principal, settings=settings, search=search, limit=10_000)
    table = Table("User", "Name", "E-mail", "Roles", "From", "Licence", "Log-in", "Last seen", box=None, pad_edge=False)
    for one in page.items:
        table.add_row(
            one.username,
            one.display_name,
            one.email,
            ", ".join(sorted(one.roles)),
            "built in" if one.builtin else one.source.value,
            "yes" if one.licensed else "no",
            "active" if one.active else "off",
            f"{one.last_seen:%Y-%m-%d %H:%M}" if one.last_seen else "never",
        )
    console.print(table)
    free = "" if page.free_seats is None else f", {page.free_seats} licences free"
    console.print(f"{page.users} users, {page.active_users} active{free}", highlight=False)


@user_app.command("add")
def add(
    username: Name,
    password: Password = None,
    email: Email = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    source: Annotated[
        UserSource, typer.Option(help="Who checks the password: Athena, the directory, the hub's log-in.")
    ] = UserSource.LOCAL,
    role: Annotated[list[PlatformRole] | None, typer.Option(help="Platform role; may be given several times.")] = None,
    admin: Annotated[bool, typer.Option(help="May see and change every element; the same as --role admin.")] = False,
) -> None:
    """Add a person who logs in through the hub."""
    from athena.cli.operator import operating
    from athena.contract.people import UserCreate
    from athena.sdk.client import checked
    from athena.services.accounts import add_user, assign_role
    from athena.services.directory import as_the_directory_has_it

    if source is UserSource.LOCAL:
        password = password or _asked_password()
    new = checked(
        UserCreate,
        username=username,
        password=password if source is UserSource.LOCAL else None,
        email=email or "",
        first_name=first_name or "",
        last_name=last_name or "",
        source=source,
    )
    roles = {*(role or ()), *((PlatformRole.ADMIN,) if admin else ())}
    with operating() as (settings, database, principal):
        new = as_the_directory_has_it(principal, new, settings=settings)
        with database.session() as session:
            added = add_user(session, principal, new, settings=settings)
            for one in sorted(roles):
                assign_role(session, principal, added.account.id, one)
    typer.echo(added.notice or f"{username} may now log in.")


@user_app.command("edit")
def edit(
    username: Name,
    email: Email = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether the person may log in.")] = None,
) -> None:
    """Change e-mail, names, or whether a person may log in."""
    from athena.cli.operator import operating
    from athena.contract.people import UserUpdate
    from athena.sdk.client import checked
    from athena.services.accounts import get_account_by_name, update_user

    given = {"email": email, "first_name": first_name, "last_name": last_name, "active": active}
    change = checked(UserUpdate, **{name: value for name, value in given.items() if value is not None})
    with operating() as (_, database, principal), database.session() as session:
        account = get_account_by_name(session, principal, username)
        update_user(session, principal, account.id, change)


@user_app.command("password")
def password(username: Name, password: Password = None) -> None:
    """Give a person a new password; also the built-in account, which has none at first."""
    from athena.cli.operator import operating
    from athena.services.accounts import get_account_by_name, reset_password

    chosen = password or _asked_password()
    with operating() as (_, database, principal), database.session() as session:
        reset_password(session, principal, get_account_by_name(session, principal, username).id, chosen)


@user_app.command("remove")
def remove(
    username: Name,
    heir: Annotated[str, typer.Option(help="User who is to own what nobody else does.")] = "",
) -> None:
    """Remove a person; elements and history stay."""
    from athena.cli.operator import operating
    from athena.services.accounts import get_account_by_name, remove_user

    with operating() as (_, database, principal), database.session() as session:
        remove_user(session, principal, get_account_by_name(session, principal, username).id, heir=heir)


@user_app.command("role")
def role(
    username: Name, role: Annotated[PlatformRole, typer.Argument(help="Platform role.")], take: Take = False
) -> None:
    """Give or take a platform role."""
    from athena.cli.operator import operating
    from athena.services.accounts import assign_role, get_account_by_name, unassign_role

    with operating() as (_, database, principal), database.session() as session:
        account = get_account_by_name(session, principal, username)
        held = (unassign_role if take else assign_role)(session, principal, account.id, role).roles
    typer.echo(f"{username}: {', '.join(sorted(held)) or 'no roles'}")


@user_app.command("licence")
def licence(username: Name, take: Take = False) -> None:
    """Give or take a licence seat."""
    from athena.cli.operator import operating
    from athena.services.accounts import get_account_by_name
    from athena.services.licences import give_seat, take_seat

    with operating() as (settings, database, principal), database.session() as session:
        account = get_account_by_name(session, principal, username)
        if take:
            take_seat(session, principal, account.id)
        else:
            give_seat(session, principal, account.id, settings=settings)


def _asked_password() -> str:
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not given:
        raise Invalid("A password is needed.")
    return given
