"""Log-in with a password: the limits, and who may come in. The clock is the test's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from athena.contract.people import PasswordCheck, Principal, PrincipalKind
from athena.db import base
from athena.db.engine import Database
from athena.db.people import BUILTIN_ADMIN, LoginAttemptRow, UserRow
from athena.domain.attempts import KNOWN_PEER, NAME_LIMIT, PAIR_LIMIT, PEER_LIMIT
from athena.errors import Forbidden, LoginRefused, TooManyAttempts, Unauthorized
from athena.services import logins, users
from athena.settings import Settings

PASSWORD = "wonderland"
HOME, AWAY = "192.0.2.1", "198.51.100.7"
LogIn = Callable[..., object]
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(base, "now", clock)
    return clock


@pytest.fixture
def service(make_user: Callable[..., Principal]) -> Principal:
    return make_user("front door").model_copy(update={"kind": PrincipalKind.SERVICE})


@pytest.fixture
def log_in(
    database: Database, service: Principal, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> LogIn:
    """``log_in(name, password, peer)`` as the hub does; hashing, which has tests of its own, is made cheap."""
    monkeypatch.setattr(logins, "password_fits", lambda stored, password: bool(stored) and password == PASSWORD)
    with database.session() as session:
        root = users.principal_for(session, BUILTIN_ADMIN)
        for name in ("alice", "bob"):
            users.create_user(session, root, name, password=PASSWORD)

    def ask(name: str = "alice", password: str = PASSWORD, peer: str = HOME) -> object:
        return logins.log_in(
            database, service, PasswordCheck(username=name, password=password, peer=peer), settings=settings
        )

    return ask


def fail(log_in: LogIn, times: int, *given: str) -> None:
    for _ in range(times):
        with pytest.raises(Unauthorized):
            log_in(*given)


@only_sqlite
@pytest.mark.feature("HB-01")
def test_a_log_in_is_noted(database: Database, log_in: LogIn, clock: Clock) -> None:
    assert log_in("alice").username == "alice"  # type: ignore[attr-defined]
    with database.session() as session:
        assert session.scalar(select(UserRow.last_seen).where(UserRow.username == "alice")) == clock.now


@pytest.mark.feature("HB-01")
@pytest.mark.parametrize("name", ["alice", "nobody", BUILTIN_ADMIN])
def test_a_name_is_tried_five_times_from_one_place(log_in: LogIn, clock: Clock, name: str) -> None:
    """Names there are and names there are not get the very same answers."""
    fail(log_in, PAIR_LIMIT.count, name, "wrong")
    clock.pass_(timedelta(minutes=1))
    for _ in range(3):  # refused attempts do not make the wait longer
        with pytest.raises(TooManyAttempts, match="Try again in 4 minutes") as caught:
            log_in(name)
        assert caught.value.retry_after_s == 240
    log_in("bob")  # others go in and out there
    clock.pass_(timedelta(seconds=240))
    fail(log_in, 1, name, "wrong")


@only_sqlite
@pytest.mark.feature("HB-01")
def test_a_right_password_ends_the_count(log_in: LogIn, clock: Clock) -> None:
    for _ in range(3):
        fail(log_in, PAIR_LIMIT.count - 1, "alice", "wrong")
        log_in("alice")


@pytest.mark.feature("HB-01")
def test_guesses_from_everywhere_lock_nobody_out_at_home(log_in: LogIn, clock: Clock) -> None:
    log_in("alice", PASSWORD, HOME)
    for number in range(NAME_LIMIT.count):
        fail(log_in, 1, "alice", "wrong", f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        log_in("alice", PASSWORD, AWAY)
    log_in("alice", PASSWORD, HOME)  # an address she has logged in from before
    log_in("bob", PASSWORD, AWAY)  # and others are not touched
    clock.pass_(NAME_LIMIT.window)
    log_in("alice", PASSWORD, AWAY)
    # an address is not known for ever
    clock.pass_(KNOWN_PEER)
    for number in range(NAME_LIMIT.count):
        fail(log_in, 1, "alice", "wrong", f"203.0.113.{number}")
    with pytest.raises(TooManyAttempts):
        log_in("alice", PASSWORD, HOME)


@pytest.mark.feature("HB-01")
def test_one_place_tries_so_many_names(database: Database, log_in: LogIn, clock: Clock) -> None:
    for number in range(PEER_LIMIT.count):
        fail(log_in, 1, f"name {number}", "wrong", AWAY)
    with pytest.raises(TooManyAttempts):
        log_in("alice", PASSWORD, AWAY)
    log_in("alice", PASSWORD, HOME)
    clock.pass_(PEER_LIMIT.window)
    log_in("alice", PASSWORD, AWAY)
    with database.session() as session:  # what no longer counts is not kept
        assert session.scalar(select(func.count()).select_from(LoginAttemptRow)) == 2


@only_sqlite
@pytest.mark.feature("HB-01")
def test_without_an_address_only_names_are_limited(log_in: LogIn, clock: Clock) -> None:
    for number in range(PEER_LIMIT.count):
        fail(log_in, 1, f"name {number}", "wrong", "")
    log_in("alice", PASSWORD, "")
    fail(log_in, NAME_LIMIT.count, "bob", "wrong", "")
    with pytest.raises(TooManyAttempts):
        log_in("bob", PASSWORD, "")


@pytest.mark.feature("HB-01")
def test_many_at_once_are_no_way_around(log_in: LogIn, clock: Clock) -> None:
    def guess(_: int) -> bool:
        """Whether the password was looked at."""
        try:
            log_in("alice", "wrong")
        except TooManyAttempts:
            return False
        except Unauthorized:
            return True
        raise AssertionError("a wrong password let somebody in")

    with ThreadPoolExecutor(8) as pool:
        looked_at = sum(pool.map(guess, range(24)))
    assert looked_at <= PAIR_LIMIT.count


@only_sqlite
def test_passwords_typed_as_names_are_not_kept(database: Database, log_in: LogIn, clock: Clock) -> None:
    fail(log_in, 1, "my secret password", "x")
    with database.session() as session:
        (row,) = session.scalars(select(LoginAttemptRow))
        assert "secret" not in row.name_sha256
        assert len(row.name_sha256) == 64


@only_sqlite
@pytest.mark.feature("HB-01")
def test_people_check_no_passwords(
    database: Database, log_in: LogIn, make_user: Callable[..., Principal], settings: Settings
) -> None:
    carol = make_user("carol", admin=True)
    with pytest.raises(Forbidden):
        logins.log_in(database, carol, PasswordCheck(username="alice", password=PASSWORD), settings=settings)
    with database.session() as session, pytest.raises(Forbidden):
        logins.require_admission(session, carol, "alice", settings=settings)


@pytest.mark.feature("HB-01")
def test_who_is_switched_off_is_told_so_by_the_right_password_alone(
    database: Database, log_in: LogIn, service: Principal, settings: Settings
) -> None:
    with database.session() as session:
        assert logins.require_admission(session, service, "alice", settings=settings).username == "alice"
        session.scalars(select(UserRow).where(UserRow.username == "alice")).one().active = False
    fail(log_in, 1, "alice", "wrong")
    with pytest.raises(LoginRefused, match="switched off"):
        log_in("alice")
    with database.session() as session, pytest.raises(LoginRefused):
        logins.require_admission(session, service, "alice", settings=settings)
