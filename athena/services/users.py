"""Users: who they are, their passwords (argon2) and their tokens (kept as SHA-256 only)."""

import hashlib
import os
import secrets
from datetime import timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from athena.contract.people import PlatformRole, Principal, PrincipalKind, User
from athena.db import base
from athena.db.people import TokenRow, UserRoleRow, UserRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from athena.services.guard import require_user_manager

TOKEN_BYTES = 32
MIN_PASSWORD = 8
_HASHER = PasswordHasher()


def create_user(
    session: Session,
    principal: Principal,
    username: str,
    *,
    password: str = "",
    display_name: str = "",
    roles: frozenset[PlatformRole] = frozenset(),
) -> User:
    """Add a user; without a password, another service must vouch for it. Only administrators make administrators."""
    require_user_manager(principal)
    if PlatformRole.ADMIN in roles and not principal.is_admin:
        raise Forbidden("Only administrators may make an administrator.")
    if password and len(password) < MIN_PASSWORD:
        raise Invalid(f"The password is too short: it needs at least {MIN_PASSWORD} characters.")
    row = _add_user(session, username, display_name=display_name, roles=roles)
    if row is None:
        raise Conflict(f"There is already a user “{username}”.")
    row.password_hash = _HASHER.hash(password) if password else ""
    return describe_user(row)


def ensure_user(session: Session, username: str, *, display_name: str = "") -> User:
    """User of this name, added without password or roles if it is new: for people whom the hub vouches for."""
    row = _find(session, username) or _add_user(session, username, display_name=display_name)
    return describe_user(row or _known(session, username))


def ensure_local_user(session: Session, username: str, *, admin: bool = True) -> User:
    """User who runs this instance on its own machine, added if new; ``admin`` is given even to one already there."""
    roles = frozenset({PlatformRole.ADMIN}) if admin else frozenset[PlatformRole]()
    row = _find(session, username) or _add_user(session, username, roles=roles) or _known(session, username)
    if admin and PlatformRole.ADMIN not in {role.role for role in row.roles}:
        row.roles.append(UserRoleRow(role=PlatformRole.ADMIN.value))
        session.flush()
    return describe_user(row)


def verify_password(session: Session, username: str, password: str) -> User | None:
    """User if the password is right, else None; takes as long for a user who does not exist or has no password."""
    row = _find(session, username)
    stored = row.password_hash if row is not None and row.password_hash else _decoy()
    try:
        _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    return describe_user(row) if row is not None and row.password_hash else None


def principal_for(session: Session, username: str, *, kind: PrincipalKind = PrincipalKind.LOCAL) -> Principal:
    """Principal that acts as this user; NotFound for an unknown name. For callers who have verified the identity."""
    return _principal(_known(session, username), kind)


def issue_token(
    session: Session,
    user_id: UUID,
    name: str,
    *,
    kind: PrincipalKind = PrincipalKind.LOCAL,
    lifetime: timedelta | None = None,
) -> str:
    """Make a token and return its text, which is not kept; ``lifetime`` None: it does not expire."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    issued = base.now()
    session.add(
        TokenRow(
            user_id=user_id,
            name=name,
            kind=kind.value,
            sha256=_digest(token),
            created=issued,
            expires=issued + lifetime if lifetime is not None else None,
        )
    )
    session.flush()
    return token


def authenticate_token(session: Session, token: str) -> Principal:
    """Principal a token stands for; Unauthorized if it is unknown or has expired."""
    found = session.execute(
        select(TokenRow, UserRow).join(UserRow, UserRow.id == TokenRow.user_id).where(TokenRow.sha256 == _digest(token))
    ).one_or_none()
    if found is None or (found[0].expires is not None and found[0].expires <= base.now()):
        raise Unauthorized("The token is not valid.", hint="It may have expired: get a new one.")
    return _principal(found[1], PrincipalKind(found[0].kind))


def ensure_local_token(session: Session, user: User, token_file: Path) -> str:
    """Token in ``token_file`` if it is this user's and valid, else a new one, written there with mode 0600."""
    # processes that start together queue up here, so that all end with the same token
    session.execute(select(UserRow.id).where(UserRow.id == user.id).with_for_update())
    if token_file.exists():
        token = token_file.read_text().strip()
        try:
            if authenticate_token(session, token).user_id == user.id:
                token_file.chmod(0o600)
                return token
        except Unauthorized:
            pass  # a token of an earlier database, or one that has expired: replaced below
    token = issue_token(session, user.id, "local")
    token_file.parent.mkdir(parents=True, exist_ok=True)
    part = token_file.with_name(f"{token_file.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(token + "\n")
    part.replace(token_file)
    return token


def get_me(session: Session, principal: Principal) -> User:
    """Caller's own user; NotFound for one of Athena's services, which is no person."""
    row = session.get(UserRow, principal.user_id)
    if row is None:
        raise NotFound(f"“{principal.username}” is a service of Athena, not a user.")
    return describe_user(row)


def describe_user(row: UserRow) -> User:
    """User as others may see it."""
    return User(id=row.id, username=row.username, display_name=row.display_name, roles=_roles(row), created=row.created)


def _roles(row: UserRow) -> frozenset[PlatformRole]:
    return frozenset(PlatformRole(role.role) for role in row.roles)


def _principal(row: UserRow, kind: PrincipalKind) -> Principal:
    return Principal(user_id=row.id, username=row.username, roles=_roles(row), kind=kind)


def _find(session: Session, username: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.username == username))


def _known(session: Session, username: str) -> UserRow:
    row = _find(session, username)
    if row is None:
        raise NotFound(f"There is no user “{username}”.")
    return row


def _add_user(
    session: Session, username: str, *, display_name: str = "", roles: frozenset[PlatformRole] = frozenset()
) -> UserRow | None:
    """Add a user; None if another transaction or this one already has the name."""
    name = username.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid(f"“{username[:60]}” cannot be a user name.", hint="It has 1 to 200 printable characters.")
    row = UserRow(
        username=name,
        display_name=display_name,
        roles=[UserRoleRow(role=role.value) for role in sorted(roles)],
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _decoy() -> str:
    """Hash that no password has, so that unknown users take as long as known ones."""
    return _HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))
