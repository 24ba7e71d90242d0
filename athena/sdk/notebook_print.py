"""An executed notebook as printed pages (NB-04): A4, drawn as the quality report's own page is, no browser needed."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from athena.contract.report import QualityReport
from athena.sdk.page_font import set_font
from athena.sdk.report_page import A4_INCHES, INK, LINE, MARGIN, MUTED, SURFACE, draw_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_TYPE = "application/vnd.athena.report+json"
"""Media type under which a notebook keeps a quality report that was shown in it."""
MARGIN_PT = MARGIN * A4_INCHES[0] * 72
WIDTH_PT, HEIGHT_PT = (72 * inches for inches in A4_INCHES)
FOOT_PT = 50
LEADING = 1.5
GLYPH = 0.602
"""Width of a letter of the fixed font, of its size."""
SMALL_PT = 7.5
COLUMNS = int((WIDTH_PT - 2 * MARGIN_PT - 16) / (GLYPH * SMALL_PT))
"""Letters of the fixed font in a line."""
WIDEST = 68
"""Letters of a table's cell; longer ones go on in the next line. A SHA-256 has 64."""
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class PrintedLine:
    """A line of print; ``fixed``: in the fixed font; ``boxed``: on the ground of code."""

    text: str
    size: float = SMALL_PT
    bold: bool = False
    fixed: bool = False
    boxed: bool = False
    colour: str = INK

    @property
    def height(self) -> float:
        """Points it takes."""
        return self.size * LEADING


def print_notebook(notebook: bytes) -> bytes:
    """Executed notebook (``.ipynb``) as a PDF: a quality report shown in it as its own page, all else as text.

    Every cell's code and outputs are there in their order; an output that is neither text nor a table is left out.
    """
    import nbformat
    from matplotlib.backends.backend_pdf import PdfPages

    cells = nbformat.reads(notebook.decode(), as_version=4).cells
    title = next((_plain(cell.source.lstrip("# ")) for cell in cells if cell.cell_type == "markdown"), "Notebook")
    lines = [line for cell in cells for line in _cell_lines(cell)]
    texts, reports = list(_paginated(lines)), list(_reports(cells))
    stream = BytesIO()
    with PdfPages(stream, metadata={"Title": title}) as pdf:
        for report in reports:
            pdf.savefig(draw_page(report))
        for number, page in enumerate(texts, 1):
            foot = f"{title} · executed notebook, page {number} of {len(texts)}"
            pdf.savefig(_text_page(page, foot))
    return stream.getvalue()


def _reports(cells: list[Any]) -> Iterator[QualityReport]:
    for output in (one for cell in cells for one in cell.get("outputs", ())):
        shown = output.get("data", {}).get(REPORT_TYPE)
        if shown is not None:
            yield QualityReport.model_validate(shown)


def _cell_lines(cell: Any) -> Iterator[PrintedLine]:
    if cell.cell_type == "markdown":
        yield from _prose(cell.source)
        return
    yield PrintedLine("", size=3)
    for line in cell.source.splitlines():
        for part in textwrap.wrap(line, COLUMNS, subsequent_indent="    ", drop_whitespace=False) or [""]:
            yield PrintedLine(part, fixed=True, boxed=True)
    yield PrintedLine("", size=3)
    for output in cell.get("outputs", ()):
        yield from _output_lines(output)


def _prose(text: str) -> Iterator[PrintedLine]:
    for paragraph in text.splitlines():
        level = len(paragraph) - len(paragraph.lstrip("#"))
        words = _plain(paragraph[level:].strip())
        size = {0: 9.0, 1: 17.0}.get(level, 12.0)
        yield PrintedLine("", size=6)
        room = int((WIDTH_PT - 2 * MARGIN_PT) / (0.56 * size))
        for part in textwrap.wrap(words, room):
            yield PrintedLine(part, size=size, bold=level > 0)


def _output_lines(output: Any) -> Iterator[PrintedLine]:
    shown = output.get("data", {})
    if REPORT_TYPE in shown:
        yield PrintedLine("The report as it was shown here is the page before.", size=8, colour=MUTED)
        return
    table = _table(str(shown["text/html"])) if "text/html" in shown else []
    plain = output.get("text", shown.get("text/plain", ""))
    for bold, line in table or [(False, line) for line in str(plain).splitlines()]:
        for part in textwrap.wrap(line, COLUMNS, drop_whitespace=False, replace_whitespace=False) or [""]:
            yield PrintedLine(part, fixed=True, bold=bold)


def _table(page: str) -> list[tuple[bool, str]]:
    """Lines (head?, text) of the first table of an HTML output; none where it has no table."""
    from lxml import html

    tree = html.fragment_fromstring(page, create_parent="div")
    rows = [[" ".join(cell.text_content().split()) for cell in row.xpath("./th|./td")] for row in tree.xpath(".//tr")]
    heads = len(tree.xpath(".//thead/tr"))
    if not rows:
        return []
    count = max(len(row) for row in rows)
    cells = [[textwrap.wrap(cell, WIDEST) or [""] for cell in (*row, *[""] * (count - len(row)))] for row in rows]
    widths = [max(len(part) for row in cells for part in row[column]) for column in range(count)]
    lines = []
    for number, row in enumerate(cells):
        for at in range(max(len(cell) for cell in row)):
            parts = (cell[at] if at < len(cell) else "" for cell in row)
            text = "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True))
            lines.append((number < heads, text.rstrip()))
    return lines


def _paginated(lines: list[PrintedLine]) -> Iterator[list[PrintedLine]]:
    room = HEIGHT_PT - 2 * FOOT_PT
    page: list[PrintedLine] = []
    for line in lines:
        if page and sum(one.height for one in page) + line.height > room:
            yield page
            page = []
        page.append(line)
    if page:
        yield page


def _text_page(lines: list[PrintedLine], foot: str) -> "Figure":
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    page = Figure(figsize=A4_INCHES, facecolor="white")
    y = HEIGHT_PT - FOOT_PT
    left = MARGIN_PT / WIDTH_PT
    for line in lines:
        if line.boxed:
            place = (left, (y - line.height) / HEIGHT_PT)
            size = (1 - 2 * left, line.height / HEIGHT_PT)
            page.add_artist(Rectangle(place, *size, facecolor=SURFACE, linewidth=0, transform=page.transFigure))
        if line.text.strip():
            page.text(
                left + (8 / WIDTH_PT if line.fixed else 0),
                (y - line.size * 1.15) / HEIGHT_PT,
                line.text,
                size=line.size,
                weight="bold" if line.bold else "normal",
                family="monospace" if line.fixed else None,
                color=line.colour,
                va="baseline",
                # a dollar sign is a dollar sign
                parse_math=False,
            )
        y -= line.height
    page.add_artist(_foot_rule(page))
    page.text(left, 30 / HEIGHT_PT, foot, size=6.5, color=MUTED, parse_math=False)
    set_font(page)
    return page


def _foot_rule(page: "Figure") -> Any:
    from matplotlib.lines import Line2D

    return Line2D([MARGIN, 1 - MARGIN], [42 / HEIGHT_PT] * 2, color=LINE, linewidth=0.8, transform=page.transFigure)


def _plain(markdown: str) -> str:
    """Markdown of one line as words: what was escaped stands as it is."""
    return _ESCAPED.sub(r"\1", markdown)
