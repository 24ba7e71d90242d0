"""The explorer in a browser: the way to what is shown, keys, live changes, many siblings (WS-08)."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import insert, select

from athena.contract.elements import Element, ElementMove, ElementPage, ElementUpdate, FolderCreate
from athena.contract.filters import FilterRule, Operator, RunFilter, SavedFilter
from athena.contract.jobs import Job, JobCount, JobCreate, JobState
from athena.contract.verdicts import RunVerdicts, VerdictChange, VerdictKind
from athena.db import people  # noqa: F401  (the element table refers to the users)
from athena.db.acquisitions import AcquisitionRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.domain.tree import child_path, sort_key
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, make_run, wait_for
from tests.names import own

pytestmark = [pytest.mark.browser, pytest.mark.feature("WS-08")]


def row(page: Page, name: str) -> Locator:
    """A row of the tree."""
    return page.locator(f"[data-athena=tree-item][data-name='{name}']")


def folder(instance: Instance, name: str, parent: Element | None = None) -> Element:
    """A folder, through the API."""
    new = FolderCreate(name=name, parent_id=parent.id if parent else None)
    return instance.client.post("/api/elements", new, Element)


def test_the_way_here_is_open_and_keys_lead_everywhere(page: Page, instance: Instance, watch: Watch) -> None:
    run = make_run(instance.client, folder="Explored", workflow="Explored 1", run="Explored grid")
    page.goto(f"{instance.portal}/?e={run.id}")
    here = row(page, "Explored grid")
    expect(here).to_have_attribute("aria-current", "page")
    expect(here).to_have_attribute("aria-level", "4")
    expect(row(page, "Imaging")).to_have_attribute("aria-expanded", "true")
    expect(row(page, "Imaging")).to_have_attribute("aria-posinset", "5")
    expect(row(page, "Imaging")).to_have_attribute("aria-setsize", "6")

    tree = page.get_by_role("tree", name="Explorer")
    tree.focus()
    active = page.locator(".tree-row.active")
    expect(active).to_have_attribute("data-name", "Explored grid")
    page.keyboard.press("ArrowLeft")
    expect(active).to_have_attribute("data-name", "Imaging")
    page.keyboard.press("ArrowLeft")
    expect(row(page, "Imaging")).to_have_attribute("aria-expanded", "false")
    expect(here).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(here).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(active).to_have_attribute("data-name", "Screening")
    expect(tree).to_have_attribute("aria-activedescendant", active.get_attribute("id") or "no row")
    page.keyboard.press("Enter")
    expect(page.locator("[data-athena=title]")).to_contain_text("Screening")
    expect(row(page, "Screening")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Home")
    expect(active).to_have_attribute("aria-posinset", "1")
    expect(active).to_have_attribute("aria-level", "1")
    page.keyboard.press("End")
    expect(active).to_have_attribute("aria-posinset", active.get_attribute("aria-setsize") or "no size")

    row(page, "Explored 1").click()
    expect(page.locator("[data-athena=title]")).to_have_text("Explored 1")
    page.go_back()
    expect(row(page, "Screening")).to_have_attribute("aria-current", "page")
    page.locator("[data-athena=tool-jobs]").click()
    expect(page.locator("[data-athena=explorer]")).not_to_be_visible()
    watch.check()


def test_what_others_do_shows_by_itself(page: Page, instance: Instance, watch: Watch) -> None:
    one, two = folder(instance, own("Explored A")), folder(instance, own("Explored B"))
    renamed = own("Inner, renamed ")
    inner = folder(instance, "Inner", one)
    page.goto(f"{instance.portal}/?e={one.id}")
    expect(row(page, "Inner")).to_be_visible()
    instance.client.patch(f"/api/elements/{inner.id}", ElementUpdate(name=renamed), Element)
    expect(row(page, renamed)).to_be_visible()
    folder(instance, "Newer", one)
    expect(row(page, "Newer")).to_be_visible()
    expect(row(page, two.name)).not_to_have_attribute("aria-expanded", re.compile("."))
    instance.client.put(f"/api/elements/{inner.id}/parent", ElementMove(parent_id=two.id), Element)
    expect(row(page, renamed)).to_have_count(0)
    expect(row(page, two.name)).to_have_attribute("aria-expanded", "false")
    row(page, two.name).locator(".twist").click()
    expect(row(page, renamed)).to_be_visible()
    expect(row(page, one.name)).to_have_attribute("aria-current", "page")
    instance.client.put(f"/api/elements/{inner.id}/parent", ElementMove(parent_id=None), Element)
    expect(row(page, renamed)).to_have_attribute("aria-level", "1")
    job = instance.client.post("/api/jobs", JobCreate(kind="delete", element_id=inner.id), Job)
    expect(row(page, renamed)).to_have_attribute("aria-disabled", "true")
    instance.start("runner")
    try:
        finished = lambda: instance.client.get(f"/api/jobs/{job.id}", Job).state is JobState.FINISHED  # noqa: E731
        wait_for(finished, what="the deletion", seconds=180)
        expect(row(page, renamed)).to_have_count(0)
    finally:
        instance.stop("runner")
    # other tests share the instance, and count its jobs
    instance.client.delete("/api/jobs/ended", JobCount)
    watch.check()


def test_it_is_hidden_widened_and_sorted_and_remembers_that(page: Page, instance: Instance, watch: Watch) -> None:
    top = folder(instance, "Explored order")
    for name in ("B", "A", "C"):
        folder(instance, name, top)

    def children() -> list[str | None]:
        rows = page.locator("[data-athena=tree-item][aria-level='2']").all()
        return [one.get_attribute("data-name") for one in rows]

    page.goto(f"{instance.portal}/?e={top.id}")
    expect(row(page, "C")).to_be_visible()
    assert children() == ["B", "A", "C"]
    page.locator("[data-athena=explorer-sort]").select_option(label="Name")
    page.locator("[data-athena=explorer-turn]").click()
    wait_for(lambda: children() == ["C", "B", "A"], what="names, descending", seconds=20)
    edge = page.locator("[data-athena=explorer-edge]")
    edge.focus()
    page.keyboard.press("ArrowRight")
    expect(edge).to_have_attribute("aria-valuenow", "256")
    page.locator("[data-athena=explorer-toggle]").locator("visible=true").click()
    explorer = page.locator("[data-athena=explorer]")
    expect(explorer).not_to_be_visible()
    page.reload()
    expect(page.locator("[data-athena=title]")).to_have_text("Explored order")
    expect(explorer).not_to_be_visible()
    page.locator("[data-athena=explorer-toggle]").locator("visible=true").click()
    wait_for(lambda: children() == ["C", "B", "A"], what="names, descending", seconds=20)
    expect(edge).to_have_attribute("aria-valuenow", "256")
    box = explorer.bounding_box()
    assert box is not None
    assert abs(box["width"] - 256) <= 1
    watch.check()


def plant(instance: Instance, parent: Element, count: int) -> None:
    """Folders in a folder, written at once: through the API it would take many minutes."""
    database = Database(instance.settings.resolved_database_url)
    with database.session() as session:
        above = session.scalars(select(ElementRow).where(ElementRow.id == parent.id)).one()
        values = []
        for number in range(count):
            element_id, name = uuid4(), f"Leaf {number}"
            shared = {"kind": "folder", "parent_id": above.id, "permission_set_id": above.permission_set_id}
            shared |= {"inherits": True, "creator_id": above.creator_id, "position": number}
            values.append(
                {"id": element_id, "name": name, "sort_key": sort_key(name), "path": child_path(above.path, element_id)}
                | shared
            )
        session.execute(insert(ElementRow), values)
    database.dispose()


@pytest.mark.slow
def test_a_hundred_thousand_siblings_are_no_burden(page: Page, instance: Instance, watch: Watch) -> None:
    count = 100_000
    top = folder(instance, own("Explored many"))
    plant(instance, top, count)
    asked = {"parent_id": str(top.id), "offset": 61_234, "limit": 1}
    (wanted,) = instance.client.get("/api/elements", ElementPage, params=asked).items
    page.goto(f"{instance.portal}/?e={wanted.id}")
    here = row(page, "Leaf 61234")
    expect(here).to_be_in_viewport()
    expect(here).to_have_attribute("aria-setsize", str(count))
    expect(page.locator("[data-athena=tree-item]").nth(90)).to_have_count(0)
    page.get_by_role("tree", name="Explorer").focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".tree-row.active")).to_be_in_viewport()
    # what lies in between was never asked for
    row(page, top.name).locator(".twist").click()
    expect(here).to_have_count(0)
    watch.check()


def plant_micrographs(instance: Instance, run: Element, count: int) -> None:
    """Finished acquisitions of a run, written at once."""
    database = Database(instance.settings.resolved_database_url)
    with database.session() as session:
        for first in range(0, count, 20_000):
            rows = [
                {"run_id": run.id, "index": index, "name": f"Micrograph {index:06d}", "state": "completed"}
                for index in range(first, min(count, first + 20_000))
            ]
            session.execute(insert(AcquisitionRow), rows)
    database.dispose()


def test_micrographs_of_a_run_stand_below_it(page: Page, instance: Instance, watch: Watch, play: Play) -> None:
    run = make_run(instance.client, folder="Explored micrographs", run="Explored run")
    player = play(run.id, size=(256, 256))
    player.complete(player.register(5))
    page.goto(f"{instance.portal}/?e={run.id}")
    here = row(page, "Explored run")
    expect(here).to_have_attribute("aria-expanded", "false")
    here.locator(".twist").click()
    micrographs = page.locator("[data-athena=tree-item][aria-level='5']")
    expect(micrographs).to_have_count(5)
    expect(micrographs.first.get_by_role("img", name="Completed")).to_be_visible()
    with page.expect_response(re.compile("thumbnail.png")) as picture:
        page.locator("[data-athena=explorer-pictures]").click()
    assert picture.value.ok
    thumb = micrographs.first.locator("img.thumb")
    expect(thumb).to_have_js_property("complete", True)
    assert thumb.evaluate("image => image.naturalWidth") > 0
    page.locator("[data-athena=explorer-pictures]").click()
    expect(thumb).to_have_count(0)

    # only what the run's filter keeps, as soon as it is saved
    verdict = VerdictChange(indices=(3,), verdict=VerdictKind.ACCEPTED)
    instance.client.put(f"/api/runs/{run.id}/verdicts", verdict, RunVerdicts)
    nothing = FilterRule(metric="defocus_um", operator=Operator.BELOW, value=-100)
    instance.client.put(f"/api/runs/{run.id}/filter", RunFilter(rules=(nothing,)), SavedFilter)
    expect(micrographs).to_have_count(1)
    expect(page.locator("[data-athena=tree-filtered]")).to_have_attribute("title", re.compile("1 of 5"))
    micrographs.first.click()
    expect(page).to_have_url(re.compile("i=3&show=filtered"))
    expect(page.locator("[data-athena=acquisition-state]")).to_be_visible()  # the address is there before the page
    if not micrographs.first.is_visible():  # beside a single micrograph it is hidden on narrow screens
        page.locator("[data-athena=explorer-toggle]").locator("visible=true").click()
    expect(micrographs.first).to_have_attribute("aria-current", "page")
    watch.check()


@pytest.mark.slow
def test_a_hundred_thousand_micrographs_are_no_burden(page: Page, instance: Instance, watch: Watch) -> None:
    run = make_run(instance.client, folder="Explored long", run="Explored long run")
    plant_micrographs(instance, run, 100_000)
    page.goto(f"{instance.portal}/?e={run.id}&tab=metadata")
    row(page, "Explored long run").locator(".twist").click()
    expect(row(page, "Micrograph 000000")).to_be_visible()
    tree = page.get_by_role("tree", name="Explorer")
    tree.focus()
    page.keyboard.press("End")
    expect(row(page, "Micrograph 099999")).to_be_in_viewport()
    expect(page.locator("[data-athena=tree-item]").nth(90)).to_have_count(0)
    page.locator("[data-athena=explorer-sort]").select_option(label="Name")
    page.locator("[data-athena=explorer-turn]").click()
    expect(row(page, "Explored long run")).to_be_visible()
    watch.check()
