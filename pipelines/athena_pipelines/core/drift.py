"""What a trajectory says about the stage: total, early and late drift, and how far noise blurs the answer."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

EARLY_DOSE = 4.0
"""e/Å² up to which drift counts as early (RELION's)."""
WINDOW = 7
BLUR_ANGSTROM = 4.0
"""Resolution at which blur within frames is told."""


@dataclass(frozen=True)
class Drift:
    """Drift of one movie, Å; NaN where it cannot be said.

    Attributes
    ----------
    raw_angstrom : length of the trajectory as measured; noise makes it longer.
    total_angstrom : length of the most likely trajectory, smoothed besides (Savitzky–Golay, window 7, order 2).
    early_angstrom, late_angstrom : up to EARLY_DOSE, and after; of the smoothed trajectory.
    mean_angstrom : smoothed length a frame.
    direction_deg : of the net displacement, from +x counter-clockwise, −180 to 180.
    noise_px : shift noise an axis, from second differences.
    debiased_angstrom : length of the trajectory as measured, each step less what noise adds to it on average.
    net_angstrom : distance from the first place to the last, of the smoothed trajectory.
    straightness : net over total, 1 for a straight path.
    largest_angstrom : longest smoothed step.
    blur_kept : part of the amplitude at BLUR_ANGSTROM that motion within frames leaves, mean over frames.
    """

    raw_angstrom: float
    total_angstrom: float
    early_angstrom: float
    late_angstrom: float
    mean_angstrom: float
    direction_deg: float
    noise_px: float
    debiased_angstrom: float
    net_angstrom: float
    straightness: float
    largest_angstrom: float
    blur_kept: float


NOTHING = Drift(*[float("nan")] * 12)


def describe(
    motion_angstrom: Array,
    measured_angstrom: Array,
    *,
    pixel_size_angstrom: float,
    dose_per_frame_e_per_A2: float | None,
    pre_exposure_e_per_A2: float = 0.0,
) -> Drift:
    """Drift of a global trajectory (frames, 2) in Å, (x, y): the most likely one, and the one measured."""
    count = len(motion_angstrom)
    if count < 2:
        return NOTHING
    smooth = _smoothed(motion_angstrom)
    steps = np.hypot(*np.diff(smooth, axis=0).T)
    total = float(steps.sum())
    early = float("nan")
    if dose_per_frame_e_per_A2:
        exposure = pre_exposure_e_per_A2 + dose_per_frame_e_per_A2 * np.arange(2, count + 1)
        early = float(steps[exposure <= EARLY_DOSE].sum())
    net = smooth[-1] - smooth[0]
    distance = float(np.hypot(*net))
    noise = shift_noise(measured_angstrom)
    raw = np.diff(measured_angstrom, axis=0)
    # a step has the noise of two places on each of two axes
    debiased = float(np.sqrt(np.maximum((raw**2).sum(axis=1) - 4 * noise**2, 0)).sum())
    return Drift(
        raw_angstrom=float(np.hypot(*raw.T).sum()),
        total_angstrom=total,
        early_angstrom=early,
        late_angstrom=total - early,
        mean_angstrom=total / (count - 1),
        direction_deg=float(np.rad2deg(np.arctan2(net[1], net[0]))),
        noise_px=noise / pixel_size_angstrom,
        debiased_angstrom=debiased,
        net_angstrom=distance,
        straightness=distance / total if total > 0 else float("nan"),
        largest_angstrom=float(steps.max()),
        # a path of length d within a frame multiplies frequencies along it by sinc(k d); np.sinc has the π
        blur_kept=float(np.abs(np.sinc(steps / BLUR_ANGSTROM)).mean()),
    )


def _smoothed(trajectory: Array) -> Array:
    """Value at each frame of the parabola fitted to the WINDOW frames around it (Savitzky & Golay 1964)."""
    count = len(trajectory)
    if count < WINDOW:
        return trajectory
    starts = np.clip(np.arange(count) - WINDOW // 2, 0, count - WINDOW)
    near = trajectory[starts[:, None] + np.arange(WINDOW)]
    time = np.arange(WINDOW) - WINDOW // 2
    basis = np.stack([np.ones(WINDOW), time, time**2], axis=1)
    fitted = basis @ np.linalg.pinv(basis)
    return np.asarray(np.einsum("fw,fwa->fa", fitted[np.arange(count) - starts], near))


def shift_noise(trajectory: Array) -> float:
    """Noise of a trajectory an axis, in its own unit: 1.4826 · MAD(second differences) / √6; NaN below five frames."""
    if len(trajectory) < 5:
        return float("nan")
    second = np.diff(trajectory, 2, axis=0).ravel()
    return float(1.4826 * np.median(np.abs(second - np.median(second))) / np.sqrt(6))
