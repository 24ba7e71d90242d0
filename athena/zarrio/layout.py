"""The array catalogue of a run's zarr group: the only place that spells a path, dtype, dimension, unit or chunk.

One group a run, grown in blocks along ``acquisition``::

    metrics/<name>   [acquisition]                                       float64
    thumbnail        [acquisition, y, x]                                 uint8
    spectrum         [acquisition, fy, fx]                               uint8
    spectrum_fit     [acquisition, fy, fx]                               uint8
    ctf_curves       [acquisition, curve, frequency]                     float32
    motion           [acquisition, frame, patch_y, patch_x, axis]        float32, Å
    motion_global    [acquisition, frame, axis]                          float32, Å
    images/<index>/  OME-Zarr 0.5 multiscale of the corrected micrograph
    images/<index>/plain/  the same of the sum that is not weighted by exposure, full size only; where it is kept

Images are stored in MRC row order (row 0 is the bottom); only viewers flip.
"""

from dataclasses import dataclass
from types import MappingProxyType

BLOCK = 256
"""Acquisitions by which the arrays grow at a time."""
METRIC_CHUNK = 4096
THUMBNAIL_SIZE = 256
"""Edge of a thumbnail, px; the image is fitted into the square and the rest is zero."""
SPECTRUM_SIZE = 256
"""Edge of a stored spectrum, px; frequency 0 sits at [size // 2, size // 2]."""
CURVE_LENGTH = 256
CTF_CURVES = ("frequency", "experimental", "theory", "quality")
"""Rows of ``ctf_curves``: frequency in Å⁻¹, background-subtracted equiphase average, |CTF|, fit quality."""
AXES = ("x", "y")
TILE = 512
"""Edge of a micrograph tile and inner chunk, px."""
PLAIN = "plain"
"""Name of the unweighted sum inside a micrograph's group."""
PYRAMID_MIN = 512
"""The pyramid stops at the first level whose longer edge is at most this."""


@dataclass(frozen=True)
class Metric:
    """One metric column.

    Attributes
    ----------
    name : catalogue name; ends in the unit it is stored in.
    label : as people name it.
    unit : as shown, same as stored; empty when there is none.
    digits : decimals shown.
    lower_is_better : for marks and defaults; None where neither is better.
    """

    name: str
    label: str
    unit: str
    digits: int
    lower_is_better: bool | None = None


_METRICS = (
    Metric("defocus_um", "Defocus", "µm", 2),
    Metric("defocus_u_angstrom", "Defocus U", "Å", 0),
    Metric("defocus_v_angstrom", "Defocus V", "Å", 0),
    Metric("astigmatism_nm", "Astigmatism", "nm", 0, True),
    Metric("astigmatism_angle_deg", "Astigmatism angle", "°", 1),
    Metric("phase_shift_deg", "Phase shift", "°", 1),
    Metric("ctf_resolution_angstrom", "CTF resolution", "Å", 1, True),
    Metric("ctf_resolution_half_angstrom", "CTF resolution (0.5)", "Å", 1, True),
    Metric("ctf_score", "CTF score", "", 3, False),
    Metric("drift_total_angstrom", "Total drift", "Å", 1, True),
    Metric("drift_raw_angstrom", "Total drift (raw)", "Å", 1, True),
    Metric("drift_early_angstrom", "Early drift", "Å", 1, True),
    Metric("drift_late_angstrom", "Late drift", "Å", 1, True),
    Metric("drift_mean_angstrom", "Mean drift per frame", "Å", 2, True),
    Metric("drift_direction_deg", "Drift direction", "°", 0),
    Metric("drift_debiased_angstrom", "Total drift less noise", "Å", 1, True),
    Metric("drift_net_angstrom", "Net drift", "Å", 1, True),
    Metric("drift_straightness", "Straightness of drift", "", 2),
    Metric("drift_largest_angstrom", "Longest step", "Å", 2, True),
    Metric("blur_kept", "Amplitude left by blur at 4 Å", "", 3, False),
    Metric("shift_noise_px", "Shift noise", "px", 2, True),
    Metric("mean_intensity_e_per_px", "Mean intensity per frame", "e⁻/px", 2),
    Metric("iciness", "Iciness", "", 2, True),
    Metric("ice_thickness_nm", "Ice thickness", "nm", 0),
    Metric("ice_relative", "Relative ice thickness", "", 3),
    Metric("tilt_deg", "Tilt", "°", 1),
    Metric("tilt_error_deg", "Error of the tilt", "°", 1, True),
    Metric("tilt_axis_deg", "Tilt axis", "°", 0),
    Metric("optics_group", "Optics group", "", 0),
    Metric("dose_e_per_A2", "Dose", "e⁻/Å²", 1),
    Metric("target_defocus_um", "Target defocus", "µm", 2),
    Metric("pixel_size_angstrom", "Pixel size", "Å", 4),
    Metric("frame_count", "Frames", "", 0),
    Metric("spectrum_nyquist_per_angstrom", "Spectrum edge", "Å⁻¹", 3),
    Metric("acquired_unix_s", "Acquired", "s", 0),
    Metric("processing_s", "Processing time", "s", 1, True),
)

METRICS: MappingProxyType[str, Metric] = MappingProxyType({m.name: m for m in _METRICS})
"""Every metric by name."""


@dataclass(frozen=True)
class Array:
    """One array that grows along ``acquisition``; ``chunk`` and ``shape`` leave that first axis out.

    A ``None`` in ``shape`` is set when the run's group is made (frames, patches).
    """

    path: str
    dims: tuple[str, ...]
    dtype: str
    shape: tuple[int | None, ...]
    fill: float | int
    unit: str = ""


ARRAYS: MappingProxyType[str, Array] = MappingProxyType(
    {
        a.path: a
        for a in (
            Array("thumbnail", ("acquisition", "y", "x"), "uint8", (THUMBNAIL_SIZE, THUMBNAIL_SIZE), 0),
            Array("spectrum", ("acquisition", "fy", "fx"), "uint8", (SPECTRUM_SIZE, SPECTRUM_SIZE), 0),
            Array("spectrum_fit", ("acquisition", "fy", "fx"), "uint8", (SPECTRUM_SIZE, SPECTRUM_SIZE), 0),
            Array(
                "ctf_curves",
                ("acquisition", "curve", "frequency"),
                "float32",
                (len(CTF_CURVES), CURVE_LENGTH),
                float("nan"),
            ),
            Array(
                "motion",
                ("acquisition", "frame", "patch_y", "patch_x", "axis"),
                "float32",
                (None, None, None, 2),
                float("nan"),
                "Å",
            ),
            Array("motion_global", ("acquisition", "frame", "axis"), "float32", (None, 2), float("nan"), "Å"),
        )
    }
)
"""Every growing array but the metrics, by path."""


def metric_path(name: str) -> str:
    """Path of a metric column inside the run's group."""
    return f"metrics/{name}"


def image_path(index: int, *, plain: bool = False) -> str:
    """Path of an acquisition's micrograph pyramid inside the run's group; ``plain``: of its unweighted sum."""
    return f"images/{index}/{PLAIN}" if plain else f"images/{index}"
