"""People of a real LDAP server: found, added, logged in by a bind, and what is said when it fails (AD-07, HB-01)."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from athena.contract.people import PasswordCheck, PlatformRole, Principal, PrincipalKind, UserCreate, UserSource
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from athena.services import accounts, logins
from athena.services.directory import as_the_directory_has_it, find_people
from athena.services.ldap import Directory
from athena.settings import LdapSettings, Settings
from tests.services.ldap_server import BASE, READER, READER_PASSWORD, LdapServer, ldap_server
from tests.setup_machine import slapd

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    found = slapd()
    if found is None:
        pytest.skip("no slapd on this machine: 'python tests/setup_machine.py' installs it as root on Debian")
    with ldap_server(found, tmp_path_factory.mktemp("ldap")) as running:
        yield running


@pytest.fixture
def ldap(server: LdapServer) -> LdapSettings:
    return LdapSettings(url=server.url, base_dn=BASE, bind_dn=READER, bind_password=READER_PASSWORD)


@pytest.fixture
def with_ldap(settings: Settings, ldap: LdapSettings) -> Settings:
    return Settings(home=settings.home, ldap=ldap)


@pytest.fixture
def manager(make_user: Callable[..., Principal]) -> Principal:
    return make_user("manager", roles=(PlatformRole.USER_MANAGER,))


@pytest.fixture
def service(make_user: Callable[..., Principal]) -> Principal:
    return make_user("front door").model_copy(update={"kind": PrincipalKind.SERVICE})


def add(database: Database, manager: Principal, username: str, settings: Settings) -> None:
    new = as_the_directory_has_it(manager, UserCreate(username=username, source=UserSource.LDAP), settings=settings)
    with database.session() as session:
        accounts.add_user(session, manager, new, settings=settings)


@pytest.mark.feature("AD-07")
def test_people_are_found_as_an_address_is_typed(database: Database, manager: Principal, with_ldap: Settings) -> None:
    def find(text: str) -> list[str]:
        with database.session(read_only=True) as session:
            return [one.username for one in find_people(session, manager, text, settings=with_ldap)]

    assert find("ali") == ["alice"]
    assert find("BOB@example") == ["bob"]
    assert find("Bob the B") == ["bob"]
    assert find("carol*(ad") == ["carol"]  # escaped: neither a wildcard nor a filter
    for odd in ("**", "a*)(uid=*", "x)(|(uid=bob", "zz", "a\x00z"):
        assert find(odd) == []
    for short in (" a ", "\x00\x00", "\ud800\ud800"):
        with pytest.raises(Invalid, match="at least 2"):
            find(short)
    add(database, manager, "alice", with_ldap)
    with database.session(read_only=True) as session:
        (alice,) = find_people(session, manager, "alice", settings=with_ldap)
        assert alice.known
        assert alice.model_dump(exclude={"known"}) == {
            "username": "alice",
            "email": "alice@example.org",
            "first_name": "Alice",
            "last_name": "Liddell",
        }
        stranger = manager.model_copy(update={"roles": frozenset()})
        with pytest.raises(Forbidden):
            find_people(session, stranger, "alice", settings=with_ldap)
        with pytest.raises(Conflict, match="No directory"):
            find_people(session, manager, "alice", settings=Settings(home=with_ldap.home))


@pytest.mark.feature("AD-07", "HB-01")
def test_people_of_the_directory_log_in_by_its_passwords(
    database: Database, manager: Principal, service: Principal, with_ldap: Settings
) -> None:
    def log_in(username: str, password: str) -> str:
        check = PasswordCheck(username=username, password=password, peer=f"10.0.0.{len(password)}")
        return logins.log_in(database, service, check, settings=with_ldap).display_name

    with pytest.raises(NotFound, match="does not know"):
        add(database, manager, "mallory", with_ldap)
    with pytest.raises(Unauthorized):
        log_in("alice", "wonderland")  # in the directory, but not added
    add(database, manager, "alice", with_ldap)
    with database.session() as session:
        accounts.add_user(session, manager, UserCreate(username="bob", password="a local one"), settings=with_ldap)
    assert log_in("alice", "wonderland") == "Alice Liddell"
    assert log_in("bob", "a local one") == ""
    for name, password in (
        ("alice", "Wonderland"),
        ("alice", ""),  # a bind without a password would succeed, as nobody
        ("Alice", "wonderland"),
        ("alice*", "wonderland"),
        ("alice\x00", "wonderland"),
        ("alice)(uid=*", "wonderland"),
        ("bob", "can we fix it"),  # the directory's password of a local user's namesake
        ("carol", "one of two"),
    ):
        with pytest.raises(Unauthorized, match="user name or the password is wrong"):
            log_in(name, password)
    add_carol = UserCreate(username="carol", source=UserSource.LDAP)
    with pytest.raises(NotFound):  # two people of one name: neither
        as_the_directory_has_it(manager, add_carol, settings=with_ldap)


@pytest.mark.feature("AD-07")
def test_connections_are_encrypted_where_asked(server: LdapServer, ldap: LdapSettings, database_url: str) -> None:
    for changes in ({"start_tls": True}, {"url": server.tls_url}):
        trusted = Directory(ldap.model_copy(update={**changes, "ca_file": server.ca_file}))
        assert trusted.check_password("alice", "wonderland") is not None
        assert trusted.check_password("alice", "Wonderland") is None
        with pytest.raises(Unavailable, match=r"directory at ldaps?://"):
            Directory(ldap.model_copy(update=changes)).check_password("alice", "wonderland")
    with pytest.raises(ValueError, match="encrypted already"):
        LdapSettings(url=server.tls_url, base_dn=BASE, start_tls=True)


@pytest.mark.feature("AD-07")
def test_a_directory_that_fails_says_so(
    database: Database,
    manager: Principal,
    service: Principal,
    ldap: LdapSettings,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Settings(home=settings.home, ldap=ldap.model_copy(update={"bind_password": "old"}))
    with database.session() as session, pytest.raises(Unavailable, match="refuses Athena's own log-in") as caught:
        find_people(session, manager, "alice", settings=wrong)
    assert "bind_dn" in caught.value.hint
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"ldap://127.0.0.1:{bound.getsockname()[1]}"
    away = Settings(home=settings.home, ldap=ldap.model_copy(update={"url": nobody}))
    with database.session() as session:
        accounts.add_user(session, manager, UserCreate(username="bob", password="a local one"), settings=away)
    # local people still come in; of others nothing can be said, whether or not there are such
    right = PasswordCheck(username="bob", password="a local one")
    assert logins.log_in(database, service, right, settings=away).username == "bob"
    for name in ("bob", "nobody"):
        with pytest.raises(Unavailable, match="does not answer as it should"):
            logins.log_in(database, service, PasswordCheck(username=name, password="wrong"), settings=away)
    monkeypatch.setitem(sys.modules, "athena.services.ldap", None)
    with database.session() as session, pytest.raises(Unavailable, match="package that speaks LDAP") as caught:
        find_people(session, manager, "alice", settings=away)
    assert "athena-cryoem[ldap]" in caught.value.hint


def test_settings_come_from_the_file_and_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    settings.home.mkdir()
    (settings.home / "athena.toml").write_text('[ldap]\nurl = "ldap://directory:389"\nbase_dn = "dc=example"\n')
    told = Settings()
    assert told.ldap is not None
    assert (told.ldap.url, told.ldap.username_attribute) == ("ldap://directory:389", "uid")
    monkeypatch.setenv("ATHENA_LDAP", told.ldap.model_copy(update={"username_attribute": "cn"}).model_dump_json())
    again = Settings().ldap
    assert again is not None
    assert again.username_attribute == "cn"
    assert "bind_password" not in repr(again)
    from hub_config.launch import instance_environment

    assert LdapSettings.model_validate_json(instance_environment(told)["ATHENA_LDAP"]) == told.ldap
