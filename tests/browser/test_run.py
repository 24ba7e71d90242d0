"""A run in a browser: cards that appear, charts that follow, a micrograph that opens."""

import re
import time
from typing import Any
from uuid import uuid4

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect

from athena.contract.filters import SavedFilter
from athena.contract.jobs import Job
from athena.contract.runs import RunTable
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run, wait_for

pytestmark = pytest.mark.browser


@pytest.mark.feature("AC-04", "EQ-01", "EQ-02")
def test_a_card_appears_without_a_click(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Live")
    player = play(run.id, size=(256, 256))
    page.goto(f"{instance.portal}/?e={run.id}")
    expect(page.locator("[data-athena=empty]")).to_be_visible()
    player.attach(message="3 movies found.")
    (first, second, broken) = player.register(3)
    expect(page.locator("[data-athena=source]")).to_have_attribute("data-state", "watching")
    player.complete([first])
    expect(page.locator("[data-athena=acquisition]")).to_have_count(3)

    player.complete([second])
    begun = time.monotonic()
    expect(page.locator(f"[data-athena=acquisition][data-index='{second}']")).to_have_attribute(
        "data-state", "completed"
    )
    assert time.monotonic() - begun < 2.0, "from result to card within 2 s"

    player.fail([broken], "The movie ends after 12 of 40 frames.")
    expect(page.locator(f"[data-athena=acquisition][data-index='{broken}']")).to_have_attribute("data-state", "error")
    watch.check()


@pytest.mark.feature("AC-04", "WS-12")
def test_the_menu_and_the_problems_of_a_run_stay_open_while_it_grows(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    run = make_run(instance.client, folder="Busy")
    player = play(run.id, size=(256, 256))
    problems = ("movie 7: its metadata file is missing.",)
    player.attach(message="2 movies found.", problems=problems)
    (first, second) = player.register(2)
    page.goto(f"{instance.portal}/?e={run.id}")

    def finished(index: int) -> Locator:
        return page.locator(f"[data-athena=acquisition][data-index='{index}'][data-state=completed]")

    expect(page.locator("[data-athena=acquisition]")).to_have_count(2)
    said = page.locator("[data-athena=source-message]")
    page.locator("[data-athena=source-problems]").click()
    player.attach(message="3 movies found.", problems=problems)
    player.complete([first])
    expect(said).to_have_text("3 movies found.")
    expect(page.locator("[data-athena=source] li")).to_be_visible()
    page.locator("[data-athena=source-problems]").click()

    page.locator("[data-athena=actions]").click()
    player.attach(message="4 movies found.", problems=problems)
    player.complete([second])
    expect(finished(second)).to_be_visible()
    expect(page.locator("[data-athena=action-export]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(said).to_have_text("4 movies found.")
    watch.check()


@pytest.mark.feature("EQ-03", "EQ-08")
def test_accept_and_reject_by_key_and_by_mark(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Judged")
    player = play(run.id, size=(256, 256))
    player.attach(message="3 movies found.")
    player.complete(player.register(3))
    page.goto(f"{instance.portal}/?e={run.id}")

    def item(index: int) -> Locator:
        return page.locator(f"[data-athena=acquisition][data-index='{index}']")

    def table() -> RunTable:
        asked: dict[str, str | int] = {"columns": "defocus_um"}
        return instance.client.get(f"/api/runs/{run.id}/table", RunTable, params=asked)

    expect(item(2)).to_have_attribute("data-state", "completed")
    item(2).hover()
    item(2).locator("[data-judge=rejected]").click()
    expect(item(2).locator("[data-athena=verdict]")).to_contain_text("rejected")
    wait_for(lambda: table().rejected == (2,), what="the verdict reaches the instance")
    page.reload()
    expect(item(2).locator("[data-athena=verdict]")).to_contain_text("rejected")

    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    for key, accepted, rejected in (("c", (2,), ()), ("x", (), (2,))):
        page.keyboard.press(key)
        wait_for(
            lambda said=(accepted, rejected): (table().accepted, table().rejected) == said,
            what=f"{key} reaches the instance",
        )
    page.keyboard.press("x")
    wait_for(lambda: not table().rejected, what="the same key takes it back")
    expect(item(2).locator("[data-athena=verdict]")).to_have_count(0)
    # what comes in does not take the mark away
    player.register(1)
    expect(item(3)).to_be_attached()
    expect(item(2)).to_have_attribute("aria-selected", "true")
    watch.check()


@pytest.mark.feature("EQ-07")
def test_charts_follow_the_run(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Charts")
    player = play(run.id, size=(256, 256))
    player.attach(message="40 movies found.")
    indices = player.register(40)
    page.goto(f"{instance.portal}/?e={run.id}&tab=dataviz")
    expect(page.locator("[data-athena=empty]")).to_contain_text("No micrograph is processed yet")
    player.complete(indices[:30], images=False)
    expect(page.locator("[data-athena=metric]")).to_have_count(6)
    expect(page.locator("[data-athena=run-completed]")).to_have_attribute("data-value", "30")
    player.complete(indices[30:], images=False)
    expect(page.locator("[data-athena=run-completed]")).to_have_attribute("data-value", "40")
    watch.check()


@pytest.mark.feature("EQ-08", "EQ-09", "EX-01", "AC-04")
@pytest.mark.parametrize("count", [600, 30_000])
def test_a_filter_is_made_on_the_charts_and_applied(
    page: Page, instance: Instance, watch: Watch, play: Play, count: int
) -> None:
    run = make_run(instance.client, folder=f"Filters {count}")
    resolution = play(run.id, size=(256, 256)).measure(count)["ctf_resolution_angstrom"]
    page.goto(f"{instance.portal}/?e={run.id}&tab=dataviz")
    matching = page.locator("[data-athena=filter-count]")
    expect(matching).to_have_attribute("data-kept", str(count))
    expect(page.locator("[data-athena=metric]")).to_have_count(9)
    page.locator("[data-athena=rule-add]").click()
    page.locator("[data-athena=rule-metric]").select_option("ctf_resolution_angstrom")
    page.locator("[data-athena=rule-value]").fill("3.4")
    page.locator("[data-athena=rule-add-go]").click()
    kept = int((resolution <= 3.4).sum())
    expect(matching).to_have_attribute("data-kept", str(kept))
    expect(page.locator("[data-athena=rule]")).to_have_text(re.compile("CTF resolution ≤ 3.4"))

    chart = page.locator("[data-athena=chart]").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(middle + 10, box["y"] + 60)
    page.mouse.move(middle + 20, box["y"] + 80)
    page.mouse.up()
    expect(page.locator("[data-athena=rule][data-metric=defocus_um]")).to_have_text(re.compile("Defocus between"))
    # the address follows the drag, and stands still after it
    expect(page).to_have_url(re.compile("defocus_um"))
    page.wait_for_timeout(2000)
    expect(matching).not_to_have_attribute("data-kept", str(kept))
    fewer = matching.get_attribute("data-kept")
    page.reload()
    expect(matching).to_have_attribute("data-kept", str(fewer))
    page.locator("[data-athena=filter-apply]").click()
    expect(page.locator("[data-athena=filter-changed]")).to_have_count(0)
    saved = instance.client.get(f"/runs/{run.id}/filter", SavedFilter)
    assert (saved.matching, len(saved.filter.rules)) == (int(fewer or 0), 2)
    expect(page).not_to_have_url(re.compile("rules="))

    page.locator("[data-athena=export-menu]").click()
    page.locator("[data-athena=export]").click()
    page.get_by_label("Folder in the export storage").fill("good ones")
    page.get_by_role("dialog").get_by_role("button", name="Export").click()
    expect(page.locator("[data-athena=export-job]")).to_have_attribute("data-state", "pending")
    expect(page.locator("[data-athena=export-location]")).to_contain_text("good ones_")
    (job,) = [job for job in instance.client.get("/jobs", list[Job]) if job.element_id == run.id]
    instance.client.post(f"/jobs/{job.id}/cancel", None, Job)
    expect(page.locator("[data-athena=export-job]")).to_have_attribute("data-state", "cancelled")
    watch.check()


@pytest.mark.feature("EQ-10")
def test_the_quality_report_is_read_and_saved_as_pdf(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Reports")
    player = play(run.id, size=(256, 256))
    player.attach(message="40 movies found.")
    page.goto(f"{instance.portal}/?e={run.id}&tab=report")
    expect(page.locator("[data-athena=empty]")).to_contain_text("appears here with the first movie")
    player.complete(player.register(40), images=False)
    report = page.locator("[data-athena=report]")
    expect(report).to_be_visible()
    expect(report).to_have_js_property("complete", True)
    assert report.evaluate("image => image.naturalHeight / image.naturalWidth") == pytest.approx(2**0.5, rel=0.01)
    with page.expect_download() as saved:
        page.locator("[data-athena=report-pdf]").click()
    assert saved.value.suggested_filename.endswith("quality report.pdf")
    assert saved.value.path().read_bytes().startswith(b"%PDF")
    watch.check()


@pytest.mark.feature("EQ-06", "EQ-11", "AC-04", "NB-03")
def test_a_micrograph_opens_with_its_motion_and_ctf(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Micrographs")
    player = play(run.id, size=(1024, 1024))
    player.attach(message="3 movies found.")
    player.complete(player.register(3))
    page.goto(f"{instance.portal}/?e={run.id}")
    page.locator("[data-athena=acquisition][data-index='1']").click()
    expect(page.locator("[data-athena=acquisition-state]")).to_have_attribute("data-state", "completed")
    expect(page.locator("[data-athena=viewer] canvas").first).to_be_visible()
    expect(page.locator("[data-athena=metadata]")).to_contain_text("Defocus")
    page.locator("[data-athena=tab-motion]").click()
    expect(page.locator("[data-athena=traces]:visible").first).to_be_visible()
    page.locator("[data-athena=open-recipe]").click()
    with page.expect_download() as saved:
        page.locator("[data-athena=recipe-save]").click()
    book = nbformat.read(saved.value.path(), as_version=4)
    nbformat.validate(book)
    assert [cell.source for cell in book.cells[1:]] == ["ImageViewer(run, 1)", "MotionTraces(run, 1)"]
    space: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATHENA_URL", instance.api)
        patch.setenv("ATHENA_TOKEN", instance.token)
        for cell in book.cells:
            exec(cell.source, space)
    assert str(space["run"].id) == str(run.id)
    page.keyboard.press("Escape")
    page.locator("[data-athena=tab-ctf]").click()
    expect(page.locator("[data-athena=curve]:visible").first).to_be_visible()
    title = page.locator("[data-athena=title]:visible").text_content()
    page.locator("[data-athena=next]").click()
    expect(page.locator("[data-athena=title]:visible")).not_to_have_text(title or "")
    assert "i=0" in page.url  # the gallery had the newest first, and so it goes on
    assert "tab=ctf" in page.url
    page.locator("[data-athena=view-fft]").click()
    expect(page.locator("[data-athena=view-fft]")).to_have_class("chosen")
    expect(page.locator("[data-athena=rings-toggle]:visible")).to_have_count(2)  # in the centre, and in the CTF tab
    assert "view=fft" in page.url
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-athena=title]:visible")).to_have_text(title or "")
    assert "view=fft" in page.url  # what stands in the centre stays from one to the next
    page.keyboard.press("t")
    expect(page.locator("[data-athena=view-image]")).to_have_class("chosen")
    expect(page.locator("[data-athena=contrast]:visible")).to_have_count(1)
    # with the focus in an image, arrows pan it
    page.locator("[data-athena=viewer]:visible").first.click()
    page.keyboard.press("ArrowRight")
    assert "i=1" in page.url
    page.reload()
    expect(page.locator("[data-athena=tab-ctf]")).to_have_attribute("aria-selected", "true")
    page.locator("[data-athena=back-to-run]").click()
    expect(page.locator("[data-athena=acquisition]:visible")).to_have_count(3)
    watch.check()


def test_the_portal_says_when_the_api_is_gone_and_comes_back(page: Page, instance: Instance) -> None:
    before, after = (f"{word} the outage {uuid4().hex[:6]}" for word in ("Before", "After"))
    make_run(instance.client, folder=before)
    expect(page.locator(f"[data-athena=element][data-name='{before}']")).to_be_visible()
    instance.stop("api", kill=True)
    expect(page.locator("[data-athena=live]")).to_have_attribute("data-link", "down")
    instance.start("api")
    make_run(instance.client, folder=after)
    expect(page.locator("[data-athena=live]")).to_have_attribute("data-link", "up")
    expect(page.locator(f"[data-athena=element][data-name='{after}']")).to_be_visible()
