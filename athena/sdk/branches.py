"""Branches of a run's results: the same acquisitions, processed with other parameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from athena.contract import acquisitions as wire_acquisitions
from athena.contract import branches as wire
from athena.contract import report as wire_report
from athena.contract.acquisitions import AcquisitionState
from athena.contract.branches import BranchComparison
from athena.contract.runs import RunCounts
from athena.errors import NotFound
from athena.sdk import filters, html
from athena.sdk.acquisitions import Acquisition, list_acquisitions
from athena.sdk.arrays import run_store
from athena.sdk.jobs import Job, start_job
from athena.sdk.report import QualityReport
from athena.sdk.tables import all_metrics, own_metrics, read_columns

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from PIL.Image import Image

    from athena.sdk.runs import Run
    from athena.zarrio.stores import ApiStore

HEADS = ("Branch", "Default", "Processed", "To do", "Failed", "Parameters", "By")


class Branch:
    """A branch as it was when last read; its numbers and pictures are read when asked for."""

    def __init__(self, run: "Run", model: wire.Branch) -> None:
        self._run = run
        self._client = run.client
        self._model = model

    @property
    def model(self) -> wire.Branch:
        """All that the API said of it."""
        return self._model

    @property
    def name(self) -> str:
        """Name."""
        return self._model.name

    @property
    def default(self) -> bool:
        """Whether everything shows it that does not ask for another."""
        return self._model.default

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters that people set; the rest is as the microscope says."""
        return dict(self._model.parameters)

    @property
    def counts(self) -> RunCounts:
        """How many of its acquisitions stand where."""
        return self.refresh()._model.counts

    @property
    def store(self) -> "ApiStore":
        """Its zarr group, for anything that reads zarr."""
        return run_store(self._client, self._run.id, branch=self.name)

    @property
    def results(self) -> "xr.Dataset":
        """Its numbers and small images, lazily, as ``run.results``."""
        from athena.zarrio.reader import open_results

        table = read_columns(self._client, self._run.id, (), branch=self.name)
        about = {"name": ("acquisition", list(table.names)), "state": ("acquisition", list(table.states))}
        results = open_results(self.store, length=len(table.names), also=own_metrics(self._run.state)).assign_coords(
            about
        )
        return results.assign_attrs(run=self._run.name, branch=self.name, version=table.version)

    def acquisitions(self, *, state: AcquisitionState | str | None = None) -> list[Acquisition]:
        """Acquisitions in order of index, all or those in a state, as they stand in it."""
        return list_acquisitions(self._run, state, self.name)

    def acquisition(self, index: int) -> Acquisition:
        """One acquisition by its index, as it stands in it."""
        path = f"/api/runs/{self._run.id}/acquisitions/{index}"
        model = self._client.get(path, wire_acquisitions.Acquisition, params={"branch": self.name})
        return Acquisition(self._run, model, self.name)

    def table(self, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """One row an acquisition that it has: name, state, error, and metrics (all, or the named) as stored."""
        import pandas as pd

        names = all_metrics(self._run.state) if columns is None else tuple(columns)
        found = read_columns(self._client, self._run.id, names, branch=self.name)
        about = {"name": found.names, "state": found.states, "error": found.errors}
        numbers = {name: np.array(found.columns[name], dtype=float) for name in names}
        whole = pd.DataFrame(about | numbers, index=pd.RangeIndex(len(found.names), name="acquisition"))
        return whole[whole["state"].isin(("completed", "error"))]

    def thumbnail(self, index: int) -> "Image":
        """Small picture of an acquisition."""
        return self.acquisition(index).thumbnail()

    def image(self, index: int, level: int = 0) -> "xr.DataArray":
        """Motion-corrected micrograph of an acquisition; see ``Acquisition.image``."""
        return self.acquisition(index).image(level)

    def quality_report(self) -> QualityReport:
        """What the run is worth by this branch."""
        path = f"/api/runs/{self._run.id}/report"
        return QualityReport(
            self._client, self._client.get(path, wire_report.QualityReport, params={"branch": self.name})
        )

    def compare(self, other: "Branch | str | None" = None) -> "pd.DataFrame":
        """One row a metric: its medians, and its differences (this minus the other) over what both have processed.

        ``other`` : None is the default branch.
        """
        import pandas as pd

        name = other.name if isinstance(other, Branch) else other
        path = f"/api/runs/{self._run.id}/branches/{self.name}/comparison"
        found = self._client.get(path, BranchComparison, params={"other": name})
        rows = [metric.model_dump() for metric in found.metrics if metric.count]
        table = pd.DataFrame(rows, columns=list(wire.MetricComparison.model_fields)).set_index("metric")
        table.attrs |= {"this": found.this, "other": found.other, "both": found.both}
        return table

    def promote(self) -> "Branch":
        """Make it the default one; what it has not processed is processed next. The old one stays as a branch."""
        path = f"/api/runs/{self._run.id}/branches/{self.name}/promote"
        self._client.post(path, None, list[wire.Branch])
        return self.refresh()

    def delete(self) -> Job:
        """Delete it with its micrographs and numbers; for the run's owners, and not while it is the default one."""
        return start_job(self._client, "delete_branch", self._run.id, branch=self.name)

    def refresh(self) -> "Branch":
        """Read it again."""
        self._model = find_branch(self._run, self.name)._model
        return self

    def cells(self) -> tuple[str, ...]:
        """A row of the table of branches."""
        counts = self._model.counts
        said = ", ".join(f"{name} = {value}" for name, value in self._model.parameters.items())
        numbers = (counts.completed, counts.registered + counts.processing, counts.error)
        default = "yes" if self.default else ""
        return (self.name, default, *map(str, numbers), said or "as the microscope says", self._model.creator)

    def __repr__(self) -> str:
        return f"<Branch {self.name!r} of {self._run.name!r}{' (default)' if self.default else ''}>"


class Branches(Sequence[Branch]):
    """Branches of a run, oldest first; a table wherever it is shown."""

    def __init__(self, branches: Sequence[Branch]) -> None:
        self._branches = tuple(branches)

    @overload
    def __getitem__(self, key: int) -> Branch: ...
    @overload
    def __getitem__(self, key: slice) -> "Branches": ...
    def __getitem__(self, key: int | slice) -> "Branch | Branches":
        return Branches(self._branches[key]) if isinstance(key, slice) else self._branches[key]

    def __len__(self) -> int:
        return len(self._branches)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._branches))

    def _repr_html_(self) -> str:
        return html.page(html.table(HEADS, [[html.text(cell) for cell in one.cells()] for one in self._branches]))


def list_branches(run: "Run") -> Branches:
    """Branches of a run."""
    models = run.client.get(f"/api/runs/{run.id}/branches", list[wire.Branch])
    return Branches([Branch(run, model) for model in models if not model.deleting])


def find_branch(run: "Run", name: str) -> Branch:
    """Branch by its name; NotFound."""
    found = {branch.name: branch for branch in list_branches(run)}
    if name not in found:
        raise NotFound(f"The run “{run.name}” has no branch “{name}”.", hint=f"It has: {', '.join(found)}.")
    return found[name]


def wire_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the API takes them: ``patches`` is (x, y), ``defects`` a path."""
    given = {name: value for name, value in parameters.items() if name != "patches"}
    if "patches" in parameters:
        given["patches_x"], given["patches_y"] = parameters["patches"]
    return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}


def start_reprocessing(
    run: "Run",
    branch: str,
    exposures: int | None,
    rules: Sequence[filters.Rule] | None,
    indices: Sequence[int] | None,
    parameters: dict[str, Any],
) -> Job:
    """Start the job."""
    return start_job(
        run.client,
        "reprocess",
        run.id,
        branch=branch,
        parameters=wire_parameters(parameters),
        exposures=exposures,
        filter=filters.make_filter(rules).model_dump(mode="json") if rules is not None else None,
        indices=[int(index) for index in indices] if indices is not None else None,
    )
