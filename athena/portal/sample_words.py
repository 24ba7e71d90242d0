"""What forms about samples say (WS-22)."""

from typing import Any, TypeVar

from athena.contract.samples import SampleCreate, SampleUpdate
from athena.errors import Invalid
from athena.sdk.client import checked

M = TypeVar("M", SampleCreate, SampleUpdate)
_FIELDS = ("name", "type", "description", "barcode", "cassette")


def wanted(kind: type[M], values: dict[str, Any]) -> M:
    """What a form says of a sample. Raises Invalid."""
    slot = str(values.get("slot", "")).strip()
    if slot and not (slot.isascii() and slot.isdecimal()):
        raise Invalid(f"“{slot}” is no slot.", hint="A slot is a whole number, 0 or larger.")
    given = {name: str(values.get(name, "")).strip() for name in _FIELDS}
    return checked(kind, **given, slot=int(slot) if slot else None)
