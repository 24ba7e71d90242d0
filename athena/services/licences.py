"""Licences: keys installed on this platform, the seats they give, and who holds one (AD-04, AD-08)."""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from athena.contract.licences import InstalledLicence, Licence, LicenceStatus
from athena.contract.people import Principal
from athena.db import base
from athena.db.licences import LicenceRow, PlatformRow
from athena.db.people import BUILTIN_ADMIN, UserRow
from athena.domain.licences import (
    check_licence,
    count_seats,
    feature_table,
    features_in_force,
    read_licence,
    tidy_key,
)
from athena.domain.roles import PlatformAction
from athena.errors import Conflict, Invalid, LoginRefused
from athena.services.guard import require_platform
from athena.services.users import get_user_row
from athena.settings import Settings

NO_VENDOR_KEY = "No vendor key is set, so licence keys cannot be checked."


def install_licence(session: Session, principal: Principal, key: str, *, settings: Settings) -> LicenceStatus:
    """Install a licence key; installing one again changes nothing.

    Raises
    ------
    Forbidden : the caller does not manage licences.
    Invalid : the key is refused, with the reason: not a key, not the vendor's signature, another platform, expired.
    Conflict : no vendor key is set.
    """
    require_platform(principal, PlatformAction.MANAGE_LICENCES)
    if not settings.vendor_key:
        raise Conflict(NO_VENDOR_KEY, hint="Set 'vendor_key' in athena.toml, or ATHENA_VENDOR_KEY.")
    text = tidy_key(key)
    licence = read_licence(text, settings.vendor_key)
    check_licence(licence, platform_id(session, lock=True), base.now())
    row = session.get(LicenceRow, licence.id)
    if row is None:
        session.add(LicenceRow(id=licence.id, key=text, installed=base.now(), installed_by=principal.username))
    else:
        row.key = text  # issued again under the same number: the newer text counts
    session.flush()
    return _status(session, settings)


def get_status(session: Session, principal: Principal, *, settings: Settings) -> LicenceStatus:
    """How the platform stands: features, seats, expiry, keys; for those who manage licences."""
    require_platform(principal, PlatformAction.MANAGE_LICENCES)
    return _status(session, settings)


def get_platform_id(session: Session, principal: Principal) -> UUID:
    """Id that licences are issued for; for those who manage licences."""
    require_platform(principal, PlatformAction.MANAGE_LICENCES)
    return platform_id(session)


def licensed_features(session: Session, *, settings: Settings) -> frozenset[str] | None:
    """Features in force, None where no licence is needed and all are; no secret, so there is no guard."""
    return features_in_force(_valid_licences(session, settings), base.now()) if settings.licence_required else None


def give_seat(session: Session, principal: Principal, user_id: UUID, *, settings: Settings) -> None:
    """Give a user a licence seat; one who holds one keeps it.

    Raises
    ------
    Forbidden : the caller does not manage licences.
    NotFound : there is no such user.
    Conflict : none is free, or the user needs none.
    """
    require_platform(principal, PlatformAction.MANAGE_LICENCES)
    platform_id(session, lock=True)
    row = get_user_row(session, user_id)
    if row.username == BUILTIN_ADMIN:
        raise Conflict(f"“{row.username}” is built in: it needs no seat.")
    if row.seated is None and not seat_if_free(session, row, settings=settings):
        raise Conflict("No licence seat is free.", hint="Take one from somebody else, or install a key with more.")


def take_seat(session: Session, principal: Principal, user_id: UUID) -> None:
    """Take a user's licence seat; one who holds none stays without."""
    require_platform(principal, PlatformAction.MANAGE_LICENCES)
    platform_id(session, lock=True)
    get_user_row(session, user_id).seated = None
    session.flush()


def seat_if_free(session: Session, row: UserRow, *, settings: Settings) -> bool:
    """Seat a user if a seat is free; the guard is the caller's."""
    platform_id(session, lock=True)  # seats are counted one change at a time
    free = free_seats(session, settings=settings)
    if free is not None and free <= 0:
        return False
    row.seated = base.now()
    session.flush()
    return True


def free_seats(session: Session, *, settings: Settings) -> int | None:
    """Seats nobody holds, never below 0; None where no licence is needed or seats have no limit."""
    if not settings.licence_required:
        return None
    seats = count_seats(_valid_licences(session, settings), base.now())
    return None if seats is None else max(0, seats - _held(session))


def require_seat(session: Session, principal: Principal, *, settings: Settings) -> None:
    """Refuse with LoginRefused a person without a licence seat, where one is needed.

    Where more people hold a seat than there are, those who were seated first come in. The built-in account needs none:
    somebody must be able to install the next key.
    """
    if not settings.licence_required or principal.username == BUILTIN_ADMIN:
        return
    mine = session.execute(select(UserRow.seated, UserRow.id).where(UserRow.id == principal.user_id)).one_or_none()
    if mine is None or mine.seated is None:
        raise _unlicensed("You have no licence.", "Ask who manages licences here for a seat.")
    seats = count_seats(_valid_licences(session, settings), base.now())
    if seats is None:
        return
    earlier = or_(UserRow.seated < mine.seated, (UserRow.seated == mine.seated) & (UserRow.id < mine.id))
    before = session.scalar(select(func.count()).select_from(UserRow).where(earlier)) or 0
    if before >= seats:
        reason = "The licence of this platform has expired." if seats == 0 else "More people hold seats than there are."
        raise _unlicensed(reason, "Whoever manages licences can install a new key, or take seats away.")


def platform_id(session: Session, *, lock: bool = False) -> UUID:
    """Id of this platform; ``lock``: until the transaction ends."""
    return session.get_one(PlatformRow, 1, with_for_update=lock or None).platform_id


def _status(session: Session, settings: Settings) -> LicenceStatus:
    now, platform = base.now(), platform_id(session)
    installed, valid = [], []
    for row in session.scalars(select(LicenceRow).order_by(LicenceRow.installed, LicenceRow.id)):
        licence, problem = _judged(row, platform, settings)
        installed.append(
            InstalledLicence(
                licence=licence, key=row.key, installed=row.installed, installed_by=row.installed_by, problem=problem
            )
        )
        if licence is not None and licence.platform_id == platform:
            valid.append(licence)  # expired ones too: the table says so
    message = ""
    if not settings.licence_required:
        message = "No licence is needed here." if settings.vendor_key else f"{NO_VENDOR_KEY} None is needed."
    elif count_seats(valid, now) == 0:
        message = "There is no valid licence: nobody but the built-in account can log in."
    return LicenceStatus(
        platform_id=platform,
        required=settings.licence_required,
        features=feature_table(valid, held_seats=_held(session), now=now),
        licences=tuple(installed),
        message=message,
    )


def _judged(row: LicenceRow, platform: UUID, settings: Settings) -> tuple[Licence | None, str]:
    """What a kept key says, and why it does not count, if so."""
    if not settings.vendor_key:
        return None, NO_VENDOR_KEY
    try:
        licence = read_licence(row.key, settings.vendor_key)
    except Invalid as error:
        return None, error.message
    try:
        check_licence(licence, platform, base.now())
    except Invalid as error:
        return licence, error.message
    return licence, ""


def _valid_licences(session: Session, settings: Settings) -> list[Licence]:
    platform = platform_id(session)
    judged = [_judged(row, platform, settings) for row in session.scalars(select(LicenceRow))]
    return [licence for licence, problem in judged if licence is not None and not problem]


def _held(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(UserRow).where(UserRow.seated.is_not(None))) or 0


def _unlicensed(message: str, hint: str) -> LoginRefused:
    return LoginRefused(message, hint=hint)
