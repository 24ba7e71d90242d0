"""Storages, tokens, the guide and the pages of administrators, in a browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from athena.contract.people import User
from athena.contract.storages import Storage
from athena.errors import Unauthorized
from athena.sdk.client import Client
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, login_of

pytestmark = pytest.mark.browser


@pytest.fixture
def bob(context: BrowserContext, instance: Instance, watch: Watch) -> Page:
    """A tab of somebody without any platform role."""
    tab = context.new_page()
    watch.follow(tab)
    tab.goto(login_of(instance, "bob without roles"))
    tab.wait_for_selector("[data-athena=live][data-link=up]")
    return tab


@pytest.mark.feature("ST-01", "ST-02", "AD-01")
def test_connect_choose_and_disconnect_a_storage(page: Page, instance: Instance, watch: Watch, tmp_path: Path) -> None:
    hook = page.locator
    hook("[data-athena=tool-storage]").click()
    first = hook("[data-athena=storage][data-name=Export]")
    expect(first.locator("[data-athena=chosen]")).to_be_visible()

    hook("[data-athena=storage-add]").click()
    hook("[data-athena=field-name]").fill("Tape")
    hook("[data-athena=field-role]").select_option("export")
    hook("[data-athena=field-url]").fill((tmp_path / "tape").as_uri())
    hook("[data-athena=field-quota]").fill("2")
    hook("[data-athena=field-options]").fill("nonsense")
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=dialog]").get_by_role("alert")).to_contain_text("nonsense")
    hook("[data-athena=field-options]").fill("")
    hook("[data-athena=dialog-go]").click()
    tape = hook("[data-athena=storage][data-name=Tape]")
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
    assert "Tape" not in [one.name for one in instance.client.get("/storages", tuple[Storage, ...])]
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
    hook = bob.locator
    hook("[data-athena=user]").click()
    hook("[data-athena=profile-link]").click()
    expect(hook("[data-athena=profile]")).to_contain_text("bob without roles")
    hook("[data-athena=token-new]").click()
    hook("[data-athena=field-name]").fill("Nightly export")
    hook("[data-athena=field-scope]").select_option("write")
    hook("[data-athena=field-days]").select_option("7")
    hook("[data-athena=dialog-go]").click()
    text = hook("[data-athena=token-text]")
    expect(text).to_have_text(re.compile("^athena_"))
    with Client(instance.api, text.inner_text()) as script:
        assert script.get("/me", User).username == "bob without roles"
        line = hook("[data-athena=token][data-name='Nightly export']")
        expect(line).to_contain_text("write")

        hook("[data-athena=token-new]").click()
        hook("[data-athena=field-name]").fill("Nightly export")
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
