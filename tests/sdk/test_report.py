"""The quality report: numbers that can be checked by hand, a page, and an executed notebook."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import numpy as np
import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.errors import Invalid
from athena.sdk.runs import Run
from tests.conftest import add_acquisitions

NewRun = Callable[[], Run]
Process = Callable[..., None]


@pytest.mark.feature("EQ-10")
def test_a_report_counts_and_measures(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    run.set_criteria(("defocus_um", "<=", 3))
    process(run, 4)  # defocus 1, 2, 3, 4 µm; one image a second from noon on
    add_acquisitions(running.database, run.model, state=AcquisitionState.ERROR, error="truncated")
    report = run.quality_report()
    model = report.model
    assert (model.images, model.processed, model.failed, model.complying) == (5, 4, 1, 3)
    assert model.started == datetime(2024, 5, 17, 12, 0, 0, tzinfo=UTC)
    assert model.duration_h == pytest.approx(4 / 3600)
    assert model.images_per_h == pytest.approx(5 / (4 / 3600))
    assert model.complying_per_h == pytest.approx(3 / (4 / 3600))
    defocus = report.metrics.loc["defocus_um"]
    assert defocus[["count", "mean", "median", "low", "high"]].tolist() == [4, 2.5, 2.5, 1, 4]
    assert defocus.deviation == pytest.approx(np.std([1, 2, 3, 4]))
    unknown = report.metrics.loc["ctf_resolution_angstrom"]
    assert unknown["count"] == 0
    assert np.isnan(float(unknown["mean"]))
    assert run.quality_report().model.data_hash == model.data_hash
    process(run, 1)
    assert run.quality_report().model.data_hash != model.data_hash


@pytest.mark.feature("EQ-10")
def test_a_report_of_nothing_says_so(new_run: NewRun) -> None:
    report = new_run().quality_report()
    assert (report.model.images, report.model.started, report.model.duration_h) == (0, None, None)
    words = {text.get_text() for text in report.figure().texts}
    assert "N/A" in words


@pytest.mark.feature("EQ-10", "NB-04")
def test_a_report_is_a_page_and_an_executed_notebook(new_run: NewRun, process: Process, tmp_path: Path) -> None:
    run = new_run()
    process(run, 3)
    report = run.quality_report()
    assert "<svg" in report._repr_html_()
    assert report.save(tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    words = "\n".join(text.get_text() for text in report.figure().texts)
    assert run.name in words
    assert report.model.data_hash in words
    notebook = nbformat.read(report.save(tmp_path / "report.ipynb"), as_version=4)
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type in ("error", "stream")]
    pages = "".join(str(output.get("data", {}).get("text/html", "")) for output in shown)
    assert "<svg" in pages
    assert report.model.data_hash in pages
    assert run.client.environment["ATHENA_TOKEN"] not in nbformat.writes(notebook)
    with pytest.raises(Invalid, match=r"report\.docx"):
        report.save(tmp_path / "report.docx")
