"""Volumes in a browser: the 3D mode of a dataset, zarr folders, planes that hang together, the volume in space."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
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
    (here / "pair").mkdir()
    for name in ("a", "b"):
        write_mrc(here / "pair" / f"{name}.mrc", volume[:8, :9, :10], pixel_size_angstrom=10)
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
    expect(page.locator("[data-athena=volume-thick]")).to_have_text("3 · 3\u2009nm")
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
    # opened by its own address, a volume stands among those of its folder
    one = next(file for file in dataset.files if file.name == "pair/a.mrc")
    page.goto(f"{instance.portal}/?e={dataset.id}&file={one.id}&view=3d")
    page.locator("[data-athena=volume-choice]").select_option("b.mrc")
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("b.mrc")
    expect(page).to_have_url(re.compile("dir=pair"))
    page.goto(f"{instance.portal}/?e={dataset.id}&view=3d&dir=nothing")
    expect(page.locator("[data-athena=not-shown]")).to_contain_text("Nothing here has three dimensions")
    watch.check()


SCALE = """view => {
  const [value, unit] = window.deep(`[data-athena=scale-label-${view}]`).textContent.split("\u2009")
  const width = window.deep(`[data-athena=scale-bar-${view}] .scale-bar`).getBoundingClientRect().width
  return width / (Number(value) * { "Å": 0.1, "nm": 1, "µm": 1000 }[unit])
}"""
"""Pixels of the screen to a nanometre, as a scale bar says."""


def scaled(page: Page, view: str, wanted: float) -> None:
    """The scale bar of a view comes to say so many pixels a nanometre."""
    page.wait_for_function(f"([view, wanted]) => Math.abs(({SCALE})(view) / wanted - 1) < 0.03", arg=[view, wanted])


def test_scale_bars_follow_the_zoom(page: Page, instance: Instance, watch: Watch, dataset: Dataset) -> None:
    page.goto(f"{instance.portal}/?e={dataset.id}&view=3d")
    ready(page)
    for view in ("z", "y", "x", "space"):
        bar = page.locator(f"[data-athena=scale-bar-{view}]")
        expect(bar).to_have_text(re.compile("^[125]0*\u2009(Å|nm)$"))
        width = bar.locator(".scale-bar").bounding_box()
        assert width is not None
        assert 10 < width["width"] <= 140
    stage = page.locator("[data-athena=plane-stage-z]").bounding_box()
    space = page.locator("[data-athena=volume-space]")
    box = space.bounding_box()
    assert stage is not None
    assert box is not None
    # 80 × 60 × 40 px of 1 nm: the plane fits into its view, half the diagonal of the box into half of its own
    fit = min(stage["width"] / 80, stage["height"] / 60)
    scaled(page, "z", fit)
    turned = min(box["width"], box["height"]) / (1.06 * np.linalg.norm([80, 60, 40]))
    scaled(page, "space", turned)
    for _ in range(3):
        space.press("+")
    scaled(page, "space", turned * 1.25**3)
    space.press("-")
    scaled(page, "space", turned * 1.25**2)
    page.locator("[data-athena=plane-stage-x]").press("+")
    scaled(page, "z", fit * 1.25)
    space.press("Home")
    scaled(page, "space", turned)
    page.locator("[data-athena=volume-projection]").click()
    scaled(page, "space", turned)
    # the zarr folder says no voxel size
    page.locator("[data-athena=volume-choice]").select_option("ball.zarr")
    expect(page.locator("[data-athena=open-file-name]")).to_have_text("ball.zarr")
    ready(page)
    for view in ("z", "y", "x", "space"):
        expect(page.locator(f"[data-athena=scale-bar-{view}]")).to_be_hidden()
    watch.check()


OUTLINE = "() => window.deep('[data-athena=volume-space] .space-over').toDataURL()"


@pytest.mark.feature("WS-20")
def test_the_volume_is_turned_by_keys(page: Page, instance: Instance, watch: Watch, dataset: Dataset) -> None:
    page.goto(f"{instance.portal}/?e={dataset.id}&view=3d")
    ready(page)
    space = page.locator("[data-athena=volume-space]")
    projection = page.locator("[data-athena=volume-projection]")
    projection.focus()
    ring = "one => getComputedStyle(one, '::after').borderTopWidth"
    assert space.evaluate(ring) != "2px"
    # from plane to plane and into space with Tab alone
    for _ in range(20):
        page.keyboard.press("Tab")
        if space.evaluate("one => one.matches(':focus')"):
            break
    assert space.evaluate(ring) == "2px"
    seen = [page.evaluate(OUTLINE)]
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "+"):
        page.keyboard.press(key)
        page.wait_for_function(f"before => ({OUTLINE})() !== before", arg=seen[-1])
        seen.append(page.evaluate(OUTLINE))
    assert len(set(seen)) == len(seen)
    page.keyboard.press("Home")
    page.wait_for_function(f"first => ({OUTLINE})() === first", arg=seen[0])
    page.keyboard.press("?")
    expect(page.locator("[data-athena=keys-here]")).to_contain_text("Volume in 3D")
    watch.check()


def test_what_cannot_be_seen_is_said(page: Page, instance: Instance, watch: Watch, tmp_path: Path) -> None:
    made = make_dataset(instance, "Odd volumes")
    half = np.zeros((20, 20, 20), np.float32)
    half[:10] = 1
    holed = ball(20, 20, 20)
    holed[:5] = np.nan
    odd = {"flat": np.full((6, 7, 8), 7.5), "none": np.full((6, 7, 8), np.nan), "half": half, "holed": holed}
    for name, volume in odd.items():
        write_mrc(tmp_path / f"{name}.mrc", volume.astype(np.float32), pixel_size_angstrom=4)
    tifffile.imwrite(tmp_path / "stack.tif", ball(20, 20, 20), photometric="minisblack")
    tifffile.imwrite(tmp_path / "film.tif", np.zeros((70, 2048, 2048), np.uint8), compression="zlib")
    made.upload([*tmp_path.iterdir()], progress=False)
    page.goto(f"{instance.portal}/?e={made.id}&view=3d")
    said = page.locator("[data-athena=space-said]")
    choice = page.locator("[data-athena=volume-choice]")

    def choose(name: str) -> None:
        choice.select_option(name)
        expect(page.locator("[data-athena=open-file-name]")).to_have_text(name)
        ready(page)

    choose("flat.mrc")
    expect(said).to_have_text("Every voxel has the same value, 7.5: there is nothing to draw.")
    expect(page.locator("[data-athena=volume-threshold]")).to_be_disabled()
    expect(page.locator("[data-athena=volume-space] .space-rays")).to_be_hidden()
    choose("none.mrc")
    expect(said).to_contain_text("No voxel of this volume holds a number")
    choose("holed.mrc")
    expect(said).to_have_text("25 % of the voxels hold no number; they count as 0.")
    # its densest is 1 σ above the mean: what is seen first is not an empty box
    choose("half.mrc")
    expect(said).to_be_hidden()
    expect(page.locator("[data-athena=volume-sigma]")).to_have_text("0.5 σ = 0.75")
    assert lit(page) > 0.02
    choose("stack.tif")
    expect(said).to_be_hidden()
    expect(page.locator("[data-athena=scale-bar-space]")).to_be_hidden()
    assert choice.locator("option").all_inner_texts() == [
        *("flat.mrc", "half.mrc", "holed.mrc", "none.mrc", "stack.tif"),
    ]
    film = next(file for file in made.files if file.name == "film.tif")
    page.goto(f"{instance.portal}/?e={made.id}&file={film.id}&view=3d")
    expect(page.locator("[data-athena=state][data-kind=error]")).to_contain_text(
        "film.tif is a movie rather than a volume"
    )
    watch.errors.clear()  # Chromium notes each answer that is an error
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
