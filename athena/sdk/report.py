"""The quality report of a run, in a notebook and as a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from athena.contract import report as wire
from athena.errors import Invalid
from athena.formats.writing import write_whole
from athena.sdk.client import Client
from athena.sdk.notebook_print import REPORT_TYPE
from athena.sdk.report_notebook import NOTEBOOK_ENDINGS, executed_notebook, notebook_as
from athena.sdk.report_page import draw_page, render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


class QualityReport:
    """A run's quality report as it was when asked for. In a notebook it shows itself as the printed page."""

    def __init__(self, client: Client, model: wire.QualityReport) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> wire.QualityReport:
        """All that the API said of it."""
        return self._model

    @property
    def metrics(self) -> "pd.DataFrame":
        """Count, mean, median, deviation and extremes of each metric, in stored units."""
        import pandas as pd

        shown = {"count", "mean", "median", "deviation", "low", "high"}
        rows = {
            summary.metric: summary.model_dump(include=shown)
            for summary in (*self._model.metrics, *self._model.user_metrics)
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric")

    def figure(self) -> "Figure":
        """Page as a matplotlib figure."""
        return draw_page(self._model)

    def save(self, path: str | Path) -> Path:
        """Write it to a file; gives the path. What is written follows the name's end.

        ``.pdf``, ``.svg`` or ``.png``: the page. ``.ipynb``, ``.html`` or ``.ipynb.pdf``: a notebook that asks for the
        report and has been executed, with its inputs and versions, as it is, as a page, or printed. ``.json``: the
        numbers.
        """
        target = Path(path).expanduser()
        content = self.render(target.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
        return target

    def render(self, name: str) -> bytes:
        """Content of a file of this name, as ``save`` writes it; Invalid for an ending that is not known."""
        for ending in NOTEBOOK_ENDINGS:
            if name.lower().endswith(ending):
                return notebook_as(self.executed(), ending)
        makers: dict[str, Callable[[], bytes]] = {
            ".pdf": lambda: render(self._model, "pdf"),
            ".svg": lambda: render(self._model, "svg"),
            ".png": lambda: render(self._model, "png"),
            ".json": lambda: self._model.model_dump_json(indent=2).encode(),
        }
        make = makers.get(Path(name).suffix.lower())
        if make is None:
            raise Invalid(
                f"A report cannot be written as a “{name}”.",
                hint=f"Ends known: {', '.join((*makers, *NOTEBOOK_ENDINGS))}.",
            )
        return make()

    def executed(self) -> bytes:
        """Notebook of it, executed now in a kernel of its own, as ``.ipynb``; takes some seconds."""
        return executed_notebook(self._client, self._model)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Its numbers, for whoever prints the notebook; what is seen is ``_repr_html_``."""
        return {REPORT_TYPE: self._model.model_dump(mode="json")}

    def _repr_html_(self) -> str:
        svg = render(self._model, "svg").decode()
        return f'<div style="max-width:52em">{svg[svg.index("<svg") :]}</div>'
