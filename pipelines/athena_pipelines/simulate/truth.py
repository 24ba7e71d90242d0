"""``truth.json``: what a simulated session really is, movie by movie."""

import os
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from athena.errors import BadFile
from athena_pipelines.simulate.motion import Motion

Parameters = dict[str, str | int | float | bool | list[float] | None]
"""Settings that decide the movies of a session, by name."""

TRUTH_FILE = "truth.json"
CONVENTIONS = {
    "motion": "Displacement of the specimen against frame 0, (x, y), axes of an MRC image: x right, y up (row 0 is the "
    "bottom row; TIFF rows are stored top first). A feature at r in frame 0 is at r + global + local(r) in frame t. "
    "Correcting a frame means shifting it by the negative.",
    "local": "Coefficients (axis, space term, time term) in px; space terms u, v, u²−1/3, v²−1/3, uv with u, v from −1 "
    "to 1 over width and height; time terms t, t², t³ with t from 0 (first frame) to 1 (last).",
    "defocus": "Å, positive is underfocus; U ≥ V; the angle runs from +x to the direction of U, counter-clockwise "
    "with y up. Target defocus is what the microscope aimed at, not what it got.",
    "dose": "e/px that reach the camera where nothing is in the beam, e/Å² over the whole movie. "
    "mean_counts_per_px_per_frame is what the camera counts: less by what the specimen stops and the camera misses.",
    "detector": "Rows of (q, MTF, DQE): q in cycles a pixel along an axis, Nyquist is 0.5. Counts are Poisson with "
    "white noise, and the signal in them is damped by the MTF: DQE(q) = DQE(0) · MTF(q)².",
    "phase_shift": "Degrees that a phase plate adds; CTF = −sin(χ + phase shift + amplitude contrast).",
    "defocus_slope": "(x, y): by how many Å the defocus grows for an Å to the right and up. defocus_u and defocus_v "
    "hold in the middle of the image, with hole_height and what the slope of the hole adds there.",
    "beam_shift": "As in the XML, in units of the lens; exposures of one optics_group have one place in the pattern "
    "of beam shifts.",
    "areas": "Shares of the image: carbon_fraction under film, contamination_fraction under ice crystals. "
    "crystalline_ice_angstrom is the thickness of a crystalline layer.",
}


class Record(BaseModel):
    """A part of a truth file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MotionTruth(Record):
    """Motion, in the signs of ``CONVENTIONS``. ``local_max_px``: largest local displacement at any frame."""

    global_px: tuple[tuple[float, float], ...]
    global_angstrom: tuple[tuple[float, float], ...]
    local_coefficients_px: tuple[tuple[tuple[float, ...], ...], ...]
    local_max_px: float

    def model(self) -> Motion:
        """The motion as a model that can be evaluated anywhere."""
        return Motion(np.array(self.global_px), np.array(self.local_coefficients_px))


def motion_truth(motion: Motion, *, pixel_size_angstrom: float) -> MotionTruth:
    """Record of a motion."""
    edge = np.linspace(-1, 1, 9)
    vv, uu = np.meshgrid(edge, edge, indexing="ij")
    local = motion.local_at(uu.ravel(), vv.ravel())
    trajectory = [(float(x), float(y)) for x, y in np.round(motion.trajectory, 4)]
    return MotionTruth(
        global_px=tuple(trajectory),
        global_angstrom=tuple((x * pixel_size_angstrom, y * pixel_size_angstrom) for x, y in trajectory),
        local_coefficients_px=tuple(
            tuple(tuple(float(value) for value in term) for term in axis) for axis in np.round(motion.local, 6)
        ),
        local_max_px=round(float(np.linalg.norm(local, axis=-1).max()), 4),
    )


class MovieTruth(Record):
    """One exposure; None where the truth is not known (a real micrograph's) or there is none.

    ``kind``: 'carbon' is film without a hole, 'empty' is a hole without ice, 'no_movie' a camera that failed after its
    XML was out, 'thinned' a pseudo-movie of a real micrograph.
    """

    name: str
    kind: Literal["specimen", "carbon", "empty", "no_movie", "thinned"]
    movie: str | None
    acquired: datetime
    grid_square_id: int
    foil_hole_id: int
    shape: tuple[int, int]
    frames: int
    pixel_size_angstrom: float
    counts_per_px_per_frame: float
    dose_per_frame_e_per_A2: float
    total_dose_e_per_A2: float
    voltage_kv: float
    spherical_aberration_mm: float | None = None
    amplitude_contrast: float | None = None
    target_defocus_um: float
    defocus_u_angstrom: float | None = None
    defocus_v_angstrom: float | None = None
    astigmatism_angle_deg: float | None = None
    phase_shift_deg: float = 0.0
    ice_thickness_angstrom: float | None = None
    stage_tilt_deg: float = 0.0
    defocus_slope: tuple[float, float] | None = None
    hole_height_angstrom: float | None = None
    carbon_fraction: float = 0.0
    carbon_thickness_angstrom: float | None = None
    crystalline_ice_angstrom: float = 0.0
    contamination_fraction: float = 0.0
    mean_counts_per_px_per_frame: float | None = None
    beam_shift: tuple[float, float] | None = None
    optics_group: int | None = None
    motion: MotionTruth


class Current(Record):
    """The exposure being written: after a crash it is written again under the same name."""

    index: int
    acquired: datetime


class SessionTruth(Record):
    """A session."""

    version: int = 1
    kind: Literal["simulated", "thinned"]
    name: str
    atlas_session: str
    started: datetime
    source: str
    parameters: Parameters
    conventions: dict[str, str] = CONVENTIONS
    detector: tuple[tuple[float, float, float], ...] | None = None
    current: Current | None = None
    movies: tuple[MovieTruth, ...] = ()


Truth = TypeVar("Truth", bound=Record)


def read_as(model: type[Truth], session: Path) -> Truth:
    """Read ``truth.json`` of a session folder as one kind of it.

    Raises
    ------
    BadFile : it is missing or no truth file of that kind.
    """
    path = session / TRUTH_FILE
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadFile(f"{path} cannot be read: {error}", hint="Give the folder of a simulated session.") from error


def read_truth(session: Path) -> SessionTruth:
    """Read ``truth.json`` of an EPU session's folder; see ``read_as``."""
    return read_as(SessionTruth, session)


def write_truth(session: Path, truth: Record) -> None:
    """Replace ``truth.json`` in one step."""
    path = session / TRUTH_FILE
    temporary = path.with_suffix(".json.tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(truth.model_dump_json(indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
