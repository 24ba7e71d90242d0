"""Users, passwords and tokens."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest
from sqlalchemy import select

from athena.contract.people import PlatformRole, Principal, PrincipalKind
from athena.db import base
from athena.db.engine import Database
from athena.db.people import TokenRow, UserRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from athena.services import users

MakeUser = Callable[..., Principal]
PASSWORD = "correct horse battery"


@pytest.mark.feature("HB-01")
def test_passwords_are_verified_and_never_kept(database: Database, make_user: MakeUser) -> None:
    admin = make_user(roles=(PlatformRole.CUSTOMER_ADMIN,))
    with database.session() as session:
        dora = users.create_user(session, admin, " dora ", password=PASSWORD, display_name="Dora")
        erik = users.create_user(session, admin, "erik")
        assert users.verify_password(session, "dora", PASSWORD) == dora
        for username, password in (
            ("dora", "wrong"),
            ("dora", ""),
            ("erik", ""),
            ("erik", PASSWORD),
            ("nobody", PASSWORD),
        ):
            assert users.verify_password(session, username, password) is None
        stored = {row.username: row.password_hash for row in session.scalars(select(UserRow))}
        assert stored["dora"].startswith("$argon2id$")
        assert stored["erik"] == ""
        assert users.principal_for(session, "erik").user_id == erik.id
        with pytest.raises(NotFound):
            users.principal_for(session, "nobody")


def test_an_unknown_user_takes_as_long_as_a_wrong_password(database: Database, make_user: MakeUser) -> None:
    admin = make_user(roles=(PlatformRole.CUSTOMER_ADMIN,))
    with database.session() as session:
        users.create_user(session, admin, "dora", password=PASSWORD)

        def seconds(username: str) -> float:
            taken = []
            for _ in range(3):
                start = perf_counter()
                users.verify_password(session, username, "wrong")
                taken.append(perf_counter() - start)
            return median(taken)

        seconds("nobody")  # the first makes the decoy
        assert 0.4 < seconds("nobody") / seconds("dora") < 2.5


def test_who_may_add_users(database: Database, make_user: MakeUser) -> None:
    alice, manager = make_user(), make_user(roles=(PlatformRole.USER_MANAGER,))
    opener, admin = make_user(admin=True), make_user(roles=(PlatformRole.CUSTOMER_ADMIN,))
    with database.session() as session:
        for nobody in (alice, opener):
            with pytest.raises(Forbidden, match="may not add"):
                users.create_user(session, nobody, "dora")
        with pytest.raises(Forbidden, match="platform roles"):
            users.create_user(session, manager, "dora", roles=frozenset({PlatformRole.ADMIN}))
        made = users.create_user(session, admin, "dora", roles=frozenset({PlatformRole.ADMIN}))
        assert users.principal_for(session, "dora", kind=PrincipalKind.HUB).is_admin
        assert made.roles == {PlatformRole.ADMIN}
        users.create_user(session, manager, "erik")
        with pytest.raises(Conflict, match="already a user"):
            users.create_user(session, manager, "erik")
        with pytest.raises(Invalid, match="too short"):
            users.create_user(session, manager, "frida", password="short")
        for name in ("", "   ", "x" * 201, "tab\tbed"):
            with pytest.raises(Invalid, match="user name"):
                users.create_user(session, manager, name)


def test_people_the_hub_vouches_for_are_added_once(database: Database) -> None:
    with database.session() as session:
        first = users.ensure_user(session, "dora", display_name="Dora")
        assert users.ensure_user(session, "dora") == first
        assert not first.roles
        local = users.ensure_local_user(session, "dora")
        assert (local.id, local.roles) == (first.id, {PlatformRole.CUSTOMER_ADMIN})
        assert users.ensure_local_user(session, "dora", admin=False) == local


@pytest.mark.feature("HB-02")
def test_tokens_stand_for_their_user_until_they_expire(
    database: Database, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = make_user()
    with database.session() as session:
        lasting = users.issue_token(session, alice.user_id, "laptop", kind=PrincipalKind.SERVICE)
        brief = users.issue_token(session, alice.user_id, "notebook", lifetime=timedelta(hours=1))
        assert users.authenticate_token(session, brief) == alice
        assert users.authenticate_token(session, lasting).kind is PrincipalKind.SERVICE
        rows = session.scalars(select(TokenRow)).all()
        assert {len(row.sha256) for row in rows} == {64}
        assert not {lasting, brief} & {row.sha256 for row in rows}
        assert all(row.created.tzinfo is not None for row in rows)
        later = base.now() + timedelta(hours=1)
        monkeypatch.setattr(base, "now", lambda: later)
        assert users.authenticate_token(session, lasting).username == "alice"
        for wrong in (brief, "", "x" * 43, lasting[:-1], rows[0].sha256):
            with pytest.raises(Unauthorized):
                users.authenticate_token(session, wrong)


@pytest.mark.feature("HB-02")
def test_the_local_token_is_kept_private_and_renewed_when_void(database: Database, tmp_path: Path) -> None:
    place = tmp_path / "home" / "token"
    with database.session() as session:
        user = users.ensure_local_user(session, "alice")
        token = users.ensure_local_token(session, user, place)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        assert place.read_text().strip() == token
        assert users.authenticate_token(session, token).is_admin
        place.chmod(0o644)
        assert users.ensure_local_token(session, user, place) == token
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        place.write_text("of an earlier database\n")
        renewed = users.ensure_local_token(session, user, place)
        assert renewed not in {token, ""}
        bob = users.ensure_local_user(session, "bob", admin=False)
        assert users.ensure_local_token(session, bob, place) != renewed
        assert [path.name for path in place.parent.iterdir()] == ["token"]
