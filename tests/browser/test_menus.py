"""Menus of elements in a browser: what a visitor may do is offered, and asked in the shell's dialog."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from athena.contract.elements import Element, ElementPage, FolderCreate
from athena.contract.jobs import Job, JobCount, JobState
from athena.contract.people import Role
from athena.contract.sharing import GrantChange, Permissions
from tests.browser.conftest import Play, Watch
from tests.browser.instance import Instance, login_of, make_run, wait_for
from tests.names import own

pytestmark = pytest.mark.browser


def folder(instance: Instance, name: str, parent: Element | None = None) -> Element:
    """A folder, through the API."""
    new = FolderCreate(name=name, parent_id=parent.id if parent else None)
    return instance.client.post("/api/elements", new, Element)


def choose(page: Page, name: str, action: str) -> None:
    """Choose an entry of a card's menu."""
    menu = page.locator(f"[data-athena=element][data-name='{name}']").locator("xpath=..")
    menu.locator("[data-athena=actions]").click()
    menu.locator(f"[data-athena=action-{action}]").click()


def target(page: Page, name: str) -> Locator:
    """A place in the dialog's tree."""
    return page.locator(f"[data-athena=target][data-name='{name}']")


def names(instance: Instance, parent: Element) -> set[str]:
    """What lies in a folder."""
    page = instance.client.get("/api/elements", ElementPage, params={"parent_id": str(parent.id)})
    return {element.name for element in page.items}


@pytest.mark.feature("WS-11", "WS-12")
def test_one_and_several_are_moved_to_a_place_of_the_tree(page: Page, instance: Instance, watch: Watch) -> None:
    origin, goal = folder(instance, own("Origin")), folder(instance, own("Goal"))
    inner, last = folder(instance, "Inner goal", goal), own("M 4 ")
    for name in ("M 1", "M 2", "M 3", last):
        folder(instance, name, origin)
    page.goto(f"{instance.portal}/?e={origin.id}")
    choose(page, "M 1", "move")
    dialog, go = page.locator("[data-athena=dialog]"), page.locator("[data-athena=dialog-go]")
    expect(dialog).to_contain_text("Move “M 1”")
    expect(go).to_be_disabled()
    expect(target(page, origin.name)).to_have_attribute("aria-disabled", "true")
    target(page, goal.name).locator(".twist").click()
    target(page, "Inner goal").click()
    expect(page.locator("[data-athena=dialog-target]")).to_have_text("To: Inner goal")
    go.click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-athena=element][data-name='M 1']")).to_have_count(0)
    assert names(instance, inner) == {"M 1"}

    picks = page.locator("[data-athena=pick]")
    expect(picks).to_have_count(3)
    picks.nth(0).check()
    picks.nth(1).check()
    page.locator("[data-athena=many-move]").click()
    expect(dialog).to_contain_text("Move 2 elements")
    tree = page.get_by_role("tree", name="Where to")
    tree.focus()
    expect(target(page, goal.name)).to_be_visible()
    active = page.locator(".tree-row.active[data-athena=target]")
    page.keyboard.press("Home")
    expect(active).to_have_id("row-0")
    for _ in range(200):
        if active.get_attribute("data-name") == goal.name:
            break
        page.keyboard.press("ArrowDown")
    expect(active).to_have_attribute("data-name", goal.name)
    page.keyboard.press("Enter")
    expect(page.locator("[data-athena=dialog-target]")).to_have_text(f"To: {goal.name}")
    go.click()
    expect(dialog).to_have_count(0)
    wait_for(lambda: names(instance, goal) == {"Inner goal", "M 2", "M 3"}, what="two moved", seconds=20)
    choose(page, last, "move")
    page.locator("[data-athena=dialog-top]").click()
    go.click()
    expect(page.locator("[data-athena=empty]")).to_be_visible()
    expect(page.locator(f"[data-athena=tree-item][data-name='{last}']")).to_have_attribute("aria-level", "1")
    watch.check()


@pytest.mark.feature("WS-12", "WS-13", "SH-02")
def test_what_is_not_allowed_is_not_offered_and_a_refusal_is_said(
    context: BrowserContext, instance: Instance, watch: Watch
) -> None:
    theirs = folder(instance, own("Theirs"))
    folder(instance, "In theirs", theirs)
    closed = folder(instance, own("Closed soon"))
    login = login_of(instance, "carol")
    for one, role in ((theirs, Role.OWNER), (closed, Role.COLLABORATOR)):
        change = GrantChange(name="carol", role=role)
        instance.client.put(f"/api/elements/{one.id}/permissions/grant", change, Permissions)
    page = context.new_page()
    watch.follow(page)
    page.goto(login)
    expect(page.locator(f"[data-athena=element][data-name={theirs.name}]")).to_be_visible()
    menu = page.locator(f"[data-athena=element][data-name={theirs.name}]").locator("xpath=..")
    menu.locator("[data-athena=actions]").click()
    expect(menu.locator("[data-athena=action-move]")).to_be_visible()
    # an owner who did not make the folder does not delete it
    expect(menu.locator("[data-athena=action-delete]")).to_have_count(0)
    page.keyboard.press("Escape")

    page.locator(f"[data-athena=element][data-name={theirs.name}]").click()
    choose(page, "In theirs", "move")
    target(page, closed.name).click()
    change = GrantChange(name="carol", role=Role.VIEWER)
    instance.client.put(f"/api/elements/{closed.id}/permissions/grant", change, Permissions)
    page.locator("[data-athena=dialog-go]").click()
    expect(page.locator("[data-athena=dialog]").get_by_role("alert")).to_contain_text(f"You may see “{closed.name}”")
    page.keyboard.press("Escape")
    expect(page.locator("[data-athena=dialog]")).to_have_count(0)
    assert names(instance, theirs) == {"In theirs"}
    watch.check()


@pytest.mark.feature("WS-12", "EX-01", "EX-04", "JB-01")
def test_a_run_is_exported_and_cleaned_up_from_its_menu(
    page: Page, instance: Instance, watch: Watch, play: Play
) -> None:
    run = make_run(instance.client, folder="Exported", run="Grid to export")
    player = play(run.id, size=(256, 256))
    player.complete(player.register(2))
    page.goto(f"{instance.portal}/?e={run.parent_id}")
    choose(page, "Grid to export", "export")
    dialog, go = page.locator("[data-athena=dialog]"), page.locator("[data-athena=dialog-go]")
    go.click()
    expect(dialog.get_by_role("alert")).to_contain_text("Name the folder")
    dialog.get_by_label("Folder in the export storage").fill("from a menu")
    dialog.locator("[data-athena=field-files]").select_option("none")
    dialog.get_by_label(re.compile("Results")).check()
    go.click()
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-athena=badge-jobs]")).to_have_text(re.compile(r"\d"))

    def export() -> Job:
        (job,) = [one for one in instance.client.get("/api/jobs", list[Job]) if one.element_id == run.id]
        return job

    instance.start("runner")
    try:
        wait_for(lambda: export().state is JobState.FINISHED, what="the export", seconds=180)
        instance.client.delete("/api/jobs/ended", JobCount)
        choose(page, "Grid to export", "cleanup")
        expect(dialog).to_contain_text("cannot be brought back")
        expect(dialog.locator("[data-athena=field-movies]")).to_be_disabled()
        micrographs = dialog.get_by_label(re.compile("Motion-corrected micrographs: [1-9]"))
        micrographs.check()
        expect(go).to_be_disabled()
        page.locator("[data-athena=dialog-typed]").fill("Grid to export")
        go.click()
        expect(dialog).to_have_count(0)
        wait_for(lambda: export().state is JobState.FINISHED, what="the cleanup", seconds=180)
    finally:
        instance.stop("runner")
    choose(page, "Grid to export", "cleanup")
    expect(dialog.locator("[data-athena=field-processed]")).to_be_disabled()
    page.locator("[data-athena=dialog-cancel]").click()
    # other tests share the instance, and count its jobs
    instance.client.delete("/api/jobs/ended", JobCount)
    watch.check()


@pytest.mark.feature("WS-12", "WS-20")
def test_a_menu_and_its_dialog_give_the_focus_back(page: Page, instance: Instance, watch: Watch) -> None:
    reached = folder(instance, own("Reached by keys"))
    page.goto(instance.portal)
    button = page.locator(f"summary[aria-label='Actions for {reached.name}']")
    menu = button.locator("xpath=..")
    button.focus()
    page.keyboard.press("Enter")
    expect(menu.locator("[data-athena=action-rename]")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(menu.locator("[data-athena=action-describe]")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("[data-athena=action-dialog]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-athena=action-dialog]")).to_have_count(0)
    expect(button).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    expect(menu.locator("[data-athena=action-delete]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.locator("[data-athena=action-delete]")).to_be_hidden()
    expect(button).to_be_focused()

    user = page.locator("[data-athena=user]")
    user.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-athena=profile-link]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(user).to_be_focused()
    watch.check()
