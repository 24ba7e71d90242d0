"""Runs: datasets filled by an acquisition, and their live results."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from athena.contract import acquisitions as wire_acquisitions
from athena.contract import elements as wire_elements
from athena.contract import jobs as wire_jobs
from athena.contract import report as wire_report
from athena.contract import runs as wire
from athena.contract.acquisitions import AcquisitionState
from athena.contract.cleanup import CleanupRule, CleanupSize
from athena.contract.events import Event
from athena.contract.exports import ExportPart
from athena.contract.runs import Retried, RunCounts, Source
from athena.contract.user_metrics import UserMetric
from athena.contract.verdicts import VerdictKind
from athena.errors import NotFound, Unavailable
from athena.sdk import filters, html, micrographs
from athena.sdk.acquisitions import SHOWN, Acquisition, list_acquisitions
from athena.sdk.arrays import run_store
from athena.sdk.branches import Branch, Branches, find_branch, list_branches, start_reprocessing, wire_parameters
from athena.sdk.client import Client, checked
from athena.sdk.exporting import start_export
from athena.sdk.jobs import Job, start_job
from athena.sdk.judged import JudgedRun
from athena.sdk.micrographs import Chosen
from athena.sdk.report import QualityReport
from athena.sdk.tables import all_metrics, own_metrics, read_columns
from athena.sdk.user_metrics import list_failures, put_metric
from athena.sdk.watching import watch
from athena.zarrio import layout

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from PIL.Image import Image

    from athena.zarrio.stores import ApiStore


class Run(JudgedRun):
    """A dataset filled by an acquisition.

    ``version``, ``counts``, ``source`` and ``results`` are asked anew every time, so that they are always of now.
    """

    def __init__(self, client: Client, model: wire_elements.Element) -> None:
        super().__init__(client, model)
        self._lock = Lock()
        self._seen: tuple[int, xr.Dataset] | None = None

    @property
    def state(self) -> wire.Run:
        """The run as a whole, now."""
        run = self._client.get(f"/api/runs/{self.id}", wire.Run)
        self._model = run.element
        return run

    @property
    def version(self) -> int:
        """Grows with every change of the run's acquisitions or results."""
        return self.state.version

    @property
    def counts(self) -> RunCounts:
        """How many acquisitions stand where."""
        return self.state.counts

    @property
    def source(self) -> Source | None:
        """The session folder that fills it, if one is attached."""
        return self.state.source

    @property
    def store(self) -> "ApiStore":
        """The run's zarr group, for anything that reads zarr."""
        return run_store(self._client, self.id)

    @property
    def results(self) -> "xr.Dataset":
        """All numbers and small images of the run, lazily: see ``athena.zarrio.reader.open_results``.

        Read again whenever the run has changed, else the same object; hold on to one to keep it as it is. Besides the
        index, acquisitions have the coordinates ``name`` and ``state``.
        """
        from athena.zarrio.reader import open_results

        with self._lock:
            state = self.state
            version = state.version
            if self._seen is None or self._seen[0] != version:
                table = read_columns(self._client, self.id, ())
                # of this branch also when another one is promoted meanwhile
                store = run_store(self._client, self.id, branch=state.branch)
                results = open_results(store, length=len(table.names), also=own_metrics(state))
                about = {"name": ("acquisition", list(table.names)), "state": ("acquisition", list(table.states))}
                dated = results.assign_coords(about).assign_attrs(run=self.name, run_id=str(self.id), version=version)
                self._seen = (version, dated)
            return self._seen[1]

    def table(self, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """One row an acquisition: name, state, error, verdict by hand, and metrics (all, or the named) as stored."""
        import pandas as pd

        names = all_metrics(self.state) if columns is None else tuple(columns)
        found = read_columns(self._client, self.id, names)
        verdicts = np.full(len(found.names), "", dtype=object)
        verdicts[list(found.accepted)] = VerdictKind.ACCEPTED.value
        verdicts[list(found.rejected)] = VerdictKind.REJECTED.value
        about = {"name": found.names, "state": found.states, "error": found.errors, "verdict": verdicts}
        numbers = {name: np.array(found.columns[name], dtype=float) for name in names}
        return pd.DataFrame(about | numbers, index=pd.RangeIndex(len(found.names), name="acquisition"))

    def acquisitions(self, *, state: AcquisitionState | str | None = None) -> list[Acquisition]:
        """Acquisitions in order of index, all or those in a state."""
        return list_acquisitions(self, state)

    def acquisition(self, key: int | str) -> Acquisition:
        """One acquisition by index (negative: from the end) or by name."""
        if isinstance(key, str):
            names = read_columns(self._client, self.id, ()).names
            if key not in names:
                raise NotFound(f"There is no acquisition {key!r} in {self.name}.")
            key = names.index(key)
        elif key < 0:
            key += self.counts.total
        path = f"/api/runs/{self.id}/acquisitions/{key}"
        return Acquisition(self, self._client.get(path, wire_acquisitions.Acquisition))

    def thumbnail(self, index: int) -> "Image":
        """Small picture of an acquisition."""
        return self.acquisition(index).thumbnail()

    def image(self, index: int, level: int = 0) -> "xr.DataArray":
        """Motion-corrected micrograph of an acquisition; see ``Acquisition.image``."""
        return self.acquisition(index).image(level)

    def grid(self) -> wire.RunGrid:
        """Atlases, grid squares and foil holes of the session."""
        return self._client.get(f"/api/runs/{self.id}/grid", wire.RunGrid)

    def quality_report(self) -> QualityReport:
        """What the run was worth so far; shows itself as a page, and ``.save("report.pdf")`` writes it."""
        return QualityReport(self._client, self._client.get(f"/api/runs/{self.id}/report", wire_report.QualityReport))

    def export(  # type: ignore[override] # a run has more to choose from
        self,
        folder: str,
        *,
        files: ExportPart | str = ExportPart.ALL,
        metadata: ExportPart | str = ExportPart.ALL,
        processed: bool = False,
        rules: Sequence[filters.Rule] | None = None,
        branch: str | None = None,
    ) -> Job:
        """Copy it to the export storage, into ``folder`` with the moment added; ``job.result["location"]`` is where.

        Parameters
        ----------
        files : ``"all"`` (the session folder), ``"raw"`` (movies and gain reference) or ``"none"``.
        metadata : ``"all"``, ``"raw"`` (without what processing measured) or ``"none"``.
        processed : also micrographs (MRC), thumbnails and the results table, with quality monitor.
        rules : which acquisitions; None: as the run's saved filter says.
        branch : of its results; what that was not given is left out. None: the default one.
        """
        return start_export(self, "export", folder, files, metadata, processed, rules, branch)

    def live_export(
        self,
        folder: str,
        *,
        files: ExportPart | str = ExportPart.ALL,
        metadata: ExportPart | str = ExportPart.ALL,
        processed: bool = False,
        rules: Sequence[filters.Rule] | None = None,
    ) -> Job:
        """As ``export``, but going on until the run completes."""
        return start_export(self, "live_export", folder, files, metadata, processed, rules)

    def save_mrcs(
        self,
        folder: str | Path,
        *,
        only: Chosen = "matching",
        mode: int = 2,
        weighted: bool | None = None,
        branch: str | None = None,
        progress: bool = False,
    ) -> list[Path]:
        """Save corrected micrographs as MRC files: those that match the saved filter and verdicts, or ``"all"``.

        ``branch`` : of its results, here and in what follows; None: the default one.
        """
        return micrographs.save_mrcs(
            self, folder, only=only, mode=mode, progress=progress, weighted=weighted, branch=branch
        )

    def save_star(
        self,
        folder: str | Path,
        *,
        only: Chosen = "matching",
        with_micrographs: bool = False,
        branch: str | None = None,
        progress: bool = False,
    ) -> Path:
        """Save its results as STAR files for RELION, with paths relative to ``folder``; gives the CTF list."""
        return micrographs.save_star(
            self, folder, only=only, with_micrographs=with_micrographs, progress=progress, branch=branch
        )

    def save_cryosparc(
        self,
        folder: str | Path,
        *,
        only: Chosen = "matching",
        with_micrographs: bool = True,
        branch: str | None = None,
        progress: bool = False,
    ) -> Path:
        """Save its results as cryoSPARC's *Import Result Group* takes them; gives the group of those with a CTF."""
        return micrographs.save_cryosparc(
            self, folder, only=only, with_micrographs=with_micrographs, progress=progress, branch=branch
        )

    def update_live_export(self) -> Job:
        """Apply the saved filter, as it is now, to what the live export has still to come."""
        path = f"/api/runs/{self.id}/live-export/update"
        return Job(self._client, self._client.post(path, None, wire_jobs.Job))

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of its processing that people set; the rest is as the microscope says."""
        return dict(self.state.parameters)

    def set_parameters(self, **parameters: Any) -> dict[str, Any]:
        """Set what the microscope does not say, or said wrongly: ``run.set_parameters(voltage_kv=300)``; gives all.

        Then ``retry_failed``. None takes one back. Conflict where movies were processed with another value: then
        ``reprocess`` into a branch.

        Parameters
        ----------
        parameters : of ``athena.contract.processing.MovieParameters``; ``patches`` is (x, y), ``defects`` the path of
            a file of the camera's defects on the instance's machine, of which the run keeps a copy.
        """
        new = checked(wire.ParametersUpdate, parameters=wire_parameters(parameters))
        return dict(self._client.patch(f"/api/runs/{self.id}/parameters", new, wire.Run).parameters)

    def retry_failed(self) -> int:
        """Process its failed acquisitions again, once what was in their way is gone; returns how many there are."""
        return self._client.post(f"/api/runs/{self.id}/retry", None, Retried).count

    @property
    def branches(self) -> Branches:
        """Branches of its results; shows itself as a table."""
        return list_branches(self)

    def branch(self, name: str) -> Branch:
        """One branch of its results; NotFound."""
        return find_branch(self, name)

    def reprocess(
        self,
        branch: str,
        *,
        exposures: int | None = None,
        rules: Sequence[filters.Rule] | None = None,
        indices: Sequence[int] | None = None,
        **parameters: Any,
    ) -> Job:
        """Process it into a branch of results, beside those that are there: ``run.reprocess("fine", patches=(7, 7))``.

        A branch that is there goes on with what it does not have, or what failed; it keeps its parameters.

        Parameters
        ----------
        exposures : only so many, spread evenly, for a trial.
        rules : only what matches, by the numbers of the default branch.
        indices : only these acquisitions.
        parameters : of ``athena.contract.processing.MovieParameters``; ``patches`` is (x, y).
        """
        return start_reprocessing(self, branch, exposures, rules, indices, parameters)

    @property
    def user_metrics(self) -> "pd.DataFrame":
        """Metrics that people added to it, by name: label, unit, author, time, hash and text of the source."""
        import pandas as pd

        found = self._client.get(f"/api/runs/{self.id}/metrics", list[UserMetric])
        rows = [metric.model_dump(exclude={"run_id"}) for metric in found]
        return pd.DataFrame(rows, columns=[*UserMetric.model_fields][1:]).set_index("name")

    def add_metric(self, function: Callable[[Any], Any], *, source: str | None = None) -> UserMetric:
        """Add a function made with ``@athena.metric``: computed for what is there and what comes, a column like any.

        ``source`` : its text, where Python cannot find it. A function of the same name is replaced.
        """
        return put_metric(self, function, source)

    def remove_metric(self, name: str) -> None:
        """Take a metric off that was added."""
        self._client.delete(f"/api/runs/{self.id}/metrics/{name}")

    def metric_failures(self, name: str) -> "pd.DataFrame":
        """Why a metric that was added has no value for acquisitions."""
        return list_failures(self, name)

    def cleanup_sizes(self) -> "pd.DataFrame":
        """What each rule of a cleanup would take away: files and bytes, by rule, and whether it may."""
        import pandas as pd

        sizes = self._client.get(f"/api/runs/{self.id}/cleanup", list[CleanupSize])
        return pd.DataFrame([size.model_dump(mode="json") for size in sizes]).set_index("rule")

    def cleanup(self, *rules: CleanupRule | str) -> Job:
        """Take away ``"movies"``, ``"integrated"`` images, ``"processed"`` micrographs; numbers and previews stay."""
        return start_job(self._client, "cleanup", self.id, rules=[CleanupRule(rule).value for rule in rules])

    def attach(self, path: str | Path, *, adapter: str = "epu", follow: bool = True, **parameters: Any) -> Self:
        """Fill the run from a session folder (a path on the instance's machine); ``follow`` keeps watching it.

        ``parameters`` : of its processing, as in ``set_parameters``.
        """
        new = checked(
            wire.SourceCreate, adapter=adapter, path=str(path), follow=follow, parameters=wire_parameters(parameters)
        )
        self._client.put(f"/api/runs/{self.id}/source", new, None)
        return self

    def watch(self, timeout: float | None = None, *, after: int | None = None) -> Iterator[Event]:
        """Events of this run as they come, from now on (or from after the event number ``after``).

        Ends when nothing came for ``timeout`` seconds; None waits for ever. ::

            for event in run.watch(timeout=60):
                print(event.kind, event.index, run.counts.completed)
        """
        return watch(self._client, after=after, timeout=timeout, element_id=self.id)

    def wait(self, timeout: float = 600.0, *, finished: int | None = None) -> RunCounts:
        """Wait until ``finished`` acquisitions are completed or in error; None: all that have a movie.

        Raises
        ------
        Unavailable : that did not happen within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        after = self._client.events(-1).last_seq
        while True:
            counts = self.counts
            done = counts.completed + counts.error
            wanted = max(1, counts.total - counts.awaiting_movie) if finished is None else finished
            if done >= wanted:
                return counts
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unavailable(f"{done} of {wanted} acquisitions of {self.name} were done after {timeout:.0f} s.")
            after = self._client.events(after, wait=min(left, 5.0)).last_seq

    def _repr_html_(self) -> str:
        run = self.state
        counts = run.counts
        states = (
            (AcquisitionState.COMPLETED, counts.completed),
            (AcquisitionState.PROCESSING, counts.processing),
            (AcquisitionState.REGISTERED, counts.registered),
            (AcquisitionState.ERROR, counts.error),
            (AcquisitionState.AWAITING_MOVIE, counts.awaiting_movie),
        )
        numbers = [f"{html.mark(state, label=True)} {count}" for state, count in states if count]
        rows = (
            html.row(*numbers) if numbers else html.text("no acquisitions yet", "mute"),
            self._medians() if counts.completed else "",
            _source_line(run.source),
        )
        words = f"{html.kind_words(run.element)} · version {run.version}"
        return html.page(html.card(self.name, words, *rows, status=run.element.status))

    def _medians(self) -> str:
        columns = read_columns(self._client, self.id, SHOWN).columns
        shown = []
        for name in SHOWN:
            values = np.array(columns[name], dtype=float)
            if np.isfinite(values).any():
                shown.append(html.measured(layout.METRICS[name], float(np.nanmedian(values))))
        return html.row(html.text("median", "mute"), *shown) if shown else ""


def _source_line(source: Source | None) -> str:
    if source is None:
        return html.text("no source attached", "mute")
    return html.row(html.text(source.state.value, "mute"), html.text(source.path), html.text(source.message, "mute"))
