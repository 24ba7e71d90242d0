"""Licences of a platform: keys installed or refused, seats given, and nobody in without one (AD-04, AD-08, HB-01)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from athena.contract.licences import Licence, LicenceStatus, LicensedFeature
from athena.contract.people import PasswordCheck, PlatformRole, Principal, PrincipalKind, UserCreate
from athena.db import base
from athena.db.engine import Database
from athena.db.people import BUILTIN_ADMIN
from athena.domain.licences import new_key_pair, sign_licence
from athena.errors import Conflict, Forbidden, Invalid, LoginRefused, NotFound
from athena.server.auth.gate import Gate
from athena.services import accounts, licences, logins, users
from athena.settings import Settings

MakeUser = Callable[..., Principal]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PRIVATE, PUBLIC = new_key_pair()
PASSWORD = "correct horse battery"


@pytest.fixture
def licensed(settings: Settings) -> Settings:
    """Settings of a deployment where a licence is needed."""
    return Settings(home=settings.home, vendor_key=PUBLIC, licensed=True)


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The present, for a test to move."""
    moment = [NOW]
    monkeypatch.setattr(base, "now", lambda: moment[0])
    return moment


@pytest.fixture
def root(database: Database, moment: list[datetime]) -> Principal:
    with database.session() as session:
        return users.principal_for(session, BUILTIN_ADMIN)


def key(
    database: Database,
    *,
    seats: int | None = 1,
    days: int | None = 365,
    platform: UUID | None = None,
    more: tuple[str, ...] = (),
) -> str:
    """Key for this platform (or another) with seats, for so many days, and more features that do not expire."""
    with database.session() as session:
        mine = licences.platform_id(session)
    expires = NOW + timedelta(days=days) if days is not None else None
    features = (
        LicensedFeature(name="platform", seats=seats, expires=expires),
        *(LicensedFeature(name=n) for n in more),
    )
    return sign_licence(Licence(id=uuid4(), platform_id=platform or mine, issued=NOW, features=features), PRIVATE)


@pytest.mark.feature("AD-04")
def test_a_key_is_accepted_or_refused_with_the_reason(
    database: Database, root: Principal, licensed: Settings, make_user: MakeUser, moment: list[datetime]
) -> None:
    def status() -> LicenceStatus:
        with database.session() as session:
            return licences.get_status(session, root, settings=licensed)

    before = status()
    assert (before.required, before.features, before.licences) == (True, (), ())
    assert "nobody but the built-in account" in before.message
    good = key(database, seats=3, more=("tomo-live",))
    tampered = good[:30] + ("A" if good[30] != "A" else "B") + good[31:]
    for text, reason in (
        ("hello", "not a licence key"),
        (tampered, "signature"),
        (key(database, platform=UUID(int=5)), f"another platform.*{UUID(int=5)}"),
        (key(database, days=0), "expired on 2026-03-01"),
    ):
        with pytest.raises(Invalid, match=reason), database.session() as session:
            licences.install_licence(session, root, text, settings=licensed)
    with pytest.raises(Conflict, match="vendor key"), database.session() as session:
        licences.install_licence(session, root, good, settings=Settings(home=licensed.home))
    manager = make_user(roles=(PlatformRole.USER_MANAGER, PlatformRole.ADMIN))
    for act in (licences.install_licence, licences.get_status):
        with pytest.raises(Forbidden, match="licences"), database.session() as session:
            act(session, manager, *([good] if act is licences.install_licence else []), settings=licensed)
    assert status() == before

    licenser = make_user(roles=(PlatformRole.LICENSE_MANAGER,))
    for _ in range(2):  # installing it again changes nothing
        with database.session() as session:
            after = licences.install_licence(session, licenser, f" {good[:40]}\n{good[40:]}\n", settings=licensed)
    assert [(one.feature, one.seats, one.used) for one in after.features] == [
        ("platform", 3, 0),
        ("tomo-live", None, None),
    ]
    (installed,) = after.licences
    assert (installed.key, installed.installed_by, installed.problem) == (good, licenser.username, "")
    assert status() == after
    moment[0] += timedelta(days=400)
    assert (status().features[0].valid, status().licences[0].problem) == (False, "")  # tomo goes on
    # a key of a vendor no longer trusted is shown, and does not count
    other = licensed.model_copy(update={"vendor_key": new_key_pair()[1]})
    with database.session() as session:
        shown = licences.get_status(session, root, settings=other)
    assert (shown.features, shown.licences[0].licence) == ((), None)
    assert "signature" in shown.licences[0].problem


@pytest.mark.feature("AD-08", "HB-01")
def test_without_a_licence_nobody_logs_in(
    database: Database, root: Principal, licensed: Settings, make_user: MakeUser, moment: list[datetime]
) -> None:
    service = make_user("front door").model_copy(update={"kind": PrincipalKind.SERVICE})
    licenser = make_user("carol", roles=(PlatformRole.LICENSE_MANAGER,))
    manager = make_user("manager", roles=(PlatformRole.USER_MANAGER,))

    def log_in(name: str) -> str:
        check = PasswordCheck(username=name, password=PASSWORD)
        return logins.log_in(database, service, check, settings=licensed).username

    def add(name: str) -> tuple[UUID, bool, str]:
        with database.session() as session:
            new = UserCreate(username=name, password=PASSWORD)
            added = accounts.add_user(session, root, new, settings=licensed)
        return added.account.id, added.account.licensed, added.notice

    alice, has_seat, notice = add("alice")
    assert (has_seat, notice) == (False, accounts.NO_SEAT)
    with pytest.raises(LoginRefused, match="no licence"):
        log_in("alice")
    with database.session() as session:
        licences.install_licence(session, licenser, key(database, days=30), settings=licensed)
        licences.give_seat(session, licenser, alice, settings=licensed)
        licences.give_seat(session, licenser, alice, settings=licensed)  # has it
    assert log_in("alice") == "alice"

    bob, has_seat, notice = add("bob")
    assert (has_seat, notice) == (False, accounts.NO_SEAT)
    with database.session() as session:
        token = users.issue_token(session, bob, "laptop")
        with pytest.raises(Conflict, match="No licence seat is free"):
            licences.give_seat(session, licenser, bob, settings=licensed)
        page = accounts.list_accounts(session, licenser, settings=licensed)
        assert (page.free_seats, [one.username for one in page.items if one.licensed]) == (0, ["alice"])
    gate = Gate(licensed, database, Rows(database))
    with pytest.raises(LoginRefused, match="no licence"):
        gate.authenticate(token)
    with database.session() as session:
        licences.take_seat(session, licenser, alice)
        licences.give_seat(session, licenser, bob, settings=licensed)
    with pytest.raises(LoginRefused):
        log_in("alice")
    assert gate.authenticate(token).username == log_in("bob") == "bob"

    # more seats held than there are: those seated first come in
    moment[0] += timedelta(days=1)
    with database.session() as session:
        licences.install_licence(session, licenser, key(database, days=None), settings=licensed)
        licences.give_seat(session, licenser, alice, settings=licensed)
    assert (log_in("alice"), log_in("bob")) == ("alice", "bob")
    moment[0] += timedelta(days=30)
    assert log_in("bob") == "bob"
    with pytest.raises(LoginRefused, match="More people"):
        log_in("alice")
    # a person who leaves leaves the seat
    with database.session() as session:
        accounts.remove_user(session, root, bob)
    assert log_in("alice") == "alice"

    with database.session() as session:
        admin = licenser.model_copy(update={"roles": frozenset({PlatformRole.CUSTOMER_ADMIN})})
        accounts.reset_password(session, admin, root.user_id, PASSWORD)  # whoever is to install the next key can
    assert log_in(BUILTIN_ADMIN) == BUILTIN_ADMIN
    for act in (licences.give_seat, licences.take_seat):
        options = {"settings": licensed} if act is licences.give_seat else {}
        with pytest.raises(Forbidden), database.session() as session:
            act(session, manager, alice, **options)  # type: ignore[operator]
        with pytest.raises(NotFound), database.session() as session:
            act(session, licenser, uuid4(), **options)  # type: ignore[operator]
    with pytest.raises(Conflict, match="built in"), database.session() as session:
        licences.give_seat(session, licenser, root.user_id, settings=licensed)


@pytest.mark.feature("AD-08")
def test_the_last_seat_is_given_once(
    database: Database, root: Principal, licensed: Settings, make_user: MakeUser
) -> None:
    people = [make_user() for _ in range(4)]
    with database.session() as session:
        licences.install_licence(session, root, key(database, seats=2), settings=licensed)

    def seat(user: Principal) -> bool:
        try:
            with database.session() as session:
                licences.give_seat(session, root, user.user_id, settings=licensed)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(seat, people)) == [False, False, True, True]


@pytest.mark.feature("AD-04")
def test_features_are_those_of_the_licences_in_force(
    database: Database, root: Principal, licensed: Settings, moment: list[datetime]
) -> None:
    texts = [key(database, days=1, more=("quality-monitor",)), key(database, more=("tomo-live",))]
    with database.session() as session:
        assert licences.licensed_features(session, settings=Settings(home=licensed.home, vendor_key=PUBLIC)) is None
        assert licences.licensed_features(session, settings=licensed) == frozenset()
        for text in texts:
            licences.install_licence(session, root, text, settings=licensed)
        everything = {"platform", "quality-monitor", "tomo-live"}
        assert licences.licensed_features(session, settings=licensed) == everything
        moment[0] += timedelta(days=366)
        assert licences.licensed_features(session, settings=licensed) == everything - {"platform"}


def test_where_a_licence_is_needed(settings: Settings) -> None:
    home = settings.home
    assert not Settings(home=home).licence_required
    assert not Settings(home=home, vendor_key=PUBLIC).licence_required  # one's own machine
    assert not Settings(home=home, auth="hub").licence_required  # nobody sells this one
    assert Settings(home=home, auth="hub", vendor_key=PUBLIC).licence_required
    assert Settings(home=home, licensed=True, vendor_key=PUBLIC).licence_required
    with pytest.raises(ValueError, match="vendor_key"):
        Settings(home=home, licensed=True)


class Rows:
    """Provider of the instance's own tokens, without an owner's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self) -> None:
        """Nothing."""

    def authenticate(self, token: str) -> Principal:
        """Principal of a row."""
        with self._database.session(read_only=True) as session:
            return users.authenticate_token(session, token)

    def close(self) -> None:
        """Nothing."""
