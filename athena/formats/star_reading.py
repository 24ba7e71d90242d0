"""STAR files as programs of the field write them, read for looking at: tables and single values, in order.

Syntax: Hall, Allen & Brown 1991 (Acta Cryst. A47, 655) as RELION uses it: ``data_`` blocks of ``_label value`` lines
and of ``loop_`` tables; quotes, ``#`` comments and text between lines that begin with ``;``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_TOKEN = re.compile(r"""'[^']*'(?=\s|$)|"[^"]*"(?=\s|$)|\S+""")


@dataclass
class StarTable:
    """A table of a block; of single values ``labels`` is empty and every row is a label and its value.

    Attributes
    ----------
    block : name after ``data_``.
    labels : of the columns, without the leading underscore.
    rows : values as they are written; the last one may be short where the text is cut off.
    """

    block: str
    labels: list[str]
    rows: list[list[str]] = field(default_factory=list)


def read_star(text: str) -> list[StarTable]:
    """Tables and single values of a STAR file, in order. What is no STAR gives none; nothing is raised."""
    reader = _Reader()
    for quoted, token in _tokens(text):
        reader.take(token, quoted=quoted)
    return [table for table in reader.tables if table.rows or table.labels]


class _Reader:
    """What was read so far, and what the next token belongs to."""

    def __init__(self) -> None:
        self.tables: list[StarTable] = []
        self._block = ""
        self._known = False
        self._table: StarTable | None = None
        self._label = ""

    def take(self, token: str, *, quoted: bool) -> None:
        word = "" if quoted else token
        if word.lower().startswith("data_"):
            self._block, self._known = word[5:], True
            self._table, self._label = None, ""
        elif not self._known:
            return
        elif word.lower() == "loop_":
            self._table, self._label = StarTable(self._block, []), ""
            self.tables.append(self._table)
        elif word.startswith("_") and not self._in_rows:
            self._take_label(word[1:])
        elif self._label:
            self._singles().rows.append([self._label, token])
            self._label = ""
        elif self._table is not None and self._table.labels:
            rows, width = self._table.rows, len(self._table.labels)
            if not rows or len(rows[-1]) == width:
                rows.append([])
            rows[-1].append(token)

    @property
    def _in_rows(self) -> bool:
        """Whether a row of a table is half full: what begins with an underscore is then a value."""
        table = self._table
        return table is not None and bool(table.rows) and len(table.rows[-1]) < len(table.labels)

    def _take_label(self, label: str) -> None:
        if self._table is not None and not self._table.rows:
            self._table.labels.append(label)
        else:
            self._table, self._label = None, label

    def _singles(self) -> StarTable:
        if not self.tables or self.tables[-1].labels or self.tables[-1].block != self._block:
            self.tables.append(StarTable(self._block, []))
        return self.tables[-1]


def _tokens(text: str) -> Iterator[tuple[bool, str]]:
    """Whether it was quoted, and what it says."""
    held: list[str] | None = None
    for line in text.splitlines():
        if held is not None:
            if line.startswith(";"):
                yield True, "\n".join(held)
                held = None
            else:
                held.append(line)
            continue
        if line.startswith(";"):
            held = [line[1:]]
            continue
        for match in _TOKEN.finditer(line):
            token = match.group()
            if token.startswith("#"):
                break
            if token[0] in "'\"" and len(token) > 1 and token[-1] == token[0]:
                yield True, token[1:-1]
            else:
                yield False, token
