"""The gallery of a run in a browser: what the filter shows, and the way from one micrograph to the next within it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.verdicts import VerdictChange, VerdictKind
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run

pytestmark = pytest.mark.browser


@pytest.mark.feature("EQ-03", "EQ-08", "BY-09")
def test_the_filter_says_what_shows_and_where_the_next_micrograph_is(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    run = make_run(instance.client, folder="Filtered")
    player = play(run.id, size=(256, 256))
    player.attach(message="8 movies found.")
    indices = player.register(8)
    player.complete(indices[:7])  # defocus about 0.8, 1.15, 1.5, 1.85, 2.2, 0.8, 1.15 µm
    player.fail(indices[7:], "The movie ends early.")
    rule = FilterRule(metric="defocus_um", operator=Operator.BELOW, value=1.3)
    instance.client.put(f"/runs/{run.id}/filter", RunFilter(rules=(rule,)), SavedFilter)
    instance.client.put(f"/runs/{run.id}/verdicts", VerdictChange(indices=(0,), verdict=VerdictKind.REJECTED), None)
    rows, hook = page.locator("[data-athena=acquisition]:visible"), page.locator

    def shown() -> list[int]:
        return sorted(int(str(row.get_attribute("data-index"))) for row in rows.all())

    page.goto(f"{instance.portal}/?e={run.id}")
    expect(hook("[data-athena=count-filtered]")).to_have_text("3 of 7")
    expect(rows).to_have_count(3)
    assert shown() == [1, 5, 6]

    # through them in the gallery's order, and no further
    hook("[data-athena=mode-cards]").click()
    hook("[data-athena=acquisition][data-index='6']").click()
    where = hook("[data-athena=where]")
    expect(where).to_have_text("1 of 3 filtered")
    expect(hook("[data-athena=previous]")).to_have_attribute("aria-disabled", "true")
    for index, word in ((5, "2 of 3 filtered"), (1, "3 of 3 filtered")):
        hook("[data-athena=next]").click()
        expect(where).to_have_text(word)
        expect(page).to_have_url(re.compile(rf"i={index}\b"))
    page.reload()
    expect(where).to_have_text("3 of 3 filtered")
    expect(hook("[data-athena=next]")).to_have_attribute("aria-disabled", "true")
    hook("[data-athena=tab-ctf]").click()
    expect(where).to_have_text("3 of 3 filtered")
    hook("[data-athena=back-to-run]").click()
    expect(rows).to_have_count(3)

    # what is chosen stands in the address
    hook("[data-athena=only-excluded]").click()
    expect(page).to_have_url(re.compile("show=excluded"))
    expect(rows).to_have_count(4)
    page.reload()
    expect(rows).to_have_count(4)
    assert shown() == [0, 2, 3, 4]
    # … and goes along through the run's tabs, and back
    hook("[data-athena=only-error]").click()
    expect(rows).to_have_count(1)
    for tab in ("dataviz", "notes", "micrographs"):
        hook(f"[data-athena=tab-{tab}]").click()
        expect(hook(f"[data-athena=tab-{tab}]")).to_have_attribute("aria-selected", "true")
        expect(page).to_have_url(re.compile("show=error"))
    expect(rows).to_have_count(1)
    hook("[data-athena=only-all]").click()
    expect(rows).to_have_count(8)

    # a verdict of somebody else shows without a reload
    instance.client.put(f"/runs/{run.id}/verdicts", VerdictChange(indices=(4,), verdict=VerdictKind.ACCEPTED), None)
    accepted: Locator = hook("[data-athena=acquisition][data-index='4'] [data-athena=verdict]")
    expect(accepted).to_contain_text("accepted")
    expect(hook("[data-athena=count-filtered]")).to_have_text("4 of 7")

    # the filter is one key away, its rules one more
    page.get_by_role("listbox").focus()
    page.keyboard.press("f")
    expect(hook("[data-athena=filter-rules]")).to_contain_text("Defocus < 1.3")
    hook("[data-athena=filter-change]").click()
    expect(hook("[data-athena=rule]")).to_have_count(1)
    watch.check()
