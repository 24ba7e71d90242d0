"""The frame around every page in a browser: bell of jobs, help of keys, the key to the filter."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from athena.contract.jobs import Job, JobCreate
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run

pytestmark = pytest.mark.browser
LOOKS = 4
"""How often a page is looked at, a second apart, before what is found counts."""


def check_axe(page: Page) -> None:
    """Nothing serious or critical is left once everything is drawn."""
    for look in range(LOOKS):
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        if not grave:
            return
        page.wait_for_timeout(1000 * (look + 1 < LOOKS))
    raise AssertionError([(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in grave])


@pytest.mark.feature("JB-01", "JB-03")
def test_the_bell_tells_of_jobs_and_the_page_of_jobs_is_narrowed(page: Page, instance: Instance, watch: Watch) -> None:
    name = f"Grid of the bell {uuid4().hex[:6]}"
    run = make_run(instance.client, folder="Belled", run=name)
    other = make_run(instance.client, folder="Belled too", run="Another")
    hook = page.locator
    started = [
        instance.client.post("/jobs", JobCreate(kind="export", element_id=one.id, parameters={"folder": one.name}), Job)
        for one in (run, other)
    ]
    expect(hook("[data-athena=badge-jobs]")).to_have_text(re.compile(r"^\d+$"))
    bell, panel = hook("[data-athena=bell]"), hook("[data-athena=bell-panel]")
    bell.click()
    mine = panel.locator("[data-athena=job]", has_text=name)
    expect(mine).to_have_attribute("data-state", "pending")
    check_axe(page)
    mine.locator("[data-athena=job-cancel]").click()
    mine.locator("[data-athena=job-cancel-sure]").click()
    expect(mine).to_have_attribute("data-state", "cancelled")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_be_focused()
    bell.click()
    hook("[data-athena=bell-all]").click()
    expect(panel).to_be_hidden()

    jobs = hook("[data-athena=jobs] [data-athena=job]")
    expect(hook("[data-athena=jobs-state]")).to_be_visible()
    page.keyboard.press("f")
    expect(hook("[data-athena=jobs-state]")).to_be_focused()
    hook("[data-athena=jobs-state]").select_option("cancelled")
    hook("[data-athena=jobs-kind]").select_option("export")
    hook("[data-athena=jobs-element]").fill(name[-6:])
    expect(page).to_have_url(re.compile(r"state=cancelled&kind=export&element=" + name[-6:]))
    expect(jobs).to_have_count(1)
    page.reload()
    expect(jobs).to_have_count(1)
    expect(hook("[data-athena=jobs-element]")).to_have_value(name[-6:])
    hook("[data-athena=jobs-state]").select_option("")
    hook("[data-athena=jobs-element]").fill("no such element")
    expect(hook("[data-athena=jobs] [data-athena=empty]")).to_contain_text("as the filter asks")
    hook("[data-athena=jobs-clear]").click()
    expect(jobs.filter(has_text="Another")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?p=jobs$"))
    instance.client.post(f"/jobs/{started[1].id}/cancel", None, Job)
    watch.check()


@pytest.mark.feature("WS-19", "EQ-12")
def test_the_dashboard_tells_of_what_is_acquired_now(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    name = f"Grid now {uuid4().hex[:6]}"
    run = make_run(instance.client, folder="Dashing", run=name)
    player = play(run.id, size=(256, 256))
    player.attach(message="8 movies found.")
    indices = player.register(8)
    player.complete(indices[:7])
    player.fail(indices[7:], "The movie ends early.")
    page.locator("[data-athena=tool-dashboard]").click()
    live = page.locator(f"[data-athena=live-run][data-name='{name}']")
    expect(live.locator("[data-athena=live-rate]")).to_have_text("600")  # one in 6 s
    expect(live).to_contain_text("1 of the last 8 could not be processed")
    expect(live.locator("img")).to_have_js_property("naturalWidth", 256)
    check_axe(page)
    live.get_by_role("link", name=name).click()
    expect(page.locator("[data-athena=acquisition][data-state=error]")).to_be_visible()
    watch.check()


@pytest.mark.feature("WS-20")
def test_keys_are_told_on_every_page_and_lead_to_the_filter(page: Page, instance: Instance, watch: Watch) -> None:
    run = make_run(instance.client, folder="Keyed")
    hook = page.locator
    page.goto(f"{instance.portal}/?p=jobs")
    expect(hook("[data-athena=jobs]")).to_be_visible()
    box = hook("[data-athena=jobs-element]")
    box.focus()
    page.keyboard.type("?f")
    expect(box).to_have_value("?f")
    hook("[data-athena=bell]").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(hook("[data-athena=keys-here]")).to_contain_text("Everywhere")
    check_axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(hook("[data-athena=bell]")).to_be_focused()

    page.goto(f"{instance.portal}/?e={run.id}&tab=metadata")
    metadata = hook("[data-athena=metadata-filter]:visible")
    expect(metadata).to_be_visible()
    page.keyboard.press("f")
    expect(metadata).to_be_focused()
    page.goto(f"{instance.portal}/?e={run.id}")
    expect(hook("[data-athena=empty]:visible").first).to_be_visible()
    hook("[data-athena=user]").click()
    hook("[data-athena=keys-link]").click()
    expect(hook("[data-athena=keys-here]")).to_contain_text("Gallery of a run")
    hook("[data-athena=keys-close]").click()
    expect(dialog).to_have_count(0)
    watch.check()
