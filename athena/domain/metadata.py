"""What a metadatum may be, and how it is kept so that databases can compare it (MD-03, MD-04, SE-04)."""

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from athena.contract.elements import MetadataEntry
from athena.contract.metadata import MetadataType, MetadataValue
from athena.domain.units import get_quantity
from athena.errors import Invalid

TEXT_KEY_LENGTH = 500
"""Characters of a text that are compared; an index entry cannot be much longer."""
MAX_INTEGER = 2**53
"""Beyond it not every integer has a double, which is what JSON readers and comparisons use."""

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Comparable:
    """A value in the columns that queries compare; the ones that do not fit its type are None.

    Attributes
    ----------
    text : of a string: :func:`text_key`.
    number : the value as written; a boolean is 0 or 1.
    base : the value in the base unit of its quantity; without one as written.
    moment : of a date; a day is its first moment in UTC.
    """

    text: str | None = None
    number: float | None = None
    base: float | None = None
    moment: datetime | None = None


def checked_entry(
    *, group: str, name: str, type: MetadataType, value: MetadataValue, quantity: str = "", unit: str = ""
) -> MetadataEntry:
    """Entry with its value in its type, and the quantity and unit as the catalogue spells them.

    Raises
    ------
    Invalid : with the reason, for a value that is not of the type or a unit that is not of the quantity.
    """
    try:
        plain = _checked_value(type, value)
        if quantity or unit:
            quantity, unit = _checked_unit(type, quantity, unit)
    except Invalid as problem:
        raise Invalid(f"“{name}”: {problem.message}", hint=problem.hint) from None
    return MetadataEntry(group=group, name=name, type=type, value=plain, quantity=quantity, unit=unit)


def comparable(entry: MetadataEntry) -> Comparable:
    """What a database compares of a checked entry."""
    value = entry.value
    if entry.type == "string":
        return Comparable(text=text_key(str(value)))
    if entry.type == "date":
        return Comparable(moment=moment_of(str(value)))
    number = float(value)
    if not entry.quantity:
        return Comparable(number=number, base=number)
    base = get_quantity(entry.quantity).unit(entry.unit).to_base(number)
    return Comparable(number=number, base=base if math.isfinite(base) else None)


def value_json(value: MetadataValue) -> str:
    """Value as it is stored."""
    return json.dumps(value, ensure_ascii=False)


def name_key(name: str) -> str:
    """Key by which names are found: case, accents, underscores and repeated blanks do not count."""
    return " ".join(_folded(name).replace("_", " ").split())


def text_key(text: str) -> str:
    """Key by which texts are compared: case and accents do not count."""
    return _folded(text).strip()[:TEXT_KEY_LENGTH]


def moment_of(text: str) -> datetime:
    """Moment of an ISO date or time; without a zone it is UTC. Raises ValueError."""
    try:
        read = datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        read = datetime.fromisoformat(text)
    try:
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} is outside of the calendar") from None


def printable(text: str) -> str:
    """Text with a mark in the place of each character that no text may have."""
    return _CONTROL.sub("\ufffd", text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _checked_value(type: MetadataType, value: MetadataValue) -> MetadataValue:
    match type:
        case "string":
            return _text(value)
        case "boolean":
            return _boolean(value)
        case "date":
            return _date(value)
        case "integer":
            return _integer(value)
        case "double":
            return _double(value)


def _text(value: MetadataValue) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{value!r} is not a text.", hint="Put it in quotes, or choose another type.")
    if _CONTROL.search(value):
        raise Invalid("The text has control characters.", hint="Leave them out; line ends and tabs are allowed.")
    return value


def _boolean(value: MetadataValue) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in (*_TRUE, *_FALSE):
        return value.strip().lower() in _TRUE
    raise Invalid(f"{_shown(value)} is neither true nor false.")


def _date(value: MetadataValue) -> str:
    if not isinstance(value, str):
        raise Invalid(f"{_shown(value)} is not a date.", hint="Write it as 2025-01-31 or 2025-01-31T14:30:00.")
    text = value.strip()
    try:
        moment_of(text)
    except ValueError:
        raise Invalid(
            f"{_shown(value)} is not a date.", hint="Write it as 2025-01-31 or 2025-01-31T14:30:00."
        ) from None
    return text


def _integer(value: MetadataValue) -> int:
    number: float | None = None
    if isinstance(value, str):
        try:
            number = int(value.strip())
        except ValueError:
            number = None
    elif not isinstance(value, bool) and (isinstance(value, int) or value.is_integer()):
        number = value
    if number is None:
        raise Invalid(f"{_shown(value)} is not an integer.", hint="Choose the type double for broken numbers.")
    if abs(number) > MAX_INTEGER:
        raise Invalid(f"{_shown(value)} is too large for an integer.", hint="Choose the type double or string.")
    return int(number)


def _double(value: MetadataValue) -> float:
    number = math.nan
    if isinstance(value, str):
        try:
            number = float(value.strip())
        except ValueError:
            raise Invalid(f"{_shown(value)} is not a number.") from None
    elif isinstance(value, bool):
        raise Invalid(f"{_shown(value)} is not a number.")
    else:
        try:
            number = float(value)
        except OverflowError:
            raise Invalid(f"{_shown(value)} is too large for a double.") from None
    if not math.isfinite(number):
        raise Invalid(f"{_shown(value)} is not a finite number.")
    return number


def _checked_unit(type: MetadataType, quantity: str, unit: str) -> tuple[str, str]:
    if type not in ("double", "integer"):
        raise Invalid(f"A {type} has no quantity and no unit.", hint="Only double and integer have.")
    if not quantity:
        raise Invalid(f"The unit “{unit}” needs a quantity.", hint="GET /quantities?text=… finds it by its unit.")
    found = get_quantity(quantity)
    return found.key, found.unit(unit or found.base.symbol).symbol


def _shown(value: MetadataValue) -> str:
    text = str(value)
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"
