"""The users page: accounts as those who manage people see and change them (AD-05 … AD-08)."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from athena.contract.people import (
    Account,
    AccountAdded,
    AccountPage,
    PasswordChange,
    PlatformRole,
    Principal,
    PrincipalKind,
    UserCreate,
    UserSource,
    UserUpdate,
)
from athena.db import base
from athena.db.people import BUILTIN_ADMIN, TokenRow, UserRoleRow, UserRow
from athena.db.tree import lock_tree
from athena.domain.roles import PlatformAction, may_take_over
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import licences
from athena.services.guard import require_platform, require_user_manager
from athena.services.handover import count_solely_owned, hand_over
from athena.services.passwords import hash_password, password_fits
from athena.services.users import create_user, describe_user, get_user_row, require_assigner
from athena.settings import Settings

NO_SEAT = "No licence seat is free: this person cannot log in until one is given."


def list_accounts(
    session: Session,
    principal: Principal,
    *,
    settings: Settings,
    search: str = "",
    offset: int = 0,
    limit: int = 100,
) -> AccountPage:
    """Accounts by user name, with the counts of the page; ``search`` is looked for in names and e-mail addresses."""
    require_platform(principal, PlatformAction.SEE_USERS)
    found = [UserRow.removed.is_(None), *_search(search)]
    people = [UserRow.removed.is_(None), UserRow.username != BUILTIN_ADMIN]
    rows = session.scalars(
        select(UserRow).where(*found).order_by(func.lower(UserRow.username), UserRow.id).offset(offset).limit(limit)
    )
    return AccountPage(
        items=tuple(describe_account(row) for row in rows),
        total=_count(session, *found),
        users=_count(session, *people),
        active_users=_count(session, *people, UserRow.active.is_(True)),
        free_seats=licences.free_seats(session, settings=settings),
    )


def get_account(session: Session, principal: Principal, user_id: UUID) -> Account:
    """One account."""
    require_platform(principal, PlatformAction.SEE_USERS)
    return describe_account(get_user_row(session, user_id))


def get_account_by_name(session: Session, principal: Principal, username: str) -> Account:
    """Account of a user name; NotFound if there is none."""
    require_platform(principal, PlatformAction.SEE_USERS)
    return describe_account(_named(session, username))


def add_user(session: Session, principal: Principal, new: UserCreate, *, settings: Settings) -> AccountAdded:
    """Add a person, with a licence seat if one is free and needed; else the notice says that there was none.

    Raises
    ------
    Forbidden : the caller does not manage users.
    Conflict : the name is taken.
    Invalid : the directory is to know the person, but there is none.
    """
    require_user_manager(principal)
    if new.source is UserSource.LDAP and settings.ldap is None:
        raise Invalid("No directory is configured.", hint="Add the person by hand, or set [ldap] in athena.toml.")
    made = create_user(
        session,
        principal,
        new.username,
        password=new.password or "",
        display_name=_shown(new.first_name, new.last_name),
        source=new.source,
    )
    row = get_user_row(session, made.id)
    row.email, row.first_name, row.last_name = new.email, new.first_name, new.last_name
    notice = ""
    if settings.licence_required and not licences.seat_if_free(session, row, settings=settings):
        notice = NO_SEAT
    session.flush()
    return AccountAdded(account=describe_account(row), notice=notice)


def update_user(session: Session, principal: Principal, user_id: UUID, change: UserUpdate) -> Account:
    """Change e-mail, names, or whether the person may log in.

    Raises
    ------
    Forbidden : the caller does not manage users, or the account may do what the caller may not.
    Conflict : the names of a directory's user are the directory's; the built-in account and the last customer-admin
        stay as they are.
    """
    require_user_manager(principal)
    row = _locked(session, user_id)
    given = change.model_dump(exclude_unset=True, exclude_none=True)
    if given and row.username == BUILTIN_ADMIN:
        raise Conflict(f"“{row.username}” is built in and stays as it is; only its password can be set.")
    active = given.pop("active", None)
    if given and row.source == UserSource.LDAP:
        raise Conflict(f"“{row.username}” comes from the directory: it is changed there.")
    for name, value in given.items():
        setattr(row, name, value)
    if {"first_name", "last_name"} & given.keys():
        row.display_name = _shown(row.first_name, row.last_name)
    if active is not None and active != row.active:
        _require_take_over(principal, row, "switch it on or off")
        if not active:
            _keep_one_admin(session, row)
        row.active = active
    session.flush()
    return describe_account(row)


def reset_password(session: Session, principal: Principal, user_id: UUID, password: str) -> None:
    """Give a local user a new password and revoke the person's tokens, which somebody else may have made.

    Raises
    ------
    Forbidden : the caller does not manage users, or the account may do what the caller may not.
    Conflict : Athena does not check this person's password, or it is one's own.
    """
    require_user_manager(principal)
    row = _locked(session, user_id)
    if row.source != UserSource.LOCAL:
        raise Conflict(f"The password of “{row.username}” is not kept here, but by its {row.source} log-in.")
    if row.id == principal.user_id and principal.kind is not PrincipalKind.OPERATOR:
        raise Conflict("This is your own account.", hint="Change your password with the current one.")
    _require_take_over(principal, row, "reset its password")
    row.password_hash = hash_password(password)
    session.execute(delete(TokenRow).where(TokenRow.user_id == row.id, TokenRow.kind == PrincipalKind.TOKEN.value))
    session.flush()


def change_password(session: Session, principal: Principal, change: PasswordChange) -> None:
    """Change one's own password.

    Raises
    ------
    Forbidden : the current password is wrong, or the caller is a script's token.
    Conflict : Athena does not check the caller's password.
    """
    require_person(principal, "change a password")
    row = get_user_row(session, principal.user_id, lock=True)
    if row.source != UserSource.LOCAL or not row.password_hash:
        raise Conflict("Your password is not kept here.", hint="Change it where you log in.")
    if not password_fits(row.password_hash, change.current):
        raise Forbidden("The current password is wrong.")
    row.password_hash = hash_password(change.password)
    session.flush()


def remove_user(session: Session, principal: Principal, user_id: UUID, *, heir: str = "") -> None:
    """Remove a person; what nobody else owns goes to ``heir`` (a user name).

    The person's name stays in the history of elements, marked as removed; log-in, tokens, roles, licence seat and roles
    on elements are gone, and the user name is free again.

    Raises
    ------
    Forbidden : the caller does not manage users, or the account may do what the caller may not.
    Conflict : the account is built in, one's own or the last customer-admin; or owns elements and no heir is named.
    NotFound : there is no such user, or no such heir.
    """
    require_user_manager(principal)
    lock_tree(session, alone=True)  # before any row, as everybody does who takes both
    row = _locked(session, user_id)
    if row.username == BUILTIN_ADMIN:
        raise Conflict(f"“{row.username}” is built in and cannot be removed.")
    if row.id == principal.user_id:
        raise Conflict("You cannot remove yourself.", hint="Ask another who manages users.")
    _require_take_over(principal, row, "remove it")
    _keep_one_admin(session, row)
    inheriting = _named(session, heir) if heir else None
    if inheriting is not None and (inheriting.id == row.id or not inheriting.active):
        raise Invalid(f"“{heir}” cannot take over: it is the account itself, or switched off.")
    if inheriting is None and (owned := count_solely_owned(session, row.id)):
        raise Conflict(
            f"“{row.username}” is the only owner of elements ({owned} of their permission sets).",
            hint="Name a user who is to own them from then on.",
        )
    hand_over(session, principal, row.id, inheriting)
    session.execute(delete(TokenRow).where(TokenRow.user_id == row.id))
    row.roles.clear()
    row.active, row.seated, row.password_hash, row.removed = False, None, "", base.now()
    row.username = _free_name(session, row.username)
    session.flush()


def assign_role(session: Session, principal: Principal, user_id: UUID, role: PlatformRole) -> Account:
    """Give a user a platform role; one that is held stays."""
    row = _role_holder(session, principal, user_id, role)
    if role not in {held.role for held in row.roles}:
        row.roles.append(UserRoleRow(role=role.value))
        session.flush()
    return describe_account(row)


def unassign_role(session: Session, principal: Principal, user_id: UUID, role: PlatformRole) -> Account:
    """Take a platform role from a user; Conflict for the last customer-admin's."""
    row = _role_holder(session, principal, user_id, role)
    if role is PlatformRole.CUSTOMER_ADMIN:
        _keep_one_admin(session, row)
    row.roles[:] = [held for held in row.roles if held.role != role.value]
    session.flush()
    return describe_account(row)


def require_person(principal: Principal, what: str) -> None:
    """Refuse with Forbidden a script's token where only the person itself may act."""
    if principal.kind is PrincipalKind.TOKEN:
        raise Forbidden(f"A token may not {what}.", hint="Log in yourself.")


def describe_account(row: UserRow) -> Account:
    """Account as those who manage people see it."""
    return Account(
        **describe_user(row).model_dump(),
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        source=UserSource(row.source),
        active=row.active,
        licensed=row.seated is not None,
        last_seen=row.last_seen,
        builtin=row.username == BUILTIN_ADMIN,
    )


def _locked(session: Session, user_id: UUID) -> UserRow:
    """Row to change; managers change one after the other, or two could take each other's last role at once."""
    licences.platform_id(session, lock=True)
    return get_user_row(session, user_id, lock=True)


def _role_holder(session: Session, principal: Principal, user_id: UUID, role: PlatformRole) -> UserRow:
    require_platform(principal, PlatformAction.ASSIGN_ROLES)
    require_assigner(principal, frozenset({role}))
    row = _locked(session, user_id)
    if row.username == BUILTIN_ADMIN:
        raise Conflict(f"“{row.username}” is built in: its role stays.")
    if row.id == principal.user_id and PlatformRole.CUSTOMER_ADMIN not in principal.roles:
        raise Forbidden("You may not change your own roles.", hint="Ask another who assigns roles.")
    return row


def _require_take_over(principal: Principal, row: UserRow, what: str) -> None:
    if not may_take_over({PlatformRole(held.role) for held in row.roles}, principal.roles):
        raise Forbidden(
            f"“{row.username}” may do on this platform what you may not, so you may not {what}.",
            hint="A customer-admin may.",
        )


def _keep_one_admin(session: Session, row: UserRow) -> None:
    """Refuse with Conflict to lose the last customer-admin who can log in; the built-in account does not count."""
    if not row.active or PlatformRole.CUSTOMER_ADMIN not in {held.role for held in row.roles}:
        return
    admins = session.scalars(
        select(UserRow.id)
        .join(UserRoleRow, UserRoleRow.user_id == UserRow.id)
        .where(UserRoleRow.role == PlatformRole.CUSTOMER_ADMIN.value, UserRow.active, UserRow.username != BUILTIN_ADMIN)
    ).all()
    if set(admins) <= {row.id}:
        raise Conflict(
            f"“{row.username}” is the only customer-admin: there must be one.", hint="Make another one first."
        )


def _named(session: Session, username: str) -> UserRow:
    row = session.scalar(select(UserRow).where(UserRow.username == username, UserRow.removed.is_(None)))
    if row is None:
        raise NotFound(f"There is no user “{username}”.")
    return row


def _free_name(session: Session, username: str) -> str:
    """Name under which a removed user goes on in the history."""
    stem, number = username[:170], 1
    while True:
        name = f"{stem} (removed{f' {number}' if number > 1 else ''})"
        if session.scalar(select(UserRow.id).where(UserRow.username == name)) is None:
            return name
        number += 1


def _search(text: str) -> list[ColumnElement[bool]]:
    columns = (UserRow.username, UserRow.email, UserRow.display_name)
    wanted = text.strip()
    return [or_(*(column.icontains(wanted, autoescape=True) for column in columns))] if wanted else []


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(UserRow).where(*conditions)) or 0


def _shown(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()
