"""The quality report: numbers that can be checked by hand, a page, and an executed notebook."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat import v4
from pypdf import PdfReader

from athena.contract.acquisitions import AcquisitionState
from athena.contract.report import FEW_IMAGES
from athena.db.user_metrics import UserMetricRow
from athena.errors import Invalid
from athena.sdk.notebook_print import print_notebook
from athena.sdk.report_notebook import notebook_page, report_cells
from athena.sdk.report_page import draw_page, render
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
    assert model.images_per_h == pytest.approx(3600)
    assert model.complying_per_h == pytest.approx(3600 * 3 / 5)
    defocus = report.metrics.loc["defocus_um"]
    assert defocus[["count", "mean", "median", "low", "high"]].tolist() == [4, 2.5, 2.5, 1, 4]
    assert defocus.deviation == pytest.approx(np.std([1, 2, 3, 4]))
    unknown = report.metrics.loc["ctf_resolution_angstrom"]
    assert unknown["count"] == 0
    assert np.isnan(float(unknown["mean"]))
    assert run.quality_report().model.data_hash == model.data_hash
    process(run, 1)
    assert run.quality_report().model.data_hash != model.data_hash


@pytest.mark.feature("EQ-10", "NB-05")
def test_criteria_on_a_metric_that_people_added_name_it_as_they_do(new_run: NewRun, running) -> None:
    run = new_run()
    with running.database.session() as session:
        about = {"label": "Carbon share", "unit": "%", "digits": 1, "source": "", "sha256": ""}
        session.add(UserMetricRow(run_id=run.id, name="carbon_percent", **about))
    run.set_criteria(("carbon_percent", "<=", 20), ("defocus_um", "<=", 3))
    words = "\n".join(text.get_text() for text in run.quality_report().figure().texts)
    assert "Quality criteria: Carbon share ≤ 20.0\u2009% · Defocus ≤ 3.00\u2009µm" in words
    assert "carbon_percent" not in words
    run.filters["clean"] = [("carbon_percent", "<", 5)]
    assert repr(run.filters) == "clean: Carbon share < 5.0\u2009%"
    assert "Carbon share &lt; 5.0\u2009%" in run.filters._repr_html_()


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
    printed = PdfReader(BytesIO(print_notebook(nbformat.writes(notebook).encode())))
    words = [page.extract_text() for page in printed.pages]
    assert len(words) >= 2
    assert run.name in words[0]
    # code, numbers, versions and the whole hash, on the pages after the report's own
    for part in (
        "run.quality_report()",
        "defocus_um",
        "SHA-256 of the data",
        report.model.data_hash,
        report.model.software,
    ):
        assert any(part in page for page in words[1:]), part
    with pytest.raises(Invalid, match=r"report\.docx"):
        report.save(tmp_path / "report.docx")


@pytest.mark.feature("EQ-10")
@pytest.mark.parametrize(
    ("count", "said"),
    [(2, "too few to tell"), (5, "≈ 600/h, n = 5"), (1000, "618/h, n = 1\u2009000")],
)
def test_a_rate_is_told_as_firmly_as_its_images_tell_it(new_run: NewRun, count: int, said: str) -> None:
    nothing = new_run().quality_report().model
    few = count < FEW_IMAGES
    numbers = {"images": count, "processed": count, "complying": count, "images_per_h": 617.6, "complying_per_h": 617.6}
    page = draw_page(nothing.model_copy(update=numbers))
    words = [text.get_text() for text in page.texts]
    assert words.count(said) == 2
    assert any("too few to judge" in text for text in words) is few


@pytest.mark.feature("EQ-10")
@pytest.mark.parametrize(("hours", "said"), [(2.0, "2 h"), (0.8, "48 min"), (2.0833, "2 h 05 min"), (None, "N/A")])
def test_a_duration_is_told_in_hours_and_minutes(new_run: NewRun, hours: float | None, said: str) -> None:
    nothing = new_run().quality_report().model
    page = draw_page(nothing.model_copy(update={"duration_h": hours}))
    words = [text.get_text().replace("\u2009", " ") for text in page.texts]
    assert words[words.index("Duration") + 1] == said


@pytest.mark.feature("EQ-10")
def test_the_normal_curve_of_few_says_that_it_says_little(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 4)
    model = run.quality_report().model
    legend = draw_page(model).axes[1].get_legend()
    assert legend is not None
    assert "normal, too few to judge" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.feature("EQ-10")
def test_the_page_is_set_in_the_products_font_and_its_counts_part_thousands(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 3)
    model = run.quality_report().model
    defocus = model.metrics[1].model_copy(update={"counts": (4000, *model.metrics[1].counts[1:])})
    no_signs = {"criteria": (), "images_per_h": None, "complying_per_h": None}  # ≤ and ≈ are none of Inter's
    model = model.model_copy(update={"metrics": (model.metrics[0], defocus), **no_signs})
    page = PdfReader(BytesIO(render(model, "pdf"))).pages[0]
    fonts = {font.get_object()["/BaseFont"].partition("+")[2] for font in page["/Resources"]["/Font"].values()}
    assert fonts == {"Inter-Regular", "Inter-Bold"}
    assert "1\u2009800" in page.extract_text()
    # what Inter lacks is there all the same
    greek = PdfReader(BytesIO(render(model.model_copy(update={"name": "Grid αβγ ≤ 3"}), "pdf"))).pages[0]
    assert "Grid αβγ ≤ 3" in greek.extract_text()


@pytest.mark.feature("NB-04")
def test_the_name_of_a_run_stays_words_in_its_notebook() -> None:
    (_, title), *_ = report_cells("x", "<script>alert(1)</script> [a](javascript:b)\n# c")
    assert "\n" not in title
    page = notebook_page(nbformat.writes(v4.new_notebook(cells=[v4.new_markdown_cell(title)])).encode()).decode()
    assert "<script>alert(1)" not in page
    assert 'href="javascript' not in page
    assert "alert(1)" in page
