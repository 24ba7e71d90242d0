"""The image viewer in a real browser: keys, tools, contrast, states."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.widgets.conftest import WidgetPage
from tests.widgets.fake_run import FakeRun
from tests.widgets.web import Web

pytestmark = [pytest.mark.browser, pytest.mark.feature("EQ-06")]
Open = Callable[..., WidgetPage]

CORNER = """() => {
  const canvas = document.querySelector('.openseadragon-canvas canvas');
  const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const at = (x, y) => data[4 * (y * width + x)];
  const white = [];
  for (let y = 4; y < height; y += 4) for (let x = 4; x < width; x += 4)
    if (at(x, y) === 255 && at(x + 2, y + 2) === 255 && at(x - 2, y - 2) === 255) white.push([x / width, y / height]);
  const mean = (i) => white.reduce((sum, p) => sum + p[i], 0) / white.length;
  return white.length ? [mean(0) < 0.5 ? 'left' : 'right', mean(1) < 0.5 ? 'top' : 'bottom'] : [];
}"""
"""Where the micrograph's bright mark shows; it is at the top left of the image as displayed."""


def zoom(page: Page) -> float:
    """Magnification in percent, from the read-out."""
    text = page.locator('[data-athena="readout"]').inner_text()
    return float(text.split("·")[-1].replace("\u2009", "").replace("%", "").strip())


def wait_zoom(page: Page, relation: str) -> None:
    """Wait until the read-out's percentage fulfils a comparison."""
    text = """document.querySelector('[data-athena="readout"]').textContent.split('·').at(-1)"""
    page.wait_for_function(f"Number({text}.replaceAll('\u2009', '').replace('%', '')) {relation}")


def settled(page: Page) -> None:
    """Wait until the picture is drawn and stands still."""
    expect(page.locator('[data-athena="state"]')).to_be_hidden()
    page.wait_for_function(
        """() => new Promise((done) => {
          const text = () => document.querySelector('[data-athena="scale-label"]').textContent
            + document.querySelector('[data-athena="scale-bar"]').offsetWidth;
          const before = text();
          setTimeout(() => done(text() === before), 150);
        })"""
    )


@pytest.fixture
def viewer(open_widget: Open) -> WidgetPage:
    """A viewer with its picture shown and the keyboard on it."""
    opened = open_widget("image_viewer", index=3)
    settled(opened.page)
    opened.page.locator(".openseadragon-canvas").first.click(position={"x": 300, "y": 300})
    return opened


def test_shows_the_micrograph_the_right_way_up(viewer: WidgetPage) -> None:
    viewer.page.wait_for_function(f"({CORNER})().join() === 'left,top'")


def test_keys_zoom_flip_rotate_and_reset(viewer: WidgetPage) -> None:
    page = viewer.page
    start = zoom(page)
    page.keyboard.press("+")
    wait_zoom(page, f"> {start}")
    settled(page)  # presses that follow one another within a frame count as one
    for _ in range(4):
        before = zoom(page)
        page.keyboard.press("Minus")
        wait_zoom(page, f"< {before}")
        settled(page)
    assert zoom(page) < start
    page.keyboard.press("0")
    wait_zoom(page, f"=== {start}")
    # turned by 90° the picture is higher than the view: make it small enough to see all corners
    for _ in range(3):
        page.click(viewer.hook("zoom-out"))
    page.keyboard.press("f")
    page.wait_for_function(f"({CORNER})().join() === 'right,top'")
    page.keyboard.press("f")
    page.keyboard.press("r")
    page.wait_for_function(f"({CORNER})().join() === 'right,top'")
    page.keyboard.press("Shift+R")
    page.keyboard.press("Shift+R")
    page.wait_for_function(f"({CORNER})().join() === 'left,bottom'")
    page.keyboard.press("0")
    page.wait_for_function(f"({CORNER})().join() === 'left,top'")


READING = """(() => {
  document.querySelector('[data-athena="viewer"]').dispatchEvent(
    new PointerEvent('pointermove', { clientX: 500, clientY: 400, bubbles: true }));
  return document.querySelector('[data-athena="readout"]').textContent
    .split(' px')[0].replaceAll('\\u2009', '').split(', ').map(Number);
})()"""
"""Image pixel (x, y; y counted from the bottom) under a pointer that stands still."""


def test_keys_pan(viewer: WidgetPage) -> None:
    page = viewer.page
    for _ in range(3):
        page.keyboard.press("+")
    settled(page)
    # looking further to the left means smaller x under the pointer, further up larger y
    keys = {"w": (1, ">"), "s": (1, "<"), "a": (0, "<"), "d": (0, ">")}
    keys |= {"ArrowUp": (1, ">"), "ArrowDown": (1, "<"), "ArrowLeft": (0, "<"), "ArrowRight": (0, ">")}
    for key, (axis, relation) in keys.items():
        before = page.evaluate(READING)[axis]
        page.keyboard.down(key)
        page.wait_for_function(f"() => {READING}[{axis}] {relation} {before}")
        page.keyboard.up(key)
        settled(page)


def test_the_whole_image_stays_whole_in_a_stage_that_grows(viewer: WidgetPage) -> None:
    page = viewer.page
    start = zoom(page)
    viewer.give(height=320)
    wait_zoom(page, f"< {0.7 * start}")
    viewer.give(height=640)
    wait_zoom(page, f"=== {start}")
    settled(page)
    page.click(viewer.hook("zoom-in"))
    wait_zoom(page, f"> {start}")
    settled(page)
    chosen = zoom(page)
    viewer.give(height=600)
    settled(page)
    assert zoom(page) == pytest.approx(chosen, rel=0.1)  # what was chosen by hand is kept


def test_wheel_and_buttons_zoom(viewer: WidgetPage) -> None:
    page = viewer.page
    start = zoom(page)
    page.mouse.move(500, 300)
    page.mouse.wheel(0, -400)
    wait_zoom(page, f"> {start}")
    settled(page)
    wheeled = zoom(page)
    page.click(viewer.hook("zoom-in"))
    wait_zoom(page, f"> {wheeled}")
    page.click(viewer.hook("zoom-reset"))
    wait_zoom(page, f"=== {start}")


def test_pixels_are_not_smoothed_beyond_one_to_one(viewer: WidgetPage) -> None:
    page = viewer.page
    smooth = "document.querySelector('.openseadragon-canvas canvas').getContext('2d').imageSmoothingEnabled"
    for _ in range(8):
        page.click(viewer.hook("zoom-in"))
    wait_zoom(page, "> 100")
    page.wait_for_function(f"{smooth} === false")


def test_full_screen_and_escape(viewer: WidgetPage) -> None:
    page = viewer.page
    page.click(viewer.hook("full-screen"))
    page.wait_for_function("document.fullscreenElement?.dataset.athena === 'viewer'")
    # Esc is the browser's own key in full screen, which a driven page does not see: the button does the same
    page.click(viewer.hook("full-screen"))
    page.wait_for_function("document.fullscreenElement === null")


def test_measures_in_nanometres(viewer: WidgetPage) -> None:
    page = viewer.page
    page.click(viewer.hook("measure"))
    magnification = zoom(page) / 100
    page.mouse.move(400, 300)
    page.mouse.down()
    page.mouse.move(500, 300)
    page.mouse.move(700, 300)
    page.mouse.up()
    text = page.locator(viewer.hook("tape-length")).text_content() or ""
    value, unit = text.split("\u2009")
    assert unit == "nm"
    assert float(value) == pytest.approx(300 / magnification * 1.06 / 10, rel=0.02)
    page.keyboard.press("Escape")
    expect(page.locator(viewer.hook("tape-length"))).to_have_text("")


def test_contrast_asks_for_new_tiles_once_the_hand_rests(viewer: WidgetPage, web: Web) -> None:
    page = viewer.page
    page.click(viewer.hook("contrast"))
    before = len(web.asked)
    page.click("text=±1 σ")
    page.wait_for_function("document.querySelector('.openseadragon-canvas canvas').style.filter === ''")
    assert len(web.asked) > before
    info = web.run.image_info()
    sigma = (info.high - info.low) / 6
    lows = {float(path.split("low=")[1].split("&")[0]) for path in web.asked[before:]}
    assert list(lows) == [pytest.approx((info.low + info.high) / 2 - sigma, rel=1e-4)]
    asked = len(web.asked)
    page.locator(viewer.hook("contrast-low")).evaluate(
        "input => { input.value = -4; input.dispatchEvent(new Event('input')); }"
    )
    assert "contrast(" in page.evaluate("document.querySelector('.openseadragon-canvas canvas').style.filter")
    assert len(web.asked) == asked


def test_says_that_it_is_not_processed_yet_and_then_shows_it(open_widget: Open, web: Web) -> None:
    index = web.run.total - 1
    viewer = open_widget("image_viewer", index=index)
    expect(viewer.page.locator(viewer.hook("state"))).to_contain_text("Not processed yet")
    web.run = FakeRun(unfinished=0)
    viewer.give(version=2)
    settled(viewer.page)


def test_an_error_says_what_and_offers_another_try(open_widget: Open, web: Web) -> None:
    web.failing = {"image.json"}
    viewer = open_widget("image_viewer", index=3)
    state = viewer.page.locator(viewer.hook("state"))
    expect(state).to_contain_text("The store does not answer.")
    web.failing = set()
    viewer.page.click(viewer.hook("retry"))
    settled(viewer.page)


def test_spectrum_has_a_reciprocal_scale(open_widget: Open) -> None:
    viewer = open_widget("image_viewer", index=3, content="spectrum_fit")
    settled(viewer.page)
    expect(viewer.page.locator(viewer.hook("scale-label"))).to_contain_text("Å⁻¹")
    expect(viewer.page.locator(viewer.hook("contrast"))).to_have_count(0)


def test_half_of_a_spectrum_shows_the_fit_or_what_was_measured(open_widget: Open, web: Web) -> None:
    viewer = open_widget("image_viewer", index=3, content="spectrum_fit")
    settled(viewer.page)
    assert not any("3/spectrum.png?fit=0" in path for path in web.asked)
    with viewer.page.expect_response(lambda answer: "3/spectrum.png?fit=0" in answer.url):
        viewer.page.click(viewer.hook("half-toggle"))
    with viewer.page.expect_response(lambda answer: "8/spectrum.png?fit=0" in answer.url):
        viewer.give(index=8)
    expect(viewer.page.locator(viewer.hook("half-toggle"))).to_have_attribute("aria-pressed", "false")


RINGS = """() => {
  const rings = [...document.querySelectorAll('[data-athena=rings] circle')];
  const names = [...document.querySelectorAll('[data-athena=ring-name]')];
  const numbers = (ring) => ['cx', 'cy', 'r'].map((name) => Number(ring.getAttribute(name)));
  return rings.map((ring, i) => [names[i].textContent, ...numbers(ring)]);
}"""
"""Name, centre (x, y) and radius of each resolution circle, screen px."""


def test_rings_name_their_resolution_and_follow_the_zoom(open_widget: Open, web: Web) -> None:
    viewer = open_widget("image_viewer", index=3, content="spectrum_fit")
    page = viewer.page
    settled(page)
    rings = page.evaluate(RINGS)
    reached = web.run.columns(web.run.total)["ctf_resolution_angstrom"][3]
    assert f"fit to {reached:.1f}\u2009Å" in [name for name, *_ in rings]
    per_frequency = [radius * float(name.split("\u2009")[0].split()[-1]) for name, _, _, radius in rings]
    # the picture's edge is at its Nyquist frequency: 0.25 Å⁻¹ in 128 px
    assert per_frequency == pytest.approx([128 / 0.25 * zoom(page) / 100] * len(rings), rel=0.02)
    page.locator(".openseadragon-canvas").first.click(position={"x": 100, "y": 300})
    page.keyboard.press("+")
    page.wait_for_function(f"before => ({RINGS})()[0][3] > before", arg=rings[0][3])
    page.keyboard.press("g")
    expect(page.locator(viewer.hook("ring-name"))).to_have_count(0)
    page.click(viewer.hook("rings-toggle"))
    expect(page.locator(viewer.hook("ring-name")).first).to_be_attached()


def test_zeros_lie_where_the_ctf_is_zero_in_every_direction(open_widget: Open, web: Web) -> None:
    viewer = open_widget("image_viewer", index=3, content="spectrum")
    page = viewer.page
    settled(page)
    page.locator(".openseadragon-canvas").first.click(position={"x": 100, "y": 300})
    page.keyboard.press("z")
    line = page.locator(viewer.hook("zeros-line"))
    expect(line).to_have_attribute("d", re.compile("^M"))
    _, cx, cy, radius = page.evaluate(RINGS)[0]
    resolution = float(page.evaluate(RINGS)[0][0].split("\u2009")[0])
    drawn = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", line.get_attribute("d") or ""), float)
    x, y = (drawn - [cx, cy]).T
    k = np.hypot(x, y) / radius / resolution
    known = {name: column[3] for name, column in web.run.columns(web.run.total).items()}
    angle = np.arctan2(-y, x) - np.deg2rad(known["astigmatism_angle_deg"])
    defocus = known["defocus_um"] * 1e4 + known["astigmatism_nm"] * 10 / 2 * np.cos(2 * angle)
    # the made-up run's own CTF, with its defocus in each direction
    chi = np.pi * 0.0197 * defocus * k**2 - np.pi / 2 * 2.7e7 * 0.0197**3 * k**4
    assert len(k) > 500
    assert np.percentile(np.abs(np.sin(chi + 0.07)), 95) < 0.12
    page.click(viewer.hook("zeros-toggle"))
    expect(line).to_have_count(0)


def test_another_index_shows_another_micrograph(viewer: WidgetPage, web: Web) -> None:
    viewer.give(index=8)
    viewer.page.wait_for_function("() => true")
    settled(viewer.page)
    assert any("/acquisitions/8/tiles/" in path for path in web.asked)


def test_asks_the_kernel_when_there_is_no_http(open_widget: Open) -> None:
    viewer = open_widget("image_viewer", index=3, source_kind="comm")
    settled(viewer.page)
    kinds = viewer.page.evaluate("model.asked.map((message) => message.kind)")
    assert set(kinds) <= {"get", "cancel"}
    assert "get" in kinds


def test_leaves_nothing_behind(viewer: WidgetPage) -> None:
    viewer.page.evaluate("cleanup()")
    assert viewer.page.locator("#root > *").count() == 0
