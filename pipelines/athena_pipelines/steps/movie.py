"""The movie step: one movie in, one judged micrograph out."""

import numpy as np

from athena.contract.processing import MovieResult, MovieTask
from athena.zarrio import layout
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from athena_pipelines.core.ctf import MicrographCtf
from athena_pipelines.core.ctf_fit import CtfFit
from athena_pipelines.core.ice_ring import iciness
from athena_pipelines.core.motion import patch_motion
from athena_pipelines.core.pictures import fit_picture, spectrum_picture, thumbnail
from athena_pipelines.steps.compute import SOFTWARE, Computed, Timing, compute_movie

NAN = float("nan")


def process_movie(task: MovieTask) -> MovieResult:
    """Correct, fit and picture one movie; write its images into the run's store and return what the collector records.

    Everything written lies at the task's own index and is replaced as a whole, so a movie may be processed again.
    Raises BadFile when the movie or the gain cannot be used.
    """
    timing = Timing()
    found = compute_movie(task.movie, task.gain, task.parameters, timing, defects=task.defects)
    with timing("write"):
        _write(task, found)
    pixel = found.parameters.pixel_size_angstrom
    return MovieResult(
        run_id=task.run_id,
        index=task.index,
        frames=found.frames,
        metrics={**_metrics(found), "processing_s": sum(timing.seconds.values())},
        global_motion=found.motion.global_angstrom(pixel).ravel().tolist(),
        patch_motion=patch_motion(found.motion, found.grid, pixel).ravel().tolist(),
        patch_grid=found.grid,
        ctf_curves=_curves(found.ctf.fit),
        flags=list(found.flags),
        gain=task.gain,
        gain_fit=found.gain_fit,
        software=SOFTWARE,
        seconds=timing.seconds,
    )


def _write(task: MovieTask, found: Computed) -> None:
    pictured = spectrum_picture(found.ctf.spectrum, layout.SPECTRUM_SIZE)
    fitted = pictured
    if found.ctf.fit.determined:
        fitted = fit_picture(found.ctf.spectrum, found.ctf.fit, found.optics, layout.SPECTRUM_SIZE)
    both = found.parameters.keep_unweighted and found.sums.weighted is not None
    write_pyramid(
        task.store,
        task.index,
        found.image,
        pixel_size_angstrom=found.parameters.pixel_size_angstrom,
        plain=found.sums.plain if both else None,
    )
    RunWriter.open(task.store).write_images(
        task.index, thumbnail=thumbnail(found.image, layout.THUMBNAIL_SIZE), spectrum=pictured, spectrum_fit=fitted
    )


def _metrics(found: Computed) -> dict[str, float]:
    """What was measured, by catalogue name."""
    parameters = found.parameters
    dose = parameters.dose_per_frame_e_per_A2
    return {
        **_drift_metrics(found),
        **_ctf_metrics(found.ctf),
        "mean_intensity_e_per_px": found.intensity,
        "dose_e_per_A2": NAN if dose is None else dose * found.frames,
        "pixel_size_angstrom": parameters.pixel_size_angstrom,
        "frame_count": float(found.frames),
    }


def _drift_metrics(found: Computed) -> dict[str, float]:
    drift = found.drift()
    return {
        "drift_total_angstrom": drift.total_angstrom,
        "drift_raw_angstrom": drift.raw_angstrom,
        "drift_early_angstrom": drift.early_angstrom,
        "drift_late_angstrom": drift.late_angstrom,
        "drift_mean_angstrom": drift.mean_angstrom,
        "drift_direction_deg": drift.direction_deg,
        "drift_debiased_angstrom": drift.debiased_angstrom,
        "drift_net_angstrom": drift.net_angstrom,
        "drift_straightness": drift.straightness,
        "drift_largest_angstrom": drift.largest_angstrom,
        "blur_kept": drift.blur_kept,
        "shift_noise_px": drift.noise_px,
    }


def _ctf_metrics(ctf: MicrographCtf) -> dict[str, float]:
    """CTF values by catalogue name; NaN where the fit means nothing."""
    fit, spectrum, tilt = ctf.fit, ctf.spectrum, ctf.tilt
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
        "ctf_score": fit.score,
    }
    if not fit.determined:
        values = dict.fromkeys(values, NAN)
    return {
        **values,
        "iciness": iciness(spectrum.amplitude, spectrum.step),
        "spectrum_nyquist_per_angstrom": spectrum.nyquist,
        "ice_thickness_nm": ctf.ice_angstrom / 10,
        "tilt_deg": tilt.angle_deg,
        "tilt_error_deg": tilt.angle_error_deg,
        "tilt_axis_deg": tilt.axis_deg,
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
