"""The workspace in a browser: log-in, making folders, workflows and runs, going about."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from athena.contract.elements import Element, FolderCreate
from athena.contract.jobs import JobCount
from athena.contract.people import UserCreate
from tests.browser.conftest import Watch
from tests.browser.instance import START_SECONDS, Instance, make_run, wait_for
from tests.names import own

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
    name = own("Apoferritin")
    page.get_by_role("button", name="Add folder").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()
    expect(page.locator("[data-athena=title]")).to_have_text(name)
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
    expect(page.locator("[data-athena=title]")).to_contain_text("Grid 1")
    expect(page.locator("[data-athena=empty]")).to_contain_text("athena watch")
    crumbs = page.locator("[data-athena=breadcrumb]")
    for words in ("Folder", name, "Workflow", "SPA-QM 1", "Step", "Imaging", "Dataset", "Grid 1"):
        expect(crumbs).to_contain_text(words)

    page.go_back()
    expect(page.locator("[data-athena=title]")).to_contain_text("Imaging")
    page.reload()
    expect(page.locator("[data-athena=element][data-name='Grid 1']")).to_be_visible()
    page.locator("[data-athena=home]").click()
    expect(page.locator(f"[data-athena=element][data-name={name}]")).to_be_visible()
    watch.check()


def test_a_name_that_is_refused_says_why(page: Page, watch: Watch) -> None:
    page.get_by_role("button", name="Add folder").click()
    page.get_by_label("Name").fill("a/b")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert watch.outside == []


@pytest.mark.feature("WS-10")
def test_cards_or_list_and_dark_or_light_are_remembered(page: Page, instance: Instance, watch: Watch) -> None:
    name = own("Remembered")
    make_run(instance.client, folder=name)
    expect(page.locator(f"[data-athena=element][data-name={name}]")).to_be_visible()
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


def wide(part: Locator) -> float:
    """Width of a part of the page, px."""
    box = part.bounding_box()
    return box["width"] if box else 0.0


@pytest.mark.feature("MD-01", "MD-03", "MD-04", "MD-05", "MD-06", "WS-17", "WS-18", "SH-03", "SH-04", "SH-05")
def test_say_and_allow_things_in_the_data_panel(page: Page, instance: Instance, watch: Watch) -> None:
    top = instance.client.post("/elements", FolderCreate(name="Told about"), Element)
    name = own("bob")
    instance.client.post("/users", UserCreate(username=name, password="bob's password"), None)
    page.goto(f"{instance.portal}/?e={top.id}")
    hook = page.locator

    hook("[data-athena=metadata-add]").click()
    hook("[data-athena=metadata-name]").fill("Ice thickness")
    hook("[data-athena=metadata-type]").select_option("double")
    hook("[data-athena=metadata-value]").fill("thick")
    hook("[data-athena=metadata-quantity]").fill("Length")
    hook("[data-athena=metadata-unit]").select_option("nm")
    hook("[data-athena=metadata-save]").click()
    expect(page.get_by_role("alert").filter(has_text="thick")).to_be_visible()
    hook("[data-athena=metadata-value]").fill("32.5")
    hook("[data-athena=metadata-save]").click()
    line = hook("[data-athena=metadata] [data-name='Ice thickness']")
    expect(line).to_contain_text("32.5\u2009nm")
    line.locator("[data-athena=metadata-edit]").click()
    hook("[data-athena=metadata-unit]").select_option("Å")
    hook("[data-athena=metadata-convert]").click()
    expect(hook("[data-athena=metadata-value]")).to_have_value("325")
    hook("[data-athena=metadata-save]").click()
    expect(line).to_contain_text("325\u2009Å")
    hook("[data-athena=metadata-filter]").fill("thickness")
    expect(hook("[data-athena=metadata] [data-name]")).to_have_count(1)
    hook("[data-athena=metadata-export]").click()
    hook("[data-athena=export-name]").fill("told")
    with page.expect_download() as download:
        hook("[data-athena=export-csv]").click()
    assert download.value.suggested_filename == "told.csv"
    assert "Ice thickness" in download.value.path().read_text()
    line.locator("[data-athena=metadata-remove]").click()
    hook("[data-athena=metadata-remove-sure]").click()
    expect(line).to_have_count(0)

    hook("[data-athena=panel-notes]").click()
    expect(page).to_have_url(re.compile("panel=notes"))
    hook("[data-athena=note-text]").fill("**Grid 3** is the best")
    hook("[data-athena=note-link]").fill("https://logbook.example/42")
    hook("[data-athena=note-save]").click()
    note = hook("[data-athena=note]")
    expect(note.locator("strong", has_text="Grid 3")).to_be_visible()
    expect(note.get_by_role("link")).to_have_attribute("href", "https://logbook.example/42")
    page.reload()
    note.locator("[data-athena=note-delete]").click()
    hook("[data-athena=note-delete-sure]").click()
    expect(note).to_have_count(0)

    hook("[data-athena=panel-sharing]").click()
    hook("[data-athena=share-name]").click()
    page.keyboard.type(name[:-1])
    expect(hook(f"datalist#found option[value={name}]")).to_have_count(1)
    hook("[data-athena=share-name]").fill(name)
    hook("[data-athena=share-add]").click()
    bob = hook(f"[data-athena=grant][data-name={name}]")
    expect(bob).to_have_attribute("data-role", "viewer")
    bob.locator("[data-athena=grant-role]").select_option("collaborator")
    expect(bob).to_have_attribute("data-role", "collaborator")
    hook("[data-athena=share-public]").select_option("viewer")
    bob.locator("[data-athena=grant-remove]").click()
    hook("[data-athena=grant-remove-sure]").click()
    expect(bob).to_have_count(0)
    expect(hook("[data-athena=share-public]")).to_have_value("viewer")

    for size, share, fixed in (("two-thirds", 0.666, 0), ("half", 0.5, 0), ("none", 0, 44)):
        hook(f"[data-athena=panel-width-{size}]").click()
        expect(hook("[data-athena=data-panel]")).to_have_attribute("data-width", size)
        width = share * (1280 - 56 - 240) + fixed  # beside the tool bar and the explorer
        wait_for(lambda: abs(wide(hook("[data-athena=data-panel]")) - width) < 12, what=f"panel {size}", seconds=10)  # noqa: B023
    page.reload()
    expect(hook("[data-athena=data-panel]")).to_have_attribute("data-width", "none")
    watch.check()


@pytest.mark.feature("WS-04", "WS-12", "WS-13", "JB-01", "JB-03")
def test_rename_delete_and_follow_the_job(page: Page, instance: Instance, watch: Watch) -> None:
    before, after = own("Before"), own("Renamed")
    top = instance.client.post("/elements", FolderCreate(name=before), Element)
    card = page.locator(f"[data-athena=element][data-name={before}]")
    expect(card).to_be_visible()
    menu = card.locator("xpath=..")
    menu.locator("[data-athena=actions]").click()
    menu.locator("[data-athena=action-rename]").click()
    page.locator("[data-athena=action-input]").fill(after)
    page.keyboard.press("Enter")
    renamed = page.locator(f"[data-athena=element][data-name={after}]")
    expect(renamed).to_be_visible()

    page.goto(f"{instance.portal}/?e={top.id}")
    heading = page.locator("header:has([data-athena=title])")
    heading.locator("[data-athena=actions]").click()
    heading.locator("[data-athena=action-delete]").click()
    go = page.locator("[data-athena=action-go]")
    expect(go).to_be_disabled()
    page.locator("[data-athena=action-input]").fill(after)
    go.click()
    expect(page.locator("[data-athena=title]")).to_have_text("Workspace")
    expect(renamed).to_have_attribute("aria-disabled", "true")
    badge = page.locator("[data-athena=badge-jobs]")
    expect(badge).to_have_text(re.compile(r"\d"))
    page.locator("[data-athena=tool-jobs]").click()
    deletion = page.locator("[data-athena=job]", has_text="Deletion").filter(has_text=after)
    expect(deletion).to_have_attribute("data-state", "pending")
    instance.start("runner")
    try:
        expect(deletion).to_have_attribute("data-state", "finished", timeout=1000 * START_SECONDS)
    finally:
        instance.stop("runner")
    page.locator("[data-athena=jobs-remove-ended]").click()
    expect(deletion).to_have_count(0)
    watch.check()


@pytest.mark.feature("SE-01", "SE-02", "WS-19", "WS-20")
def test_find_something_and_find_it_again_on_the_dashboard(page: Page, instance: Instance, watch: Watch) -> None:
    word = own("Needle")
    workflow = f"{word}s 7"
    made = make_run(instance.client, folder="Haystack", workflow=workflow, run=f"{word} 42")
    page.keyboard.press("/")
    box = page.locator("[data-athena=search]")
    expect(box).to_be_focused()
    page.keyboard.type(word.lower())
    hits = page.locator("[data-athena=hit]")
    expect(hits).to_have_count(2)
    page.locator("[data-athena=kind-dataset]").check()
    expect(hits).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"q={word.lower()}.*kind=dataset"))
    expect(hits.first.locator("mark")).to_have_text(word)
    expect(hits.first).to_contain_text(f"Haystack › {workflow} › Imaging")
    page.reload()
    expect(hits).to_have_count(1)
    page.locator("[data-athena=search-where]").fill("defocus >")
    expect(page.get_by_role("alert").first).to_be_visible()
    page.locator("[data-athena=search-where]").fill("")
    expect(hits).to_have_count(1)
    box.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(str(made.id)))
    page.locator("[data-athena=breadcrumb] a", has_text=workflow).click()
    expect(page.locator("[data-athena=title]")).to_have_text(workflow)
    page.locator("[data-athena=tool-dashboard]").click()
    expect(page.locator(f"[data-athena=recent][data-name='{workflow}']")).to_contain_text("Haystack")
    expect(page.locator("[data-athena=storage]").first).to_be_visible()
    watch.check()


@pytest.mark.feature("SE-01")
def test_a_thousand_hits_come_as_one_scrolls(page: Page, instance: Instance, watch: Watch) -> None:
    word = own("Bale")
    barn = instance.client.post("/api/elements", FolderCreate(name="Barn"), Element)
    instance.add_folders(barn, [f"{word} {number}" for number in range(1000)])
    page.goto(f"{instance.portal}/?p=search&q={word}")
    hits, count = page.locator("[data-athena=hit]"), page.locator("[data-athena=search-count]")
    expect(hits.first).to_be_visible()
    expect(count).to_contain_text(re.compile(r"^1\s000 found, the best \d+ shown"))
    while (shown := hits.count()) < 1000:
        hits.last.scroll_into_view_if_needed()
        expect(hits).not_to_have_count(shown)
    expect(hits).to_have_count(1000)
    expect(count).to_have_text(re.compile(r"^1\s000 found$"))
    expect(page.locator("[data-athena=search-more]")).to_be_hidden()
    assert len(set(hits.evaluate_all("all => all.map(one => one.dataset.name)"))) == 1000
    # the address shows them again, and from the keyboard the last leads on
    page.reload()
    expect(hits).to_have_count(1000)
    hits.nth(998).focus()
    page.keyboard.press("ArrowDown")
    expect(hits.nth(999)).to_be_focused()
    watch.check()


@pytest.mark.feature("WS-08", "WS-10", "WS-11")
def test_sort_page_through_and_delete_several(page: Page, instance: Instance, watch: Watch) -> None:
    top = instance.client.post("/api/elements", FolderCreate(name="Many folders"), Element)
    instance.add_folders(top, [f"F {number:03}" for number in range(203)])
    page.goto(f"{instance.portal}/?e={top.id}")
    elements, count = page.locator("[data-athena=element]"), page.locator("[data-athena=count]")
    expect(count).to_have_text("1–200 of 203")
    page.locator("[data-athena=page-chevron]").click()
    expect(count).to_have_text("201–203 of 203")
    expect(elements).to_have_count(3)
    page.locator("[data-athena=sort]").select_option(label="Name")
    expect(count).to_have_text("1–200 of 203")
    page.locator("[data-athena=turn]").click()
    expect(elements.first).to_have_attribute("data-name", "F 202")
    page.reload()
    expect(elements.first).to_have_attribute("data-name", "F 202")

    # two links followed before the page is drawn again: what both say holds
    page.locator("[data-athena=turn]").evaluate(
        """turn => {
          const sort = turn.getRootNode().querySelector("[data-athena=sort]")
          sort.selectedIndex = [...sort.options].findIndex(option => option.text === "Created")
          sort.dispatchEvent(new Event("change"))
          turn.click()
        }"""
    )
    expect(page).to_have_url(re.compile("sort=created"))
    assert "order=down" not in page.url
    expect(elements.first).to_have_attribute("data-name", "F 000")
    page.locator("[data-athena=sort]").select_option(label="Name")
    page.locator("[data-athena=turn]").click()
    expect(elements.first).to_have_attribute("data-name", "F 202")

    page.locator("[data-athena=form-list]").click()
    picks = page.locator("[data-athena=pick]")
    picks.nth(0).check()
    picks.nth(3).click(modifiers=["Shift"])
    expect(page.locator("[data-athena=chosen]")).to_have_text("4 selected")
    page.keyboard.press("Escape")
    expect(page.locator("[data-athena=chosen]")).to_have_count(0)
    picks.nth(0).check()
    picks.nth(2).click(modifiers=["Shift"])
    page.locator("[data-athena=many-delete]").click()
    expect(page.locator("[data-athena=action-go]")).to_be_disabled()
    page.locator("[data-athena=action-input]").fill("3")
    page.locator("[data-athena=action-go]").click()
    expect(page.locator("[data-athena=element]", has_text="Being deleted")).to_have_count(3)
    expect(elements.nth(3)).to_have_attribute("href", re.compile("e="))
    expect(picks).to_have_count(197)
    page.locator("[data-athena=form-cards]").click()
    instance.start("runner")
    try:
        expect(count).to_have_text("200 in all", timeout=1000 * START_SECONDS)
    finally:
        instance.stop("runner")
    expect(elements.first).to_have_attribute("data-name", "F 199")
    # other tests share the instance, and count its jobs
    instance.client.delete("/api/jobs/ended", JobCount)
    watch.check()
