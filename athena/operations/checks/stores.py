"""The run stores: there, readable, and holding what the catalogue says they hold."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from sqlalchemy import select

from athena.contract.acquisitions import AcquisitionState
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.operations.checks.catalogue import is_current
from athena.operations.findings import Finding, error, fine, warning
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.reader import read_table
from athena.zarrio.stores import PARTIAL

SHOWN = 5
ADVICE = "Restore the store from a backup, or have the run processed again."


@dataclass(frozen=True)
class Known:
    """What the catalogue says of a run: its name and the acquisitions it says are done."""

    run_id: str
    name: str
    completed: tuple[int, ...]
    branch: int = 0


def check_stores(settings: Settings) -> Iterator[Finding]:
    """Every run with results has a whole store; no store lies about without a run."""
    if not is_current(settings):
        return
    known = _known_runs(settings)
    found = 0
    for run in known:
        for problem in _problems(settings.run_store(run.run_id, run.branch), run):
            found += 1
            yield error("run stores", f"“{run.name}” ({run.run_id}): {problem}.", ADVICE)
    if not found:
        yield fine("run stores", f"All {sum(bool(run.completed) for run in known)} stores with results are whole.")
    yield from _orphans(settings, {run.run_id for run in known})


def _known_runs(settings: Settings) -> list[Known]:
    database = Database(settings.resolved_database_url)
    try:
        with database.session(read_only=True) as session:
            runs = session.execute(
                select(RunRow.id, ElementRow.name, RunRow.branch).join(ElementRow, ElementRow.id == RunRow.id)
            )
            return [
                Known(
                    str(run_id),
                    name,
                    tuple(
                        session.scalars(
                            select(AcquisitionRow.index)
                            .where(
                                AcquisitionRow.run_id == run_id,
                                AcquisitionRow.state == AcquisitionState.COMPLETED.value,
                            )
                            .order_by(AcquisitionRow.index)
                        )
                    ),
                    branch,
                )
                for run_id, name, branch in runs.all()
            ]
    finally:
        database.dispose()


def _problems(store: Path, run: Known) -> Iterator[str]:
    """What is wrong with a store, in words; nothing where there need not be one."""
    if not run.completed:
        return
    if not (store / "zarr.json").is_file():
        yield f"{store} is missing, with the results of {len(run.completed)} acquisitions"
        return
    needed = run.completed[-1] + 1
    try:
        group = zarr.open_group(store, mode="r", zarr_format=3)
        about: Any = group.attrs["athena"]
        length = int(about["length"])
    except Exception as problem:  # noqa: BLE001 - zarr raises whatever a damaged file makes its parts raise
        yield f"{store} cannot be opened ({type(problem).__name__}: {problem})"
        return
    torn = list(_torn_arrays(store, needed=max(needed, length)))
    yield from torn[:SHOWN]
    if len(torn) > SHOWN:
        yield f"{len(torn) - SHOWN} more arrays are torn"
    if not torn:
        yield from _missing_results(store, run)
    yield from _empty_files(store)


def _torn_arrays(store: Path, *, needed: int) -> Iterator[str]:
    for path in (*map(layout.metric_path, layout.METRICS), *layout.ARRAYS):
        try:
            array = zarr.open_array(store / path, mode="r", zarr_format=3)
        except FileNotFoundError:
            # a metric of a later version than the store's is simply not there
            if path in layout.ARRAYS:
                yield f"the array {path} is missing"
            continue
        except Exception as problem:  # noqa: BLE001 - as above
            yield f"the array {path} cannot be opened ({type(problem).__name__}: {problem})"
            continue
        if array.shape[0] < needed:
            yield f"the array {path} is torn: {array.shape[0]} long, {needed} are needed"


def _missing_results(store: Path, run: Known) -> Iterator[str]:
    try:
        table = read_table(store, tuple(layout.METRICS), 0, run.completed[-1] + 1)
    except Exception as problem:  # noqa: BLE001 - as above
        yield f"its metrics cannot be read ({type(problem).__name__}: {problem})"
        return
    done = np.asarray(run.completed)
    known = np.zeros(done.size, dtype=bool)
    for column in table.values():
        known |= np.isfinite(column[done])
    if not known.all():
        which = ", ".join(str(index) for index in done[~known][:SHOWN])
        yield f"{int((~known).sum())} of {done.size} completed acquisitions have no numbers (index {which} …)"


def _empty_files(store: Path) -> Iterator[str]:
    """Files without content: what a machine that lost its power leaves of files it had just renamed."""
    empty = [
        str((Path(folder) / name).relative_to(store))
        for folder, _, names in os.walk(store)
        for name in names
        if not name.endswith(PARTIAL) and not (Path(folder) / name).stat().st_size
    ]
    if empty:
        yield f"{len(empty)} files are empty ({', '.join(sorted(empty)[:SHOWN])})"


def _orphans(settings: Settings, known: set[str]) -> Iterator[Finding]:
    folder = settings.resolved_data_dir / "runs"
    stores = sorted([*folder.glob("*.zarr"), *folder.glob("*.defects")]) if folder.exists() else []
    orphans = [path.name for path in stores if path.name.partition(".")[0] not in known]
    if orphans:
        shown = ", ".join(orphans[:SHOWN]) + (" …" if len(orphans) > SHOWN else "")
        advice = f"If no other instance uses {folder}, they can be deleted."
        yield warning("run stores", f"{len(orphans)} stores belong to no run: {shown}.", advice)
