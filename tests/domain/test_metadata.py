"""Typed values, and files that round-trip."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from athena.contract.elements import MetadataEntry
from athena.contract.metadata import MetadataFile, MetadataFormat
from athena.domain.metadata import checked_entry, comparable, name_key
from athena.domain.metadata_files import file_name, write_file
from athena.domain.units import catalogue
from athena.domain.words import indexed, name_rank, typed_words, words_of
from athena.errors import Invalid

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\ufffe\uffff"), max_size=60
)


@st.composite
def entries(draw: st.DrawFn) -> MetadataEntry:
    """A metadatum of any type, quantity and unit."""
    kind = draw(st.sampled_from(["string", "boolean", "date", "double", "integer"]))
    values = {
        "string": TEXTS.filter(lambda text: not any((ord(c) < 32 and c not in "\t\n\r") or c == "\x7f" for c in text)),
        "boolean": st.booleans(),
        "date": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
        "double": st.floats(allow_nan=False, allow_infinity=False),
        "integer": st.integers(-(2**53), 2**53),
    }
    quantity = unit = ""
    if kind in ("double", "integer") and draw(st.booleans()):
        chosen = draw(st.sampled_from(catalogue()))
        quantity, unit = chosen.key, draw(st.sampled_from(chosen.units)).symbol
    return checked_entry(
        group="Custom", name=draw(NAMES), type=kind, value=draw(values[kind]), quantity=quantity, unit=unit
    )


@pytest.mark.feature("MD-06", "MD-03")
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(entries(), max_size=5))
def test_json_reads_back_exactly_and_the_others_hold_the_same(found: list[MetadataEntry]) -> None:
    text = write_file("Grid 3", found, MetadataFormat.JSON)
    back = MetadataFile.model_validate_json(text).metadata
    assert list(back) == found
    assert [type(one.value) for one in back] == [type(one.value) for one in found]
    assert [checked_entry(**one.model_dump()) for one in back] == found
    rows = list(csv.DictReader(io.StringIO(write_file("x", found, MetadataFormat.CSV).decode("utf-8-sig"), newline="")))
    assert len(rows) == len(found)
    assert not any(row["value"].startswith(("=", "@")) for row in rows)
    root = etree.fromstring(write_file("x\x00", found, MetadataFormat.XML))
    assert [child.get("type") for child in root] == [one.type for one in found]
    for one in found:
        comparable(one)


@pytest.mark.feature("MD-04")
@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("double", "much", "not a number"),
        ("double", True, "not a number"),
        ("double", "inf", "finite"),
        ("double", 10**400, "too large"),
        ("integer", 1.5, "not an integer"),
        ("integer", "1.5", "not an integer"),
        ("integer", 2**60, "too large"),
        ("boolean", "maybe", "neither true nor false"),
        ("boolean", 1, "neither"),
        ("date", "31.1.2025", "not a date"),
        ("date", "2025-02-30", "not a date"),
        ("date", 5, "not a date"),
        ("string", 5, "not a text"),
        ("string", "a\x00b", "control"),
    ],
)
def test_values_that_are_not_of_the_type(kind: str, value: object, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        checked_entry(group="Custom", name="It", type=kind, value=value)  # type: ignore[arg-type]
    assert "“It”" in caught.value.message


def test_text_is_read_as_its_type_and_units_are_spelled_one_way() -> None:
    entry = checked_entry(group="Custom", name="D", type="double", value=" 1.5 ", quantity="Length", unit="um")
    assert (entry.value, entry.quantity, entry.unit) == (1.5, "length", "µm")
    assert comparable(entry).base == pytest.approx(1.5e-6)
    with pytest.raises(Invalid, match="needs a quantity"):
        checked_entry(group="Custom", name="D", type="double", value=1, unit="um")
    with pytest.raises(Invalid, match="no quantity and no unit"):
        checked_entry(group="Custom", name="D", type="string", value="x", quantity="length", unit="um")
    assert name_key("Target_Défocus  (µm)") == name_key("target defocus (μm)")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Grid 3", "Grid 3.csv"),
        ("mine.CSV", "mine.CSV"),
        ("../../etc/passwd", "_.._etc_passwd.csv"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie_ x.csv"),
        ("", "metadata.csv"),
        ("..", "metadata.csv"),
    ],
)
def test_file_names_are_plain(given_name: str, name: str) -> None:
    assert file_name(given_name, MetadataFormat.CSV) == name
    assert json.loads(write_file("x", [], MetadataFormat.JSON)) == {"element": "x", "metadata": []}


@given(st.text(max_size=60))
def test_words_of_what_is_indexed_are_found_again(text: str) -> None:
    words = words_of(text)
    assert indexed(text).split() == words
    for word in typed_words(text):
        assert f" {word}" in indexed(text)


def test_better_names_come_first() -> None:
    typed = ("apo", "grid")
    names = ["apo grid", "apo grid 12", "12 grid apo", "apoferritin gridded", "apoferritin"]
    ranks = [name_rank(typed, indexed(name)) for name in names]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert words_of("FoilHole_0012 Ångström") == ["foilhole", "0012", "angstrom"]
