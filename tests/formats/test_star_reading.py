"""STAR files read for looking at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.formats.star import Table, star_text
from athena.formats.star_reading import read_star

OPTICS = """
# version 30001

data_optics

loop_
_rlnOpticsGroupName #1
_rlnVoltage #2
opticsGroup1   200.000
"optics group 2"   '300 kV'

data_general

_rlnTomoName   TS_01 # a comment
_rlnNote
;
two
lines
;

data_

loop_
_rlnImageName #1
_rlnValue #2
a.mrc _not_a_label
b.mrc
2
"""


@pytest.mark.feature("WS-07")
def test_tables_single_values_quotes_and_texts() -> None:
    optics, general, last = read_star(OPTICS)
    assert (optics.block, optics.labels) == ("optics", ["rlnOpticsGroupName", "rlnVoltage"])
    assert optics.rows == [["opticsGroup1", "200.000"], ["optics group 2", "300 kV"]]
    assert (general.block, general.labels) == ("general", [])
    assert general.rows == [["rlnTomoName", "TS_01"], ["rlnNote", "\ntwo\nlines"]]
    assert last.labels == ["rlnImageName", "rlnValue"]
    assert last.rows == [["a.mrc", "_not_a_label"], ["b.mrc", "2"]]


VALUES = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=12).filter(
    lambda text: '"' not in text and "'" not in text and not text.startswith((";", "_")) and text.strip() == text
)


@given(st.lists(st.tuples(VALUES, st.integers()), min_size=1, max_size=6))
def test_what_is_written_is_read(rows: list[tuple[str, int]]) -> None:
    rows = [
        (text if text.lower() not in ("loop_",) and not text.lower().startswith("data_") else "x", n)
        for text, n in rows
    ]
    text = star_text({"particles": Table({"a": [one for one, _ in rows], "b": [two for _, two in rows]})})
    (table,) = read_star(text)
    assert table.rows == [[one, str(two)] for one, two in rows]


@given(st.text(max_size=300))
def test_anything_can_be_read_without_an_error(text: str) -> None:
    for table in read_star(f"data_\n{text}"):
        assert all(len(row) <= max(2, len(table.labels)) for row in table.rows)
