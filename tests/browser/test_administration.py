"""Administration with what a site brings: a vendor's licences and a directory of people."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from athena.contract.licences import Licence, LicensedFeature
from athena.contract.people import AccountPage, UserSource
from athena.db.engine import Database
from athena.db.licences import LicenceRow
from athena.db.people import UserRow
from athena.domain.licences import new_key_pair, sign_licence
from tests.browser.conftest import PATIENCE_MS, Watch
from tests.browser.instance import Instance, running
from tests.services.ldap_server import BASE, READER, READER_PASSWORD, ldap_server
from tests.setup_machine import slapd

pytestmark = pytest.mark.browser

PRIVATE, PUBLIC = new_key_pair()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance of a site with a vendor key and, where this machine has a slapd, a directory."""
    found, variables = slapd(), {"ATHENA_VENDOR_KEY": PUBLIC}
    home = tmp_path_factory.mktemp("site") / "home"
    if found is None:
        with running(home, "api", "portal", variables=variables) as instance:
            yield instance
        return
    with ldap_server(found, tmp_path_factory.mktemp("ldap")) as server:
        reader = {"url": server.url, "base_dn": BASE, "bind_dn": READER, "bind_password": READER_PASSWORD}
        with running(home, "api", "portal", variables={**variables, "ATHENA_LDAP": json.dumps(reader)}) as instance:
            yield instance


@pytest.fixture
def admin(browser: Browser, site: Instance) -> Iterator[Page]:
    """The administrator's tab; it fails the test where it misbehaved."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    watch, tab = Watch(site.portal), context.new_page()
    watch.follow(tab)
    _bare(site)
    tab.goto(site.login)
    tab.wait_for_selector("[data-athena=live][data-link=up]")
    yield tab
    context.close()
    watch.check()


def _bare(site: Instance) -> None:
    """The site without licences and people of the directory: a test, or an earlier try of it, may have left some."""
    database = Database(site.settings.resolved_database_url)
    with database.session() as session:
        session.execute(delete(LicenceRow))
        session.execute(delete(UserRow).where(UserRow.source == UserSource.LDAP.value))
    database.dispose()


@pytest.mark.feature("AD-04", "AD-08")
def test_a_licence_key_is_accepted_and_its_seats_are_counted(admin: Page) -> None:
    hook = admin.locator
    hook("[data-athena=tool-licence]").click()
    expect(hook("[data-athena=empty]")).to_contain_text("No licence key")
    platform = hook("[data-athena=platform-id]").text_content()
    now = datetime.now(UTC)
    licence = Licence(
        id=uuid4(),
        platform_id=UUID(platform),
        customer="Institute of Structural Biology",
        issued=now,
        features=(LicensedFeature(name="platform", seats=7, expires=now + timedelta(days=30)),),
    )
    key = sign_licence(licence, PRIVATE)
    # as an e-mail brings it: broken into lines
    hook("[data-athena=licence-key]").fill("\n  ".join(key[at : at + 60] for at in range(0, len(key), 60)))
    hook("[data-athena=licence-install]").click()
    feature = hook("[data-athena=feature][data-name=platform]")
    expect(feature).to_contain_text("Valid")
    expect(feature.locator("td").nth(1)).to_have_text("7")
    expect(hook("[data-athena=licence-key]")).to_have_value("")
    hook("[data-athena=licence] summary").click()
    expect(hook("[data-athena=licence-raw]")).to_contain_text("Institute of Structural Biology")
    # the same key of another vendor is refused, and the one that is there stays
    hook("[data-athena=licence-key]").fill(sign_licence(licence, new_key_pair()[0]))
    hook("[data-athena=licence-install]").click()
    expect(hook("[data-athena=licence-problem]")).to_be_visible()
    expect(hook("[data-athena=feature]")).to_have_count(1)


@pytest.mark.skipif(slapd() is None, reason="no slapd on this machine: 'python tests/setup_machine.py' installs it")
@pytest.mark.feature("AD-07", "AD-06")
def test_someone_of_the_directory_is_completed_from_the_address(admin: Page, site: Instance) -> None:
    hook = admin.locator
    hook("[data-athena=tool-users]").click()
    hook("[data-athena=user-add]").click()
    email = hook("[data-athena=field-email]")
    email.press_sequentially("alice@")
    expect(hook("#people option")).to_have_attribute("value", "alice@example.org")
    email.fill("alice@example.org")
    for name, value in {"username": "alice", "first_name": "Alice", "last_name": "Liddell", "source": "ldap"}.items():
        expect(hook(f"[data-athena=field-{name}]")).to_have_value(value)
    hook("[data-athena=dialog-go]").click()
    line = hook("[data-athena=account][data-name=alice]")
    expect(line).to_contain_text("Directory")
    expect(line).to_contain_text("Alice Liddell")
    (account,) = site.client.get("/users", AccountPage, params={"search": "alice"}).items
    assert (account.source, account.email) == (UserSource.LDAP, "alice@example.org")
    # what the directory knows is not changed here, and there is no password to set
    line.locator("[data-athena=actions]").click()
    expect(line.locator("[data-athena=do-password]")).to_have_count(0)
    line.locator("[data-athena=do-edit]").click()
    for name in ("email", "first_name", "last_name"):
        expect(hook(f"[data-athena=field-{name}]")).to_be_disabled()
    hook("[data-athena=dialog]").get_by_role("button", name="Cancel").click()
    # someone whom the directory does not have is not taken for one of its people
    hook("[data-athena=user-add]").click()
    hook("[data-athena=field-username]").fill("mallory")
    hook("[data-athena=field-source]").select_option("ldap")
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=dialog]").get_by_role("alert")).to_contain_text("mallory")
    hook("[data-athena=dialog]").get_by_role("button", name="Cancel").click()
    expect(hook("[data-athena=account][data-name=mallory]")).to_have_count(0)
