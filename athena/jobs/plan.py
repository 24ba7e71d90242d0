"""The planner: which acquisitions are processed next, and with what."""

from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState, Optics
from athena.contract.events import EventKind
from athena.contract.processing import MovieParameters, MovieTask
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow, bump_version
from athena.db.events import append_event
from athena.errors import AthenaError, Invalid
from athena.formats.eer import EerMovie, frames_per_fraction, is_eer
from athena.formats.movies import open_movie
from athena.ingest.registrar import NO_PIXEL_SIZE, NO_VOLTAGE
from athena.services.statuses import follow_acquisitions
from athena.settings import defects_beside

MAX_ATTEMPTS = 20
"""An acquisition begun this often and never ended is given up: it seems to bring down the runner itself."""


class NotKnown(Invalid):
    """A value that processing needs is said by nothing, and nothing is guessed."""

    flag: ClassVar[str] = ""
    """Of acquisitions that wait for it."""


class NoPixelSize(NotKnown):
    """Nothing says what a pixel of the movie measures."""

    flag = NO_PIXEL_SIZE


class NoVoltage(NotKnown):
    """Nothing says the acceleration voltage."""

    flag = NO_VOLTAGE


_NEEDED: tuple[tuple[str, type[NotKnown], str, str], ...] = (
    ("pixel_size_angstrom", NoPixelSize, "pixel size", "0.8"),
    ("voltage_kv", NoVoltage, "acceleration voltage", "300"),
)
"""Parameters without which no movie is processed: name in words, and a value for an example."""


def reclaim(session: Session, run_id: UUID) -> int:
    """Make ready again what a former holder of the run's lease had begun; returns how many."""
    rows = session.execute(
        update(AcquisitionRow)
        .where(AcquisitionRow.run_id == run_id, AcquisitionRow.state == AcquisitionState.PROCESSING.value)
        .values(state=AcquisitionState.REGISTERED.value)
        .returning(AcquisitionRow.index)
    ).all()
    return len(rows)


def next_rows(session: Session, run_id: UUID, limit: int) -> list[AcquisitionRow]:
    """The oldest acquisitions that are ready, at most ``limit``."""
    query = (
        select(AcquisitionRow)
        .where(AcquisitionRow.run_id == run_id, AcquisitionRow.state == AcquisitionState.REGISTERED.value)
        .order_by(AcquisitionRow.index)
        .limit(limit)
    )
    return list(session.scalars(query))


def begin(session: Session, run_id: UUID, rows: list[AcquisitionRow], *, store: str) -> list[MovieTask]:
    """Mark acquisitions as being processed and say what to do with each; those that cannot be done fail here."""
    run = session.get_one(RunRow, run_id)
    source = session.get(SourceRow, run_id)
    tasks: list[MovieTask] = []
    failed: list[int] = []
    for row in rows:
        try:
            tasks.append(make_task(row, parameters=run.parameters, source=source, store=store, branch=run.branch))
        except AthenaError as error:
            failed.append(row.index)
            row.state = AcquisitionState.ERROR.value
            row.error = str(error)
            row.flags = [error.flag] if isinstance(error, NotKnown) else []
        else:
            row.state = AcquisitionState.PROCESSING.value
            row.attempts += 1
    session.flush()
    version = bump_version(session, run_id)
    follow_acquisitions(session, run_id)
    for index in failed:
        append_event(session, EventKind.ACQUISITION_FAILED, element_id=run_id, index=index, version=version)
    append_event(session, EventKind.RUN_CHANGED, element_id=run_id, version=version)
    return tasks


def make_task(
    row: AcquisitionRow, *, parameters: dict[str, Any], source: SourceRow | None, store: str, branch: int = 0
) -> MovieTask:
    """The movie task of an acquisition. What the run's parameters say wins over what the microscope says.

    Raises
    ------
    NotKnown, Invalid
        when it cannot be processed as things are.
    """
    if row.movie is None:
        raise Invalid(f"{row.name} has no movie.")
    if row.attempts >= MAX_ATTEMPTS:
        raise Invalid(f"{row.name} was begun {row.attempts} times and never ended.", hint="Look into the runner's log.")
    optics = Optics.model_validate(row.optics)
    values = {
        "pixel_size_angstrom": optics.pixel_size_angstrom,
        "voltage_kv": optics.voltage_kv,
        "spherical_aberration_mm": optics.spherical_aberration_mm,
        "amplitude_contrast": optics.amplitude_contrast,
        **_dose_and_grouping(optics, row.movie, parameters),
        "search_phase_shift": optics.phase_plate,
    }
    gain = source.gain_reference if source is not None else None
    found = source.gain_found if source is not None else None
    if found and found["gain"] == gain:
        values |= {"gain_orientation": found["orientation"], "gain_sense": found["sense"]}
    known = {name: value for name, value in values.items() if value is not None} | parameters
    for name, kind, words, example in _NEEDED:
        if known.get(name) is None:
            raise kind(
                f"The {words} of {row.name} is not known: {_why(optics, name)}",
                hint=f"Put the XML file that says it beside the movie; or set it for the run ({name}={example}) and "
                "process what failed again.",
            )
    try:
        chosen = MovieParameters.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"{row.name} cannot be processed: {name} is {first.get('input')!r}: {first['msg']}.") from error
    return MovieTask(
        run_id=str(row.run_id),
        branch=branch,
        index=row.index,
        movie=row.movie,
        store=store,
        gain=gain,
        defects=_kept_defects(row, chosen, store),
        parameters=chosen,
    )


def _kept_defects(row: AcquisitionRow, parameters: MovieParameters, store: str) -> str | None:
    if parameters.defects is None or parameters.defects_sha256 is None:
        return None
    folder = defects_beside(Path(store), str(row.run_id))
    return str(folder / f"{parameters.defects_sha256}{Path(parameters.defects).suffix.lower()}")


def _why(optics: Optics, name: str) -> str:
    """Why a value is missing, in words."""
    reasons = [doubt.reason for doubt in optics.doubts if doubt.name == name]
    return " ".join(reasons) or "its metadata does not say it."


def frames_of(row: AcquisitionRow, parameters: dict[str, Any]) -> int:
    """Frames of an acquisition's movie as it is processed: as the microscope says, else as its header says, else 1."""
    optics = Optics.model_validate(row.optics)
    try:
        if row.movie and (raw := _raw_frames(row.movie)):
            return raw // _grouping(optics, raw, parameters)
        return optics.frame_count or (_frames_in(row.movie) if row.movie else 1)
    except AthenaError:  # the step will say what is wrong with it
        return optics.frame_count or 1


def _dose_and_grouping(optics: Optics, movie: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Dose a frame, and of an EER movie the raw frames that make one: what is known of them."""
    raw = _raw_frames(movie)
    count = _grouping(optics, raw, parameters) if raw else None
    known: dict[str, Any] = {"eer_frames_per_fraction": count}
    if optics.total_dose_e_per_A2 is not None and "dose_per_frame_e_per_A2" not in parameters:
        frames = raw / count if raw and count else optics.frame_count or _frames_in(movie)
        known["dose_per_frame_e_per_A2"] = optics.total_dose_e_per_A2 / frames
    return known


def _grouping(optics: Optics, raw_frames: int, parameters: dict[str, Any]) -> int:
    """Raw frames of an EER movie in a fraction."""
    if asked := parameters.get("eer_frames_per_fraction"):
        return int(asked)
    raw = optics.total_dose_e_per_A2 / raw_frames if optics.total_dose_e_per_A2 else None
    return frames_per_fraction(raw_frames, raw, fraction_e_per_A2=parameters.get("dose_per_frame_e_per_A2"))


def _raw_frames(movie: str) -> int:
    """Raw frames of an EER movie; 0 for any other."""
    path = Path(movie)
    if path.suffix.lower() != ".eer" or not is_eer(path):
        return 0
    with EerMovie(path) as opened:
        return opened.raw_frames


def _frames_in(movie: str) -> int:
    with open_movie(Path(movie)) as opened:
        frames: int = opened.frames
        return frames
