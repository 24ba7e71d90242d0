"""The registrar: stores what an adapter found, and nothing twice.

Whatever order the pieces of a session arrive in, and however often they are offered again, the catalogue ends the same:
rows are found by (run, name), known values are never replaced by unknown ones, and a state never goes back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState, DiscoveredExposure, DiscoveredSession, SessionMetadatum
from athena.contract.events import EventKind
from athena.db.acquisitions import (
    AcquisitionRow,
    AtlasRow,
    FoilHoleRow,
    GridSquareRow,
    RunRow,
    SourceRow,
    bump_version,
)
from athena.db.elements import MetadataRow
from athena.db.events import append_event
from athena.db.jobs import processing_job, reopen_processing
from athena.errors import NotFound
from athena.ingest.metadata import session_entry
from athena.services.statuses import follow_acquisitions

INCOMPLETE_MOVIE = "incomplete_movie"
"""Flag of an acquisition given up because its movie could not be parsed; it is taken up again if the movie mends."""
NO_PIXEL_SIZE = "no_pixel_size"
NO_VOLTAGE = "no_voltage"
AWAITED = {NO_PIXEL_SIZE: "pixel_size_angstrom", NO_VOLTAGE: "voltage_kv"}
"""Flags of acquisitions that could not be planned, and what of the optics they wait for to be taken up again."""

_NAMES_A_QUERY = 500


@dataclass(frozen=True)
class RegisterReport:
    """What a call of :func:`register` changed; ``version`` is the run's new one, None when nothing changed.

    ``registered`` counts acquisitions that became ready to process, ``failed`` those given up.
    """

    added: int = 0
    registered: int = 0
    failed: int = 0
    version: int | None = None


@dataclass
class _Changes:
    """Collected while rows are compared, told in events at the end of the transaction."""

    added: int = 0
    events: list[tuple[EventKind, int]] = field(default_factory=list)
    touched: bool = False

    def count(self, kind: EventKind) -> int:
        return sum(1 for told, _ in self.events if told is kind)


def register(
    session: Session,
    run_id: UUID,
    discovered: DiscoveredSession,
    whole_movies: Collection[str],
    *,
    broken_movies: Mapping[str, str] | None = None,
) -> RegisterReport:
    """Store what is new or changed of a session, in the caller's transaction.

    Parameters
    ----------
    run_id : the run that the session fills.
    discovered : the session, or any part of it; what is left out stays as it is.
    whole_movies : paths of movies that are finished; the movies of other exposures are awaited.
    broken_movies : paths of movies given up, with the reason.

    Raises
    ------
    NotFound
        when there is no such run.
    """
    # Always the job before the run: the collector locks them in this order too.
    session.execute(processing_job(run_id).with_for_update())
    run = session.scalar(select(RunRow).where(RunRow.id == run_id).with_for_update())
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    changes = _Changes()
    _store_session(session, run_id, discovered, changes)
    _store_grid(session, run_id, discovered, changes)
    _store_exposures(session, run, discovered.exposures, changes, set(whole_movies), broken_movies or {})
    if not changes.touched:
        return RegisterReport()
    session.flush()

    if changes.count(EventKind.ACQUISITION_REGISTERED):
        reopen_processing(session, run_id)
    version = bump_version(session, run_id)
    follow_acquisitions(session, run_id)
    for kind, index in changes.events:
        append_event(session, kind, element_id=run_id, index=index, version=version)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    return RegisterReport(
        added=changes.added,
        registered=changes.count(EventKind.ACQUISITION_REGISTERED),
        failed=changes.count(EventKind.ACQUISITION_FAILED),
        version=version,
    )


def _store_exposures(
    session: Session,
    run: RunRow,
    exposures: tuple[DiscoveredExposure, ...],
    changes: _Changes,
    whole: set[str],
    broken: Mapping[str, str],
) -> None:
    known = _known_rows(session, run.id, [exposure.name for exposure in exposures])
    for exposure in sorted(exposures, key=_arrival):
        row = known.get(exposure.name)
        if row is None:
            row = AcquisitionRow(
                run_id=run.id,
                index=run.acquisition_count,
                name=exposure.name,
                state=AcquisitionState.AWAITING_MOVIE.value,
                error="",
                files={},
                optics={},
                flags=[],
            )
            run.acquisition_count += 1
            session.add(row)
            known[exposure.name] = row
            changes.added += 1
            changes.touched = True
        before = (row.state, row.error)
        if fill_in(row, exposure):
            changes.touched = True
        _advance(row, exposure.movie, whole, broken)
        if (row.state, row.error) != before:
            changes.touched = True
            failed = row.state == AcquisitionState.ERROR.value
            kind = EventKind.ACQUISITION_FAILED if failed else EventKind.ACQUISITION_REGISTERED
            changes.events.append((kind, row.index))


def _arrival(exposure: DiscoveredExposure) -> tuple[bool, float, str]:
    acquired = exposure.acquired
    return acquired is None, acquired.timestamp() if acquired else 0.0, exposure.name


def _known_rows(session: Session, run_id: UUID, names: list[str]) -> dict[str, AcquisitionRow]:
    rows: dict[str, AcquisitionRow] = {}
    for start in range(0, len(names), _NAMES_A_QUERY):
        some = names[start : start + _NAMES_A_QUERY]
        query = select(AcquisitionRow).where(AcquisitionRow.run_id == run_id, AcquisitionRow.name.in_(some))
        rows.update((row.name, row) for row in session.scalars(query))
    return rows


def fill_in(row: AcquisitionRow, exposure: DiscoveredExposure) -> bool:
    """Take over what the exposure knows; what it does not know stays. True when anything changed."""
    files = {"xml": exposure.xml, "image": exposure.image, "preview": exposure.preview}
    known: dict[str, Any] = {
        "acquired": exposure.acquired,
        "grid_square_id": exposure.grid_square_id,
        "foil_hole_id": exposure.foil_hole_id,
        "stage": exposure.stage.model_dump(mode="json") if exposure.stage else None,
        "files": dict(row.files) | {kind: path for kind, path in files.items() if path},
        "optics": _kept(row.optics, exposure) | exposure.optics.model_dump(mode="json", exclude_defaults=True),
    }
    changed = {name: value for name, value in known.items() if value is not None and getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def _kept(optics: dict[str, Any], exposure: DiscoveredExposure) -> dict[str, Any]:
    """What was known of the optics; doubts only where the metadata they were about has not been read anew."""
    return {name: value for name, value in optics.items() if name != "doubts" or exposure.xml is None}


def _advance(row: AcquisitionRow, movie: str | None, whole: set[str], broken: Mapping[str, str]) -> None:
    """Move the acquisition on if its movie, or its metadata, now allow it."""
    awaiting = row.state == AcquisitionState.AWAITING_MOVIE.value
    failed = row.state == AcquisitionState.ERROR.value
    incomplete = failed and INCOMPLETE_MOVIE in row.flags
    if movie in whole and (awaiting or incomplete):
        row.movie = movie
        _make_ready(row)
    elif movie is not None and movie in broken and (awaiting or incomplete):
        row.movie = movie
        row.state = AcquisitionState.ERROR.value
        row.flags = [INCOMPLETE_MOVIE]
        row.error = f"The movie {Path(movie).name} is not whole: {broken[movie]}"
    elif failed and any(flag in row.flags and row.optics.get(name) for flag, name in AWAITED.items()):
        _make_ready(row)


def _make_ready(row: AcquisitionRow) -> None:
    row.state = AcquisitionState.REGISTERED.value
    row.error = ""
    row.flags = []


def _store_session(session: Session, run_id: UUID, discovered: DiscoveredSession, changes: _Changes) -> None:
    source = session.get(SourceRow, run_id)
    if source is not None:
        gain = None if discovered.gain_corrected else discovered.gain_reference
        known = {"session_name": discovered.name, "gain_reference": gain}
        for name, value in known.items():
            if value and getattr(source, name) != value:
                setattr(source, name, value)
                changes.touched = True
    entries = {(entry.group, entry.name): entry for entry in (*_own_metadata(discovered), *discovered.metadata)}
    rows = session.scalars(select(MetadataRow).where(MetadataRow.element_id == run_id))
    stored = {(row.group, row.name): row for row in rows}
    for key, told in entries.items():
        row = stored.get(key)
        if row is None:
            row = MetadataRow(element_id=run_id, group=told.group, name=told.name)
            session.add(row)
        if row.fill(session_entry(told)):
            changes.touched = True


def _own_metadata(discovered: DiscoveredSession) -> list[SessionMetadatum]:
    """What every session has, whatever its adapter adds or says otherwise."""
    values = {
        "Session": discovered.name,
        "Session folder": discovered.path,
        "Acquisition software": discovered.software,
        "Started": discovered.started.isoformat() if discovered.started else "",
    }
    return [SessionMetadatum(group="Core", name=name, value=value) for name, value in values.items() if value]


def _store_grid(session: Session, run_id: UUID, discovered: DiscoveredSession, changes: _Changes) -> None:
    """Keep the newest record of each atlas, square and hole."""
    for atlas in discovered.atlases:
        detail = atlas.model_dump(mode="json", exclude={"id"})
        stored = session.get(AtlasRow, (run_id, atlas.id))
        if stored is None:
            session.add(AtlasRow(run_id=run_id, atlas_id=atlas.id, detail=detail))
        elif stored.detail != _merged(stored.detail, detail):
            stored.detail = _merged(stored.detail, detail)
        else:
            continue
        changes.touched = True
    squares = {
        row.square_id: row for row in session.scalars(select(GridSquareRow).where(GridSquareRow.run_id == run_id))
    }
    for square in discovered.grid_squares:
        detail = square.model_dump(mode="json", exclude={"id", "atlas_id"})
        row = squares.get(square.id)
        if row is None:
            row = squares[square.id] = GridSquareRow(run_id=run_id, square_id=square.id, atlas_id="", detail={})
            session.add(row)
        changes.touched |= _update_detail(row, detail)
        if square.atlas_id and row.atlas_id != square.atlas_id:
            row.atlas_id = square.atlas_id
            changes.touched = True
    holes = {}
    if discovered.foil_holes:
        holes = {row.hole_id: row for row in session.scalars(select(FoilHoleRow).where(FoilHoleRow.run_id == run_id))}
    for hole in discovered.foil_holes:
        detail = hole.model_dump(mode="json", exclude={"id", "grid_square_id"})
        found = holes.get(hole.id)
        if found is None:
            found = FoilHoleRow(run_id=run_id, hole_id=hole.id, square_id=hole.grid_square_id, detail={})
            holes[hole.id] = found
            session.add(found)
        changes.touched |= _update_detail(found, detail)


def _update_detail(row: GridSquareRow | FoilHoleRow, detail: dict[str, Any]) -> bool:
    merged = _merged(row.detail, detail)
    if row.detail == merged:
        return False
    row.detail = merged
    return True


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return old | {name: value for name, value in new.items() if value is not None or name not in old}
