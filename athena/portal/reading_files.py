"""The beginning of a text file as it is shown: text, made readable where it can be, or tables. Runs in threads."""

import csv
import io
import json
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml import minidom
from defusedxml.common import DefusedXmlException

from athena.domain.markdown import to_html
from athena.errors import Invalid
from athena.formats.star_reading import read_star

TEXT_BYTES = 1 << 20
"""So much of a text or a table is shown."""
ROWS = 20_000
"""Rows of a table that are shown."""
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Reading:
    """What is shown of a file.

    Parameters
    ----------
    text : as it is, or indented where it was JSON or XML in one line.
    html : of Markdown.
    tables : ``{name, columns, rows}``.
    cut : whether the file goes on.
    """

    text: str = ""
    html: str = ""
    tables: list[dict[str, Any]] = field(default_factory=list)
    cut: bool = False


def read_text(name: str, content: bytes, *, size: int) -> Reading:
    """Text of a file of so many bytes, of which the first are given. Raises Invalid where it is none."""
    cut = size > len(content)
    text = _decoded(name, content)
    ending = name.rsplit(".", 1)[-1].lower()
    if ending == "md":
        return Reading(text, html=to_html(text), cut=cut)
    if not cut:
        text = _indented(ending, text)
    return Reading(text, cut=cut)


def read_table(name: str, content: bytes, *, size: int) -> Reading:
    """Tables of a CSV, TSV or STAR file. Raises Invalid where it is no text."""
    cut = size > len(content)
    text = _decoded(name, content)
    if cut:  # the last line is not whole
        text = text[: text.rfind("\n") + 1]
    tables = _star(text) if name.lower().endswith(".star") else _separated(name, text)
    cut = cut or any(len(table["rows"]) > ROWS for table in tables)
    return Reading(text, tables=[table | {"rows": table["rows"][:ROWS]} for table in tables], cut=cut)


def _decoded(name: str, content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise Invalid(f"{name} is no text: it holds bytes that no text has.", hint="Download it to open it elsewhere.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        # cut within a letter; anything else is text of before UTF-8
        whole = problem.start < len(content) - 3
        return content.decode("latin-1") if whole else content[: problem.start].decode("utf-8-sig")


def _indented(ending: str, text: str) -> str:
    """Text with lines and indents where it has none."""
    if text.count("\n") > 1 or len(text) < 80:
        return text
    try:
        if ending == "json":
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        if ending == "xml":
            return str(minidom.parseString(text.encode()).toprettyxml(indent="  "))
    except (ValueError, RecursionError, ExpatError, DefusedXmlException):
        return text  # damaged, or dangerous to read: as it is
    return text


def _star(text: str) -> list[dict[str, Any]]:
    return [
        {"name": table.block or "data_", "columns": table.labels or ["Label", "Value"], "rows": table.rows}
        for table in read_star(text)
    ]


def _separated(name: str, text: str) -> list[dict[str, Any]]:
    first = text.split("\n", 1)[0]
    delimiter = "\t" if name.lower().endswith(".tsv") else max(_DELIMITERS, key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return []
    return [{"name": "", "columns": rows[0], "rows": rows[1:]}] if rows else []
