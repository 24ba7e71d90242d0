"""Motion traces and CTF fit in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.widgets.conftest import WidgetPage
from tests.widgets.test_run_gallery import painted
from tests.widgets.web import Web

pytestmark = [pytest.mark.browser, pytest.mark.feature("EQ-11")]
Open = Callable[..., WidgetPage]


def test_motion_says_how_far_and_whether_in_range(open_widget: Open, web: Web) -> None:
    panel = open_widget("motion_traces", index=3)
    page = panel.page
    drift = web.run.columns(web.run.total)["drift_total_angstrom"][3]
    expect(page.locator(panel.hook("drift"))).to_contain_text(f"{drift:.1f}\u2009Å")
    expect(page.locator(panel.hook("drift-verdict"))).to_have_text("in range")
    panel.give(drift_limit_angstrom=1.0)
    expect(page.locator(panel.hook("drift-verdict"))).to_contain_text("above 1")
    page.wait_for_function(painted('[data-athena="traces"]'))
    page.wait_for_function(painted('[data-athena="frame-drift"]'))


def test_traces_are_drawn_at_the_chosen_scale(open_widget: Open) -> None:
    panel = open_widget("motion_traces", index=3)
    page = panel.page
    expect(page.locator(panel.hook("scale-auto"))).to_contain_text("×)")
    width = """() => {
      const canvas = document.querySelector('[data-athena=traces]');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
      return count;
    }"""
    page.click(panel.hook("scale-50"))
    short = page.evaluate(width)
    page.click(panel.hook("scale-200"))
    assert panel.trait("scale") == "200"
    assert page.evaluate(width) > 1.5 * short


def test_ctf_curves_are_switched_in_the_legend_and_read_under_the_pointer(open_widget: Open, web: Web) -> None:
    panel = open_widget("ctf_fit", index=3, height=720)
    page = panel.page
    resolution = web.run.columns(web.run.total)["ctf_resolution_angstrom"][3]
    expect(page.locator(panel.hook("ctf-facts"))).to_contain_text(f"{resolution:.1f}\u2009Å")
    page.wait_for_function(painted('[data-athena="curve"]'))
    page.locator(panel.hook("curve")).hover(position={"x": 400, "y": 100})
    readout = page.locator(panel.hook("curve-readout"))
    expect(readout).to_contain_text("theory")
    page.click(panel.hook("legend-theory"))
    page.locator(panel.hook("curve")).hover(position={"x": 402, "y": 100})
    expect(readout).to_contain_text("experimental")
    expect(readout).not_to_contain_text("theory")
    expect(page.locator(panel.hook("scale-label"))).to_contain_text("Å⁻¹")


@pytest.mark.parametrize("name", ["motion_traces", "ctf_fit"])
def test_says_when_there_is_nothing_yet(open_widget: Open, web: Web, name: str) -> None:
    panel = open_widget(name, index=web.run.total - 1)
    expect(panel.page.locator(panel.hook("state")).last).to_contain_text("Not processed yet")
    failed = open_widget(name, index=5)
    expect(failed.page.locator(failed.hook("state")).last).to_contain_text("The movie ends early.")
