"""Law of accounts: whatever managers do to each other, in whatever order, some things never happen (AD-05, AD-08)."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.people import PlatformRole, UserUpdate
from athena.db.engine import Database
from athena.db.people import BUILTIN_ADMIN, UserRoleRow, UserRow
from athena.domain.roles import actions_of, may_assign, may_take_over
from athena.errors import Conflict, Forbidden, LoginRefused, NotFound
from athena.services import accounts, users

ADMIN = PlatformRole.CUSTOMER_ADMIN
PEOPLE = 4
DEEDS = st.tuples(
    st.sampled_from(["assign", "unassign", "switch off", "switch on", "remove"]),
    st.integers(-1, PEOPLE - 1),  # who does it; -1: the built-in account
    st.integers(-1, PEOPLE - 1),  # to whom
    st.sampled_from(PlatformRole),
)
State = dict[str, tuple[bool, frozenset[PlatformRole]]]


def people(session: Session) -> State:
    """Whether each may log in, and the roles of each; those who were removed are left out."""
    rows = session.scalars(select(UserRow).where(UserRow.removed.is_(None)))
    return {row.username: (row.active, frozenset(PlatformRole(held.role) for held in row.roles)) for row in rows}


def admins(state: State) -> set[str]:
    return {name for name, (active, roles) in state.items() if active and ADMIN in roles and name != BUILTIN_ADMIN}


def name_of(number: int) -> str:
    return BUILTIN_ADMIN if number < 0 else f"person {number}"


@pytest.mark.feature("AD-05", "AD-06", "AD-08")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(st.frozensets(st.sampled_from(PlatformRole), max_size=2), min_size=PEOPLE, max_size=PEOPLE),
    deeds=st.lists(DEEDS, min_size=5, max_size=15),
)
def test_managers_follow_the_rules(
    database: Database, held: list[frozenset[PlatformRole]], deeds: list[tuple[str, int, int, PlatformRole]]
) -> None:
    session = Session(database.engine)
    try:
        rows = [
            UserRow(username=name_of(number), roles=[UserRoleRow(role=role.value) for role in roles])
            for number, roles in enumerate(held)
        ]
        session.add_all(rows)
        session.flush()
        ids = {row.username: row.id for row in session.scalars(select(UserRow))}
        for deed, actor, target, role in deeds:
            check(session, deed, name_of(actor), name_of(target), role, ids)
    finally:
        session.rollback()
        session.close()


def check(session: Session, deed: str, actor: str, target: str, role: PlatformRole, ids: dict[str, UUID]) -> None:
    """Do one deed, and compare what has become of people with what was."""
    before = people(session)
    done = attempt(session, deed, actor, target, role, ids)
    after = people(session)
    if not done:
        assert after == before
        return
    powers, (was_active, had) = before[actor][1], before[target]
    assert before[actor][0], "who is switched off does nothing"
    assert {name: after[name] for name in before if name in after and name != target} == {
        name: before[name] for name in before if name != target
    }, "only the target changes"
    assert after[BUILTIN_ADMIN] == before[BUILTIN_ADMIN]
    assert admins(after) or not admins(before), "the last customer-admin is lost"
    if target not in after:
        assert deed == "remove"
        assert may_take_over(had, powers)
        return
    is_active, has = after[target]
    assert is_active == was_active or may_take_over(had, powers)
    assert all(may_assign(changed, powers) for changed in has ^ had)
    if target == actor and ADMIN not in powers:
        assert actions_of(has) == actions_of(had), "nobody gives oneself anything"


def attempt(session: Session, deed: str, actor: str, target: str, role: PlatformRole, ids: dict[str, UUID]) -> bool:
    """Whether the deed was allowed."""
    user_id = ids[target]
    try:
        with session.begin_nested():
            principal = users.principal_for(session, actor)
            match deed:
                case "assign":
                    accounts.assign_role(session, principal, user_id, role)
                case "unassign":
                    accounts.unassign_role(session, principal, user_id, role)
                case "remove":
                    accounts.remove_user(session, principal, user_id)
                case _:
                    change = UserUpdate(active=deed == "switch on")
                    accounts.update_user(session, principal, user_id, change)
    except (Conflict, Forbidden, LoginRefused, NotFound):
        return False
    return True
