"""An element's metadata as a mapping; numbers with a unit are pint quantities (MD-07)."""

import math
from collections.abc import Iterator, MutableMapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from athena.contract.elements import MetadataEntry
from athena.contract.metadata import (
    CUSTOM,
    GENERAL,
    Converted,
    MetadataFile,
    MetadataFormat,
    MetadataImport,
    MetadataType,
    MetadataWrite,
)
from athena.domain.units import Quantity, Unit, catalogue, get_quantity
from athena.errors import Invalid, NotFound
from athena.sdk import html
from athena.sdk.client import Client, Query, checked

if TYPE_CHECKING:
    import pandas as pd


class Metadata(MutableMapping[str, Any]):
    """Metadata of one element, read and written at once.

    ``metadata["Defocus"]`` is the value; where groups share a name, yours (Custom) comes first and
    ``metadata["Instrument/Voltage"]`` names the group. Numbers with a unit are pint quantities, dates are datetimes.
    What is set goes into the group Custom; what an acquisition brought cannot be changed. General facts (creator, id …)
    are not keys, but in ``entries()`` and ``to_frame()``.
    """

    def __init__(self, client: Client, element_id: UUID, name: str) -> None:
        self._client = client
        self._path = f"/api/elements/{element_id}/metadata"
        self._name = name

    def entries(self, filter: str = "") -> list[MetadataEntry]:
        """All of it as it travels, General included; ``filter`` keeps entries that hold its words."""
        return self._client.get(self._path, list[MetadataEntry], params={"filter": filter})

    def set(
        self, name: str, value: Any, *, type: MetadataType | None = None, quantity: str = "", unit: str = ""
    ) -> None:
        """Set a metadatum with a type, quantity or unit of your choice; a unit alone finds its quantity.

        Raises
        ------
        Invalid : the value is not of the type, or the unit not of the quantity; nothing is changed then.
        """
        new = _told(value, self._entries().get(name))
        if unit and not quantity:
            quantity = _spelled(unit)
        given = {"type": type, "quantity": quantity, "unit": unit}
        values = {**new, **{key: text for key, text in given.items() if text}}
        self._client.put(self._path, checked(MetadataWrite, name=name, **values), MetadataEntry)

    def convert(self, name: str, unit: str) -> None:
        """Tell a number of yours in another unit of its quantity.

        Raises
        ------
        NotFound : there is no such metadatum. Invalid : it has no unit, or the new one is not of its quantity.
        """
        entry = self._find(name)
        if not entry.quantity or entry.group != CUSTOM:
            raise Invalid(f"“{name}” is no number of yours with a unit.")
        params: Query = {"value": float(entry.value), "unit": entry.unit, "to": unit}
        told = self._client.get(f"/api/quantities/{entry.quantity}/converted", Converted, params=params)
        values = entry.model_dump(exclude={"group"}) | {"type": "double", "value": told.value, "unit": told.unit}
        self._client.put(self._path, checked(MetadataWrite, **values), MetadataEntry)

    def export(self, path: str | Path, *, filter: str = "") -> Path:
        """Write it to a file; its ending says which: .csv, .json or .xml.

        Raises
        ------
        Invalid : another ending.
        """
        file = Path(path)
        try:
            format = MetadataFormat(file.suffix.lower().removeprefix("."))
        except ValueError:
            raise Invalid(f"{file.name}: metadata are written as .csv, .json or .xml.") from None
        params = {"format": format.value, "filter": filter}
        file.write_bytes(self._client.get_bytes(f"{self._path}/file", params=params))
        return file

    def load(self, path: str | Path) -> MetadataImport:
        """Take over the Custom entries of an exported .json file, all or none.

        Raises
        ------
        Invalid : the file is no such export, or a value does not fit its type.
        """
        try:
            file = MetadataFile.model_validate_json(Path(path).read_bytes())
        except ValueError as problem:
            raise Invalid(f"{Path(path).name} is no exported metadata: {problem}") from None
        return self._client.post(f"{self._path}/file", file, MetadataImport)

    def to_frame(self, filter: str = "") -> "pd.DataFrame":
        """Table with one row a metadatum: group, name, value, unit, quantity, type."""
        import pandas as pd

        columns = ["group", "name", "value", "unit", "quantity", "type"]
        return pd.DataFrame([entry.model_dump() for entry in self.entries(filter)], columns=columns)

    def __getitem__(self, name: str) -> Any:
        """Value of a name, or of "Group/Name".

        Raises
        ------
        KeyError : there is none.
        """
        entry = self._entries(grouped=True).get(name)
        if entry is None:
            raise KeyError(name)
        return value_of(entry)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        try:
            self._client.delete(self._path, params={"name": name})
        except NotFound as problem:
            raise KeyError(problem.message) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())

    def __contains__(self, name: object) -> bool:
        return name in self._entries(grouped=True)

    def items(self) -> Any:
        """Names with their values, in one request."""
        return {name: value_of(entry) for name, entry in self._entries().items()}.items()

    def values(self) -> Any:
        """Values, in one request."""
        return {name: value_of(entry) for name, entry in self._entries().items()}.values()

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == other

    __hash__ = None  # type: ignore[assignment]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __repr__(self) -> str:
        return f"<Metadata of {self._name!r}: {', '.join(f'{name}={value}' for name, value in self.items())}>"

    def _repr_html_(self) -> str:
        return html.page(html.card(self._name, "Metadata", entry_table(self.entries())))

    def _find(self, name: str) -> MetadataEntry:
        entry = self._entries(grouped=True).get(name)
        if entry is None:
            raise NotFound(f"“{self._name}” has no metadatum “{name}”.")
        return entry

    def _entries(self, *, grouped: bool = False) -> dict[str, MetadataEntry]:
        """Entries by name, the first group's where several share it; also by "Group/Name" if ``grouped``."""
        found: dict[str, MetadataEntry] = {}
        for entry in self.entries():
            if entry.group != GENERAL:
                found.setdefault(entry.name, entry)
            if grouped:
                found[f"{entry.group}/{entry.name}"] = entry
        return found


def value_of(entry: MetadataEntry) -> Any:
    """Value of an entry as Python has it: a pint quantity where it has a unit, a datetime for a date."""
    if entry.type == "date":
        return datetime.fromisoformat(str(entry.value))
    if not entry.quantity:
        return entry.value
    from athena.domain.registry import ureg

    return ureg.Quantity(entry.value, get_quantity(entry.quantity).unit(entry.unit).pint)


def entry_table(entries: list[MetadataEntry]) -> str:
    """Entries as an HTML table."""
    rows = [
        (
            html.text(entry.group, "mute"),
            html.text(entry.name),
            f"{html.text(entry.value)} {html.text(entry.unit, 'mute') if entry.unit else ''}",
        )
        for entry in entries
    ]
    return html.table(("Group", "Name", "Value"), rows)


def told_as(name: str, value: Any) -> MetadataWrite:
    """A Python value or pint quantity as a metadatum to write."""
    return checked(MetadataWrite, name=name, **_told(value, None))


def _told(value: Any, known: MetadataEntry | None) -> dict[str, Any]:
    """Type, value, quantity and unit of a Python value; the quantity is that of the entry it replaces, if it can be."""
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return _measured(value, known)
    value = value.item() if hasattr(value, "item") else value  # numpy's scalars
    if isinstance(value, bool):
        return {"type": "boolean", "value": value}
    if isinstance(value, int):
        return {"type": "integer", "value": value}
    if isinstance(value, float):
        if not math.isfinite(value):  # JSON has no word for it
            raise Invalid(f"{value} is not a finite number.")
        return {"type": "double", "value": value}
    if isinstance(value, date):
        return {"type": "date", "value": value.isoformat()}
    if isinstance(value, str):
        return {"type": "string", "value": value}
    raise Invalid(
        f"A {type(value).__name__} is no metadatum.", hint="Give a text, number, truth, date or pint quantity."
    )


def _measured(value: Any, known: MetadataEntry | None) -> dict[str, Any]:
    from athena.domain.registry import ureg

    own = ureg.Quantity(value.magnitude, str(value.units))  # it may be of another registry
    meant = _meanings().get(own.units, ())
    if not meant:
        quantity = _by_dimension(str(own.units.dimensionality), str(value.units))
        meant = ((quantity, quantity.base),)
        own = own.to(quantity.base.pint)
    quantity, unit = next((one for one in meant if known and one[0].key == known.quantity), meant[0])
    number = _told(own.magnitude, None)
    return {**number, "quantity": quantity.key, "unit": unit.symbol}


@cache
def _meanings() -> dict[Any, tuple[tuple[Quantity, Unit], ...]]:
    """Quantities and units of the catalogue by pint's unit."""
    from athena.domain.registry import ureg

    found: dict[Any, tuple[tuple[Quantity, Unit], ...]] = {}
    for quantity in catalogue():
        for unit in quantity.units:
            key = ureg.Unit(unit.pint)
            found[key] = (*found.get(key, ()), (quantity, unit))
    return found


def _by_dimension(dimension: str, unit: str) -> Quantity:
    for quantity in catalogue():
        if quantity.dimension == dimension:
            return quantity
    raise Invalid(f"No physical quantity of the catalogue is measured in {unit}.", hint="Set it as plain numbers.")


def _spelled(unit: str) -> str:
    from athena.domain.units import units_spelled

    meant = units_spelled(unit)
    if not meant:
        raise Invalid(f"“{unit}” is no unit of the catalogue.", hint="athena.quantities('…') finds units.")
    return meant[0][0].key
