"""The gallery in a real browser: what it shows, how it moves, what it asks for."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena.contract.acquisitions import AcquisitionState
from athena.contract.verdicts import VerdictKind
from tests.widgets.conftest import WidgetPage
from tests.widgets.fake_run import FakeRun
from tests.widgets.web import Web

pytestmark = [pytest.mark.browser, pytest.mark.feature("EQ-02"), pytest.mark.feature("AC-04")]
Open = Callable[..., WidgetPage]

ROWS = '[data-athena="acquisition"]:not([hidden])'


def row(index: int) -> str:
    """Selector of an acquisition on screen."""
    return f'{ROWS}[data-index="{index}"]'


def painted(canvas: str) -> str:
    """Script: whether anything is drawn on a canvas."""
    return f"""() => {{
      const canvas = document.querySelector('{canvas}');
      if (!canvas?.width) return false;
      const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value > 0);
    }}"""


def top_of(page: Page, index: int) -> float:
    """Where a row's top edge is in the window, px."""
    box = page.locator(row(index)).bounding_box()
    assert box is not None
    return box["y"]


def test_a_row_shows_pictures_traces_curve_and_values(open_widget: Open, web: Web) -> None:
    gallery = open_widget("run_gallery", drift_limit_angstrom=0.0)
    page = gallery.page
    last = web.run.finished - 1
    shown = page.locator(row(last))
    expect(shown).to_contain_text(web.run.table([], last, 1).names[0])
    expect(shown.locator('[data-athena="drift-alarm"]')).to_be_visible()
    values = {name: column[last] for name, column in web.run.columns(web.run.total).items()}
    for text in (
        f"{values['ctf_resolution_angstrom']:.1f}\u2009Å",
        f"{values['defocus_um']:.2f}\u2009µm",
        f"{values['astigmatism_nm']:.0f}\u2009nm",
        f"{values['drift_total_angstrom']:.1f}\u2009Å",
        "Completed",
        f"hole {7_000_000 + last // 4}",
    ):
        expect(shown).to_contain_text(text)
    for hook in ("thumbnail", "spectrum"):
        page.wait_for_function(f"document.querySelector('{row(last)} [data-athena={hook}] img').naturalWidth === 256")
    for hook in ("traces", "curve"):
        page.wait_for_function(painted(f"{row(last)} [data-athena={hook}]"))
    gallery.give(drift_limit_angstrom=1000.0)
    expect(shown.locator('[data-athena="drift-alarm"]')).to_be_hidden()


def test_counts_are_switches(open_widget: Open, web: Web) -> None:
    gallery = open_widget("run_gallery", mode="cards")
    page = gallery.page
    states = [web.run.state(index).value for index in range(web.run.total)]
    errors = [index for index, state in enumerate(states) if state == "error"]
    expect(page.locator(gallery.hook("count-all"))).to_have_text("60")
    expect(page.locator(gallery.hook("count-finished"))).to_have_text(str(states.count("completed")))
    expect(page.locator(gallery.hook("count-progress"))).to_have_text("4")
    expect(page.locator(gallery.hook("count-error"))).to_have_text(str(len(errors)))
    page.click(gallery.hook("only-error"))
    expect(page.locator(ROWS)).to_have_count(len(errors))
    expect(page.locator(row(errors[0]))).to_contain_text("The movie ends early.")
    page.click(gallery.hook("only-error"))
    expect(page.locator(row(59))).to_be_visible()


def test_keys_select_and_enter_opens(open_widget: Open) -> None:
    gallery = open_widget("run_gallery", order="oldest")
    page = gallery.page
    page.locator(gallery.hook("gallery")).focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert gallery.trait("selected") == 2
    expect(page.locator(row(2))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    assert gallery.trait("opened") == 2
    page.keyboard.press("End")
    expect(page.locator(row(59))).to_be_visible()
    page.evaluate("window.seen = []; model.on('change:opened', () => seen.push(model.get('opened')))")
    page.locator(row(58)).click()
    page.locator(row(58)).click()
    assert page.evaluate("seen") == [-1, 58, -1, 58]


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_new_rows_come_without_moving_what_is_looked_at(open_widget: Open, web: Web, order: str) -> None:
    gallery = open_widget("run_gallery", order=order)
    page = gallery.page
    expect(page.locator(ROWS).first).to_be_visible()
    page.locator(gallery.hook("gallery")).evaluate("list => { list.scrollTop = 3000 }")
    page.wait_for_function("document.querySelector('[data-athena=gallery]').scrollTop > 2900")
    page.wait_for_function(f"document.querySelectorAll('{ROWS}').length > 0")
    middle = page.evaluate(
        """() => Number(document.elementsFromPoint(400, 400)
          .find((node) => node.dataset?.index).dataset.index)"""
    )
    before = top_of(page, middle)
    web.run = FakeRun(80)
    gallery.give(version=2)
    expect(page.locator(gallery.hook("count-all"))).to_have_text("80")
    frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    page.wait_for_function(frames)
    assert top_of(page, middle) == pytest.approx(before, abs=1.5)


def test_a_row_fills_when_its_movie_is_done(open_widget: Open, web: Web) -> None:
    gallery = open_widget("run_gallery")
    page = gallery.page
    expect(page.locator(row(59))).to_contain_text("Waiting")
    web.run = FakeRun(60, unfinished=0)
    gallery.give(version=2)
    expect(page.locator(row(59))).to_contain_text("Completed")
    page.wait_for_function(f"document.querySelector('{row(59)} [data-athena=thumbnail] img').naturalWidth === 256")
    page.wait_for_function(painted(f"{row(59)} [data-athena=curve]"))


def test_a_long_import_fills_from_its_beginning(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(3_000, unfinished=2_990)
    gallery = open_widget("run_gallery", order="oldest", mode="cards")
    page = gallery.page
    expect(page.locator(row(12))).to_contain_text("Waiting")
    web.run = FakeRun(3_000, unfinished=2_980)
    asked = len(web.asked)
    gallery.give(version=2)
    expect(page.locator(row(12))).to_contain_text("Completed")
    assert all("limit=500" in path or "start=2500" in path for path in web.asked[asked:] if "/table" in path)


def test_asks_only_for_what_is_on_screen_and_in_batches(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(2_000)
    gallery = open_widget("run_gallery", order="oldest")
    page = gallery.page
    page.wait_for_function(painted(f"{row(0)} [data-athena=curve]"))
    assert page.locator('[data-athena="acquisition"]').count() < 20
    asked = [path for path in web.asked if "/curves" in path]
    assert len(asked) == 1
    assert sum("thumbnail" in path for path in web.asked) < 10


def shown_rows(page: Page) -> list[int]:
    """Indices on screen, from top to bottom."""
    return sorted(int(str(item.get_attribute("data-index"))) for item in page.locator(ROWS).all())


@pytest.mark.feature("EQ-03")
def test_once_there_is_a_filter_only_what_it_keeps_of_those_finished_shows(open_widget: Open, web: Web) -> None:
    rules = [{"metric": "defocus_um", "operator": "<=", "value": 1.0, "upper": None}]
    rules += [{"metric": "drift_mean_angstrom", "operator": "outside", "value": 0.05, "upper": 0.06}]
    web.run.verdicts = {1: VerdictKind.ACCEPTED, 2: VerdictKind.REJECTED}
    gallery = open_widget("run_gallery", mode="cards", rules=rules, height=3000)
    page, columns = gallery.page, web.run.columns(web.run.total)
    defocus, drift = columns["defocus_um"].round(5), columns["drift_mean_angstrom"].round(5)
    finished = [i for i in range(web.run.total) if web.run.state(i).value == "completed"]
    kept = [i for i in finished if defocus[i] <= 1.0 and not 0.05 <= drift[i] <= 0.06]
    kept = sorted({*kept, 1} - {2})
    assert 0 < len(kept) < len(finished)
    expect(page.locator(gallery.hook("count-filtered"))).to_have_text(f"{len(kept)} of {len(finished)}")
    expect(page.locator(gallery.hook("count-excluded"))).to_have_text(str(len(finished) - len(kept)))
    expect(page.locator(ROWS)).to_have_count(len(kept))
    assert shown_rows(page) == kept
    page.click(gallery.hook("only-excluded"))
    assert gallery.trait("shown") == "excluded"
    expect(page.locator(ROWS)).to_have_count(len(finished) - len(kept))
    page.click(gallery.hook("only-all"))
    expect(page.locator(row(59))).to_be_visible()
    page.locator(gallery.hook("gallery")).focus()
    page.keyboard.press("f")
    menu = page.locator(gallery.hook("filter-rules"))
    expect(menu).to_contain_text("Defocus ≤ 1.00\u2009µm")
    expect(menu).to_contain_text("outside 0.05 and 0.06")
    # a metric that people added goes by the name they gave it
    own = {"name": "beauty", "label": "Beauty", "unit": "nm", "digits": 1}
    gallery.give(metrics=[own], rules=[*rules, {"metric": "beauty", "operator": ">", "value": 2.0, "upper": None}])
    expect(menu).to_contain_text("Beauty > 2.0\u2009nm")
    gallery.give(rules=rules)
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.locator(gallery.hook("gallery"))).to_be_focused()
    # without rules all is as before
    gallery.give(rules=[], shown="")
    expect(page.locator(row(59))).to_be_visible()


@pytest.mark.feature("EQ-03", "BY-09")
def test_what_is_rejected_leaves_the_filtered_and_undo_brings_it_back(open_widget: Open, web: Web) -> None:
    gallery = open_widget("run_gallery", order="oldest", shown="filtered", may_judge=True)
    page = gallery.page
    page.locator(gallery.hook("gallery")).focus()
    page.keyboard.press("Home")
    expect(page.locator(row(0))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("x")
    assert gallery.trait("judged") == "0 rejected"
    expect(page.locator(row(0))).to_have_count(0)
    assert gallery.trait("selected") == 1
    page.click(gallery.hook("undo"))
    assert gallery.trait("judged") == "0 "
    expect(page.locator(row(0))).to_have_attribute("aria-selected", "true")
    expect(page.locator(gallery.hook("undo"))).to_have_count(0)


@pytest.mark.feature("BY-09")
def test_what_others_say_of_rows_that_are_settled_shows_at_once(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(3_000)
    gallery = open_widget("run_gallery", order="oldest", mode="cards")
    page = gallery.page
    expect(page.locator(gallery.hook("count-finished"))).not_to_have_text("–")
    expect(page.locator(row(3))).to_contain_text("Completed")
    page.wait_for_function("performance.now() > 1500")
    web.run.verdicts = {3: VerdictKind.REJECTED}
    gallery.give(version=2)
    expect(page.locator(row(3))).to_contain_text("rejected", timeout=5_000)
    status = page.locator(f"{row(3)} .status").bounding_box()
    assert status is not None
    assert status["height"] < 24, "one line"
    web.run.verdicts = {}
    gallery.give(version=3)
    expect(page.locator(row(3))).to_contain_text("Completed", timeout=5_000)


@pytest.mark.slow
def test_a_hundred_thousand_rows_scroll_smoothly(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(100_000)
    gallery = open_widget("run_gallery", mode="extended", order="oldest")
    page = gallery.page
    expect(page.locator(gallery.hook("count-all"))).to_have_text("100\u2009000", timeout=60_000)
    # the end is there while what lies between still comes
    page.locator(gallery.hook("gallery")).focus()
    page.keyboard.press("End")
    finished = sum(web.run.state(index) is AcquisitionState.COMPLETED for index in range(100_000))
    said = f"{finished:,}".replace(",", "\u2009")
    expect(page.locator(gallery.hook("count-finished"))).to_have_text(said, timeout=60_000)
    expect(page.locator(row(99_999))).to_be_visible()
    page.keyboard.press("Home")
    work = page.evaluate(
        """async () => {
          const list = document.querySelector('[data-athena=gallery]');
          const spent = [];
          const frame = () => new Promise(requestAnimationFrame);
          for (let i = 0; i < 60; i++) {
            await frame();
            const start = performance.now();
            list.scrollTop += i < 30 ? 170 : 40000;
            list.dispatchEvent(new Event('scroll'));
            await frame();
            list.getBoundingClientRect();
            spent.push(performance.now() - start);
          }
          spent.sort((a, b) => a - b);
          const nodes = list.querySelectorAll('[data-athena=acquisition]').length;
          return { nodes, median: spent[30], high: spent[57] };
        }"""
    )
    print(f"scroll steps of 100 000 rows: median {work['median']:.1f} ms, 95 % below {work['high']:.1f} ms")
    assert work["nodes"] < 24
    page.locator(gallery.hook("gallery")).focus()
    page.keyboard.press("End")
    expect(page.locator(row(99_999))).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator(row(0))).to_be_visible()


def test_an_empty_run_says_what_is_awaited_and_an_unreachable_one_what_failed(open_widget: Open, web: Web) -> None:
    web.run = FakeRun(0)
    gallery = open_widget("run_gallery")
    state = gallery.page.locator(gallery.hook("state"))
    expect(state).to_contain_text("No micrographs yet")
    web.failing = {"table"}
    broken = open_widget("run_gallery")
    expect(broken.page.locator(broken.hook("state"))).to_contain_text("The store does not answer.")


def test_light_and_dark_are_readable(open_widget: Open) -> None:
    """Text against its background at WCAG AA, 4.5 to 1."""
    contrast = """() => {
      const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      const rgb = (colour) => { pixel.fillStyle = colour; pixel.fillRect(0, 0, 1, 1);
        return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3) };
      const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255;
        return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b };
      const list = [];
      for (const node of document.querySelectorAll('.name, .time, .place, .unit, .count .muted, .problem, .alarmed')) {
        if (!node.offsetParent || !node.textContent) continue;
        let ground = node;
        while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
        const [a, b] = [light(rgb(getComputedStyle(node).color)), light(rgb(getComputedStyle(ground).backgroundColor))];
        list.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.className, node.textContent]);
      }
      return list;
    }"""
    gallery = open_widget("run_gallery")
    expect(gallery.page.locator(ROWS).first).to_be_visible()
    for theme in ("dark", "light"):
        gallery.give(theme=theme)
        moving = "document.getAnimations().some((one) => one instanceof CSSTransition)"
        gallery.page.wait_for_function(f"!{moving}")
        ratios = gallery.page.evaluate(contrast)
        assert len(ratios) > 10
        assert [found for found in ratios if found[0] < 4.5] == []
