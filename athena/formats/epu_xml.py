"""The XML dialect of EPU: reading it without trusting it.

The ``.dm`` files are .NET data contracts. Elements are matched by local name, because prefixes differ from file to
file; ``z:Ref`` points to the element with that ``z:Id``; ``i:nil`` alone means nothing; lists are padded with nil up to
a power of two and say their true ``_size``; dictionaries are lists of ``KeyValuePairOf…`` with ``key`` and ``value``.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from athena.errors import BadFile

MAX_BYTES = 256 * 2**20
MAX_NESTED = 4
"""Lists within lists that make one dictionary."""
"""A larger file is refused; a real Atlas.dm has about 1 MB."""

_SERIAL = "{http://schemas.microsoft.com/2003/10/Serialization/}"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

Element = etree._Element


class EpuXml:
    """A parsed file of EPU. Every method takes and gives elements with references resolved and nil as None."""

    def __init__(self, path: Path, root: Element) -> None:
        self.path = path
        self.root = root

    @cached_property
    def _by_id(self) -> dict[str, Element]:
        found = {}
        for element in self.root.iter():
            identity = element.get(f"{_SERIAL}Id")
            if identity is not None:
                found[identity] = element
        return found

    def resolve(self, element: Element | None) -> Element | None:
        """The element that is meant: the target of a reference, None for nil."""
        if element is None:
            return None
        reference = element.get(f"{_SERIAL}Ref")
        if reference is not None:
            return self._by_id.get(reference)
        return None if element.get(_NIL) == "true" else element

    def children(self, element: Element) -> Iterator[Element]:
        """Children that are not nil."""
        for child in element:
            resolved = self.resolve(child)
            if resolved is not None:
                yield resolved

    def find(self, path: str, *, start: Element | None = None) -> Element | None:
        """First element at a path of local names, ``a/b/c``, below ``start`` (the root when None)."""
        element: Element | None = self.root if start is None else start
        for name in path.split("/"):
            if element is None:
                return None
            element = self.resolve(next((child for child in element if local_name(child) == name), None))
        return element

    def text(self, path: str, *, start: Element | None = None) -> str:
        """Text at a path; empty when there is none."""
        element = self.find(path, start=start)
        return "" if element is None else (element.text or "").strip()

    def number(self, path: str, *, start: Element | None = None) -> float | None:
        """Finite number at a path; None when there is none."""
        return to_number(self.text(path, start=start))

    def integer(self, path: str, *, start: Element | None = None) -> int | None:
        """Whole number at a path; None when there is none."""
        return to_integer(self.text(path, start=start))

    def flag(self, path: str, *, start: Element | None = None) -> bool | None:
        """Truth value at a path; None when there is none."""
        return {"true": True, "false": False, "on": True, "off": False}.get(self.text(path, start=start).lower())

    def items(self, listing: Element | None) -> list[Element]:
        """Members of a list: the first ``_size`` of its ``_items``."""
        items = None if listing is None else self.find("_items", start=listing)
        if items is None:
            return []
        size = self.integer("_size", start=listing)
        members = list(items)[: size if size is not None else None]
        return [resolved for member in members if (resolved := self.resolve(member)) is not None]

    def pairs(self, dictionary: Element | None, *, within: int = 0) -> Iterator[tuple[str, Element]]:
        """Keys and values of a dictionary, whichever way it was written; pairs without a value are left out.

        ``within``: how many dictionaries it lies in; references may lead in circles, and EPU nests none deeply.
        """
        if dictionary is None or within > MAX_NESTED:
            return
        for child in dictionary:
            name = local_name(child)
            if name in ("m_serializationArray", "KeyValuePairs"):
                yield from self.pairs(self.resolve(child), within=within + 1)
            elif name.startswith("KeyValue"):
                key = self.text("key", start=child) or self.text("Key", start=child)
                value = self.find("value", start=child)
                value = self.find("Value", start=child) if value is None else value
                if value is not None:
                    yield key, value


def read_epu_xml(path: Path, *roots: str) -> EpuXml:
    """Parse a file of EPU whose root element is one of ``roots``.

    Raises
    ------
    BadFile : the file cannot be read, is not whole, is not XML, declares a document type (EPU's files never do; it is
        how XML bombs are made) or has another root.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadFile(f"{path} is too large for a file of EPU ({size} bytes).", hint="Check what this file is.")
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(
            f"{path} cannot be read: {error.strerror or error}.", hint="Check the file and its rights."
        ) from error
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise BadFile(f"{path} is empty.", hint="It is read again when it changes; if it stays empty, copy it again.")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise _declares_a_type(path)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadFile(
            f"{path} is not whole XML: {error.msg}.",
            hint="It is read again when it changes; if it stays so, copy it again from the microscope.",
        ) from error
    # a file in UTF-16 hides its declaration from the look at the bytes; the stubs of lxml do not know ``doctype``
    information: Any = root.getroottree().docinfo
    if information.doctype:
        raise _declares_a_type(path)
    name = local_name(root)
    if roots and name not in roots:
        raise BadFile(f"{path} holds a {name}, not a {' or '.join(roots)}.", hint="Check what this file is.")
    return EpuXml(path, root)


def local_name(element: Element) -> str:
    """Name of an element without its name space."""
    return str(element.tag).rpartition("}")[2]


def type_name(element: Element) -> str:
    """Name of the element's declared type without its prefix; empty when none is declared."""
    return (element.get(_TYPE) or element.get(f"{_SERIAL}Type") or "").rpartition(":")[2]


def to_number(text: str) -> float | None:
    """Finite number of a text with a decimal point; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def to_integer(text: str) -> int | None:
    """Whole number of a text; None for anything else."""
    try:
        return int(text)
    except ValueError:
        return None


def to_datetime(text: str) -> datetime | None:
    """Moment of an ISO 8601 text with up to seven decimals; None when it is not one or says no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _declares_a_type(path: Path) -> BadFile:
    return BadFile(f"{path} declares a document type, which EPU never does.", hint="Do not trust where it came from.")
