"""STAR files as RELION writes and reads them: data blocks of single values and of tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from athena.formats.writing import write_whole

Value = str | int | float
VERSION = "30001"
"""What RELION 3.1 and later stamp a file with that has optics groups."""


@dataclass(frozen=True)
class Table:
    """Columns of equal length by label, with no leading underscore."""

    columns: Mapping[str, Sequence[Value]]

    def __post_init__(self) -> None:
        if len({len(column) for column in self.columns.values()}) > 1:
            raise ValueError("columns of a table differ in length")

    def rows(self) -> list[tuple[Value, ...]]:
        """Values row by row."""
        return list(zip(*self.columns.values(), strict=True))


Block = Mapping[str, Value] | Table
"""Single values by label, or a table."""


def write_star(path: Path, blocks: Mapping[str, Block]) -> None:
    """Write blocks by name; the file appears whole."""
    write_whole(path, star_text(blocks).encode())


def star_text(blocks: Mapping[str, Block]) -> str:
    """Text of a STAR file with these blocks by name."""
    return "\n".join(_block_text(name, block) for name, block in blocks.items())


def _block_text(name: str, block: Block) -> str:
    head = f"# version {VERSION}\n\ndata_{name}\n\n"
    if not isinstance(block, Table):
        width = max((len(label) for label in block), default=0) + 1
        lines = [f"_{label:<{width}} {_value_text(value)}" for label, value in block.items()]
        return head + "\n".join(lines) + "\n"
    labels = [f"_{label} #{number}" for number, label in enumerate(block.columns, start=1)]
    rows = [" ".join(f"{_value_text(value):>12}" for value in row) for row in block.rows()]
    return head + "\n".join(["loop_", *labels, *rows]) + "\n"


def _value_text(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:.6f}" if value == 0 or 1e-2 <= abs(value) < 1e6 else f"{value:.6e}"
    text = str(value)
    if not text or any(letter.isspace() for letter in text) or text[0] in "#_\"'":
        quote = "'" if '"' in text else '"'
        return f"{quote}{text}{quote}"
    return text
