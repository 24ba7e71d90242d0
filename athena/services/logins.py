"""Log-in with a password: limits on trying, the check itself, and who may come in (HB-01, AD-08)."""

import hashlib
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from athena.contract.people import DirectoryEntry, PasswordCheck, Principal, PrincipalKind, User, UserSource
from athena.db import base
from athena.db.engine import Database
from athena.db.people import LoginAttemptRow, UserRow
from athena.domain.attempts import KNOWN_PEER, LONGEST, NAME_LIMIT, PAIR_LIMIT, PEER_LIMIT, Limit
from athena.errors import Forbidden, TooManyAttempts, Unauthorized
from athena.services.directory import open_directory
from athena.services.licences import require_seat
from athena.services.passwords import password_fits
from athena.services.users import describe_user, principal_for
from athena.settings import Settings


def log_in(database: Database, principal: Principal, check: PasswordCheck, *, settings: Settings) -> User:
    """User whose name and password are right, and who may come in.

    Takes the database, not a session: no transaction is to wait for hashing and the directory. An attempt is counted
    before the password is looked at, so that a thousand at once are no way around the limits.

    Raises
    ------
    Forbidden : the caller is none of Athena's own services.
    TooManyAttempts : wrong passwords too often; which names exist makes no difference.
    Unauthorized : the name or the password is wrong.
    LoginRefused : both are right, but the account is switched off or has no licence.
    Unavailable : the directory does not answer.
    """
    if principal.kind is not PrincipalKind.SERVICE:
        raise Forbidden("Only Athena's own services may check passwords.")
    with database.session() as session:
        attempt = _begin(session, check)
    with database.session() as session:
        wait = _wait_s(session, attempt, check)
        if wait:
            session.execute(delete(LoginAttemptRow).where(LoginAttemptRow.id == attempt))
    if wait:
        raise TooManyAttempts(
            f"There were too many attempts to log in. Try again in {_in_words(wait)}.", retry_after_s=wait
        )
    with database.session(read_only=True) as session:
        found = session.execute(
            select(UserRow.id, UserRow.source, UserRow.password_hash).where(UserRow.username == check.username)
        ).one_or_none()
    entry, right = _check(found.source if found else None, found.password_hash if found else "", check, settings)
    if found is None or not right:
        raise Unauthorized("The user name or the password is wrong.")
    with database.session() as session:
        _succeed(session, attempt, check)
        row = session.get_one(UserRow, found.id)
        if entry is not None:
            row.email, row.first_name, row.last_name = entry.email[:320], entry.first_name[:100], entry.last_name[:100]
            row.display_name = f"{row.first_name} {row.last_name}".strip()
    with database.session() as session:
        person = principal_for(session, check.username)
        require_seat(session, person, settings=settings)
        row = session.get_one(UserRow, person.user_id)
        row.last_seen = base.now()
        return describe_user(row)


def require_admission(session: Session, principal: Principal, username: str, *, settings: Settings) -> User:
    """User of this name if the person may (still) be logged in; for Athena's own services that keep sessions.

    Raises
    ------
    Forbidden : the caller is none of Athena's own services.
    NotFound : there is no such user.
    LoginRefused : the account is switched off or has no licence.
    """
    if principal.kind is not PrincipalKind.SERVICE:
        raise Forbidden("Only Athena's own services may ask who may be logged in.")
    person = principal_for(session, username)
    require_seat(session, person, settings=settings)
    return describe_user(session.get_one(UserRow, person.user_id))


def _check(
    source: str | None, password_hash: str, check: PasswordCheck, settings: Settings
) -> tuple[DirectoryEntry | None, bool]:
    """(directory's entry, whether the password is right).

    Who is not let in by Athena's own hash takes the way through the directory too, known or not: time and errors tell
    nothing about which names exist.
    """
    own = source == UserSource.LOCAL
    if password_fits(password_hash if own else "", check.password):
        return None, True
    if settings.ldap is None:
        return None, False
    entry = open_directory(settings.ldap).check_password(check.username, check.password)
    return (entry, True) if entry is not None and source == UserSource.LDAP else (None, False)


def _begin(session: Session, check: PasswordCheck) -> UUID:
    """Count an attempt as failed until it succeeds; forget old ones."""
    now = base.now()
    session.execute(
        delete(LoginAttemptRow).where(
            LoginAttemptRow.time <= now - LONGEST,
            or_(~LoginAttemptRow.succeeded, LoginAttemptRow.time <= now - KNOWN_PEER),
        )
    )
    row = LoginAttemptRow(id=uuid4(), name_sha256=_digest(check.username), peer=check.peer, time=now)
    session.add(row)
    return row.id


def _wait_s(session: Session, attempt: UUID, check: PasswordCheck) -> int:
    """Seconds until this name may be tried from this address, 0: now."""
    named, near = LoginAttemptRow.name_sha256 == _digest(check.username), LoginAttemptRow.peer == check.peer
    limits = []
    if check.peer:  # without an address, one stranger's guesses would count against everybody
        limits += [(PAIR_LIMIT, (named, near)), (PEER_LIMIT, (near,))]
        known = session.scalar(
            select(LoginAttemptRow.id).where(
                named, near, LoginAttemptRow.succeeded, LoginAttemptRow.time > base.now() - KNOWN_PEER
            )
        )
        if known is None:
            limits.append((NAME_LIMIT, (named,)))
    else:
        limits.append((NAME_LIMIT, (named,)))
    return max(_wait_for(session, attempt, limit, conditions) for limit, conditions in limits)


def _wait_for(session: Session, attempt: UUID, limit: Limit, conditions: tuple[object, ...]) -> int:
    failures = session.scalars(
        select(LoginAttemptRow.time)
        .where(*conditions, ~LoginAttemptRow.succeeded, LoginAttemptRow.id != attempt)  # type: ignore[arg-type]
        .order_by(LoginAttemptRow.time.desc())
        .limit(limit.count)
    ).all()
    return limit.wait_s(failures, base.now())


def _succeed(session: Session, attempt: UUID, check: PasswordCheck) -> None:
    """Keep one success of this name from this address, and forget its failures there."""
    session.execute(
        delete(LoginAttemptRow).where(
            LoginAttemptRow.name_sha256 == _digest(check.username),
            LoginAttemptRow.peer == check.peer,
            LoginAttemptRow.id != attempt,
        )
    )
    session.execute(update(LoginAttemptRow).where(LoginAttemptRow.id == attempt).values(succeeded=True))


def _digest(username: str) -> str:
    return hashlib.sha256(username.encode(errors="surrogatepass")).hexdigest()


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
