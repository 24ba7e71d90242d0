"""Storages, tokens, the guide and the pages of administrators, in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from athena.contract.jobs import Job, JobState
from athena.contract.people import AccountPage, PlatformRole, User
from athena.contract.storages import Storage, StorageUpdate
from athena.errors import Unauthorized
from athena.sdk.client import Client
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, login_of
from tests.names import own

pytestmark = pytest.mark.browser


@pytest.fixture
def bob(context: BrowserContext, instance: Instance, watch: Watch) -> Page:
    """A tab of somebody without any platform role."""
    tab = context.new_page()
    watch.follow(tab)
    tab.goto(login_of(instance, "bob without roles"))
    tab.wait_for_selector("[data-athena=live][data-link=up]")
    return tab


@pytest.fixture
def export_chosen(instance: Instance) -> Iterator[None]:
    """Where exports go, as it was, however the test ends."""
    yield
    for one in instance.client.get("/storages", tuple[Storage, ...]):
        if one.name == "Export":
            instance.client.patch(f"/storages/{one.id}", StorageUpdate(chosen=True), Storage)


@pytest.mark.usefixtures("export_chosen")
@pytest.mark.feature("ST-01", "ST-02", "AD-01")
def test_connect_choose_and_disconnect_a_storage(page: Page, instance: Instance, watch: Watch, tmp_path: Path) -> None:
    hook, name = page.locator, own("Tape")
    hook("[data-athena=tool-storage]").click()
    first = hook("[data-athena=storage][data-name=Export]")
    expect(first.locator("[data-athena=chosen]")).to_be_visible()

    hook("[data-athena=storage-add]").click()
    hook("[data-athena=field-name]").fill(name)
    hook("[data-athena=field-role]").select_option("export")
    hook("[data-athena=field-url]").fill((tmp_path / "tape").as_uri())
    hook("[data-athena=field-quota]").fill("2")
    hook("[data-athena=field-options]").fill("nonsense")
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=dialog]").get_by_role("alert")).to_contain_text("nonsense")
    hook("[data-athena=field-options]").fill("")
    hook("[data-athena=dialog-go]").click()
    tape = hook(f"[data-athena=storage][data-name={name}]")
    expect(tape).to_have_attribute("data-state", "stable")
    expect(tape).to_contain_text("2.00\u2009GB")
    expect(hook("[data-athena=dialog]")).to_have_count(0)

    tape.locator("[data-athena=actions]").click()
    tape.locator("[data-athena=do-choose]").click()
    expect(tape.locator("[data-athena=chosen]")).to_be_visible()
    expect(first.locator("[data-athena=chosen]")).to_have_count(0)

    (tmp_path / "tape").rmdir()
    (tmp_path / "tape").write_text("a file where the folder was")
    tape.locator("[data-athena=actions]").click()
    tape.locator("[data-athena=do-check]").click()
    expect(tape).to_have_attribute("data-state", "down")

    first.locator("[data-athena=actions]").click()
    first.locator("[data-athena=do-choose]").click()
    expect(first.locator("[data-athena=chosen]")).to_be_visible()
    tape.locator("[data-athena=actions]").click()
    tape.locator("[data-athena=do-remove]").click()
    hook("[data-athena=dialog-go]").click()
    expect(tape).to_have_count(0)
    assert name not in [one.name for one in instance.client.get("/storages", tuple[Storage, ...])]
    watch.check()


@pytest.mark.feature("ST-02")
def test_others_see_how_full_storages_are_and_no_more(bob: Page, instance: Instance, watch: Watch) -> None:
    bob.locator("[data-athena=tool-storage]").click()
    card = bob.locator("[data-athena=storage][data-name=Export]")
    expect(card).to_contain_text("Free")
    expect(card).not_to_contain_text("home:export")
    expect(bob.locator("[data-athena=storage-add]")).to_have_count(0)
    expect(bob.locator("[data-athena=actions]")).to_have_count(0)
    watch.check()


@pytest.mark.feature("BY-07")
def test_make_a_token_see_it_once_and_revoke_it(bob: Page, instance: Instance, watch: Watch) -> None:
    hook, name = bob.locator, own("Nightly export ")
    hook("[data-athena=user]").click()
    hook("[data-athena=profile-link]").click()
    expect(hook("[data-athena=profile]")).to_contain_text("bob without roles")
    hook("[data-athena=token-new]").click()
    hook("[data-athena=field-name]").fill(name)
    hook("[data-athena=field-scope]").select_option("write")
    hook("[data-athena=field-days]").select_option("7")
    hook("[data-athena=dialog-go]").click()
    text = hook("[data-athena=token-text]")
    expect(text).to_have_text(re.compile("^athena_"))
    with Client(instance.api, text.inner_text()) as script:
        assert script.get("/me", User).username == "bob without roles"
        line = hook(f"[data-athena=token][data-name='{name}']")
        expect(line).to_contain_text("write")

        hook("[data-athena=token-new]").click()
        hook("[data-athena=field-name]").fill(name)
        hook("[data-athena=dialog-go]").click()
        expect(hook("[data-athena=dialog]").get_by_role("alert")).to_contain_text("already")
        bob.keyboard.press("Escape")

        bob.reload()
        expect(line).to_be_visible()
        expect(text).to_have_count(0)
        line.locator("[data-athena=token-revoke]").click()
        hook("[data-athena=token-revoke-sure]").click()
        expect(line).to_have_count(0)
        with pytest.raises(Unauthorized):
            script.get("/me", User)
    watch.check()


def test_read_and_search_the_guide(bob: Page, watch: Watch) -> None:
    hook = bob.locator
    hook("[data-athena=tool-guide]").click()
    page = hook("[data-athena=guide-page]")
    expect(page.locator("h1")).to_have_text("First steps")
    hook("[data-athena=guide]").get_by_role("link", name="The portal", exact=True).click()
    picture = page.locator("img").first
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")  # fails where the picture did not come
    hook("[data-athena=guide-search]").fill("update live exp")
    hit = hook("[data-athena=guide-hit]").first
    expect(hit).to_contain_text("Jobs, export, archive and cleanup")
    hit.click()
    expect(bob).to_have_url(re.compile("page=guide%2Fjobs-and-export&at="))
    expect(page.locator("h1")).to_have_text("Jobs, export, archive and cleanup")
    bob.go_back()
    expect(hit).to_be_visible()
    watch.check()


ADMIN_TOOLS = ("settings", "licence", "users")


@pytest.mark.feature("AD-02", "AD-03", "AD-04", "AD-05", "AD-06")
def test_who_has_no_role_sees_nothing_of_administration(bob: Page, instance: Instance, watch: Watch) -> None:
    expect(bob.locator("[data-athena=tool-storage]")).to_be_visible()
    for name in ADMIN_TOOLS:
        expect(bob.locator(f"[data-athena=tool-{name}]")).to_have_count(0)
    for query in ("?p=settings", "?p=settings&tab=plugins", "?p=licence", "?p=users"):
        bob.goto(f"{instance.portal}/{query}")
        expect(bob.locator("[data-athena=error]")).to_contain_text("This did not work")
        for hook in ("health", "plugins", "licence", "users"):
            expect(bob.locator(f"[data-athena={hook}]")).to_have_count(0)
    watch.check()


@pytest.mark.feature("AD-05", "AD-06")
def test_a_role_opens_its_page_and_no_other(context: BrowserContext, instance: Instance, watch: Watch) -> None:
    tab = context.new_page()
    watch.follow(tab)
    tab.goto(login_of(instance, "carol of licences", PlatformRole.LICENSE_MANAGER))
    tab.locator("[data-athena=tool-users]").click()
    line = tab.locator("[data-athena=account][data-name='carol of licences']")
    expect(line).to_contain_text("license-manager")
    expect(line.locator("[data-athena=user-licence]")).to_be_enabled()
    expect(tab.locator("[data-athena=actions]")).to_have_count(0)
    expect(tab.locator("[data-athena=user-add]")).to_be_hidden()
    expect(tab.locator("[data-athena=tool-licence]")).to_be_visible()
    expect(tab.locator("[data-athena=tool-settings]")).to_have_count(0)
    watch.check()


@pytest.mark.feature("AD-02", "AD-03", "SE-03", "EX-03")
def test_health_and_plugins(page: Page, instance: Instance, watch: Watch) -> None:
    hook = page.locator
    hook("[data-athena=tool-settings]").click()
    expect(hook("[data-athena=service][data-kind=portal]")).to_have_attribute("data-state", "stable")
    expect(hook("[data-athena=service][data-kind=runner]").first).to_have_attribute("data-state", "down")
    hook("[data-athena=stop-live-exports]").click()
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=said]")).to_have_text("None was running.")
    hook("[data-athena=reindex]").click()
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=said]")).to_contain_text("begun")
    hook("[data-athena=tool-jobs]").click()
    expect(hook("[data-athena=job]", has_text="Reindexing").first).to_be_visible()
    # no runner takes it: other tests, and this one once more, find none of it waiting
    for job in instance.client.get("/jobs", list[Job]):
        if job.kind == "reindex" and job.state is JobState.PENDING:
            instance.client.post(f"/jobs/{job.id}/cancel", None, Job)
    page.go_back()
    hook("[data-athena=tab-plugins]").click()
    expect(hook("[data-athena=plugin][data-name=epu]")).to_contain_text("Acquisition")
    watch.check()


@pytest.mark.feature("AD-04")
def test_a_licence_key_that_is_refused_says_why(page: Page, watch: Watch) -> None:
    hook = page.locator
    hook("[data-athena=tool-licence]").click()
    expect(hook("[data-athena=platform-id]")).to_have_text(re.compile(r"^[0-9a-f-]{36}$"))
    hook("[data-athena=licence-key]").fill("no key")
    hook("[data-athena=licence-install]").click()
    expect(hook("[data-athena=licence-problem]")).to_have_text(re.compile(r"\w{3}"))
    expect(hook("[data-athena=licence-key]")).to_have_value("no key")
    watch.check()


@pytest.mark.feature("AD-06", "AD-07", "AD-08")
def test_add_change_and_remove_a_user(page: Page, instance: Instance, watch: Watch) -> None:
    hook, name = page.locator, own("alice")
    hook("[data-athena=tool-users]").click()
    hook("[data-athena=user-add]").click()
    hook("[data-athena=field-username]").fill(name)
    hook("[data-athena=field-email]").fill(f"{name}@example.org")
    hook("[data-athena=field-first_name]").fill("Alice")
    hook("[data-athena=field-password]").fill("password of alice")
    hook("[data-athena=field-again]").fill("password of nobody")
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=dialog]").get_by_role("alert")).to_contain_text("differ")
    hook("[data-athena=field-again]").fill("password of alice")
    hook("[data-athena=dialog-go]").click()
    alice = hook(f"[data-athena=account][data-name={name}]")
    expect(alice).to_contain_text(f"{name}@example.org")

    alice.locator("[data-athena=actions]").click()
    alice.locator("[data-athena=do-roles]").click()
    hook("[data-athena=field-user-manager]").check()
    hook("[data-athena=dialog-go]").click()
    expect(alice).to_contain_text("user-manager")
    assert instance.client.get("/users", AccountPage, params={"search": name}).items[0].roles == {
        PlatformRole.USER_MANAGER
    }

    alice.locator("[data-athena=actions]").click()
    alice.locator("[data-athena=do-edit]").click()
    hook("[data-athena=field-email]").fill(f"new.{name}@example.org")
    hook("[data-athena=dialog-go]").click()
    expect(alice).to_contain_text(f"new.{name}@example.org")
    hook("[data-athena=users-find]").fill("nobody of this name")
    expect(hook("[data-athena=account]")).to_have_count(0)
    hook("[data-athena=users-find]").fill(f"new.{name}@exam")
    expect(hook("[data-athena=account]")).to_have_count(1)
    alice.locator("[data-athena=actions]").click()
    alice.locator("[data-athena=do-remove]").click()
    hook("[data-athena=dialog-go]").click()
    expect(alice).to_have_count(0)
    watch.check()
