"""The tutorials run from top to bottom against a running instance, and are stored without outputs."""

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from athena.sdk.runs import Run
from athena.zarrio import layout

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.feature("NB-01", "NB-02", "EQ-06")
@pytest.mark.slow
def test_first_look_runs(new_run: Callable[[], Run], process: Callable[..., None]) -> None:
    run = new_run()
    for value in (1.0, 2.0, 3.0):
        process(run, 1, **dict.fromkeys(layout.METRICS, value))
    path = Path(__file__).parents[2] / "notebooks" / "01_first_look.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(path.parent)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    warned = "".join(output.text for output in shown if output.output_type == "stream" and output.name == "stderr")
    assert warned == ""
    pages = [str(output.data.get("text/html", "")) for output in shown if "data" in output]
    cards = [page for page in pages if "athena-html" in page]
    assert any(run.name in page and "completed</span> 3" in page for page in cards)
    assert any("xarray.Dataset" in page for page in pages)
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in shown)
    assert any("application/vnd.holoviews_exec.v0+json" in output.get("data", {}) for output in shown)
    asked = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"'](https?://[^\"']+)", "".join(pages))
    assert asked == []
