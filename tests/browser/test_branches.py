"""A run is processed again from its page, and looked at in both ways, with real processing of simulated movies."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from athena.contract.elements import Element
from athena.contract.runs import Run, SourceCreate
from athena_pipelines.simulate.session import EpuSimulator
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, make_run, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOVIES, TRIAL = 4, 2
LONG_MS = 240_000


@pytest.fixture
def run(instance: Instance, tmp_path: Path) -> Element:
    """A run of simulated movies that are processed."""
    made = make_run(instance.client, folder="Branches of results")
    folder = EpuSimulator(tmp_path, movies=MOVIES, size=(512, 512), frames=8, interval_s=0).run()
    instance.client.put(f"/runs/{made.id}/source", SourceCreate(path=str(folder)), Run)
    instance.start("runner")
    wait_for(lambda: _completed(instance, made.id) == MOVIES, what=f"processed movies\n{instance.log('runner')}")
    return made


def _completed(instance: Instance, run_id: UUID) -> int:
    return instance.client.get(f"/runs/{run_id}", Run).counts.completed


@pytest.mark.feature("BY-06", "AC-04", "EQ-02", "EQ-07", "EQ-10", "EQ-11")
def test_a_branch_is_made_looked_at_compared_and_promoted(
    page: Page, instance: Instance, watch: Watch, run: Element
) -> None:
    try:
        _make(page, instance, run)
        _look(page, instance, run)
        _compare(page)
        _promote(page, instance, run)
    finally:
        instance.stop("runner")
    _cancel(page)
    watch.check()


def _make(page: Page, instance: Instance, run: Element) -> None:
    page.goto(f"{instance.portal}/?e={run.id}&tab=processing")
    expect(page.locator("[data-athena=branch]")).to_have_count(1)
    expect(page.locator("[data-athena=branch-chooser]")).to_have_count(0)
    page.locator("[data-athena=reprocess-open]").click()
    page.locator("[data-athena=reprocess-branch]").fill("original")
    page.locator("[data-athena=reprocess-go]").click()
    expect(page.locator("[data-athena=branch-problem]")).to_contain_text("default branch")
    page.locator("[data-athena=reprocess-branch]").fill("fine")
    page.locator("[data-athena=reprocess-exposures]").fill(str(TRIAL))
    page.locator("[data-athena=reprocess-keep_unweighted]").check()
    page.locator("[data-athena=reprocess-amplitude_contrast]").fill("0.1")
    page.locator("[data-athena=reprocess-go]").click()
    fine = page.locator("[data-athena=branch][data-name=fine]")
    expect(page.locator("[data-athena=reprocessing-job]").first).to_have_attribute(
        "data-state", "finished", timeout=LONG_MS
    )
    expect(fine.locator("[data-athena=branch-completed]")).to_have_text(str(TRIAL))
    expect(fine).to_contain_text("keep_unweighted = True")
    expect(fine).to_contain_text("amplitude_contrast = 0.1")


def _look(page: Page, instance: Instance, run: Element) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if f"/runs/{run.id}/" in request.url else None)
    page.locator("[data-athena=branch][data-name=fine] [data-athena=look]").click()
    page.wait_for_url(re.compile("branch=fine"))
    notice = page.locator("[data-athena=branch-notice]:visible")
    expect(notice).to_contain_text("Branch fine, not the default")
    shots = page.locator("[data-athena=acquisition]")
    expect(shots).to_have_count(TRIAL)
    expect(page.locator("[data-athena=count-all]")).to_have_text(str(TRIAL))
    expect(page.locator("[data-athena=acquisition][data-state=completed]")).to_have_count(TRIAL)
    page.locator("[data-athena=tab-dataviz]").click()
    expect(page.locator("[data-athena=dataviz][data-drawn]")).to_have_count(1)
    expect(page.locator("[data-athena=filter-count]")).to_have_attribute("data-total", str(TRIAL))
    page.locator("[data-athena=tab-report]").click()
    expect(page.locator("[data-athena=report]")).to_be_visible()
    expect(notice).to_be_visible()
    page.locator("[data-athena=tab-micrographs]").click()
    shots.first.click()
    page.wait_for_url(re.compile("i=\\d"))
    assert parse_qs(urlsplit(page.url).query)["branch"] == ["fine"]
    expect(notice).to_contain_text("Branch fine")
    expect(page.locator("[data-athena=viewer] canvas").first).to_be_visible()
    expect(page.locator("[data-athena=acquisition-state]")).to_have_attribute("data-state", "completed")
    page.locator("[data-athena=open-recipe]").click()
    expect(page.locator("[data-athena=recipe]")).to_contain_text("branch='fine'")
    page.keyboard.press("Escape")
    assert asked
    assert [url for url in asked if "branch=fine" not in url] == []
    # another tab of the browser, opened with the address alone, shows the same
    page.reload()
    expect(notice).to_contain_text("Branch fine")
    page.locator("[data-athena=branch-leave]").click()
    expect(notice).to_have_count(0)
    assert "branch" not in urlsplit(page.url).query
    page.locator("[data-athena=branch-chooser]").select_option("fine")
    expect(notice).to_be_visible()
    page.goto(f"{instance.portal}/?e={run.id}&branch=nothing")
    expect(page.locator("[data-athena=error]")).to_contain_text("no branch of results “nothing”")
    page.goto(f"{instance.portal}/?e={run.id}&tab=processing&branch=fine")


def _compare(page: Page) -> None:
    expect(page.locator("[data-athena=compared]")).to_contain_text(f"over {TRIAL}")
    rows = page.locator("[data-athena=compared-metric]")
    expect(page.locator("[data-athena=compared-metric][data-metric=iciness]")).to_contain_text(" in ")
    page.locator("[data-athena=compare-other]").select_option("fine")
    expect(page.locator("[data-athena=compared]")).to_contain_text("Choose two")
    page.wait_for_url(re.compile("with=fine"))
    page.locator("[data-athena=compare-other]").select_option("original")
    expect(rows.first).to_be_visible()


def _promote(page: Page, instance: Instance, run: Element) -> None:
    fine = page.locator("[data-athena=branch][data-name=fine]")
    fine.locator("[data-athena=promote]").click()
    fine.locator("[data-athena=promote-sure]").click()
    expect(fine).to_have_attribute("data-default", "true")
    # what it was not given is processed next
    wait_for(lambda: _completed(instance, run.id) == MOVIES, what=f"the rest\n{instance.log('runner')}")
    expect(fine.locator("[data-athena=branch-completed]")).to_have_text(str(MOVIES), timeout=LONG_MS)


def _cancel(page: Page) -> None:
    """With no runner a job waits; it is called off from the page."""
    page.locator("[data-athena=reprocess-open]").click()
    page.locator("[data-athena=reprocess-branch]").fill("two of them")
    page.locator("[data-athena=reprocess-which]").select_option("numbers")
    page.locator("[data-athena=reprocess-numbers]").fill("1, 9")
    page.locator("[data-athena=reprocess-go]").click()
    expect(page.locator("[data-athena=branch-problem]")).to_contain_text("no movie of acquisition 8")
    page.locator("[data-athena=reprocess-numbers]").fill("1, 3-3")
    page.locator("[data-athena=reprocess-go]").click()
    job = page.locator("[data-athena=reprocessing-job]").first
    expect(job).to_have_attribute("data-state", "pending")
    expect(page.locator("[data-athena=branch][data-name='two of them'] [data-athena=branch-waiting]")).to_have_text("2")
    job.locator("[data-athena=cancel]").click()
    job.locator("[data-athena=cancel-sure]").click()
    expect(job).to_have_attribute("data-state", "cancelled")
