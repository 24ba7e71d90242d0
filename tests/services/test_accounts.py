"""The users page: who may do what to whom, and what can never happen (AD-05 … AD-08)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from athena.contract.audit import AuditAction
from athena.contract.elements import Element
from athena.contract.events import EventKind
from athena.contract.people import (
    PasswordChange,
    PlatformRole,
    Principal,
    PrincipalKind,
    Role,
    UserCreate,
    UserSource,
    UserUpdate,
)
from athena.contract.samples import SampleCreate
from athena.contract.sharing import GranteeKind
from athena.db.elements import ElementRow, GrantRow
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.db.people import BUILTIN_ADMIN, TokenRow, UserRow
from athena.errors import AthenaError, Conflict, Forbidden, Invalid, LoginRefused, NotFound, Unauthorized
from athena.services import accounts, elements, samples, users
from athena.services.access import find_grantee
from athena.services.audit import list_audit
from athena.services.sharing import find_grantees
from athena.settings import Settings

MakeUser = Callable[..., Principal]
PASSWORD = "correct horse battery"
ADMIN, MANAGER, ASSIGNER = PlatformRole.CUSTOMER_ADMIN, PlatformRole.USER_MANAGER, PlatformRole.CUSTOMER_ROLE_MANAGER


def builtin(database: Database) -> Principal:
    with database.session() as session:
        return users.principal_for(session, BUILTIN_ADMIN)


def state(database: Database) -> list[object]:
    """All that is known of people, to see that nothing was changed."""
    with database.session() as session:
        rows = session.scalars(select(UserRow).order_by(UserRow.username)).all()
        return [accounts.describe_account(row) for row in rows] + [row.password_hash for row in rows]


def refused(
    database: Database, kind: type[AthenaError], match: str, act: Callable[..., object], *given: object
) -> None:
    before = state(database)
    with pytest.raises(kind, match=match), database.session() as session:
        act(session, *given)
    assert state(database) == before


@pytest.mark.feature("AD-06")
def test_the_users_page_counts_people(database: Database, make_user: MakeUser, settings: Settings) -> None:
    admin, opener = make_user(roles=(ADMIN,)), make_user(admin=True)
    with database.session() as session:
        new = UserCreate(username="dora", email="dora@example.org", first_name="Dora", last_name="M", password=PASSWORD)
        dora = accounts.add_user(session, admin, new, settings=settings).account
        accounts.update_user(session, admin, dora.id, UserUpdate(active=False))
        page = accounts.list_accounts(session, admin, settings=settings)
        assert [one.username for one in page.items] == ["alice", BUILTIN_ADMIN, "bob", "dora"]
        # the built-in account is there, and is no user
        assert (page.total, page.users, page.active_users, page.free_seats) == (4, 3, 2, None)
        assert [one.builtin for one in page.items] == [False, True, False, False]
        for text, names in (("EXAMPLE.org", ["dora"]), ("ora m", ["dora"]), ("%", []), ("b", ["bob"])):
            found = accounts.list_accounts(session, admin, settings=settings, search=text)
            assert [one.username for one in found.items if not one.builtin] == names
        second = accounts.list_accounts(session, admin, settings=settings, offset=1, limit=1)
        assert (len(second.items), second.total) == (1, 4)
        for role in set(PlatformRole) - {PlatformRole.ADMIN}:
            accounts.list_accounts(session, opener.model_copy(update={"roles": frozenset({role})}), settings=settings)
        for nobody in (opener, opener.model_copy(update={"roles": frozenset()})):
            with pytest.raises(Forbidden, match="list of users"):
                accounts.list_accounts(session, nobody, settings=settings)
            with pytest.raises(Forbidden):
                accounts.get_account(session, nobody, dora.id)


@pytest.mark.feature("AD-07")
def test_people_are_added_by_hand_and_changed(database: Database, make_user: MakeUser, settings: Settings) -> None:
    manager = make_user(roles=(MANAGER,))
    with database.session() as session:
        added = accounts.add_user(session, manager, UserCreate(username=" dora ", password=PASSWORD), settings=settings)
        assert (added.account.username, added.notice) == ("dora", "")
        assert users.verify_password(session, "dora", PASSWORD)
        change = UserUpdate(email="d@example.org", first_name="Dora", last_name="Mixed")
        changed = accounts.update_user(session, manager, added.account.id, change)
        assert (changed.display_name, changed.email, changed.active) == ("Dora Mixed", "d@example.org", True)
        accounts.reset_password(session, manager, added.account.id, "another password")
        assert users.verify_password(session, "dora", "another password")
        assert not users.verify_password(session, "dora", PASSWORD)
        erik = accounts.add_user(
            session, manager, UserCreate(username="erik", source=UserSource.HUB), settings=settings
        ).account
    again = UserCreate(username="dora", password=PASSWORD)
    refused(database, Conflict, "already", lambda s: accounts.add_user(s, manager, again, settings=settings))
    refused(database, Conflict, "not kept here", accounts.reset_password, manager, erik.id, PASSWORD)
    refused(database, Invalid, "too short", accounts.reset_password, manager, added.account.id, "short")
    refused(database, NotFound, "no user", accounts.reset_password, manager, manager.user_id.__class__(int=1), PASSWORD)
    refused(database, Conflict, "own account", accounts.reset_password, manager, manager.user_id, PASSWORD)
    for wrong in (
        {"username": "", "password": PASSWORD},
        {"username": "a/b", "password": PASSWORD},
        {"username": "x", "password": "short"},
        {"username": "x"},
        {"username": "x", "password": PASSWORD, "email": "nowhere"},
        {"username": "x", "password": PASSWORD, "source": "ldap"},
    ):
        with pytest.raises(ValueError):
            UserCreate.model_validate(wrong)


@pytest.mark.feature("AD-07")
def test_the_directorys_people_are_changed_there(database: Database, make_user: MakeUser, settings: Settings) -> None:
    manager, carol = make_user(roles=(MANAGER,)), make_user("carol")
    with database.session() as session:
        session.get_one(UserRow, carol.user_id).source = UserSource.LDAP.value
    new = UserCreate(username="x", source=UserSource.LDAP)
    refused(database, Invalid, "No directory", lambda s: accounts.add_user(s, manager, new, settings=settings))
    refused(database, Conflict, "directory", accounts.update_user, manager, carol.user_id, UserUpdate(email="c@d.org"))
    refused(database, Conflict, "not kept here", accounts.reset_password, manager, carol.user_id, PASSWORD)
    with database.session() as session:
        assert not accounts.update_user(session, manager, carol.user_id, UserUpdate(active=False)).active


@pytest.mark.feature("AD-05", "AD-08")
def test_roles_are_given_and_taken_by_those_who_may(database: Database, make_user: MakeUser) -> None:
    assigner, admin, manager, bob = (
        make_user(roles=(ASSIGNER,)), make_user(roles=(ADMIN,)), make_user(roles=(MANAGER,)), make_user("bobby"),
    )  # fmt: skip
    with database.session() as session:
        given = accounts.assign_role(session, assigner, bob.user_id, MANAGER)
        assert given.roles == {MANAGER}
        assert accounts.assign_role(session, assigner, bob.user_id, MANAGER).roles == {MANAGER}
        assert accounts.assign_role(session, admin, bob.user_id, ADMIN).roles == {MANAGER, ADMIN}
        assert accounts.unassign_role(session, admin, bob.user_id, ADMIN).roles == {MANAGER}
        assert accounts.unassign_role(session, assigner, bob.user_id, PlatformRole.ADMIN).roles == {MANAGER}
    for act in (accounts.assign_role, accounts.unassign_role):
        refused(database, Forbidden, "platform roles", act, manager, bob.user_id, MANAGER)
        refused(database, Forbidden, "customer-admin", act, assigner, admin.user_id, ADMIN)
        refused(database, Forbidden, "your own roles", act, assigner, assigner.user_id, PlatformRole.ADMIN)


@pytest.mark.feature("AD-05")
def test_there_is_always_a_customer_admin(database: Database, make_user: MakeUser) -> None:
    admin, other = make_user(roles=(ADMIN,)), make_user(roles=(ADMIN,))
    root = builtin(database)
    with database.session() as session:
        accounts.update_user(session, admin, other.user_id, UserUpdate(active=False))
    # one who is switched off does not count, nor does the built-in account
    off = UserUpdate(active=False)
    for by in (admin, root):
        refused(database, Conflict, "only customer-admin", accounts.unassign_role, by, admin.user_id, ADMIN)
        refused(database, Conflict, "only customer-admin", accounts.update_user, by, admin.user_id, off)
    refused(database, Conflict, "only customer-admin", accounts.remove_user, root, admin.user_id)
    with database.session() as session:
        accounts.update_user(session, admin, other.user_id, UserUpdate(active=True))
        accounts.unassign_role(session, root, admin.user_id, ADMIN)


@pytest.mark.feature("AD-05")
def test_two_admins_cannot_unmake_each_other(database: Database, make_user: MakeUser) -> None:
    pair = [make_user(roles=(ADMIN,)), make_user(roles=(ADMIN,))]

    def unmake(who: Principal, whom: Principal) -> bool:
        try:
            with database.session() as session:
                accounts.unassign_role(session, who, whom.user_id, ADMIN)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(unmake, pair, reversed(pair)))
    assert sorted(done) == [False, True]


@pytest.mark.feature("AD-05")
def test_the_builtin_account_stays_as_it_is(database: Database, make_user: MakeUser) -> None:
    admin, root = make_user(roles=(ADMIN,)), builtin(database)
    refused(database, Conflict, "built in", accounts.remove_user, admin, root.user_id)
    refused(database, Conflict, "built in", accounts.update_user, admin, root.user_id, UserUpdate(active=False))
    refused(database, Conflict, "built in", accounts.update_user, admin, root.user_id, UserUpdate(email="a@b.org"))
    refused(database, Conflict, "built in", accounts.unassign_role, admin, root.user_id, ADMIN)
    with database.session() as session:
        assert users.verify_password(session, BUILTIN_ADMIN, "") is None  # none until one is set
        accounts.reset_password(session, admin, root.user_id, PASSWORD)
        assert users.verify_password(session, BUILTIN_ADMIN, PASSWORD)


@pytest.mark.feature("AD-05", "AD-06")
def test_managers_have_no_power_over_the_more_powerful(database: Database, make_user: MakeUser) -> None:
    manager, admin, opener = make_user(roles=(MANAGER,)), make_user(roles=(ADMIN,)), make_user(admin=True)
    make_user(roles=(ADMIN,))
    for target in (admin, opener):
        refused(database, Forbidden, "you may not", accounts.reset_password, manager, target.user_id, PASSWORD)
        refused(database, Forbidden, "you may not", accounts.remove_user, manager, target.user_id)
        off = UserUpdate(active=False)
        refused(database, Forbidden, "you may not", accounts.update_user, manager, target.user_id, off)
    with database.session() as session:  # a name gives no power
        accounts.update_user(session, manager, admin.user_id, UserUpdate(first_name="Ann"))


@pytest.mark.feature("AD-06")
def test_who_is_switched_off_stays_out(database: Database, make_user: MakeUser) -> None:
    manager, bob = make_user(roles=(MANAGER,)), make_user("bobby")
    with database.session() as session:
        token = users.issue_token(session, bob.user_id, "laptop")
        accounts.update_user(session, manager, bob.user_id, UserUpdate(active=False))
        with pytest.raises(LoginRefused, match="switched off"):
            users.authenticate_token(session, token)
        with pytest.raises(LoginRefused):
            users.principal_for(session, "bobby")
        accounts.update_user(session, manager, bob.user_id, UserUpdate(active=True))
        assert users.authenticate_token(session, token).username == "bobby"


def test_ones_own_password_takes_the_current_one(database: Database, make_user: MakeUser) -> None:
    bob = make_user("bobby")
    refused(
        database, Conflict, "not kept", accounts.change_password, bob, PasswordChange(current="", password=PASSWORD)
    )
    with database.session() as session:
        make_root = users.principal_for(session, BUILTIN_ADMIN)
        accounts.reset_password(session, make_root, bob.user_id, PASSWORD)
    wrong = PasswordChange(current="wrong", password="another password")
    refused(database, Forbidden, "current password", accounts.change_password, bob, wrong)
    right = PasswordChange(current=PASSWORD, password="another password")
    script = bob.model_copy(update={"kind": PrincipalKind.TOKEN})
    refused(database, Forbidden, "token may not", accounts.change_password, script, right)
    with database.session() as session:
        accounts.change_password(session, bob, right)
        assert users.verify_password(session, "bobby", "another password")


@pytest.mark.feature("AD-06", "SH-01")
def test_elements_keep_an_owner_when_people_leave(
    database: Database, make_user: MakeUser, make_folder: Callable[..., Element], grant: Callable[..., None]
) -> None:
    root, alice, bob, carol = builtin(database), make_user(), make_user(), make_user()
    hers, shared, seen = make_folder(alice, "Hers"), make_folder(alice, "Shared"), make_folder(bob, "Seen")
    grant(shared, bob, Role.OWNER)
    grant(seen, alice)
    with database.session() as session:
        token = users.issue_token(session, alice.user_id, "laptop")
        sample = samples.create_sample(session, alice, SampleCreate(name="Apoferritin"))
    refused(database, Conflict, r"only owner of elements \(1 ", accounts.remove_user, root, alice.user_id)
    for heir, kind in (("nobody", NotFound), ("alice", Invalid)):
        with pytest.raises(kind), database.session() as session:
            accounts.remove_user(session, root, alice.user_id, heir=heir)
    with database.session() as session:
        accounts.remove_user(session, root, alice.user_id, heir="carol")
    with database.session() as session:
        owners = {}
        for folder in (hers, shared, seen):
            row = session.get_one(ElementRow, folder.id)
            held = session.scalars(select(GrantRow).where(GrantRow.permission_set_id == row.permission_set_id))
            owners[folder.name] = {(one.user_id, one.role) for one in held}
        assert owners == {
            "Hers": {(carol.user_id, "owner")},
            "Shared": {(bob.user_id, "owner")},
            "Seen": {(bob.user_id, "owner")},
        }
        assert elements.get_element(session, carol, hers.id).creator == "alice (removed)"
        told = session.scalars(select(EventRow).where(EventRow.kind == EventKind.PERMISSIONS_CHANGED.value))
        assert {event.element_id for event in told} == {hers.id, shared.id, seen.id}
        newest = list_audit(session, carol, hers.id).items[0]
        assert (newest.action, newest.username) == (AuditAction.SHARED, BUILTIN_ADMIN)
        with pytest.raises(NotFound):
            find_grantee(session, GranteeKind.USER, "alice (removed)")
        assert find_grantees(session, "alice") == ()
        assert samples.get_sample(session, carol, sample.id).creator == "carol"
        with pytest.raises(Unauthorized):
            users.authenticate_token(session, token)
        assert session.scalars(select(TokenRow).where(TokenRow.user_id == alice.user_id)).all() == []
        for gone in ("alice", "alice (removed)"):
            with pytest.raises(NotFound):
                accounts.get_account_by_name(session, root, gone)
        # the name is free again, and whoever has it next inherits nothing
        users.create_user(session, root, "alice", password=PASSWORD)
        again = users.principal_for(session, "alice")
        with pytest.raises(NotFound):
            elements.get_element(session, again, hers.id)
        accounts.remove_user(session, root, again.user_id)
        assert session.get_one(UserRow, again.user_id).username == "alice (removed 2)"
    with database.session() as session:
        with pytest.raises(NotFound):
            accounts.remove_user(session, root, alice.user_id)
        with pytest.raises(LoginRefused):
            users.principal_for(session, "alice (removed)")


def test_nobody_removes_oneself(database: Database, make_user: MakeUser) -> None:
    manager = make_user(roles=(MANAGER,))
    refused(database, Conflict, "yourself", accounts.remove_user, manager, manager.user_id)
