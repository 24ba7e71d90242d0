"""Platform roles: what the one table implies (AD-05, AD-06, AD-08)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.contract.people import PlatformRole, Principal
from athena.domain.roles import (
    PLATFORM_ROLES,
    PlatformAction,
    actions_of,
    may,
    may_assign,
    may_take_over,
    roles_allowing_on_platform,
)
from athena.errors import Forbidden
from athena.services.guard import require_platform

ROLES = st.frozensets(st.sampled_from(PlatformRole))
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.feature("AD-05")
def test_a_customer_admin_is_all_of_the_others() -> None:
    assert set(PLATFORM_ROLES) == set(PlatformRole)
    assert PLATFORM_ROLES[PlatformRole.CUSTOMER_ADMIN] == set(PlatformAction)
    others = set(PlatformRole) - {PlatformRole.CUSTOMER_ADMIN}
    assert actions_of(others) == set(PlatformAction) - {PlatformAction.APPOINT_ADMINS}


@pytest.mark.feature("AD-06")
def test_the_users_page_is_for_the_four_manager_roles_alone() -> None:
    assert set(roles_allowing_on_platform(PlatformAction.SEE_USERS)) == set(PlatformRole) - {PlatformRole.ADMIN}
    assert roles_allowing_on_platform(PlatformAction.MANAGE_USERS) == (
        PlatformRole.USER_MANAGER,
        PlatformRole.CUSTOMER_ADMIN,
    )
    assert PLATFORM_ROLES[PlatformRole.ADMIN] == {PlatformAction.OPEN_EVERY_ELEMENT}


@given(roles=ROLES)
def test_guard_principal_and_table_agree(roles: frozenset[PlatformRole]) -> None:
    principal = Principal.model_validate({"user_id": NOBODY, "username": "alice", "roles": roles})
    assert principal.is_admin == may(PlatformAction.OPEN_EVERY_ELEMENT, roles)
    for action in PlatformAction:
        assert may(action, roles) == (action in actions_of(roles))
        assert may(action, roles) == bool(roles & set(roles_allowing_on_platform(action)))
        if may(action, roles):
            require_platform(principal, action)
        else:
            with pytest.raises(Forbidden, match=action.value):
                require_platform(principal, action)


@pytest.mark.feature("AD-05", "AD-08")
@given(actor=ROLES, target=ROLES, role=st.sampled_from(PlatformRole))
def test_nobody_comes_by_more_than_a_customer_admin_gave(
    actor: frozenset[PlatformRole], target: frozenset[PlatformRole], role: PlatformRole
) -> None:
    if may_assign(role, actor) and role is PlatformRole.CUSTOMER_ADMIN:
        assert PlatformRole.CUSTOMER_ADMIN in actor
    if may_assign(role, actor):
        assert actor & {PlatformRole.CUSTOMER_ROLE_MANAGER, PlatformRole.CUSTOMER_ADMIN}
    # power over an account never gives power one had not
    assert may_take_over(target, actor) == (actions_of(actor | target) == actions_of(actor))
    assert may_take_over(target, frozenset({PlatformRole.CUSTOMER_ADMIN}))
    # more roles never allow less
    assert actions_of(actor) <= actions_of(actor | {role})
