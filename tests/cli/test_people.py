"""``athena user``, ``athena license`` and ``athena token`` as they are typed."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from athena.cli import app, licences, people, tokens
from athena.db.engine import Database
from athena.db.people import BUILTIN_ADMIN
from athena.embedded import start_instance
from athena.errors import Conflict, Invalid, NotFound
from athena.services import users
from athena.settings import Settings

PASSWORD = "long enough"


@pytest.fixture(autouse=True)
def _home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the test's own; tables are not folded."""
    for module in (licences, people, tokens):
        monkeypatch.setattr(module.console, "width", 300)


def athena(*words: str, told: str = "", check: bool = True) -> Result:
    """Run a command; with ``check`` it must succeed."""
    done = CliRunner().invoke(app, list(words), input=told)
    if check:
        assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    return done


def refusal(*words: str) -> BaseException:
    done = athena(*words, check=False)
    assert done.exit_code == 1
    assert done.exception is not None
    return done.exception


@pytest.mark.feature("NB-06", "AD-05", "AD-07")
def test_people_are_managed_without_a_running_instance(settings: Settings) -> None:
    assert "alice may now log in" in athena("user", "add", "alice", told=f"{PASSWORD}\n{PASSWORD}\n").stdout
    athena(
        "user", "add", "bob", "--password", PASSWORD, "--admin", "--role", "license-manager", "--email", "b@example.org"
    )
    listed = athena("user", "list").stdout
    assert re.search(r"bob .*b@example\.org .*admin, license-manager .*local .*no .*active .*never", listed)
    assert re.search(rf"{BUILTIN_ADMIN} .*built in", listed)
    assert "2 users, 2 active" in listed
    assert "alice: customer-admin" in athena("user", "role", "alice", "customer-admin").stdout
    assert isinstance(refusal("user", "role", "alice", "customer-admin", "--take"), Conflict)
    assert isinstance(refusal("user", "remove", BUILTIN_ADMIN), Conflict)
    assert isinstance(refusal("user", "add", "bob", "--password", PASSWORD), Conflict)
    assert isinstance(refusal("user", "add", "x", "--password", "short"), Invalid)
    assert isinstance(refusal("user", "edit", "nobody", "--inactive"), NotFound)
    athena("user", "edit", "bob", "--first-name", "Bob", "--last-name", "B", "--inactive")
    assert re.search(r"bob +Bob B .*off", athena("user", "list", "bob").stdout)
    athena("user", "licence", "bob")
    athena("user", "licence", "bob", "--take")
    athena("user", "remove", "bob", "--heir", "alice")
    athena("user", "password", BUILTIN_ADMIN, "--password", "a first one")
    athena("user", "password", BUILTIN_ADMIN, "--password", "another one")
    database = Database(settings.resolved_database_url)
    with database.session() as session:
        assert users.verify_password(session, "alice", PASSWORD)
        assert users.verify_password(session, BUILTIN_ADMIN, "another one")
    database.dispose()


@pytest.mark.feature("NB-06", "AD-04", "AD-08")
def test_a_licence_from_the_vendors_desk_to_the_users_seat(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "vendor.key"
    public = athena("license", "keygen", str(secret)).stdout.strip()
    assert secret.stat().st_mode & 0o077 == 0
    assert isinstance(refusal("license", "keygen", str(secret)), Conflict)
    assert isinstance(refusal("license", "install", "athena1.e30.AAAA"), Conflict)  # no vendor key yet
    settings.home.mkdir(exist_ok=True)
    (settings.home / "athena.toml").write_text(f'vendor_key = "{public}"\nlicensed = true\n')
    told = athena("license", "status").stdout
    assert "nobody but the built-in account" in told
    (platform,) = re.findall(r"Platform +([0-9a-f-]{36})", told)
    assert "cannot log in until" in athena("user", "add", "alice", "--password", PASSWORD).stdout

    today, last = datetime.now(UTC).date(), (datetime.now(UTC) + timedelta(days=90)).date()
    options = ("--private-key", str(secret), "--seats", "1", "--expires", str(last), "--customer", "Institute")
    key = athena("license", "issue", platform, *options, "--feature", f"tomo-live={today}").stdout.strip()
    assert '"customer": "Institute"' in athena("license", "show", key).stdout
    file = tmp_path / "licence.txt"
    file.write_text(f"{key[:50]}\n{key[50:]}\n")
    installed = athena("license", "install", str(file)).stdout
    assert re.search(rf"platform +1 +0 +{last} +valid", installed)
    assert re.search(rf"tomo-live +no limit +{today} +valid +Expires within two days", installed)
    assert athena("license", "status", "--raw").stdout.strip() == key
    athena("user", "licence", "alice")
    assert "All seats are taken" in athena("license", "status").stdout
    assert re.search(r"alice .*yes", athena("user", "list").stdout)
    assert "0 licences free" in athena("user", "list").stdout

    other = athena("license", "issue", str(uuid4()), *options).stdout.strip()
    for refused, reason in (
        (other, "another platform"),
        (key[:-9] + "A" * 9, "signature"),
        ("hello", "not a licence key"),
    ):
        assert reason in str(refusal("license", "install", refused))
    assert "no day" in str(refusal("license", "issue", platform, *options, "--feature", "tomo-live=soon"))
    assert isinstance(refusal("license", "issue", platform, *options, "--feature", "Tomo Live"), Invalid)


@pytest.mark.feature("NB-06", "BY-07")
def test_a_token_is_printed_alone_and_only_once(settings: Settings) -> None:
    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")
    with start_instance(chosen, runner=False):
        text = athena("token", "create", "beam time", "--scope", "write", "--days", "0").stdout.strip()
        assert re.fullmatch(r"athena_[A-Za-z0-9_-]{43}", text)
        listed = athena("token", "list").stdout
        assert re.search(r"beam time +write +athena_.{4}… +never", listed)
        assert text not in listed
        athena("token", "revoke", "beam time")
        assert "beam time" not in athena("token", "list").stdout
        assert isinstance(refusal("token", "revoke", "beam time"), NotFound)
