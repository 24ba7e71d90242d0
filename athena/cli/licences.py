"""Commands about licences: ``athena license …``; keygen and issue are the vendor's, the rest the customer's."""

import os
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer
from rich.console import Console
from rich.table import Table

from athena.contract.licences import Licence, LicenceStatus, LicensedFeature
from athena.errors import Conflict, Invalid

license_app = typer.Typer(help="Licence keys: make, issue, look at, install.", no_args_is_help=True)
console = Console()

Key = Annotated[str, typer.Argument(help="Licence key, or a file that holds it.")]


@license_app.callback()
def _group() -> None:
    """Licence keys: make, issue, look at, install."""


@license_app.command("keygen")
def keygen(
    private_key: Annotated[Path, typer.Argument(help="File for the private key, which stays with the vendor.")],
) -> None:
    """Make a vendor's pair of keys; prints the public one, for the setting vendor_key of every customer."""
    from athena.domain.licences import new_key_pair

    private, public = new_key_pair()
    try:
        descriptor = os.open(private_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{private_key} exists.", hint="It may be in use: choose another name.") from None
    with os.fdopen(descriptor, "w") as stream:
        stream.write(private + "\n")
    typer.echo(public)


@license_app.command("issue")
def issue(
    platform: Annotated[UUID, typer.Argument(help="Platform id, from the customer's 'athena license status'.")],
    private_key: Annotated[Path, typer.Option(help="The vendor's private key.", exists=True, dir_okay=False)],
    seats: Annotated[int | None, typer.Option(min=0, help="People who may log in; left out: no limit.")] = None,
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day (UTC); left out: never.")
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(help="Further feature, with its own last day if need be: tomo-live=2027-12-31."),
    ] = None,
    customer: Annotated[str, typer.Option(help="Who it is for.")] = "",
) -> None:
    """Issue a licence key for a platform; prints it."""
    from athena.domain.licences import Feature, sign_licence
    from athena.sdk.client import checked

    last = _end_of(expires) if expires is not None else None
    features = [LicensedFeature(name=Feature.PLATFORM, seats=seats, expires=last)]
    for text in feature or ():
        name, _, day = text.partition("=")
        features.append(checked(LicensedFeature, name=name, expires=_day(day) if day else last))
    licence = checked(
        Licence,
        id=uuid4(),
        platform_id=platform,
        customer=customer,
        issued=datetime.now(UTC).replace(microsecond=0),
        features=tuple(features),
    )
    typer.echo(sign_licence(licence, private_key.read_text()))


@license_app.command("show")
def show(key: Key) -> None:
    """Say what a licence key says, if it is the vendor's (setting vendor_key)."""
    from athena.cli.services import load_settings
    from athena.domain.licences import read_licence, tidy_key
    from athena.services.licences import NO_VENDOR_KEY

    settings = load_settings()
    if not settings.vendor_key:
        raise Conflict(NO_VENDOR_KEY, hint="Set 'vendor_key' in athena.toml, or ATHENA_VENDOR_KEY.")
    typer.echo(read_licence(tidy_key(_text(key)), settings.vendor_key).model_dump_json(indent=2))


@license_app.command("install")
def install(key: Key) -> None:
    """Install a licence key on this platform, or say why it is refused."""
    from athena.cli.operator import operating
    from athena.services.licences import install_licence

    with operating() as (settings, database, principal), database.session() as session:
        after = install_licence(session, principal, _text(key), settings=settings)
    typer.echo("The licence is installed.")
    _print(after)


@license_app.command("status")
def status(
    raw: Annotated[bool, typer.Option("--raw", help="Print the installed keys themselves.")] = False,
) -> None:
    """Print platform id, features, seats and expiry."""
    from athena.cli.operator import operating
    from athena.services.licences import get_status

    with operating() as (settings, database, principal), database.session(read_only=True) as session:
        found = get_status(session, principal, settings=settings)
    if raw:
        for one in found.licences:
            typer.echo(one.key)
        return
    _print(found)


def _print(status: LicenceStatus) -> None:
    console.print(f"Platform  {status.platform_id}", highlight=False)
    if status.message:
        console.print(status.message)
    if status.features:
        table = Table("Feature", "Seats", "Used", "Expires", "State", "Message", box=None, pad_edge=False)
        for one in status.features:
            table.add_row(
                one.feature,
                "no limit" if one.seats is None else str(one.seats),
                "" if one.used is None else str(one.used),
                f"{one.expires:%Y-%m-%d}" if one.expires else "never",
                "valid" if one.valid else "expired",
                one.message,
            )
        console.print(table)
    for licence in status.licences:
        if licence.problem:
            console.print(f"A key installed on {licence.installed:%Y-%m-%d} does not count: {licence.problem}")


def _text(key: str) -> str:
    """Key itself, or what a file of that name holds."""
    from athena.domain.licences import PREFIX

    return key if key.strip().startswith(f"{PREFIX}.") or not Path(key).is_file() else Path(key).read_text()


def _day(text: str) -> datetime:
    try:
        return _end_of(datetime.strptime(text, "%Y-%m-%d"))
    except ValueError:
        raise Invalid(f"“{text}” is no day.", hint="Write it as 2027-12-31.") from None


def _end_of(day: datetime) -> datetime:
    return datetime.combine(day.date(), time(23, 59, 59), UTC)
