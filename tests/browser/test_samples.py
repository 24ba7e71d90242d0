"""Samples in a browser: registered, described, linked to a step, and what came of them (WS-22)."""

import re

import pytest
from playwright.sync_api import Page, expect

from athena.contract.samples import SamplePage
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, make_run
from tests.names import own

pytestmark = [pytest.mark.browser, pytest.mark.feature("WS-22")]


def test_a_sample_is_registered_linked_and_shows_what_came_of_it(page: Page, instance: Instance, watch: Watch) -> None:
    run = make_run(instance.client, folder="Sampled", workflow="Sampled 1", run="Grid of it")
    hook, sample, barcode = page.locator, own("Apoferritin 12"), own("A-17")
    hook("[data-athena=tool-samples]").click()
    expect(hook("[data-athena=title]")).to_have_text("Samples")
    hook("[data-athena=sample-register]").click()
    hook("[data-athena=field-name]").fill(sample)
    hook("[data-athena=field-type]").fill("Grid")
    hook("[data-athena=field-barcode]").fill(barcode)
    hook("[data-athena=field-slot]").fill("4")
    hook("[data-athena=dialog-go]").click()
    name = hook("[data-athena=sample-name]")
    expect(name).to_contain_text(sample)
    expect(page).to_have_url(re.compile("p=samples&id="))
    expect(hook("[data-athena=empty]")).to_contain_text("Nothing yet")

    hook("[data-athena=metadata-add]").click()
    hook("[data-athena=metadata-name]").fill("Concentration")
    hook("[data-athena=metadata-type]").select_option("double")
    hook("[data-athena=metadata-value]").fill("4")
    hook("[data-athena=metadata-save]").click()
    expect(hook("[data-athena=metadata] [data-name=Concentration]")).to_contain_text("4")
    hook("[data-athena=sample-edit]").click()
    hook("[data-athena=field-cassette]").fill("C3")
    hook("[data-athena=dialog-go]").click()
    expect(hook("[data-athena=sample]")).to_contain_text("C3")
    expect(hook("[data-athena=metadata] [data-name=Concentration]")).to_be_visible()
    address = page.url

    page.goto(f"{instance.portal}/?e={run.parent_id}&panel=samples")
    hook("[data-athena=sample-find]").fill(barcode)
    hook(f"[data-athena=sample-hit][data-name='{sample}']").click()
    linked = hook(f"[data-athena=sample][data-name='{sample}']")
    expect(linked).to_contain_text(f"Barcode {barcode}, cassette C3, slot 4")
    page.goto(f"{instance.portal}/?e={run.id}&tab=samples")
    expect(linked).to_contain_text("of the step")
    expect(linked.locator("[data-athena=sample-unlink]")).to_have_count(0)
    # linked here too: that link can go, and the step's is led to
    hook("[data-athena=sample-find]").fill(barcode)
    hook(f"[data-athena=sample-hit][data-name='{sample}']").click()
    expect(linked).to_contain_text("also of the step")
    linked.locator("[data-athena=sample-unlink]").click()
    linked.locator("[data-athena=sample-unlink-sure]").click()
    expect(linked.locator("[data-athena=sample-unlink]")).to_have_count(0)
    expect(linked.locator("[data-athena=sample-above]")).to_have_attribute("href", f"?e={run.parent_id}&panel=samples")

    linked.get_by_role("link", name=sample).click()
    expect(page).to_have_url(address)
    products = hook("[data-athena=product]")
    expect(products).to_have_count(2)
    expect(products.nth(1)).to_contain_text("EPU run in Sampled › Sampled 1 › Imaging")
    hook("[data-athena=sample-delete]").click()
    hook("[data-athena=dialog-go]").click()
    expect(page.get_by_role("alert").filter(has_text="is linked")).to_be_visible()
    page.keyboard.press("Escape")
    products.nth(0).get_by_role("link").click()
    expect(hook("[data-athena=title]")).to_contain_text("Imaging")
    hook("[data-athena=panel-samples]").click()
    hook("[data-athena=sample-unlink]").click()
    hook("[data-athena=sample-unlink-sure]").click()
    expect(linked).to_have_count(0)

    page.goto(address)
    hook("[data-athena=sample-delete]").click()
    hook("[data-athena=dialog-go]").click()
    expect(hook(f"[data-athena=sample-row][data-name='{sample}']")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?p=samples$"))
    assert instance.client.get("/api/samples", SamplePage, params={"text": barcode}).total == 0
    watch.check()
