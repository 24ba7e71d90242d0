"""EPU's XML dialect: local names, references, nil and padding as .NET means them; hostile files are refused."""

from pathlib import Path

import pytest

from athena.errors import BadFile
from athena.formats.epu_xml import EpuXml, read_epu_xml, to_datetime

pytestmark = pytest.mark.feature("AC-01")

NAMESPACES = (
    'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:z="http://schemas.microsoft.com/2003/10/Serialization/" xmlns:q="urn:any"'
)


def parsed(tmp_path: Path, body: str) -> EpuXml:
    path = tmp_path / "file.dm"
    path.write_text(f"<Root {NAMESPACES}>{body}</Root>", encoding="utf-8-sig")
    return read_epu_xml(path, "Root")


def test_local_names_references_and_nil(tmp_path: Path) -> None:
    xml = parsed(
        tmp_path,
        '<q:Name z:Id="4">grid</q:Name><Again z:Ref="4" i:nil="true"/>'
        '<Nothing i:nil="true"/><Lost z:Ref="9" i:nil="true"/>'
        '<A z:Id="5"><q:B>1.5E-06</q:B></A><C z:Ref="5" i:nil="true"/>',
    )
    assert xml.text("Name") == xml.text("Again") == "grid"
    assert xml.find("Nothing") is xml.find("Lost") is xml.find("Nothing/Deeper") is None
    assert xml.number("A/B") == xml.number("C/B") == 1.5e-6
    assert xml.text("Absent") == ""
    assert xml.number("Name") is xml.integer("A/B") is None


def test_lists_stop_at_their_size_and_dictionaries_have_three_shapes(tmp_path: Path) -> None:
    xml = parsed(
        tmp_path,
        "<L><_items><x>1</x><x>2</x><x>0</x><x i:nil='true'/></_items><_size>2</_size></L>"
        "<D1><q:KeyValueOfstringanyType><q:Key>a</q:Key><q:Value>1</q:Value></q:KeyValueOfstringanyType></D1>"
        "<D2><m_serializationArray><KeyValuePairOfintX_h4sh><key>7</key><value>2</value></KeyValuePairOfintX_h4sh>"
        "<KeyValuePairOfintX_h4sh><key>8</key><value i:nil='true'/></KeyValuePairOfintX_h4sh>"
        "</m_serializationArray></D2>"
        "<D3><Version>1</Version><KeyValuePairs><KeyValuePairOfY><key>k</key><value>3</value></KeyValuePairOfY>"
        "</KeyValuePairs></D3>",
    )
    assert [element.text for element in xml.items(xml.find("L"))] == ["1", "2"]
    assert xml.items(xml.find("D1")) == xml.items(None) == []
    found = [[(key, value.text) for key, value in xml.pairs(xml.find(name))] for name in ("D1", "D2", "D3", "Absent")]
    assert found == [[("a", "1")], [("7", "2")], [("k", "3")], []]


def test_moments_have_a_zone() -> None:
    moment = to_datetime("2023-09-19T15:41:00.6497848+01:00")
    assert moment is not None
    assert moment.isoformat() == "2023-09-19T15:41:00.649784+01:00"
    assert to_datetime("2023-09-19T15:41:00") is to_datetime("yesterday") is None


BOMB = '<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Root>&b;</Root>'
HOSTILE = {
    "bomb": (BOMB.encode(), "declares a document type"),
    "bomb in UTF-16": (f'<?xml version="1.0" encoding="UTF-16"?>{BOMB}'.encode("utf-16"), "declares a document type"),
    "outside file": (
        b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><Root>&x;</Root>',
        "declares a document type",
    ),
    "truncated": (f"<Root {NAMESPACES}><Name>gr".encode(), "not whole XML"),
    "binary": (bytes(range(256)) * 4, "not whole XML"),
    "zeros": (b"\x00" * 4096, "is empty"),
    "empty": (b"", "is empty"),
    "wrong root": (b"<html/>", "holds a html, not a Root"),
    "deep": (b"<Root>" + b"<a>" * 100_000, "not whole XML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    data, reason = HOSTILE[name]
    path = tmp_path / "hostile.xml"
    path.write_bytes(data)
    with pytest.raises(BadFile, match=reason) as refusal:
        read_epu_xml(path, "Root")
    assert str(path) in refusal.value.message
    assert refusal.value.hint


def test_unreadable_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="No such file"):
        read_epu_xml(tmp_path / "absent.xml")
    with pytest.raises(BadFile, match="Is a directory"):
        read_epu_xml(tmp_path)
    large = tmp_path / "large.xml"
    with large.open("wb") as stream:
        stream.truncate(2**30)
    with pytest.raises(BadFile, match="too large"):
        read_epu_xml(large)
