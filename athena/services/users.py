"""Users as identities: adding them, proving who they are, and the principals they act as."""

import hashlib
import os
import secrets
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from athena.contract.people import PlatformRole, Principal, PrincipalKind, TokenScope, User, UserSource
from athena.db import base
from athena.db.people import TokenRow, UserRoleRow, UserRow
from athena.domain.roles import PlatformAction, may_assign
from athena.errors import Conflict, Forbidden, Invalid, LoginRefused, NotFound, Unauthorized
from athena.services.guard import require_platform, require_user_manager
from athena.services.passwords import hash_password, password_fits

TOKEN_BYTES = 32

# every request asks this: one statement, built once, without the rows' whole objects
_BY_TOKEN = (
    select(
        TokenRow.kind, TokenRow.scope, TokenRow.expires, UserRow.id, UserRow.username, UserRow.active, UserRoleRow.role
    )
    .join(UserRow, UserRow.id == TokenRow.user_id)
    .outerjoin(UserRoleRow, UserRoleRow.user_id == UserRow.id)
    .where(TokenRow.sha256 == bindparam("digest"))
)
"""A row for each platform role of the token's person, one without a role where there is none."""


def create_user(
    session: Session,
    principal: Principal,
    username: str,
    *,
    password: str = "",
    display_name: str = "",
    roles: frozenset[PlatformRole] = frozenset(),
    source: UserSource = UserSource.LOCAL,
) -> User:
    """Add a user; without a password, another service must vouch for it. Roles are for those who may assign them.

    Raises
    ------
    Forbidden : the caller does not manage users, or may not assign one of the roles.
    Conflict : the name is taken.
    Invalid : the name or the password cannot be one.
    """
    require_user_manager(principal)
    require_assigner(principal, roles)
    password_hash = hash_password(password) if password else ""
    row = _add_user(session, username, display_name=display_name, roles=roles, source=source)
    if row is None:
        raise Conflict(f"There is already a user “{username}”.")
    row.password_hash = password_hash
    return describe_user(row)


def require_assigner(principal: Principal, roles: frozenset[PlatformRole]) -> None:
    """Refuse with Forbidden who may not give or take one of these roles."""
    for role in sorted(roles):
        if not may_assign(role, principal.roles):
            require_platform(principal, PlatformAction.ASSIGN_ROLES)
            raise Forbidden("Only customer-admins make or unmake a customer-admin.")


def ensure_user(session: Session, username: str, *, display_name: str = "") -> User:
    """User of this name, added without password or roles if it is new: for people whom the hub vouches for."""
    row = _find(session, username) or _add_user(session, username, display_name=display_name, source=UserSource.HUB)
    return describe_user(row or _known(session, username))


def ensure_local_user(session: Session, username: str, *, admin: bool = True) -> User:
    """User who runs this instance on its own machine, added if new.

    ``admin``: whoever owns the machine may do everything; the role and the right to log in are given even to one who is
    there already.
    """
    roles = frozenset({PlatformRole.CUSTOMER_ADMIN}) if admin else frozenset[PlatformRole]()
    row = _find(session, username) or _add_user(session, username, roles=roles) or _known(session, username)
    if admin:
        row.active = True
        if PlatformRole.CUSTOMER_ADMIN not in _roles(row):
            row.roles.append(UserRoleRow(role=PlatformRole.CUSTOMER_ADMIN.value))
        session.flush()
    return describe_user(row)


def verify_password(session: Session, username: str, password: str) -> User | None:
    """User if the password is right, else None; takes as long for a user who does not exist or has no password."""
    row = _find(session, username)
    fits = password_fits(row.password_hash if row is not None else "", password)
    return describe_user(row) if row is not None and fits else None


def principal_for(session: Session, username: str, *, kind: PrincipalKind = PrincipalKind.LOCAL) -> Principal:
    """Principal that acts as this user, for callers who have verified the identity.

    Raises
    ------
    NotFound : there is no such user.
    LoginRefused : the account is switched off.
    """
    row = _known(session, username)
    _require_active(row.username, active=row.active)
    return _principal(row.id, row.username, _roles(row), kind, TokenScope.ADMIN)


def _require_active(username: str, *, active: bool) -> None:
    """Refuse with LoginRefused whose account is switched off."""
    if not active:
        raise LoginRefused(f"The account “{username}” is switched off.", hint="Ask who manages users here.")


def issue_token(
    session: Session,
    user_id: UUID,
    name: str,
    *,
    kind: PrincipalKind = PrincipalKind.LOCAL,
    lifetime: timedelta | None = None,
    scope: TokenScope = TokenScope.ADMIN,
    prefix: str = "",
    shown: int = 0,
) -> str:
    """Make a token and return its text, which is not kept; ``lifetime`` None: it does not expire.

    ``prefix`` begins the text; its first ``shown`` characters are kept for people to tell tokens apart.
    """
    token = prefix + secrets.token_urlsafe(TOKEN_BYTES)
    issued = base.now()
    session.add(
        TokenRow(
            user_id=user_id,
            name=name,
            kind=kind.value,
            sha256=token_digest(token),
            created=issued,
            expires=issued + lifetime if lifetime is not None else None,
            scope=scope.value,
            start=token[:shown],
        )
    )
    session.flush()
    return token


def authenticate_token(session: Session, token: str) -> Principal:
    """Principal a token stands for.

    Raises
    ------
    Unauthorized : the token is unknown or has expired.
    LoginRefused : the account is switched off.
    """
    rows = session.execute(_BY_TOKEN, {"digest": token_digest(token)}).all()
    if not rows or (rows[0].expires is not None and rows[0].expires <= base.now()):
        raise Unauthorized("The token is not valid.", hint="It may have expired: get a new one.")
    found = rows[0]
    _require_active(found.username, active=found.active)
    roles = frozenset(PlatformRole(row.role) for row in rows if row.role is not None)
    return _principal(found.id, found.username, roles, PrincipalKind(found.kind), TokenScope(found.scope))


def note_seen(session: Session, user_id: UUID, token: str) -> None:
    """Note that a person was here just now, with this token (one of the hub's is nobody's row)."""
    moment = base.now()
    session.execute(update(UserRow).where(UserRow.id == user_id).values(last_seen=moment))
    session.execute(update(TokenRow).where(TokenRow.sha256 == token_digest(token)).values(last_used=moment))


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


def get_user_row(session: Session, user_id: UUID, *, lock: bool = False) -> UserRow:
    """Row of a present user; NotFound if there is none or it was removed. ``lock``: until the transaction ends."""
    row = session.get(UserRow, user_id, with_for_update=lock or None)
    if row is None or row.removed is not None:
        raise NotFound(f"There is no user {user_id}.")
    return row


def describe_user(row: UserRow) -> User:
    """User as others may see it."""
    return User(id=row.id, username=row.username, display_name=row.display_name, roles=_roles(row), created=row.created)


def _roles(row: UserRow) -> frozenset[PlatformRole]:
    return frozenset(PlatformRole(role.role) for role in row.roles)


def _principal(
    user_id: UUID, username: str, roles: frozenset[PlatformRole], kind: PrincipalKind, scope: TokenScope
) -> Principal:
    # platform roles come with the whole scope alone: a script that reads or writes does so as an ordinary person
    held = roles if scope is TokenScope.ADMIN else frozenset[PlatformRole]()
    return Principal(user_id=user_id, username=username, roles=held, kind=kind, scope=scope)


def _find(session: Session, username: str) -> UserRow | None:
    return session.scalar(select(UserRow).where(UserRow.username == username))


def _known(session: Session, username: str) -> UserRow:
    row = _find(session, username)
    if row is None:
        raise NotFound(f"There is no user “{username}”.")
    return row


def _add_user(
    session: Session,
    username: str,
    *,
    display_name: str = "",
    roles: frozenset[PlatformRole] = frozenset(),
    source: UserSource = UserSource.LOCAL,
) -> UserRow | None:
    """Add a user; None if another transaction or this one already has the name."""
    name = username.strip()
    if not name or len(name) > 200 or not name.isprintable():
        raise Invalid(f"“{username[:60]}” cannot be a user name.", hint="It has 1 to 200 printable characters.")
    row = UserRow(
        username=name,
        display_name=display_name,
        source=source.value,
        roles=[UserRoleRow(role=role.value) for role in sorted(roles)],
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def token_digest(token: str) -> str:
    """SHA-256 under which a token is kept; surrogates, which JSON can spell, are no token's."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
