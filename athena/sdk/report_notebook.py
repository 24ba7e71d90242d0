"""The quality report as a notebook that has been executed, with its inputs and versions (NB-04)."""

import os
import re
from typing import TYPE_CHECKING, Any

from athena.contract.report import QualityReport
from athena.errors import Unavailable
from athena.sdk.client import Client
from athena.sdk.notebook_print import print_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK_ENDINGS = (".ipynb", ".html", ".ipynb.pdf")
"""Ends of files that hold an executed notebook."""
EXECUTION_SECONDS = 120
"""How long a cell may take."""


def report_cells(run_id: str, name: str, branch: str = "") -> tuple[tuple[str, str], ...]:
    """Cells (type, source) that make the quality report of a run (of a branch of its results), with no output yet."""
    results = f"run.branch({branch!r})" if branch else "run"
    return (
        ("markdown", f"# Quality report: {_plain(name)}"),
        (
            "code",
            "from uuid import UUID\n\nimport athena\n\n"
            f'run = athena.connect().run(UUID("{run_id}"))\n'
            f"report = {results}.quality_report()\nreport",
        ),
        ("markdown", "## Numbers\nIn their stored units; over the processed images."),
        ("code", "report.metrics"),
        ("markdown", "## Inputs and versions\nEqual data gives an equal hash."),
        (
            "code",
            "import platform\nfrom importlib.metadata import version\n\n"
            "import pandas as pd\n\n"
            'pd.set_option("display.max_colwidth", None)  # a hash is shown whole\n'
            "model = report.model\n"
            "pd.Series(\n"
            "    {\n"
            '        "run": str(model.run_id),\n'
            '        "branch of results": model.branch or "the default one",\n'
            '        "version of the run": model.version,\n'
            '        "SHA-256 of the data": model.data_hash,\n'
            '        "made": model.made,\n'
            '        "software": model.software,\n'
            '        "Python": platform.python_version(),\n'
            '        "numpy": version("numpy"),\n'
            '        "matplotlib": version("matplotlib"),\n'
            "    },\n"
            '    name="value",\n'
            ").to_frame()",
        ),
    )


def executed_notebook(client: Client, report: QualityReport) -> bytes:
    """Notebook that asks for a run's report, executed now in a kernel of its own, as ``.ipynb``.

    Raises Unavailable where the kernel could not execute it.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = _notebook(report)
    try:
        NotebookClient(notebook, timeout=EXECUTION_SECONDS).execute(env=os.environ | client.environment)
    except (CellExecutionError, DeadKernelError) as error:
        raise Unavailable(f"The notebook of the report could not be executed: {error}") from error
    return str(nbformat.writes(notebook)).encode()


def notebook_as(notebook: bytes, ending: str) -> bytes:
    """Executed notebook as one of ``NOTEBOOK_ENDINGS``: as it is, as a page, or printed."""
    if ending == ".html":
        return notebook_page(notebook)
    return print_notebook(notebook) if ending == ".ipynb.pdf" else notebook


def notebook_page(notebook: bytes) -> bytes:
    """Executed notebook as an HTML page of its own that loads nothing from anywhere."""
    import nbformat
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    quiet = Config({"HTMLExporter": {"mathjax_url": "", "require_js_url": "", "jquery_url": "", "mermaid_js_url": ""}})
    page, _ = HTMLExporter(config=quiet).from_notebook_node(nbformat.reads(notebook.decode(), as_version=4))
    return str(page).encode()


def _plain(name: str) -> str:
    """Name as Markdown that shows it letter by letter: one that holds a link or a script stays words."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(name.split()))


def _notebook(report: QualityReport) -> "NotebookNode":
    from nbformat import v4

    made: dict[str, Any] = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    cells = [made[kind](source) for kind, source in report_cells(str(report.run_id), report.name, report.branch)]
    notebook: NotebookNode = v4.new_notebook(cells=cells)
    return notebook
