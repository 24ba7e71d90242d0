"""The product's font on printed pages: what matplotlib draws reads as what the browser shows."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTER = "Inter"
FALLBACK = "DejaVu Sans"
"""For what the bundled part of Inter lacks (≤, ≈, Greek); it comes with matplotlib."""


@cache
def families() -> tuple[str, ...]:
    """Families that text is set in, the first that has a letter; Inter is told to matplotlib once."""
    from matplotlib import font_manager

    from athena_widgets.tokens import font_files

    found = font_files()
    for file in found:
        font_manager.fontManager.addfont(file)
    return (INTER, FALLBACK) if found else (FALLBACK,)


def set_font(page: "Figure") -> None:
    """Set all text of a page, but what stands in a fixed font.

    Not by ``rc_context``: that is of the whole process, and pages are drawn in several threads.
    """
    from matplotlib.text import Text

    wanted = list(families())
    for axes in page.axes:
        axes.tick_params(labelfontfamily=wanted)
    for text in page.findobj(Text):
        if isinstance(text, Text) and text.get_fontfamily() != ["monospace"]:
            text.set_fontfamily(wanted)
