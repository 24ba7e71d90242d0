"""The movie step: one movie in, one judged micrograph out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from athena.contract.processing import MovieParameters, MovieResult, MovieTask
from athena.zarrio import layout
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from athena_pipelines.core.ctf_fit import CtfFit, SearchRange, fit_ctf
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.drift import NOTHING, describe
from athena_pipelines.core.frames import shrink
from athena_pipelines.core.motion import Motion, measure_motion, patch_motion, sum_frames
from athena_pipelines.core.pictures import fit_picture, spectrum_picture, thumbnail
from athena_pipelines.core.spectrum import Spectrum, iciness, measure
from athena_pipelines.steps.load import load_movie

SOFTWARE = f"athena {version('athena-cryoem')} movie"
NAN = float("nan")


def process_movie(task: MovieTask) -> MovieResult:
    """Correct, fit and picture one movie; write its images into the run's store and return what the collector records.

    Everything written lies at the task's own index and is replaced as a whole, so a movie may be processed again.
    Raises BadFile when the movie or the gain cannot be used.
    """
    parameters = task.parameters
    seconds: dict[str, float] = {}
    clock = _Clock(seconds)
    with clock("read"):
        frames, intensity = load_movie(task.movie, task.gain)
    grid = (parameters.patches_y, parameters.patches_x)
    pixel = parameters.pixel_size_angstrom
    with clock("align"):
        motion = measure_motion(shrink(frames, pixel), grid=grid)
    with clock("sum"):
        sums = sum_frames(
            frames,
            motion,
            pixel,
            dose_per_frame_e_per_A2=parameters.dose_per_frame_e_per_A2,
            pre_exposure_e_per_A2=parameters.pre_exposure_e_per_A2,
            voltage_kv=parameters.voltage_kv,
        )
    image = sums.plain if sums.weighted is None else sums.weighted
    with clock("ctf"):
        spectrum = measure(sums.plain, pixel)
        optics = Optics(parameters.voltage_kv, parameters.spherical_aberration_mm, parameters.amplitude_contrast)
        fit = fit_ctf(spectrum, optics, _search(parameters))
    with clock("write"):
        _write(task, image, spectrum, fit, optics)
    flags = [*motion.flags]
    if sums.weighted is None:
        flags.append("no_dose_weighting")
    if not fit.determined:
        flags.append("ctf_not_determined")
    metrics = {
        **_drift_metrics(motion, parameters),
        **_ctf_metrics(fit, spectrum),
        "mean_intensity_e_per_px": intensity,
        "dose_e_per_A2": NAN
        if parameters.dose_per_frame_e_per_A2 is None
        else parameters.dose_per_frame_e_per_A2 * frames.count,
        "pixel_size_angstrom": pixel,
        "frame_count": float(frames.count),
        "processing_s": sum(seconds.values()),
    }
    return MovieResult(
        run_id=task.run_id,
        index=task.index,
        frames=frames.count,
        metrics=metrics,
        global_motion=motion.global_angstrom(pixel).ravel().tolist(),
        patch_motion=patch_motion(motion, grid, pixel).ravel().tolist(),
        patch_grid=grid,
        ctf_curves=_curves(fit),
        flags=flags,
        software=SOFTWARE,
        seconds=seconds,
    )


class _Clock:
    """Wall time of named stages."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._seconds[stage] = time.perf_counter() - start


def _search(parameters: MovieParameters) -> SearchRange:
    return SearchRange(
        min_resolution_angstrom=parameters.min_resolution_angstrom,
        max_resolution_angstrom=parameters.max_resolution_angstrom,
        min_defocus_angstrom=parameters.min_defocus_angstrom,
        max_defocus_angstrom=parameters.max_defocus_angstrom,
        phase_shift=parameters.search_phase_shift,
    )


def _write(task: MovieTask, image: npt.NDArray[np.float32], spectrum: Spectrum, fit: CtfFit, optics: Optics) -> None:
    pictured = spectrum_picture(spectrum, layout.SPECTRUM_SIZE)
    fitted = fit_picture(spectrum, fit, optics, layout.SPECTRUM_SIZE) if fit.determined else pictured
    write_pyramid(task.store, task.index, image, pixel_size_angstrom=task.parameters.pixel_size_angstrom)
    RunWriter.open(task.store).write_images(
        task.index, thumbnail=thumbnail(image, layout.THUMBNAIL_SIZE), spectrum=pictured, spectrum_fit=fitted
    )


def _drift_metrics(motion: Motion, parameters: MovieParameters) -> dict[str, float]:
    """Drift by catalogue name; all NaN where no motion could be measured."""
    pixel = parameters.pixel_size_angstrom
    drift = NOTHING
    if motion.measured:
        drift = describe(
            motion.global_angstrom(pixel),
            motion.global_angstrom(pixel, measured=True),
            pixel_size_angstrom=pixel,
            dose_per_frame_e_per_A2=parameters.dose_per_frame_e_per_A2,
            pre_exposure_e_per_A2=parameters.pre_exposure_e_per_A2,
        )
    return {
        "drift_total_angstrom": drift.total_angstrom,
        "drift_raw_angstrom": drift.raw_angstrom,
        "drift_early_angstrom": drift.early_angstrom,
        "drift_late_angstrom": drift.late_angstrom,
        "drift_mean_angstrom": drift.mean_angstrom,
        "drift_direction_deg": drift.direction_deg,
        "shift_noise_px": drift.noise_px,
    }


def _ctf_metrics(fit: CtfFit, spectrum: Spectrum) -> dict[str, float]:
    """CTF values by catalogue name; NaN where the fit means nothing."""
    found = fit.defocus
    values = {
        "defocus_um": found.mean_angstrom / 1e4,
        "defocus_u_angstrom": found.u_angstrom,
        "defocus_v_angstrom": found.v_angstrom,
        "astigmatism_nm": (found.u_angstrom - found.v_angstrom) / 10,
        "astigmatism_angle_deg": found.angle_deg,
        "phase_shift_deg": found.phase_shift_deg,
        "ctf_resolution_angstrom": fit.quality.resolution_angstrom,
        "ctf_resolution_half_angstrom": fit.quality.resolution_half_angstrom,
    }
    if not fit.determined:
        values = dict.fromkeys(values, NAN)
    return {
        **values,
        "ctf_score": fit.score,
        "iciness": iciness(spectrum),
        "spectrum_nyquist_per_angstrom": spectrum.nyquist,
    }


def _curves(fit: CtfFit) -> list[list[float]]:
    """Rows of ``layout.CTF_CURVES``; the model's rows are NaN where the fit means nothing."""
    quality = fit.quality
    rows = {
        "frequency": quality.frequency,
        "experimental": quality.display,
        "theory": quality.theory if fit.determined else np.full_like(quality.theory, np.nan),
        "quality": quality.correlation if fit.determined else np.full_like(quality.theory, np.nan),
    }
    return [rows[name][: layout.CURVE_LENGTH].tolist() for name in layout.CTF_CURVES]
