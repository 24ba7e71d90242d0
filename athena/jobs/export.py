"""Exporting a dataset to the export storage, once or for as long as its run grows (EX-01 … EX-05).

Below the export's folder: ``files/`` (uploads), ``raw/`` (the session), ``camera/``, ``processed/``, ``metadata/``,
cryoSPARC's groups, and as the last file ``SHA256SUMS``, in the form that ``sha256sum --check`` takes.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.elements import DatasetType
from athena.contract.exports import ExportParameters, ExportPart, LiveExportParameters
from athena.contract.filters import RunFilter
from athena.contract.jobs import JobKind
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow, count_states
from athena.db.base import now
from athena.db.branches import Results
from athena.db.elements import ElementRow
from athena.db.jobs import JobItemRow
from athena.domain.job_kinds import JobSpec
from athena.domain.readable import count, size
from athena.errors import NotFound
from athena.formats.cryosparc import Movie
from athena.jobs import content, results
from athena.jobs.camera import camera_of
from athena.jobs.context import JobContext
from athena.jobs.failures import JobFailed
from athena.jobs.transfer import Item, Transfer, put_verified
from athena.services.filter_versions import used_filter
from athena.services.results import as_they_stand, parameters_of, results_by_number
from athena.services.run_filters import matching
from athena.services.storage_access import storage_of
from athena.services.user_metrics import known_metrics

EXPORT = JobSpec(
    name=JobKind.EXPORT.value,
    label="Export",
    parameters=ExportParameters,
    run="athena.jobs.export:run",
    prepare="athena.services.exports:prepare",
    tidy="athena.jobs.export:tidy",
    unit="files",
)
LIVE_EXPORT = JobSpec(
    name=JobKind.LIVE_EXPORT.value,
    label="Live export",
    parameters=LiveExportParameters,
    dataset_types=(DatasetType.EPU_RUN, DatasetType.TOMO_RUN),
    run="athena.jobs.export:run_live",
    prepare="athena.services.exports:prepare_live",
    tidy="athena.jobs.export:end_live",
    slot="live_export",
    unit="files",
    follows=True,
)

SUMS = "SHA256SUMS"
LOOK_SECONDS = 2.0
BLOCK = 256
"""Acquisitions planned at a time."""


def run(context: JobContext) -> None:
    """Export what the dataset holds now."""
    with Exporter(context) as export:
        export.all_acquisitions()
        export.finish()


def run_live(context: JobContext) -> None:
    """Export what the run holds and what comes, until it completes."""
    with Exporter(context) as export:
        seen = -1
        while True:
            ended, version = export.state()
            if version != seen:
                export.new_acquisitions(last=ended)
                seen = version
            if ended:
                break
            context.progress(message=f"{count(export.transfer.count)} files so far; waiting for more.")
            context.wait(LOOK_SECONDS)
        export.finish()


def tidy(context: JobContext) -> None:
    """Take a cancelled export away: a folder without some of its files would be taken for whole."""
    with context.reading() as session:
        target = storage_of(session, UUID(context.result["storage_id"]), context.settings)
    target.delete_prefix(context.result["folder"])
    with context.database.session() as session:
        session.execute(delete(JobItemRow).where(JobItemRow.job_id == context.lease.job_id))
    context.progress_of_nothing()


def end_live(context: JobContext) -> None:
    """Close a live export that was stopped: what was copied stays, with its list."""
    with Exporter(context) as export:
        export.write_sums()


class Exporter:
    """One export at work."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._wanted: ExportParameters = context.parameters
        self._element_id = context.element_id
        with context.reading() as session:
            self._target = storage_of(session, UUID(context.result["storage_id"]), context.settings)
            run = session.get(RunRow, self._element_id)
            self._is_run = run is not None
            self._name = session.get_one(ElementRow, self._element_id).name
            self._metrics = tuple(known_metrics(session, self._element_id))
            self._session_folder, _ = content.source_folder(session, self._element_id)
            self._number = 0 if run is None else int(context.result.get("branch", run.branch))
            self._take_results(session)
        self._folder = str(context.result["folder"])
        self._settled_to = -1
        self.transfer = Transfer(context, self._target, self._folder)

    def __enter__(self) -> "Exporter":
        return self

    def __exit__(self, *error: object) -> None:
        self.transfer.close()

    def _take_results(self, session: Session) -> None:
        """Go by the branch of the number at hand: its store, and what it was made with."""
        parameters: dict[str, Any] = {}
        self._about: dict[str, Any] = {}
        if self._is_run:
            found = self._found(session)
            parameters = parameters_of(session, found)
            self._about = {"processing": parameters, **({} if found.default else {"branch": found.name})}
        settings = self._context.settings
        self._store = str(settings.run_store(str(self._element_id), self._number))
        of_eer = _is_of_eer(session, self._element_id)
        self._camera = camera_of(session, self._element_id, parameters, settings, of_eer=of_eer)
        self._processed = results.Processed(self._store, parameters, self._camera.gain)

    def _found(self, session: Session) -> Results:
        try:
            return results_by_number(session, session.get_one(RunRow, self._element_id), self._number)
        except NotFound as error:
            raise JobFailed(str(error), item="") from error

    def state(self) -> tuple[bool, int]:
        """Whether the run has ended, so that nothing more comes; and its version."""
        with self._context.reading() as session:
            source = session.get(SourceRow, self._element_id)
            counts = count_states(session, self._element_id)
            version = session.get_one(RunRow, self._element_id).version
        open_source = source is not None and source.state in (SourceState.WATCHING, SourceState.IMPORTING)
        return not open_source and counts.registered + counts.processing == 0, version

    def all_acquisitions(self) -> None:
        """Copy what belongs to the acquisitions that match the filter as it was at the launch."""
        if not self._is_run:
            self._context.progress(total=self._count())
            return
        self._check_source()
        for rows in self._blocks():
            kept = self._kept(rows, self._wanted.filter or RunFilter())
            self.transfer.leave_out([_mark(row) for row in rows if row.index not in kept and not self._settled(row)])
        self._context.progress(total=self._count())
        for rows in self._blocks():
            self.transfer.copy(item for row in rows if not self._left_out(row) for item in self._items(row))

    def new_acquisitions(self, *, last: bool) -> None:
        """Decide on the acquisitions that can be decided on, and copy what matches; ``last``: on all that are left."""
        self._check_source()
        for rows in self._blocks(after=self._settled_to):
            # after the rows: whatever completed after a change of the filter is judged by the changed one
            self._context.refresh_parameters()
            wanted = self._context.parameters.filter or RunFilter()
            self._note(wanted)
            # without rules a raw file need not wait for what is measured on it
            early = not wanted.rules and not self._wanted.processed
            kept = self._kept(rows, wanted)
            ready = [
                row
                for row in rows
                if not self._settled(row)
                and (last or row.state in content.DECIDED or (early and row.state != AcquisitionState.AWAITING_MOVIE))
            ]
            chosen = [row for row in ready if row.index in kept]
            if self.transfer.copy(item for row in chosen for item in self._items(row)):
                self.transfer.settle([_mark(row) for row in chosen])
            self.transfer.leave_out([_mark(row) for row in ready if row.index not in kept])
            if rows[0].index == self._settled_to + 1 and all(self._settled(row) for row in rows):
                self._settled_to = rows[-1].index

    def _note(self, wanted: RunFilter) -> None:
        """Say by which filter it goes from now on, where that is another than before."""
        used = self._context.result.get("filters", [])
        if used and used[-1]["rules"] == wanted.model_dump(mode="json")["rules"]:
            return
        with self._context.reading() as session:
            used = [*used, used_filter(session, self._element_id, wanted, since=now())]
        self._context.result |= {"filters": used}
        self._context.progress(save=True)

    def finish(self) -> None:
        """Copy what belongs to the dataset as a whole, write the documents and the list; fail if a file is missing."""
        self.transfer.copy(self._rest())
        self.transfer.replace(self._documents())
        failures = self.transfer.failures
        if failures.count:
            noun = "file" if failures.count == 1 else "files"
            words = failures.words(f"{noun} could not be exported")
            raise JobFailed(f"{words} The rest is there.", item=failures.first)
        self.write_sums()
        message = f"{count(self.transfer.count)} files, {size(self.transfer.bytes)}, each read back and compared."
        self._context.progress(self.transfer.count, self.transfer.count, message=message, save=True)

    def write_sums(self) -> None:
        """Write the list of what was copied."""
        put_verified(self._target, f"{self._folder}/{SUMS}", self.transfer.sums())
        self._context.result |= {"files": self.transfer.count, "bytes": self.transfer.bytes}

    def _check_source(self) -> None:
        folder = self._session_folder
        if self._wanted.files is not ExportPart.NONE and folder is not None and not folder.is_dir():
            raise JobFailed(
                f"The session folder {folder} is not there (is its storage away?).", item=str(folder), transient=True
            )

    def _kept(self, rows: list[AcquisitionRow], wanted: RunFilter) -> frozenset[int]:
        """Indices of those that match. Ask after the rows were read: their metrics were written before their states."""
        start, stop = rows[0].index, rows[-1].index + 1
        settings = self._context.settings
        with self._context.reading() as session:
            found = matching(
                session, self._element_id, wanted, settings=settings, start=start, stop=stop, branch=self._number
            )
        # what a branch was not given is none of its
        return frozenset(
            row.index for row in rows if found[row.index - start] and row.state != AcquisitionState.LEFT_OUT
        )

    def _blocks(self, *, after: int = -1) -> Iterator[list[AcquisitionRow]]:
        """Acquisitions in order of index, some at a time."""
        while True:
            query = (
                select(AcquisitionRow)
                .where(AcquisitionRow.run_id == self._element_id, AcquisitionRow.index > after)
                .order_by(AcquisitionRow.index)
                .limit(BLOCK)
            )
            with self._context.reading() as session:
                rows = list(session.scalars(query))
                if not rows:
                    return
                rows = as_they_stand(session, self._found(session), rows)
            yield rows
            after = rows[-1].index

    def _settled(self, row: AcquisitionRow) -> bool:
        return self.transfer.is_settled(_mark(row))

    def _items(self, row: AcquisitionRow) -> Iterator[Item]:
        folder = self._session_folder or Path("/")
        if self._wanted.files is not ExportPart.NONE:
            yield from content.movie_items(row, folder)
        if self._wanted.files is ExportPart.ALL:
            yield from content.side_items(row, folder)
        if self._wanted.processed:
            movie = self._raw(Path(row.movie)) if row.movie else ""
            yield from results.processed_items(row, self._processed, movie)

    def _raw(self, path: Path) -> str:
        """Path that a file of the session has in an export."""
        return content.raw_item(path, self._session_folder or path.parent).name

    def _rest(self) -> Iterator[Item]:
        """What belongs to no acquisition: uploads, the gain reference, the rest of the session folder."""
        files = self._wanted.files
        if self._is_run and (files is not ExportPart.NONE or self._wanted.processed):
            yield from self._camera.items
        if files is ExportPart.NONE:
            return
        if not self._is_run:
            with self._context.reading() as session:
                yield from list(content.file_items(session, self._element_id, self._context.settings))
            return
        if files is ExportPart.ALL and self._session_folder is not None:
            left_out = [row for rows in self._blocks() for row in rows if self._left_out(row)]
            paths = {path for row in left_out for path in (row.movie, *row.files.values()) if path}
            yield from content.session_items(self._session_folder, paths)

    def _left_out(self, row: AcquisitionRow) -> bool:
        return self.transfer.is_left_out(_mark(row))

    def _count(self) -> int:
        """Files there will be."""
        of_acquisitions = (
            item.name for rows in self._blocks() for row in rows if not self._left_out(row) for item in self._items(row)
        )
        return len({*of_acquisitions, *(item.name for item in self._rest()), *(i.name for i in self._documents())})

    def _documents(self) -> Iterator[Item]:
        metadata = self._wanted.metadata
        if metadata is not ExportPart.NONE:
            with self._context.reading() as session:
                filters = {"filters": self._context.result.get("filters", [])} if self._is_run else {}
                about = content.element_document(session, self._element_id, self._about | filters)
            yield Item("metadata/dataset.json", lambda: [about])
        if not self._is_run:
            return
        rows = [row for block in self._blocks() for row in block if not self._left_out(row)]
        if metadata is not ExportPart.NONE:
            measured = metadata is ExportPart.ALL
            written = partial(
                results.acquisitions_document, rows, self._store, measured=measured, metrics=self._metrics
            )
            yield Item("metadata/acquisitions.json", written)
        if self._wanted.processed:
            yield Item("processed/results.csv", partial(results.results_table, rows, self._store, self._metrics))
            yield from results.star_items(rows, self._processed)
            movie_of = self._movie if self._wanted.files is not ExportPart.NONE else None
            yield from results.cryosparc_items(rows, self._processed, title=self._name, movie_of=movie_of)

    def _movie(self, row: AcquisitionRow, shape: tuple[int, int, int]) -> Movie | None:
        """Movie of an acquisition as it lies in the export."""
        return self._camera.movie(row, self._raw(Path(row.movie)), shape) if row.movie else None


def _is_of_eer(session: Session, run_id: UUID) -> bool:
    """Whether the run's movies are EER, as its first one tells."""
    movie = select(AcquisitionRow.movie).where(AcquisitionRow.run_id == run_id, AcquisitionRow.movie.is_not(None))
    first = session.scalar(movie.order_by(AcquisitionRow.index).limit(1))
    return first is not None and first.lower().endswith(".eer")


def _mark(row: AcquisitionRow) -> str:
    """Name under which the decision on an acquisition is kept; no file of an export begins like it."""
    return f"acquisition {row.index}"
