"""The workspace in a browser: log-in, making folders, workflows and runs, going about."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Watch
from tests.browser.instance import Instance, make_run

pytestmark = pytest.mark.browser


def test_a_stranger_sees_how_to_log_in_and_no_data(context: BrowserContext, instance: Instance) -> None:
    make_run(instance.client, folder="Secret")
    page = context.new_page()
    for path in ("/", "/?e=0", "/login"):
        page.goto(instance.portal + path)
        expect(page.locator("[data-athena=notice]")).to_contain_text("athena up")
        assert "Secret" not in page.content()
    answer = page.goto(f"{instance.portal}/login?token=wrong")
    assert answer is not None
    assert answer.status == 401
    expect(page.locator("[data-athena=notice]")).to_contain_text("not valid")


@pytest.mark.feature("WS-01", "WS-02", "WS-03", "WS-04", "WS-05", "WS-09", "WS-10")
def test_make_a_folder_a_workflow_and_a_run(page: Page, watch: Watch) -> None:
    page.get_by_role("button", name="Add folder").click()
    page.get_by_label("Name").fill("Apoferritin")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("[data-athena=title]")).to_have_text("Apoferritin")
    expect(page.locator("[data-athena=empty]")).to_contain_text("Add workflow")

    page.get_by_role("button", name="Add workflow").click()
    page.get_by_label("Name").fill("SPA-QM 1")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("[data-athena=title]")).to_contain_text("SPA-QM 1")
    steps = page.locator("[data-athena=element]")
    expect(steps).to_have_count(6)
    names = [step.get_attribute("data-name") for step in steps.all()]
    assert names == ["Biochemistry", "MassSpec Screening", "Vitrification", "Screening", "Imaging", "Processing"]

    page.locator("[data-athena=element][data-name=Imaging]").click()
    page.get_by_role("button", name="Add dataset").click()
    page.get_by_label("Name").fill("Grid 1")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("[data-athena=empty]")).to_contain_text("athena watch")
    crumbs = page.locator("[data-athena=breadcrumb]")
    for words in ("Folder", "Apoferritin", "Workflow", "SPA-QM 1", "Step", "Imaging", "Dataset", "Grid 1"):
        expect(crumbs).to_contain_text(words)

    page.go_back()
    expect(page.locator("[data-athena=title]")).to_contain_text("Imaging")
    page.reload()
    expect(page.locator("[data-athena=element][data-name='Grid 1']")).to_be_visible()
    page.locator("[data-athena=home]").click()
    expect(page.locator("[data-athena=element][data-name=Apoferritin]")).to_be_visible()
    watch.check()


def test_a_name_that_is_refused_says_why(page: Page, watch: Watch) -> None:
    page.get_by_role("button", name="Add folder").click()
    page.get_by_label("Name").fill("a/b")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert watch.outside == []


@pytest.mark.feature("WS-10")
def test_cards_or_list_and_dark_or_light_are_remembered(page: Page, instance: Instance, watch: Watch) -> None:
    make_run(instance.client, folder="Remembered")
    expect(page.locator("[data-athena=element][data-name=Remembered]")).to_be_visible()
    page.locator("[data-athena=form-list]").click()
    page.locator("[data-athena=theme]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("[data-athena=form-list]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    watch.check()


def test_an_address_that_names_nothing(page: Page, instance: Instance) -> None:
    for query in ("?e=nonsense", "?e=00000000-0000-0000-0000-000000000000", "?i=-3"):
        page.goto(f"{instance.portal}/{query}")
        expect(page.locator("[data-athena=error]")).to_contain_text("Nothing here")
    page.locator("[data-athena=error]").get_by_role("link", name="Home").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.locator("[data-athena=title]")).to_have_text("Workspace")


def test_log_out(page: Page, instance: Instance) -> None:
    page.locator("[data-athena=user]").click()
    page.locator("[data-athena=log-out]").click()
    expect(page.locator("[data-athena=notice]")).to_contain_text("logged out")
    page.goto(instance.portal)
    expect(page.locator("[data-athena=notice]")).to_contain_text("athena up")
