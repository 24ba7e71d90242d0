"""Every page, and what opens on it, through axe-core, dark and light: nothing grave stands in anybody's way."""

from collections.abc import Iterator
from uuid import UUID

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from athena.contract.elements import DatasetType, Element, MetadataEntry
from athena.contract.metadata import MetadataWrite
from athena.contract.notes import Note, NoteWrite
from athena.contract.runs import SourceState
from athena.formats.mrc import write_mrc
from athena.sdk.connection import Athena
from tests.browser.conftest import PATIENCE_MS
from tests.browser.instance import Instance, make_run
from tests.browser.played import Player

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GRAVE = {"serious", "critical"}
LOOKS = 5
"""How often a page is looked at, a second apart, before what is found counts."""
PLAIN = {
    "workspace": ("", "[data-athena=element]"),
    "dashboard": ("?p=dashboard", "[data-athena=storage]"),
    "search": ("?p=search&q=axe", "[data-athena=hit]"),
    "jobs": ("?p=jobs", "[data-athena=jobs]"),
    "storage": ("?p=storage", "[data-athena=storage]"),
    "profile": ("?p=profile", "[data-athena=profile]"),
    "guide": ("?p=guide&page=guide/portal", "[data-athena=guide-page] table"),
    "guide-search": ("?p=guide&q=export", "[data-athena=guide-hit]"),
    "health": ("?p=settings", "[data-athena=service]"),
    "plugins": ("?p=settings&tab=plugins", "[data-athena=plugin]"),
    "licence": ("?p=licence", "[data-athena=platform-id]"),
    "users": ("?p=users", "[data-athena=account]"),
    "error": ("?e=00000000-0000-0000-0000-000000000000", "[data-athena=error]"),
}
ELEMENTS = {
    "metadata-panel": ("?e={step}&panel=metadata", "[data-athena=metadata] [data-name]"),
    "notes-panel": ("?e={step}&panel=notes", "[data-athena=note]"),
    "sharing-panel": ("?e={step}&panel=sharing", "[data-athena=grant]"),
    "run": ("?e={run}", "[data-athena=acquisition]"),
    "dataviz": ("?e={run}&tab=dataviz", "[data-athena=filter-bar]"),
    "processing": ("?e={run}&tab=processing", "[data-athena=branch]"),
    "report": ("?e={run}&tab=report", "[data-athena=report]"),
    "micrograph": ("?e={run}&i=0", "[data-athena=viewer] canvas"),
    "motion": ("?e={run}&i=0&tab=motion", "[data-athena=traces]"),
    "ctf": ("?e={run}&i=0&tab=ctf", "[data-athena=curve]"),
}
OPENED = {
    "add-element": ("", "role=button[name='Add folder']", "role=dialog"),
    "element-menu": ("", "[data-athena=actions]", "[data-athena=action-rename]"),
    "rename": ("", "[data-athena=actions] | [data-athena=action-rename]", "[data-athena=action-dialog]"),
    "delete": ("", "[data-athena=actions] | [data-athena=action-delete]", "[data-athena=action-dialog]"),
    "notebook": ("?e={run}", "[data-athena=open-recipe]", "[data-athena=recipe-dialog]"),
    "metadata-form": ("?e={step}&panel=metadata", "[data-athena=metadata-add]", "[data-athena=metadata-form]"),
    "token-form": ("?p=profile", "[data-athena=token-new]", "[data-athena=dialog]"),
    "export": ("?e={run}&tab=dataviz", "[data-athena=export-menu]", "[data-athena=export]:visible"),
    "rule-form": ("?e={run}&tab=dataviz", "[data-athena=rule-add]", "[data-athena=rule-add-go]"),
    "contrast": ("?e={run}&i=0", "[data-athena=contrast]", "[data-athena=contrast-panel]"),
    "file-menu": ("?e={files}", "[data-athena=file-actions]", "[data-athena=file-rename]"),
}
"""Page, what is clicked there one after the other, and what that opens."""
FILES = {
    "files": ("?e={files}", "[data-athena=file]"),
    "volume": ("?e={files}&file={vesicle.mrc}", "[data-athena=section]"),
    "volume-3d": ("?e={files}&file={vesicle.mrc}&view=3d", "[data-athena=volume][data-ready]"),
    "volume-3d": ("?e={files}&file={vesicle.mrc}&view=3d", "[data-athena=volume][data-ready]"),
    "table": ("?e={files}&file={positions.csv}", "[data-athena=table]"),
    "markdown": ("?e={files}&file={notes.md}", "[data-athena=prose]"),
    "text": ("?e={files}&file={log.txt}", "[data-athena=text]"),
    "picture": ("?e={files}&file={atlas.png}", "[data-athena=picture]"),
    "no-viewer": ("?e={files}&file={raw.dm4}", "[data-athena=not-shown]"),
    "fft": ("?e={run}&i=0&view=fft", "[data-athena=ring-name]"),
}


@pytest.fixture(scope="module")
def made(instance: Instance) -> dict[str, UUID]:
    """A run with something said about its step."""
    run = make_run(instance.client, folder="Axe", run="Axe 1")
    assert run.parent_id is not None
    written = MetadataWrite(name="Grids frozen", type="integer", value=12)
    instance.client.put(f"/elements/{run.parent_id}/metadata", written, MetadataEntry)
    instance.client.post(f"/elements/{run.parent_id}/notes", NoteWrite(text="Thin **ice**"), Note)
    return {"run": run.id, "step": instance.client.get(f"/elements/{run.id}", Element).parent_id or run.id}


def grave(page: Page) -> list[str]:
    """What axe-core finds serious or critical, one line each."""
    answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:300]}"
        for found in answer["violations"]
        if found["impact"] in GRAVE or found["id"] == "empty-heading"
        for node in found["nodes"]
    ]


@pytest.fixture(scope="module")
def tab(browser: Browser, instance: Instance) -> Iterator[Page]:
    """One logged-in tab for all pages: logging in for each would take longer than looking."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(instance.login)
    yield page
    context.close()


def check(page: Page, instance: Instance, query: str, ready: str) -> None:
    """Look at a page in both schemes."""
    page.goto(f"{instance.portal}/{query}")
    expect(page.locator(ready).first).to_be_visible()
    settled(page)
    scheme = page.locator("html").get_attribute("data-theme")
    page.locator("[data-athena=theme]").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", str(scheme))
    settled(page)


def settled(page: Page) -> None:
    """Nothing grave is left once colours have faded from one scheme into the other."""
    for _ in range(LOOKS):
        problems = grave(page)
        if not problems:
            return
        page.wait_for_timeout(1000)
    raise AssertionError("\n".join(problems))


def check_opened(page: Page, instance: Instance, query: str, click: str, opened: str) -> None:
    """Look at what a click opens, in both schemes."""
    page.goto(f"{instance.portal}/{query}")
    for dark in (True, False):
        buttons = [page.locator(one).first for one in click.split(" | ")]
        expect(buttons[0]).to_be_visible()
        if (page.locator("html").get_attribute("data-theme") == "dark") is not dark:
            page.locator("[data-athena=theme]").click()
            expect(page.locator("html")).to_have_attribute("data-theme", "dark" if dark else "light")
        for button in buttons:
            button.click()
        expect(page.locator(opened).first).to_be_visible()
        settled(page)
        page.reload()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.usefixtures("made")
def test_a_plain_page(tab: Page, instance: Instance, name: str) -> None:
    check(tab, instance, *PLAIN[name])


@pytest.fixture(scope="module")
def played(instance: Instance, made: dict[str, UUID]) -> dict[str, UUID]:
    """The run with a few micrographs, one of them failed."""
    player = Player(instance.settings, made["run"], size=(512, 512))
    player.attach(message="4 movies found, all whole.", state=SourceState.COMPLETED)
    indices = player.register(4)
    player.complete(indices[:3])
    player.fail(indices[3:], "The movie cannot be read: it ends after 12 of 40 frames.")
    player.close()
    return made


@pytest.mark.parametrize("name", ELEMENTS)
def test_a_page_of_an_element(tab: Page, instance: Instance, played: dict[str, UUID], name: str) -> None:
    query, ready = ELEMENTS[name]
    check(tab, instance, query.format(**played), ready)


@pytest.fixture(scope="module")
def brought(
    instance: Instance, played: dict[str, UUID], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, UUID | str]:
    """A free dataset with a file for every viewer, beside the run."""
    folder = tmp_path_factory.mktemp("brought")
    volume = np.random.default_rng(7).normal(size=(8, 64, 96)).astype("f4")
    write_mrc(folder / "vesicle.mrc", volume, pixel_size_angstrom=8.4)
    Image.fromarray(np.full((64, 96), 128, np.uint8)).save(folder / "atlas.png")
    (folder / "positions.csv").write_text("name,x_um\nposition_1,0.52\n")
    (folder / "notes.md").write_text("# Day 2\n\n**Good ice** on [square 3](https://example.org).\n")
    (folder / "log.txt").write_text("all well\n")
    (folder / "raw.dm4").write_bytes(b"dm4")
    step = Athena(instance.client).element(played["step"])
    dataset = step.create_dataset("Stain", type=DatasetType.FREE)
    dataset.upload(list(folder.iterdir()), progress=False)
    return played | {"files": dataset.id} | {file.name: file.id for file in dataset.files}


def address(query: str, named: dict[str, UUID | str]) -> str:
    """A query with the ids of what it names."""
    for name, known in named.items():
        query = query.replace(f"{{{name}}}", str(known))
    return query


@pytest.mark.parametrize("name", FILES)
def test_a_page_with_content(tab: Page, instance: Instance, brought: dict[str, UUID | str], name: str) -> None:
    query, ready = FILES[name]
    check(tab, instance, address(query, brought), ready)


@pytest.mark.parametrize("name", OPENED)
def test_what_a_click_opens(tab: Page, instance: Instance, brought: dict[str, UUID | str], name: str) -> None:
    query, click, opened = OPENED[name]
    check_opened(tab, instance, address(query, brought), click, opened)
