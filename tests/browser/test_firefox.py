"""The main path in Firefox: nothing that people need works in Chromium alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from athena.contract.runs import RunTable
from athena.formats.mrc import write_mrc
from tests.browser.firefox import Firefox
from tests.browser.instance import Instance, make_run, wait_for
from tests.browser.played import Player
from tests.browser.test_files import make_dataset
from tests.setup_machine import firefox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(firefox() is None, reason="no Firefox: tests/setup_machine.py installs it where it may"),
]

HOME = "\ue011"
"""The key, as WebDriver names it."""
PAINTED = """((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(data.filter((_, i) => i % 4 === 0)).size > 3;
})(node)"""
"""Whether something is drawn on a canvas."""


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Firefox]:
    """A window that is not logged in."""
    with Firefox(tmp_path) as opened:
        yield opened


@pytest.mark.feature("AC-04", "EQ-02", "EQ-06", "EQ-07", "EQ-11")
def test_the_main_path(window: Firefox, instance: Instance, play: Callable[..., Player]) -> None:
    run = make_run(instance.client, folder="In Firefox")
    player = play(run.id, size=(512, 512))
    player.attach(message="6 movies found.")
    player.complete(player.register(6))

    window.goto(instance.login)
    window.wait("[data-athena=live][data-link=up]")
    window.click("[data-athena=element][data-name='In Firefox']")
    window.wait("[data-athena=element][data-name='SPA-QM 12']")
    window.goto(f"{instance.portal}/?e={run.id}")
    window.wait("[data-athena=acquisition][data-index='5'][data-state=completed]")

    # a verdict by key on the newest, which comes first: as the gallery and the instance have it
    window.wait("[role=listbox]", "(node.focus(), true)")
    window.press(HOME)
    window.press("x")
    window.wait("[data-athena=acquisition][data-index='5'] [data-athena=verdict]", "/rejected/.test(node.textContent)")
    wait_for(
        lambda: instance.client.get(f"/runs/{run.id}/table", RunTable).rejected == (5,), what="the verdict is kept"
    )

    window.click("[data-athena=acquisition][data-index='2']")
    window.wait("[data-athena=acquisition-state][data-state=completed]")
    window.wait("[data-athena=viewer] canvas", PAINTED)
    window.click("[data-athena=tab-motion]")
    window.wait("[data-athena=traces]", PAINTED)
    window.click("[data-athena=tab-ctf]")
    window.wait("[data-athena=curve]", PAINTED)
    window.wait("[data-athena=ring-name]")
    window.press("t")
    window.wait("[data-athena=view-fft].chosen")
    assert "view=fft" in window.address
    window.click("[data-athena=next]")
    window.wait("html", "!/[?&]i=2(&|$)/.test(location.search)")
    window.wait("[data-athena=acquisition-state][data-state=completed]")

    window.goto(f"{instance.portal}/?e={run.id}&tab=dataviz")
    window.wait("[data-athena=filter-count][data-kept]", "Number(node.dataset.kept) > 0")
    window.wait("[data-athena=metric]")
    window.wait("canvas", PAINTED)
    window.click("[data-athena=theme]")
    window.wait("html[data-theme=light]")
    assert window.errors == []


@pytest.mark.feature("WS-06")
def test_a_volume(window: Firefox, instance: Instance, tmp_path: Path) -> None:
    """Its planes are drawn; in space it is drawn too, or it is said why not."""
    dataset = make_dataset(instance, "Volume in Firefox")
    volume = np.random.default_rng(2).normal(size=(20, 40, 50)).astype(np.float32)
    volume[5:15, 10:30, 10:40] += 8
    write_mrc(tmp_path / "box.mrc", volume, pixel_size_angstrom=5)
    dataset.upload(tmp_path / "box.mrc", progress=False)
    window.goto(instance.login)
    window.wait("[data-athena=live][data-link=up]")
    window.goto(f"{instance.portal}/?e={dataset.id}&view=3d")
    window.wait("[data-athena=volume][data-ready]")
    for axis in "zyx":
        window.wait(f"[data-athena=plane-stage-{axis}][data-sharp=true] canvas", PAINTED)
    drawn = "Number(node.dataset.drawn) > 0 || /no WebGL2/.test(node.textContent)"
    window.wait("[data-athena=volume-space]", drawn)
    assert window.errors == []
