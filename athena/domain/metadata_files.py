"""Metadata as a file: CSV, JSON or XML (MD-06). Pure."""

import csv
import io
from collections.abc import Sequence

from lxml import etree

from athena.contract.elements import MetadataEntry
from athena.contract.metadata import MetadataFile, MetadataFormat
from athena.domain.metadata import printable

MEDIA_TYPES = {
    MetadataFormat.CSV: "text/csv; charset=utf-8",
    MetadataFormat.JSON: "application/json",
    MetadataFormat.XML: "application/xml",
}
_COLUMNS = ("group", "name", "type", "value", "quantity", "unit")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_file(element: str, entries: Sequence[MetadataEntry], format: MetadataFormat) -> bytes:
    """Entries of an element as the bytes of a file; what JSON says can be read back exactly."""
    match format:
        case MetadataFormat.CSV:
            return _csv(entries)
        case MetadataFormat.JSON:
            return MetadataFile(element=element, metadata=tuple(entries)).model_dump_json(indent=2).encode()
        case MetadataFormat.XML:
            return _xml(element, entries)


def file_name(text: str, format: MetadataFormat) -> str:
    """Name of the file from what a user gave: a plain name, with the ending of the format."""
    plain = "".join("_" if c in '/\\:*?"<>|' or not c.isprintable() else c for c in text).strip(" .")[:150]
    ending = f".{format.value}"
    return f"{plain or 'metadata'}" if plain.lower().endswith(ending) else f"{plain or 'metadata'}{ending}"


def _csv(entries: Sequence[MetadataEntry]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in entries:
        value = _inert(entry.value) if isinstance(entry.value, str) else _spoken(entry.value)
        writer.writerow([_inert(entry.group), _inert(entry.name), entry.type, value, entry.quantity, entry.unit])
    return out.getvalue().encode("utf-8-sig")  # with the mark by which Excel knows UTF-8


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _spoken(value: bool | float) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


def _xml(element: str, entries: Sequence[MetadataEntry]) -> bytes:
    root = etree.Element("metadata", element=printable(element))
    for entry in entries:
        given = {name: printable(getattr(entry, name)) for name in ("group", "name", "type", "quantity", "unit")}
        child = etree.SubElement(root, "entry", {name: value for name, value in given.items() if value})
        child.text = printable(entry.value) if isinstance(entry.value, str) else _spoken(entry.value)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text
