"""What is shown of text files: decoded, indented, cut, as tables; and what is refused."""

import json

import pytest

from athena.errors import Invalid
from athena.portal.file_kinds import Viewer, describe_kind
from athena.portal.reading_files import read_table, read_text


@pytest.mark.feature("WS-07")
def test_the_viewer_fits_the_ending() -> None:
    for name, viewer in {
        "a.mrc": Viewer.IMAGE,
        "a.b.TIFF": Viewer.IMAGE,
        "x/y.eer": Viewer.IMAGE,
        "z.JPG": Viewer.PICTURE,
        "notes.md": Viewer.TEXT,
        "a.csv": Viewer.TABLE,
        "particles.star": Viewer.TABLE,
        "paper.pdf": Viewer.PDF,
        "a.h5": Viewer.NONE,
        ".mrc": Viewer.NONE,
        "README": Viewer.NONE,
    }.items():
        assert describe_kind(name)[1] is viewer, name
    assert describe_kind("a.h5")[0] == "H5"


@pytest.mark.feature("WS-07")
def test_text_is_decoded_and_made_readable() -> None:
    assert read_text("a.txt", "é".encode(), size=2).text == "é"
    assert read_text("a.txt", b"\xe9t\xe9 in the lab, long ago", size=23).text.startswith("été")
    assert read_text("a.txt", "é".encode("utf-16"), size=4).text == "é"
    cut = read_text("a.txt", "aé".encode()[:2], size=900)
    assert (cut.text, cut.cut) == ("a", True)
    told = json.dumps({"name": "x" * 80, "n": 1})
    assert read_text("a.json", told.encode(), size=len(told)).text.count("\n") == 3
    xml = f"<a><b>{'x' * 80}</b></a>"
    assert "\n  <b>" in read_text("a.xml", xml.encode(), size=len(xml)).text
    bomb = f'<!DOCTYPE a [<!ENTITY e "{"x" * 80}">]><a>&e;</a>'
    assert read_text("a.xml", bomb.encode(), size=len(bomb)).text == bomb
    note = read_text("a.md", b"**good** <script>alert(1)</script>", size=34)
    assert "<strong>good</strong>" in note.html
    assert "<script>" not in note.html
    with pytest.raises(Invalid, match="no text"):
        read_text("a.log", b"MZ\0\0", size=4)


@pytest.mark.feature("WS-07")
def test_tables() -> None:
    (table,) = read_table("a.csv", b'name;x\n"a;b";1\nc;2\n', size=18).tables
    assert (table["columns"], table["rows"]) == (["name", "x"], [["a;b", "1"], ["c", "2"]])
    cut = read_table("a.tsv", b"name\tx\na\t1\nb\t", size=1000)
    assert (cut.tables[0]["rows"], cut.cut) == ([["a", "1"]], True)
    (star,) = read_table("p.star", b"data_p\nloop_\n_a\n_b\n1 2\n", size=24).tables
    assert (star["name"], star["columns"], star["rows"]) == ("p", ["a", "b"], [["1", "2"]])
    assert read_table("p.star", b"no star at all", size=14).tables == []
