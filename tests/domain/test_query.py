"""The language of metadata queries: what it means, where it points at in error, and that nothing breaks it."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.domain.query import And, Comparison, Moments, Not, Number, Or, Text, Truth, parse_query
from athena.errors import Invalid

PIECES = st.sampled_from(
    [
        *("and", "or", "not", "in", "contains", "(", ")", ",", "=", "!=", "<", ">=", "defocus", "Instrument.", '"a b"'),
        *(
            "'x'",
            "1",
            "-2.5e3",
            "um",
            "°C",
            "true",
            "2025-01-31",
            "2025-99-99",
            "'",
            '"',
            ".",
            "\x00",
            "µ",
            "e/Å²",
            "1um",
        ),
    ]
)


@pytest.mark.feature("SE-04")
def test_precedence_and_values() -> None:
    query = parse_query("defocus > 1 um and not microscope = 'Krios ''G4''' or (ok = true and Grid.slot in (1, 2))")
    assert isinstance(query, Or)
    left, right = query.queries
    assert isinstance(left, And)
    defocus, negated = left.queries
    assert isinstance(defocus, Comparison)
    (value,) = defocus.values
    assert isinstance(value, Number)
    assert dict(value.bases)["length"] == pytest.approx(1e-6)
    assert negated == Not(Comparison("", "microscope", "=", (Text("krios 'g4'"),)))
    assert right == And(
        (
            Comparison("", "ok", "=", (Truth(True),)),
            Comparison("grid", "slot", "in", (Number(1.0), Number(2.0))),
        )
    )


@pytest.mark.feature("SE-04")
def test_names_and_dates() -> None:
    day = parse_query('"Session started" >= 2025-01-31')
    moment = parse_query("session_started >= 2025-01-31T12:00:00+01:00")
    assert isinstance(day, Comparison)
    assert isinstance(moment, Comparison)
    assert day.name == moment.name == "session started"
    assert day.values == (Moments(datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)),)
    assert moment.values == (Moments(*[datetime(2025, 1, 31, 11, tzinfo=UTC)] * 2),)
    assert parse_query("Instrument.'Energy slit' = 10eV") == parse_query('"instrument".energy_slit = 10 eV')
    assert parse_query("a not in (1)") == Not(Comparison("", "a", "in", (Number(1.0),)))


@pytest.mark.feature("SE-04")
@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", 1, "the name of a metadatum"),
        ("defocus > and", 11, "a number, a date"),
        ("defocus", 8, "“in” or “contains”"),
        ("defocus > 1 parsec2", 13, "no unit"),
        ("a = 'open", 5, "never closed"),
        ("(a = 1", 7, "“.” was expected"),
        ("a = 'x' b = 2", 9, "“and”, “or” or the end"),
        ("a = 2025-02-30", 5, "no date"),
        ("a contains 1", 12, "in quotes"),
        ("a ! 1", 3, "means nothing"),
        ("a = 1e999", 5, "too large"),
        ("not " * 40 + "a = 1", 125, "levels"),
        (" or ".join(["a = 1"] * 60), 451, "comparisons"),
    ],
)
def test_it_points_at_the_place(text: str, place: int, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        parse_query(text)
    assert f"at character {place}:" in caught.value.message


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map(" ".join), st.lists(PIECES).map("".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        parse_query(text)
