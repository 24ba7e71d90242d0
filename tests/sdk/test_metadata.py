"""Metadata, notes, samples and search as a notebook uses them."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pint
import pytest

import athena as package
from athena.errors import Conflict, Invalid, NotFound
from athena.sdk.connection import Athena
from athena.sdk.runs import Run

ureg = package.ureg


@pytest.mark.feature("MD-07", "MD-02", "MD-04")
def test_metadata_are_quantities(athena: Athena, new_run: Callable[[], Run]) -> None:
    run = new_run()
    run.metadata["Defocus"] = 1.2 * ureg.um
    assert run.metadata["Defocus"] == 1.2 * athena.ureg.um
    assert (run.metadata["Defocus"].units, run.metadata["Custom/Defocus"].magnitude) == (ureg.um, 1.2)
    run.metadata["Defocus"] = 900 * ureg.nm
    assert run.metadata["Defocus"].to("um").magnitude == pytest.approx(0.9)
    run.metadata.convert("Defocus", "Å")
    (entry,) = run.metadata.entries("defocus")
    assert (entry.value, entry.unit, entry.quantity, entry.type) == (9000, "Å", "length", "double")
    del run.metadata["Defocus"]
    assert run.metadata == {}
    with pytest.raises(KeyError):
        del run.metadata["Defocus"]
    with pytest.raises(KeyError):
        run.metadata["Defocus"]


@pytest.mark.feature("MD-03", "MD-07")
@pytest.mark.parametrize(
    ("value", "back"),
    [
        ("Krios G4", "Krios G4"),
        (True, True),
        (np.float32(0.5), 0.5),
        (np.int64(40), 40),
        (date(2025, 1, 31), datetime(2025, 1, 31)),
        (datetime(2025, 1, 31, 12, tzinfo=UTC), datetime(2025, 1, 31, 12, tzinfo=UTC)),
        (40.0 * ureg.electron / ureg.angstrom**2, 40.0 * ureg.electron / ureg.angstrom**2),
        (ureg.Quantity(-180.0, "degC"), ureg.Quantity(-180.0, "degC")),
        (ureg.Quantity(7.4, "pH"), ureg.Quantity(7.4, "pH")),
        (ureg.Quantity(3, "dB"), ureg.Quantity(3, "dB")),
        (pint.UnitRegistry().Quantity(300, "kV"), ureg.Quantity(300, "kV")),
        (1.0 * ureg.furlong, (1.0 * ureg.furlong).to("m")),
    ],
)
def test_every_type_comes_back(new_run: Callable[[], Run], value: object, back: object) -> None:
    metadata = new_run().metadata
    metadata["It"] = value
    got = metadata["It"]
    if hasattr(back, "units"):
        assert got.units == back.units
        assert math.isclose(got.magnitude, back.magnitude)
    else:
        assert got == back
        assert type(got) is type(back)


@pytest.mark.feature("MD-04")
def test_a_bad_value_is_refused_and_nothing_changes(new_run: Callable[[], Run]) -> None:
    metadata = new_run().metadata
    metadata["Dose"] = 40 * ureg.electron / ureg.angstrom**2
    for wrong, reason in [
        (lambda: metadata.set("Dose", "much", type="double"), "not a number"),
        (lambda: metadata.set("Dose", 1.5, type="integer"), "not an integer"),
        (lambda: metadata.set("Dose", 1.5, unit="furlongs"), "no unit"),
        (lambda: metadata.set("Dose", 1.5, quantity="length", unit="kV"), "no unit of length"),
        (lambda: metadata.set("Dose", math.inf), "finite"),
        (lambda: metadata.set("Dose", [1, 2]), "no metadatum"),
        (lambda: metadata.set("Dose", 1 * ureg.mile**7), "No physical quantity"),
        (lambda: metadata.convert("Dose", "kV"), "no unit of"),
    ]:
        with pytest.raises(Invalid, match=reason):
            wrong()
    assert metadata["Dose"].magnitude == 40
    with pytest.raises(NotFound):
        metadata.convert("Nothing", "kV")


@pytest.mark.feature("MD-06", "MD-01", "MD-05")
def test_export_import_and_table(athena: Athena, new_run: Callable[[], Run], tmp_path: Path) -> None:
    run, other = new_run(), new_run()
    run.metadata["Voltage"] = 300.0 * ureg.kV
    run.metadata["=Formula"] = "=1+1"
    frame = run.metadata.to_frame()
    assert {"Name", "Id", "Creator", "Created", "Updated"} <= set(frame.name[frame.group == "General"])
    assert list(run.metadata.to_frame("300 kv").name) == ["Voltage"]
    saved = run.metadata.export(tmp_path / "mine.json")
    assert json.loads(saved.read_text())["element"] == run.name
    done = other.metadata.load(saved)
    assert (done.imported, done.left_out) == (2, len(frame) - 2)
    assert other.metadata == {"Voltage": 300.0 * ureg.kV, "=Formula": "=1+1"}
    assert "Custom,'=Formula,string,'=1+1" in run.metadata.export(tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    assert b'unit="kV">300.0</entry>' in run.metadata.export(tmp_path / "a.xml").read_bytes()
    with pytest.raises(Invalid, match=r"\.csv"):
        run.metadata.export(tmp_path / "a.txt")
    with pytest.raises(Invalid, match="no exported metadata"):
        other.metadata.load(tmp_path / "a.csv")
    page = run.metadata._repr_html_()
    assert "Voltage" in page
    assert "300.0" in repr(run.metadata)


@pytest.mark.feature("WS-17")
def test_notes(athena: Athena, new_run: Callable[[], Run]) -> None:
    run, other = new_run(), new_run()
    note = run.notes.add(
        "**Ice** is thick <script>alert(1)</script> [x](javascript:alert(1)) [paper](https://example.org)",
        links=[other, "https://example.org/a?b=1"],
    )
    (found,) = run.notes
    assert (found.author, found.text) == (athena.me.username, note.text)
    assert found.model.links[0].title == other.name
    page = run.notes._repr_html_()
    assert "<strong>Ice</strong>" in page
    assert "<script" not in page
    assert 'href="javascript' not in page
    assert 'href="https://example.org"' in page
    found.edit("thinner")
    assert [link.url for link in run.notes[0].model.links] == [None, "https://example.org/a?b=1"]
    with pytest.raises(Invalid):
        run.notes.add("x", links=["ftp://example.org"])
    found.delete()
    assert len(run.notes) == 0


@pytest.mark.feature("WS-22")
def test_samples(athena: Athena, new_run: Callable[[], Run]) -> None:
    run = new_run()
    step = run.parent
    assert step is not None
    sample = athena.samples.create(
        "Apoferritin 7", type="protein", barcode="X-17", slot=3, metadata={"Concentration": 3.2 * ureg("mg/mL")}
    )
    assert athena.samples["Apoferritin 7"].metadata["Concentration"].to("kg/m**3").magnitude == pytest.approx(3.2)
    sample.link(step)
    assert [element.name for element in sample.products] == [step.name, run.name]
    assert sample in athena.samples.find("x-17")
    assert "Apoferritin 7" in sample._repr_html_()
    assert "X-17" in athena.samples._repr_html_()
    sample.update(slot=4)
    assert athena.samples["Apoferritin 7"].model.slot == 4
    with pytest.raises(Conflict):
        sample.delete()
    sample.unlink(step).delete()
    with pytest.raises(NotFound):
        athena.samples["Apoferritin 7"]


@pytest.mark.feature("SE-01", "SE-02", "SE-04", "WS-19")
def test_search_and_recent(athena: Athena, new_run: Callable[[], Run]) -> None:
    run, other = new_run(), new_run()
    run.update(name="Zeolite grid")
    run.metadata["Defocus"] = 1500 * ureg.nm
    run.metadata["Microscope"] = "Krios G4"
    other.metadata["Defocus"] = 0.5 * ureg.um
    found = athena.search("zeol", kind="dataset", where="defocus > 1 um and microscope = 'Krios G4'")
    assert [one.id for one in found] == [run.id]
    assert found.total == 1
    assert run.path in repr(found)
    assert run.path in list(found.to_frame().path)
    assert "Zeolite grid" in found._repr_html_()
    assert len(athena.search("zeol", kind=["folder", "step"])) == 0
    assert len(athena.search("zeol", within="notes")) == 0
    assert repr(athena.search("nonesuch")) == "nothing found"
    with pytest.raises(Invalid, match="character 11"):
        athena.search(where="defocus > and")
    workflow = run.parent.parent  # type: ignore[union-attr]
    assert workflow is not None
    athena.client.post(f"/api/elements/{workflow.id}/opened", None, None)
    assert athena.recent("workflow")[0] == workflow
    assert list(athena.recent("folder")) == []


def test_quantities_are_found_by_typing(athena: Athena) -> None:
    assert [one.key for one in athena.quantities("acid")] == ["acidity"]


def test_pint_is_imported_when_it_is_needed() -> None:
    code = (
        "import sys, athena, athena.sdk.connection; assert 'pint' not in sys.modules, 'early'; "
        "assert 'markdown_it' not in sys.modules; athena.ureg.um; assert 'pint' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.feature("MD-07", "SE-04")
def test_the_guide_is_right(athena: Athena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = Path(__file__).parents[2] / "docs/guide/metadata-and-search.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("athena.sdk.connect.connect", lambda: athena)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, guide.name, "exec"), names)
    assert athena["Apoferritin/Week 38/Imaging/Grid 2"].metadata["Defocus"].magnitude == pytest.approx(1200)
