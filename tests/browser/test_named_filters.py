"""Rules under a name: kept in one run's Dataviz, chosen in its sibling's, renamed and deleted."""

import pytest
from playwright.sync_api import Page, expect

from athena.contract.elements import DatasetCreate, DatasetType, Element
from athena.contract.filters import SavedFilter
from athena.contract.named_filters import NamedFilter, NamedFilterUpdate
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run

pytestmark = pytest.mark.browser


@pytest.mark.feature("EQ-08", "BY-09")
def test_a_filter_is_saved_under_a_name_and_chosen_in_another_run(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    first = make_run(instance.client, folder="Named filters")
    new = DatasetCreate(name="Grid 4", parent_id=first.parent_id, type=DatasetType.EPU_RUN)
    second = instance.client.post("/elements", new, Element)
    for run in (first, second):
        resolution = play(run.id, size=(256, 256)).measure(60)["ctf_resolution_angstrom"]
    kept = str(int((resolution <= 3.4).sum()))
    hook = page.locator
    menu, matching = hook("[data-athena=named-filters]"), hook("[data-athena=filter-count]")

    page.goto(f"{instance.portal}/?e={first.id}&tab=dataviz&rules=ctf_resolution_angstrom~le~3.4")
    expect(matching).to_have_attribute("data-kept", kept)
    menu.click()
    hook("[data-athena=filter-name]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("CTF resolution ≤ 3.4")
    dialog.get_by_label("Name").fill("sharp")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(menu).to_contain_text("sharp")

    page.goto(f"{instance.portal}/?e={second.id}&tab=dataviz")
    expect(matching).to_have_attribute("data-kept", "60")
    expect(menu).to_contain_text("Filters")
    menu.click()
    chosen = hook("[data-athena=named-filter][data-name=sharp]")
    expect(chosen).to_contain_text("CTF resolution ≤ 3.4")
    chosen.click()
    expect(matching).to_have_attribute("data-kept", kept)
    expect(hook("[data-athena=rule]")).to_have_count(1)
    expect(menu).to_contain_text("sharp")
    hook("[data-athena=filter-apply]").click()
    expect(hook("[data-athena=filter-changed]")).to_have_count(0)
    assert str(instance.client.get(f"/runs/{second.id}/filter", SavedFilter).matching) == kept
    assert instance.client.get(f"/runs/{first.id}/filter", SavedFilter).filter.rules == ()

    # with the keyboard alone: the menu, its pencil, the dialog
    menu.focus()
    page.keyboard.press("Enter")
    hook("[data-athena=named-filter-change]").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Name")).to_have_value("sharp")
    dialog.get_by_label("Name").fill("sharpest")
    page.keyboard.press("Enter")
    expect(menu).to_contain_text("sharpest")

    # what it was, and that again
    (named,) = instance.client.get(f"/runs/{first.id}/filters", list[NamedFilter])
    rules = [{"metric": "ctf_resolution_angstrom", "operator": "<=", "value": 9}]
    change = NamedFilterUpdate.model_validate({"rules": rules})
    instance.client.patch(f"/runs/{first.id}/filters/{named.id}", change, NamedFilter)
    expect(menu).not_to_contain_text("sharpest")
    menu.click()
    hook("[data-athena=named-filter-history]").click()
    expect(hook("[data-athena=dialog-choice]")).to_have_count(3)
    go = hook("[data-athena=dialog-go]")
    expect(go).to_be_disabled()
    expect(dialog.get_by_role("radio").first).to_be_disabled()
    expect(hook("[data-athena=dialog-choice]").first).to_contain_text("CTF resolution ≤ 9")
    oldest = hook("[data-athena=dialog-choice][data-value='1']")
    expect(oldest).to_contain_text("as “sharp”")
    oldest.get_by_role("radio").check()
    go.click()
    expect(dialog).to_have_count(0)
    expect(menu).to_contain_text("sharpest")
    (again,) = instance.client.get(f"/runs/{first.id}/filters", list[NamedFilter])
    assert (again.revision, again.rules) == (4, named.rules)

    # somebody else's change comes by itself
    instance.client.delete(f"/runs/{first.id}/filters/{named.id}")
    expect(menu).to_contain_text("Filters")
    menu.click()
    expect(hook("[data-athena=named-filter]")).to_have_count(0)
    expect(hook("[data-athena=filter-name]")).to_be_enabled()
    watch.check()
