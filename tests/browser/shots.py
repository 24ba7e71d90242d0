"""``make shots``: every page of the portal, dark and light, at two sizes, as pictures in ``test-results/shots``.

The run called "Grid 3" is real work on simulated movies (a runner processes them while this waits); "Grid 4" holds many
made-up micrographs, to see how pages look when they are full.
"""

import argparse
import tempfile
from pathlib import Path
from uuid import UUID

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from athena.contract.elements import DatasetType, Element, MetadataEntry
from athena.contract.metadata import MetadataWrite
from athena.contract.notes import Note, NoteLinkWrite, NoteWrite
from athena.contract.people import Role, UserCreate
from athena.contract.runs import Run, SourceCreate, SourceState
from athena.contract.sharing import GrantChange
from athena.formats.mrc import write_mrc
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena_pipelines.simulate.session import EpuSimulator
from tests.browser.instance import Instance, make_run, running, wait_for
from tests.browser.played import Player
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

ROOT = Path(__file__).resolve().parent.parent.parent
SIZES = {"small": (1280, 800), "large": (1920, 1080)}
SCHEMES = ("dark", "light")
PATIENCE_MS = 120_000


def fill(instance: Instance, session: Path, *, movies: int, size: int, many: int) -> dict[str, UUID]:
    """Make a workspace worth a picture; returns what to visit."""
    client = instance.client
    real = make_run(client, folder="Apoferritin", workflow="SPA-QM 12", run="Grid 3")
    make_run(client, folder="Ribosome, in vitro translation", workflow="Screening May", run="Grid 1")
    full = make_run(client, folder="Membrane proteins", workflow="SPA-QM 14", run="Grid 4")
    if movies:
        folder = EpuSimulator(session, movies=movies, size=(size, size), frames=24, interval_s=0).run()
        client.put(f"/runs/{real.id}/source", SourceCreate(path=str(folder), follow=True), Run)
    else:
        few = Player(instance.settings, real.id, size=(1024, 1024))
        few.attach(message="3 movies found, all whole.", state=SourceState.COMPLETED)
        few.complete(few.register(3))
        few.close()
    player = Player(instance.settings, full.id, size=(1024, 1024))
    player.attach(message=f"{many} movies found, all whole.", state=SourceState.COMPLETED)
    indices = player.register(many)
    player.complete(indices[:24])
    player.complete(indices[24:-9], images=False)
    player.fail(indices[-9:-6], "The movie cannot be read: it ends after 12 of 40 frames. Copy it again.")
    player.close()

    def processed() -> bool:
        return client.get(f"/runs/{real.id}", Run).counts.completed >= movies

    if movies:
        instance.start("runner")
    wait_for(processed, what=f"{movies} processed movies\n{instance.log('runner')}", seconds=600)
    told = client.get(f"/elements/{real.parent_id}", Element).parent_id or real.id
    tell(client, told)
    for opened in (told, real.parent_id):
        client.post(f"/elements/{opened}/opened", None, None)
    places = {"real": real.id, "full": full.id, "workflow": real.parent_id or real.id, "told": told}
    return places | bring(client, told, session.parent / "brought")


def bring(client: Client, workflow: UUID, folder: Path) -> dict[str, UUID]:
    """A free dataset with files of several kinds; returns what to visit."""
    rng = np.random.default_rng(7)
    (folder / "day 2" / "raw").mkdir(parents=True)
    for number in range(40):
        (folder / "day 2" / "raw" / f"position_{number}.mdoc").write_text(f"[ZValue = {number}]\n")
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, edge) for edge in (60, 200, 300)), indexing="ij")
    shell = np.exp(-(((np.sqrt(z**2 + y**2 + x**2) - 0.6) / 0.08) ** 2))
    write_mrc(folder / "vesicle.mrc", (shell + rng.normal(0, 0.4, shell.shape)).astype("f4"), pixel_size_angstrom=8.4)
    (folder / "notes.md").write_text("# Day 2\n\n**Good ice** on squares 3–7; square 9 is dry.\n\n- 4.2 e⁻/px/s\n")
    rows = "\n".join(f"position_{n},{rng.normal():.3f},{rng.normal():.3f}" for n in range(400))
    (folder / "positions.csv").write_text(f"name,x_um,y_um\n{rows}\n")
    steps = Athena(client).element(workflow).children()
    (step,) = [step for step in steps if step.name == "Screening"]
    dataset = step.create_dataset("Negative stain, May", type=DatasetType.FREE)
    dataset.upload(list(folder.iterdir()), progress=False)
    named = {file.name: file.id for file in dataset.files}
    return {"files": dataset.id, "volume": named["vesicle.mrc"], "table": named["positions.csv"]}


def tell(client: Client, element: UUID) -> None:
    """Say something about an element, and share it."""
    for entry in (
        MetadataWrite(name="Buffer", type="string", value="20 mM HEPES, 150 mM NaCl"),
        MetadataWrite(name="Concentration", type="double", value=0.0032, quantity="density", unit="g/cm³"),
        MetadataWrite(name="Grids frozen", type="integer", value=12),
        MetadataWrite(name="Glow discharged", type="boolean", value=True),
    ):
        client.put(f"/elements/{element}/metadata", entry, MetadataEntry)
    link = NoteLinkWrite(url="https://doi.org/10.1038/s41586-020-2829-0", title="Apoferritin at 1.25 Å")
    for text in ("Grids 1–3 have **thin ice** in the centre; grid 4 is dry.", "Defocus range changed to 0.8–1.6 µm."):
        client.post(f"/elements/{element}/notes", NoteWrite(text=text, links=(link,)), Note)
    for name in ("bob", "carol"):
        client.post("/users", UserCreate(username=name, password=f"password of {name}"), None)
        client.put(f"/elements/{element}/permissions/grant", GrantChange(name=name, role=Role.VIEWER), None)


def visit(page: Page, instance: Instance, places: dict[str, UUID], *, into: Path, suffix: str) -> None:
    """Take a picture of each page."""

    def shoot(name: str, query: str, *ready: str) -> None:
        page.goto(f"{instance.portal}/{query}")
        for selector in ready:
            expect(page.locator(selector).first).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("[data-athena=state][data-kind=loading]:visible")).to_have_count(0, timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1200)  # pictures of a gallery fade in
        page.screenshot(path=into / f"{name}-{suffix}.png")

    run, full = places["real"], places["full"]
    shoot("workspace", "", "[data-athena=element]")
    page.locator("[data-athena=actions]").first.click()
    page.screenshot(path=into / f"menu-{suffix}.png")
    page.locator("[data-athena=action-delete]").first.click()
    page.screenshot(path=into / f"delete-{suffix}.png")
    for side in ("metadata", "notes", "sharing"):
        shoot(f"panel-{side}", f"?e={places['told']}&panel={side}", f"[data-athena={side}]")
    shoot("storage", "?p=storage", "[data-athena=storage]")
    shoot("health", "?p=settings", "[data-athena=service]")
    shoot("plugins", "?p=settings&tab=plugins", "[data-athena=plugin]")
    shoot("licence", "?p=licence", "[data-athena=platform-id]")
    shoot("users", "?p=users", "[data-athena=account]")
    shoot("profile", "?p=profile", "[data-athena=profile]")
    shoot("guide", "?p=guide&page=guide%2Fportal", "[data-athena=guide-page] img")
    shoot("dashboard", "?p=dashboard", "[data-athena=storage]")
    shoot("search", "?p=search&q=grid", "[data-athena=hit]")
    shoot("jobs", "?p=jobs", "[data-athena=jobs]")
    shoot("files", f"?e={places['files']}", "[data-athena=file]")
    shoot("file-table", f"?e={places['files']}&file={places['table']}", "[data-athena=table]")
    shoot("file-volume", f"?e={places['files']}&file={places['volume']}", "[data-athena=viewer] canvas")
    shoot("volume-3d", f"?e={places['files']}&file={places['volume']}&view=3d", "[data-athena=volume][data-ready]")
    shoot("step", f"?e={places['workflow']}", "[data-athena=element]")
    shoot("run", f"?e={run}", "[data-athena=acquisition][data-state=completed]")
    shoot("dataviz", f"?e={run}&tab=dataviz", "[data-athena=dataviz][data-drawn]")
    shoot("processing", f"?e={run}&tab=processing", "[data-athena=branch]")
    shoot("report", f"?e={run}&tab=report", "[data-athena=report]")
    shoot("metadata", f"?e={run}&tab=metadata", "[data-athena=metadata]")
    shoot("micrograph", f"?e={run}&i=0", "[data-athena=viewer] canvas", "[data-athena=metadata]")
    shoot("motion", f"?e={run}&i=0&tab=motion", "[data-athena=viewer] canvas", "[data-athena=traces]")
    shoot("ctf", f"?e={run}&i=0&tab=ctf", "[data-athena=viewer] canvas", "[data-athena=curve]")
    shoot("fft", f"?e={run}&i=0&view=fft&tab=motion", "[data-athena=ring-name]", "[data-athena=traces]")
    shoot("run-full", f"?e={full}", "[data-athena=acquisition]")
    shoot("dataviz-full", f"?e={full}&tab=dataviz", "[data-athena=dataviz][data-drawn]")
    shoot("components", "components", "[data-athena=title]")
    shoot("nothing", "?e=00000000-0000-0000-0000-000000000000", "[data-athena=error]")


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--into", type=Path, default=ROOT / "test-results" / "shots")
    parser.add_argument("--movies", type=int, default=6, help="Simulated movies to process; 0: made-up ones, at once.")
    parser.add_argument("--size", type=int, default=1024, help="Edge of the simulated movies, px.")
    parser.add_argument("--many", type=int, default=1200, help="Micrographs of the full run.")
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    options = parser.parse_args()
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium on this machine: tests/setup_machine.py installs it where it may")
    options.into.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(Path(scratch) / "home", "api", "portal") as instance,
        sync_playwright() as playwright,
    ):
        where = Path(scratch) / "session"
        places = fill(instance, where, movies=options.movies, size=options.size, many=options.many)
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        for size in options.sizes:
            width, height = SIZES[size]
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(instance.login)
            for scheme in SCHEMES:
                context.add_cookies([{"name": "athena-theme", "value": scheme, "url": instance.portal}])
                visit(page, instance, places, into=options.into, suffix=f"{scheme}-{size}")
            context.close()
        browser.close()
    print(f"pictures are in {options.into}")


if __name__ == "__main__":
    main()
