"""Volumes in a browser: the 3D mode of a dataset, zarr folders, planes that hang together, the volume in space."""

import re
from pathlib import Path

import numpy as np
import pytest
import zarr
from playwright.sync_api import BrowserContext, Page, expect

from athena.formats.mrc import write_mrc
from athena.sdk.elements import Dataset
from tests.browser.conftest import Watch
from tests.browser.instance import Instance
from tests.browser.test_files import make_dataset

pytestmark = [pytest.mark.browser, pytest.mark.feature("WS-06")]

LIT = """() => {
  const canvas = document.querySelector('[data-athena=volume-space] .space-rays');
  const copy = document.createElement('canvas');
  Object.assign(copy, { width: canvas.width, height: canvas.height });
  const pen = copy.getContext('2d');
  pen.drawImage(canvas, 0, 0);
  const { data } = pen.getImageData(0, 0, copy.width, copy.height);
  let lit = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 30) lit += 1;
  return lit / (data.length / 4);
}"""
"""Share of the pixels in space that show something."""


@pytest.fixture(autouse=True)
def _inside_shadows(page: Page) -> None:
    """Widgets are drawn inside a shadow root."""
    page.add_init_script(
        """window.deep = (hook, root = document) => {
          const found = root.querySelector(hook);
          if (found) return found;
          for (const one of root.querySelectorAll('*')) {
            const inside = one.shadowRoot && window.deep(hook, one.shadowRoot);
            if (inside) return inside;
          }
          return null;
        }"""
    )


def lit(page: Page) -> float:
    """Share of the pixels in space that show something."""
    return float(page.evaluate(LIT.replace("document.querySelector(", "window.deep(", 1)))


def ball(*shape: int, radius: float = 0.55) -> np.ndarray:
    """A bright ball in weak noise (z, y, x)."""
    axes = np.meshgrid(*(np.linspace(-1, 1, edge) for edge in shape), indexing="ij")
    inside = np.sqrt(sum(axis**2 for axis in axes)) < radius
    return (8 * inside + np.random.default_rng(1).normal(size=shape)).astype(np.float32)


def ready(page: Page) -> None:
    """The volume stands in space and in its planes."""
    expect(page.locator("[data-athena=volume][data-ready]")).to_be_visible()
    for axis in "zyx":
        expect(page.locator(f"[data-athena=plane-stage-{axis}][data-sharp=true]")).to_be_visible()


@pytest.fixture
def dataset(instance: Instance, tmp_path: Path, request: pytest.FixtureRequest) -> Dataset:
    """A free dataset with a volume, a zarr folder, and a folder of images on one another."""
    made = make_dataset(instance, f"Solid {request.node.name}")
    here = tmp_path / "here"
    (here / "slices").mkdir(parents=True)
    volume = ball(40, 60, 80)
    write_mrc(here / "ball.mrc", volume, pixel_size_angstrom=10)
    for number, image in enumerate(volume[:12]):
        write_mrc(here / "slices" / f"slice_{number}.mrc", image, pixel_size_angstrom=10)
    zarr.save_array(str(here / "ball.zarr"), volume, zarr_format=2)
    made.upload([*here.iterdir()], progress=False)
    return made


def test_a_dataset_opens_in_three_dimensions(page: Page, instance: Instance, watch: Watch, dataset: Dataset) -> None:
    page.goto(f"{instance.portal}/?e={dataset.id}")
    page.locator("[data-athena=mode-3d]").click()
    expect(page).to_have_url(re.compile("view=3d"))
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("ball.mrc")
    ready(page)
    words = page.locator("[data-athena=plane-words-z]")
    expect(words).to_have_text("21 of 40")
    expect(page.locator("[data-athena=plane-words-x]")).to_be_in_viewport(ratio=1)
    before = lit(page)
    assert 0.02 < before < 0.9
    # a higher threshold leaves less of it; none is left beyond the densest there is
    page.locator("[data-athena=volume-threshold]").fill("0.5")
    page.locator("[data-athena=volume-projection]").click()
    expect(page.locator("[data-athena=volume-projection]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-athena=volume-surface]").click()

    # the planes hang together
    stage = page.locator("[data-athena=plane-stage-y]")
    box = stage.bounding_box()
    assert box is not None
    with page.expect_response(re.compile(r"plane.png\?axis=z&section=3\d")) as answer:
        stage.click(position={"x": box["width"] / 2, "y": box["height"] / 2 - box["height"] * 0.3})
    assert answer.value.ok
    expect(words).not_to_have_text("21 of 40")
    stage.press("Home")
    expect(page.locator("[data-athena=plane-words-y]")).to_have_text("1 of 60")
    stage.press("PageUp")
    expect(page.locator("[data-athena=plane-words-y]")).to_have_text("2 of 60")
    with page.expect_response(re.compile(r"plane.png\?axis=x&section=\d+&slab=3")):
        stage.press("]")
    expect(page.locator("[data-athena=volume-thick]")).to_have_text("3 · 3.0\u2009nm")
    page.locator("[data-athena=volume-play]").click()
    seen = words.inner_text()
    expect(words).not_to_have_text(seen)
    page.locator("[data-athena=volume-play]").click()

    # turned with the mouse
    space = page.locator("[data-athena=volume-space]")
    drawn = int(space.get_attribute("data-drawn") or 0)
    space.hover()
    page.mouse.down()
    page.mouse.move(400, 300, steps=4)
    page.mouse.up()
    page.wait_for_function(
        "drawn => Number(window.deep('[data-athena=volume-space]').dataset.drawn) > drawn", arg=drawn
    )
    page.locator("[data-athena=file-other]").click()
    expect(page.locator("[data-athena=section-words]")).to_have_text("21 of 40")
    page.locator("[data-athena=file-other]").click()
    ready(page)
    page.locator("[data-athena=file-back]").click()
    expect(page.locator("[data-athena=mode-3d]")).to_be_visible()
    watch.check()


@pytest.mark.feature("WS-07")
def test_a_zarr_folder_is_one_item_and_a_folder_of_images_a_stack(
    page: Page, instance: Instance, watch: Watch, dataset: Dataset
) -> None:
    page.goto(f"{instance.portal}/?e={dataset.id}")
    row = page.locator("[data-athena=folder][data-name='ball.zarr']")
    expect(row).to_contain_text("Zarr volume")
    row.get_by_role("link").click()
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("ball.zarr")
    ready(page)
    expect(page.locator("[data-athena=plane-words-x]")).to_have_text("41 of 80")
    with page.expect_download() as download:
        page.locator("[data-athena=open-file-download]").click()
    assert download.value.suggested_filename.endswith(".zip")
    page.locator("[data-athena=file-back]").click()
    page.locator("[data-athena=folder][data-name='slices']").get_by_role("link").click()
    expect(page.locator("[data-athena=file][data-name='slice_10.mrc']")).to_be_visible()
    page.locator("[data-athena=mode-3d]").click()
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("12 MRC images on one another")
    ready(page)
    expect(page.locator("[data-athena=plane-words-z]")).to_have_text("7 of 12")
    page.goto(f"{instance.portal}/?e={dataset.id}&view=3d&dir=nothing")
    expect(page.locator("[data-athena=not-shown]")).to_contain_text("Nothing here has three dimensions")
    watch.check()


def test_without_webgl2_the_planes_still_work(
    context: BrowserContext, page: Page, instance: Instance, watch: Watch, dataset: Dataset
) -> None:
    context.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
          return kind === "webgl2" ? null : get.call(this, kind, ...more)
        }"""
    )
    page.goto(f"{instance.portal}/?e={dataset.id}&view=3d")
    ready(page)
    expect(page.locator("[data-athena=space-said]")).to_contain_text("no WebGL2")
    page.locator("[data-athena=plane-stage-z]").press("PageDown")
    expect(page.locator("[data-athena=plane-words-z]")).to_have_text("20 of 40")
    watch.check()
