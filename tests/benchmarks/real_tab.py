"""A visitor of a run in a real browser: what it clicks, and the time until what it asked for is there."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from playwright.async_api import Page

from athena.contract.elements import Element

DRIVER = """
window.athenaFind = selector => {
  const found = [], roots = [document]
  while (roots.length) {
    const root = roots.pop()
    found.push(...root.querySelectorAll(selector))
    for (const one of root.querySelectorAll('*')) if (one.shadowRoot) roots.push(one.shadowRoot)
  }
  return found.filter(one => one.getClientRects().length)
}
window.athenaTimed = ({click, which, ready, text, other}) => new Promise((done, failed) => {
  const target = window.athenaFind(click)
  if (!target.length) return failed(new Error(`nothing to click: ${click}`))
  const before = other ? window.athenaFind(other)[0]?.textContent : null
  const start = performance.now()
  target[which % target.length].click()
  const look = () => {
    const there = window.athenaFind(ready)
    const right = there.some(one => !text || one.textContent.includes(text))
    const changed = !other || window.athenaFind(other)[0]?.textContent !== before
    if (right && changed) return done(performance.now() - start)
    if (performance.now() - start > 60000) return failed(new Error(`did not come: ${ready} ${text ?? ''}`))
    setTimeout(look, 10)
  }
  setTimeout(look, 0)
})
"""


@dataclass
class Seen:
    """What tabs met.

    Attributes
    ----------
    times : seconds from click to what it asked for, by what was done; openings of the page, in brackets, are apart.
    errors : console errors, uncaught exceptions and failed requests, with the number of their tab.
    requests : of the API, made by all of them.
    """

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    requests: int = 0

    @property
    def waits(self) -> list[float]:
        """The times of everything but openings."""
        return [one for what, times in self.times.items() if what[0] != "(" for one in times]

    @property
    def told(self) -> dict[str, object]:
        """Numbers of it."""
        waits = self.waits
        return {
            "interactions": len(waits),
            "median_s": float(np.median(waits)),
            "p95_s": float(np.percentile(waits, 95)),
            "by_kind_s": {what: _of(times) for what, times in self.times.items()},
            "requests_per_interaction": self.requests / len(waits),
        }


def _of(times: list[float]) -> list[float]:
    return [round(float(np.median(times)), 3), round(float(np.percentile(times, 95)), 3), len(times)]


async def timed(page: Page, seen: Seen, what: str, **asked: object) -> None:
    """Click and wait inside the page; note the time. A selector in ``other`` must change its text."""
    took = await page.evaluate("asked => window.athenaTimed(asked)", {"which": 0, **asked})
    seen.times[what].append(took / 1000)


async def visit(page: Page, run: Element, parent: Element, seen: Seen, dice: random.Random, *, pause_s: float) -> None:
    """One round through a run and back to it, pausing ``pause_s`` between, half as long to half as long again."""

    async def pause() -> None:
        await asyncio.sleep(pause_s * dice.uniform(0.5, 1.5))

    card = "[data-athena=acquisition][data-state=completed]"
    title = "[data-athena=title]"
    await timed(
        page,
        seen,
        "open a micrograph",
        click=card,
        which=dice.randrange(12),
        ready="[data-athena=viewer] canvas",
    )
    await pause()
    for _ in range(2):
        await timed(page, seen, "next micrograph", click="[data-athena=next]", ready=title, other=title)
        await pause()
    await timed(
        page,
        seen,
        "motion of it",
        click="[data-athena=tab-motion]",
        ready="[data-athena=tab-motion][aria-selected=true]",
    )
    await pause()
    await timed(page, seen, "back to the run", click="[data-athena=back-to-run]", ready=card)
    await pause()
    await timed(
        page,
        seen,
        "up to the step",
        click=f"[data-athena=breadcrumb] a[href*='{parent.id}']",
        ready=f"[data-athena=element][href*='{run.id}']",
    )
    await pause()
    await timed(
        page,
        seen,
        "down to the run",
        click=f"[data-athena=element][href*='{run.id}']",
        ready=card,
    )
    await pause()
