"""``truth.json`` of a simulated tomography session: sample, geometry, optics and motion of every tilt."""

from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.structure import Molecule
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.tilts import Series, Tilt
from athena_pipelines.simulate.truth import CONVENTIONS, Current, MotionTruth, Parameters, Record, motion_truth

TOMO_CONVENTIONS = {
    "specimen": "Places are x, y, z Å from the middle of the slab, right-handed; z stands on the slab. With the slab "
    "level and the tilt axis at 0°, x is right and y up in an MRC image (row 0 is the bottom row; TIFF rows are stored "
    "top first).",
    "projection": "(u, v, w) = Ry(tilt_angle_deg + y_tilt_deg) · Rx(x_tilt_deg) · (x, y, z): u = x cos a + z sin a, "
    "w = z cos a − x sin a for Ry(a), and v = y cos b − z sin b, w = z cos b + y sin b for Rx(b). Seen at (X, Y) = "
    "magnification · R(tilt_axis_deg) · (u, v) + shift_angstrom, R counter-clockwise; Å to the right and up from the "
    "middle of the image, which is pixel (n − 1) / 2 counted from 0.",
    "tilt_axis": "Degrees from +y to the axis, counter-clockwise with y up, as IMOD counts it.",
    "height": "w, Å along the beam. Defocus at a place is that of the tilt + hand · w.",
    "defocus_of_tilt": "defocus_u and defocus_v of a tilt hold for w = 0: where the middle of the specimen is seen.",
    "defocus_slope_of_tilt": "That of the slab's middle, Å for an Å to the right and up.",
    "molecules": "Middle (x, y, z) and a quaternion (i, j, k, real): the turn from the structure, the mean of its "
    "heavy atoms in the origin, to how the molecule lies in the specimen.",
    "doses": "dose_e_per_A2 of each tilt, prior_dose_e_per_A2 of all before it.",
    "ice": "path_angstrom is the way of the beam through the slab. The ice lets exp(−path / mean free path) of the "
    "electrons through; its grain is new in each tilt, for waters move. unblocked is the share that nothing else "
    "stops: less than 1 in a dark tilt.",
    "image_shift_um": "From the place of the stage, of which several series are taken in turn at each angle.",
    "order": "From 0, as taken; nominal_angle_deg is what the stage was asked for and what names say.",
    "motion": CONVENTIONS["motion"],
    "local": CONVENTIONS["local"],
    "detector": CONVENTIONS["detector"],
}


class TiltTruth(Record):
    """One tilt. ``movie`` is relative to the session."""

    order: int
    name: str
    movie: str
    acquired: datetime
    nominal_angle_deg: float
    tilt_angle_deg: float
    tilt_axis_deg: float
    magnification: float
    shift_angstrom: tuple[float, float]
    shift_px: tuple[float, float]
    defocus_u_angstrom: float
    defocus_v_angstrom: float
    astigmatism_angle_deg: float
    defocus_slope: tuple[float, float]
    dose_e_per_A2: float
    prior_dose_e_per_A2: float
    path_angstrom: float
    unblocked: float = 1.0
    mean_counts_per_px_per_frame: float
    motion: MotionTruth


class MoleculeTruth(Record):
    """One molecule in the specimen."""

    place_angstrom: tuple[float, float, float]
    turn: tuple[float, float, float, float]


class BeadTruth(Record):
    """One gold bead."""

    place_angstrom: tuple[float, float, float]
    diameter_angstrom: float


class SeriesTruth(Record):
    """One tilt series; ``complete`` once its mdoc is there."""

    name: str
    stage_um: tuple[float, float]
    image_shift_um: tuple[float, float] = (0.0, 0.0)
    target_defocus_um: float
    tilt_axis_deg: float
    x_tilt_deg: float
    y_tilt_deg: float
    hand: int
    thickness_angstrom: float
    molecule: str
    molecule_diameter_angstrom: float
    molecules: tuple[MoleculeTruth, ...]
    beads: tuple[BeadTruth, ...]
    tilts: tuple[TiltTruth, ...] = ()
    complete: bool = False


class TomoTruth(Record):
    """A session."""

    version: int = 1
    kind: Literal["tomography"] = "tomography"
    name: str
    started: datetime
    source: str
    shape: tuple[int, int]
    frames: int
    pixel_size_angstrom: float
    voltage_kv: float
    spherical_aberration_mm: float
    amplitude_contrast: float
    parameters: Parameters
    conventions: dict[str, str] = TOMO_CONVENTIONS
    detector: tuple[tuple[float, float, float], ...] | None = None
    current: Current | None = None
    series: tuple[SeriesTruth, ...] = ()


def series_truth(
    series: Series,
    settings: Tomography,
    molecule: Molecule,
    *,
    name: str,
    stage_um: tuple[float, float],
    image_shift_um: tuple[float, float],
) -> SeriesTruth:
    """All that is true of a series before its first tilt."""
    sample = series.sample
    quaternions = sample.turns.as_quat() if len(sample.molecules) else sample.molecules
    return SeriesTruth(
        name=name,
        stage_um=stage_um,
        image_shift_um=image_shift_um,
        target_defocus_um=series.target_defocus_um,
        tilt_axis_deg=settings.tilt_axis_deg,
        x_tilt_deg=sample.x_tilt_deg,
        y_tilt_deg=sample.y_tilt_deg,
        hand=settings.hand,
        thickness_angstrom=round(sample.thickness_angstrom, 2),
        molecule=molecule.name,
        molecule_diameter_angstrom=round(molecule.diameter_angstrom, 2),
        molecules=tuple(
            MoleculeTruth(place_angstrom=_place(place), turn=_turn(turn))
            for place, turn in zip(sample.molecules, quaternions, strict=True)
        ),
        beads=tuple(
            BeadTruth(place_angstrom=_place(place), diameter_angstrom=round(float(diameter), 3))
            for place, diameter in zip(sample.beads, sample.bead_diameters, strict=True)
        ),
    )


def tilt_truth(
    tilt: Tilt,
    series: Series,
    settings: Tomography,
    *,
    name: str,
    movie: str,
    acquired: datetime,
    mean_counts: float,
) -> TiltTruth:
    """All that is true of a tilt."""
    view, ctf, pixel = tilt.view, tilt.ctf, settings.pixel_size_angstrom
    return TiltTruth(
        order=tilt.order,
        name=name,
        movie=movie,
        acquired=acquired,
        nominal_angle_deg=tilt.nominal_deg,
        tilt_angle_deg=round(view.tilt_deg, 5),
        tilt_axis_deg=round(view.axis_deg, 5),
        magnification=round(view.magnification, 7),
        shift_angstrom=(round(view.shift_angstrom[0], 3), round(view.shift_angstrom[1], 3)),
        shift_px=(round(view.shift_angstrom[0] / pixel, 4), round(view.shift_angstrom[1] / pixel, 4)),
        defocus_u_angstrom=round(ctf.defocus_u_angstrom, 2),
        defocus_v_angstrom=round(ctf.defocus_v_angstrom, 2),
        astigmatism_angle_deg=round(ctf.astigmatism_angle_deg, 3),
        defocus_slope=(round(settings.hand * view.rise.x, 6), round(settings.hand * view.rise.y, 6)),
        dose_e_per_A2=settings.dose_e_per_A2,
        prior_dose_e_per_A2=round(tilt.prior_dose, 6),
        path_angstrom=round(series.sample.thickness_angstrom * view.longer, 2),
        unblocked=round(tilt.unblocked, 5),
        mean_counts_per_px_per_frame=round(mean_counts, 5),
        motion=motion_truth(tilt.motion, pixel_size_angstrom=pixel),
    )


def _place(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 3) + 0.0 for value in values)
    return x, y, z


def _turn(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    i, j, k, real = (round(float(value), 6) + 0.0 for value in values)
    return i, j, k, real
