"""The product's point, in a browser: a microscope writes movies, and cards appear with their results."""

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from athena.contract.runs import Run, SourceCreate
from athena_pipelines.simulate.session import EpuSimulator
from tests.browser.conftest import Watch
from tests.browser.instance import Instance, make_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOVIES = 2
LONG_MS = 240_000


@pytest.mark.feature("AC-01", "AC-04", "AC-05", "EQ-01", "EQ-02")
def test_cards_appear_while_a_session_is_written(page: Page, instance: Instance, watch: Watch, tmp_path: Path) -> None:
    run = make_run(instance.client, folder="Simulated session")
    page.goto(f"{instance.portal}/?e={run.id}")
    expect(page.locator("[data-athena=empty]")).to_be_visible()
    simulator = EpuSimulator(tmp_path, movies=MOVIES, size=(1024, 1024), frames=16, interval_s=0.5)
    folder = simulator.prepare()
    instance.client.put(f"/runs/{run.id}/source", SourceCreate(path=str(folder)), Run)
    stop = threading.Event()
    microscope = threading.Thread(target=simulator.run, args=(stop,))
    instance.start("runner")
    microscope.start()
    try:
        done = page.locator("[data-athena=acquisition][data-state=completed]")
        expect(done).to_have_count(MOVIES, timeout=LONG_MS)
        expect(page.locator("[data-athena=source]")).to_have_attribute("data-state", "watching")
        done.first.click()
        expect(page.locator("[data-athena=acquisition-state]")).to_have_attribute("data-state", "completed")
        expect(page.locator("[data-athena=viewer] canvas").first).to_be_visible()
        expect(page.locator("[data-athena=metadata]")).to_contain_text("CTF resolution")
    finally:
        stop.set()
        microscope.join()
        instance.stop("runner")
    watch.check()
