"""A run's results as RELION (3.1 and later) keeps them: micrographs with optics groups, CTF, and motion a movie.

Labels, order of columns, signs and units follow the files RELION 3.1 writes. Angles are in degrees, lengths in Å,
shifts in pixels of the movie.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena.formats.star import Block, Table, Value

Array = npt.NDArray[np.float64]

UNWEIGHTED_SUFFIX = "_noDW"
"""What RELION puts behind the name of a sum that is not weighted by exposure, beside one that is."""


@dataclass(frozen=True)
class Imaging:
    """What micrographs of an optics group have in common."""

    group: int
    pixel_size_angstrom: float
    voltage_kv: float
    spherical_aberration_mm: float
    amplitude_contrast: float


@dataclass(frozen=True)
class Micrograph:
    """A corrected micrograph; paths are relative to the RELION project, NaN is what is not known.

    Attributes
    ----------
    path, motion : of the MRC file, and of the STAR file of its motion.
    drift : total, early (up to 4 e/Å²) and late, Å.
    defocus : U and V, Å, positive is underfocus; angle of U from x counter-clockwise (rows counted upwards), °.
    unweighted : path of the sum that is not weighted by exposure, beside one that is; None: not kept.
    merit, resolution : CTF score, and where the fit ends, Å.
    """

    path: str
    motion: str
    imaging: Imaging
    drift: tuple[float, float, float]
    defocus: tuple[float, float, float]
    phase_shift_deg: float
    merit: float
    resolution_angstrom: float
    unweighted: str | None = None


def corrected_micrographs(micrographs: Sequence[Micrograph]) -> dict[str, Block]:
    """Blocks of ``corrected_micrographs.star``. Early and late motion, and unweighted sums, where all have them."""
    numbers, optics = _optics(micrographs)
    unweighted = [one.unweighted for one in micrographs if one.unweighted is not None]
    columns: dict[str, Sequence[Value]] = {
        **({"rlnMicrographNameNoDW": unweighted} if 0 < len(unweighted) == len(micrographs) else {}),
        "rlnMicrographName": [one.path for one in micrographs],
        "rlnMicrographMetadata": [one.motion for one in micrographs],
        "rlnOpticsGroup": [numbers[one.imaging] for one in micrographs],
    }
    for at, name in enumerate(("rlnAccumMotionTotal", "rlnAccumMotionEarly", "rlnAccumMotionLate")):
        values = [one.drift[at] for one in micrographs]
        if all(map(math.isfinite, values)):
            columns[name] = values
    return {"optics": optics, "micrographs": Table(columns)}


def micrographs_ctf(micrographs: Sequence[Micrograph]) -> dict[str, Block]:
    """Blocks of ``micrographs_ctf.star``, of the micrographs whose CTF is determined.

    Groups keep the numbers they have in ``corrected_micrographs.star``; the phase shift is told where one was found.
    """
    numbers, optics = _optics(micrographs)
    found = [one for one in micrographs if all(map(math.isfinite, one.defocus))]
    columns: dict[str, Sequence[Value]] = {
        "rlnMicrographName": [one.path for one in found],
        "rlnOpticsGroup": [numbers[one.imaging] for one in found],
        "rlnMicrographMetadata": [one.motion for one in found],
        "rlnDefocusU": [one.defocus[0] for one in found],
        "rlnDefocusV": [one.defocus[1] for one in found],
        "rlnCtfAstigmatism": [one.defocus[0] - one.defocus[1] for one in found],
        "rlnDefocusAngle": [one.defocus[2] for one in found],
        "rlnCtfFigureOfMerit": [one.merit if math.isfinite(one.merit) else 0.0 for one in found],
        # RELION's own word for a fit that ends nowhere
        "rlnCtfMaxResolution": [r if math.isfinite(r := one.resolution_angstrom) else 999.0 for one in found],
    }
    shifts = [one.phase_shift_deg if math.isfinite(one.phase_shift_deg) else 0.0 for one in found]
    if any(shifts):
        columns["rlnPhaseShift"] = shifts
    return {"optics": optics, "micrographs": Table(columns)}


def movie_motion(
    global_motion: Array,
    patch_motion: Array | None,
    *,
    movie: str,
    gain: str | None,
    shape: tuple[int, int],
    imaging: Imaging,
    dose_per_frame_e_per_A2: float | None,
) -> dict[str, Block]:
    """Blocks of the STAR file of a movie's motion: RELION keeps shifts to apply where we keep how the specimen moved.

    Parameters
    ----------
    global_motion : (frames, 2) Å, (x, y), against frame 0.
    patch_motion : (frames, patches_y, patches_x, 2) Å, global plus local; None without local motion.
    movie, gain : paths relative to the project.
    shape : (height, width) of the movie, px.
    """
    height, width = shape
    pixel = imaging.pixel_size_angstrom
    local = patch_motion is not None and min(patch_motion.shape[1:3]) > 2 and len(global_motion) > 1
    general: dict[str, Value] = {
        "rlnImageSizeX": width,
        "rlnImageSizeY": height,
        "rlnImageSizeZ": len(global_motion),
        "rlnMicrographMovieName": movie,
        **({"rlnMicrographGainName": gain} if gain else {}),
        "rlnMicrographBinning": 1.0,
        "rlnMicrographOriginalPixelSize": pixel,
        "rlnMicrographDoseRate": dose_per_frame_e_per_A2 or 0.0,
        "rlnMicrographPreExposure": 0.0,
        "rlnVoltage": imaging.voltage_kv,
        "rlnMicrographStartFrame": 1,
        "rlnMotionModelVersion": int(local),
    }
    shifts = -global_motion / pixel
    blocks: dict[str, Block] = {
        "general": general,
        "global_shift": Table(
            {
                "rlnMicrographFrameNumber": range(1, len(shifts) + 1),
                "rlnMicrographShiftX": shifts[:, 0].tolist(),
                "rlnMicrographShiftY": shifts[:, 1].tolist(),
            }
        ),
    }
    if local and patch_motion is not None:
        coefficients = local_coefficients(-(patch_motion - global_motion[:, None, None]) / pixel)
        blocks["local_motion_model"] = Table(
            {"rlnMotionModelCoeffsIdx": range(36), "rlnMotionModelCoeff": coefficients.tolist()}
        )
    return blocks


def local_coefficients(shifts: Array) -> Array:
    """Coefficients (36,) of RELION's polynomial through shifts at patch centres: 18 for x, then 18 for y.

    Terms are (1, x, x², y, y², x·y) times (z, z², z³), with x and y from −½ to ½ and z in frames from the first; time
    turns fastest. By least squares; a field that has that form is met exactly by three patches each way or more.

    Parameters
    ----------
    shifts : (frames, patches_y, patches_x, 2) px, (x, y), less the global ones.
    """
    frames, rows, columns, _ = shifts.shape
    y, x = np.meshgrid((np.arange(rows) + 0.5) / rows - 0.5, (np.arange(columns) + 0.5) / columns - 0.5, indexing="ij")
    space = np.stack([np.ones_like(x), x, x**2, y, y**2, x * y], axis=-1).reshape(-1, 6)
    # in units of the whole movie, so that the powers are alike in size
    time = (np.arange(frames) / frames)[:, None] ** np.arange(1, 4)
    design = np.einsum("ft,ps->fpst", time, space).reshape(-1, 18)
    solution, *_ = np.linalg.lstsq(design, shifts.reshape(-1, 2), rcond=None)
    per_frame = solution.T.reshape(2, 6, 3) / float(frames) ** np.arange(1, 4)
    return np.asarray(per_frame.reshape(36))


def optics_numbers(imagings: Sequence[Imaging]) -> dict[Imaging, int]:
    """Number of every imaging.

    A group found by beam shift keeps its number; where micrographs of one differ in pixel size or optics, which RELION
    does not allow, the others of it are numbered after the last.
    """
    numbers: dict[Imaging, int] = {}
    taken = {one.group for one in imagings}
    for imaging in dict.fromkeys(imagings):
        free = imaging.group not in numbers.values()
        numbers[imaging] = imaging.group if free else max({*taken, *numbers.values()}) + 1
    return numbers


def _optics(micrographs: Sequence[Micrograph]) -> tuple[Mapping[Imaging, int], Table]:
    """Number of every imaging, and the table that explains them."""
    numbers = optics_numbers([one.imaging for one in micrographs])
    known = sorted(numbers, key=lambda imaging: numbers[imaging])
    table = Table(
        {
            "rlnOpticsGroupName": [f"opticsGroup{numbers[one]}" for one in known],
            "rlnOpticsGroup": [numbers[one] for one in known],
            "rlnMicrographOriginalPixelSize": [one.pixel_size_angstrom for one in known],
            "rlnVoltage": [one.voltage_kv for one in known],
            "rlnSphericalAberration": [one.spherical_aberration_mm for one in known],
            "rlnAmplitudeContrast": [one.amplitude_contrast for one in known],
            "rlnMicrographPixelSize": [one.pixel_size_angstrom for one in known],
        }
    )
    return numbers, table
