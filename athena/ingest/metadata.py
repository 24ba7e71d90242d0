"""Values of a session as typed metadata."""

from datetime import datetime

from athena.contract.acquisitions import SessionMetadatum
from athena.contract.elements import MetadataEntry
from athena.contract.metadata import MetadataType
from athena.domain.metadata import checked_entry, printable
from athena.errors import Invalid


def session_entry(told: SessionMetadatum) -> MetadataEntry:
    """Entry of what an adapter found. What is no proper value stays as text: files may say anything."""
    value = printable(told.value) if isinstance(told.value, str) else told.value
    kind = _type(value)
    named = {"group": told.group, "name": told.name}
    try:
        if kind in ("double", "integer") and told.quantity:
            return checked_entry(**named, type=kind, value=value, quantity=told.quantity, unit=told.unit)
        if not told.unit:
            return checked_entry(**named, type=kind, value=value)
    except Invalid:
        # a unit the catalogue lacks, a number that is not finite
        pass
    return checked_entry(**named, type="string", value=f"{value} {told.unit}".strip())


def _type(value: str | float | bool) -> MetadataType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "double"
    return "date" if _is_time(value) else "string"


def _is_time(text: str) -> bool:
    if len(text) < len("2025-01-01T00:00"):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
