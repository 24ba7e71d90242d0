"""A processed movie as files: micrographs as MRC, motion as RELION's STAR, everything measured as JSON, pictures."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from athena.contract.processing import GainOrientation, GainSense
from athena.formats.gain import read_reference
from athena.formats.mrc import write_mrc
from athena.formats.star import Block, Table, write_star
from athena.formats.writing import write_whole, written_whole
from athena_pipelines.core.ctf import MicrographCtf
from athena_pipelines.core.local_motion import LocalModel, patch_centres
from athena_pipelines.core.motion import patch_motion
from athena_pipelines.core.pictures import fit_picture, spectrum_picture, thumbnail
from athena_pipelines.steps.compute import SOFTWARE, Computed, Timing

THUMBNAIL_SIZE = 512
SPECTRUM_SIZE = 512


@dataclass(frozen=True)
class Inputs:
    """Files that a movie was processed from."""

    movie: Path
    gain: Path | None = None
    defects: Path | None = None


def write_outputs(found: Computed, inputs: Inputs, out: Path, timing: Timing, *, half_precision: bool = False) -> Path:
    """Write all files of a processed movie into a folder; returns the path of the JSON, which comes last.

    ``<stem>.mrc`` is the aligned sum, ``<stem>_dw.mrc`` the exposure-weighted one (where the dose is known),
    ``<stem>.star`` the motion as RELION writes it, ``<stem>_thumb.png`` and ``<stem>_ctf.png`` pictures.

    Parameters
    ----------
    half_precision : micrographs as float16 (MRC mode 12) instead of float32.
    """
    movie = inputs.movie
    stem = out / movie.stem
    dtype = np.float16 if half_precision else np.float32
    with timing("write"):
        _write_micrograph(stem.with_name(f"{movie.stem}.mrc"), found.sums.plain, found, dtype)
        if found.sums.weighted is not None:
            _write_micrograph(stem.with_name(f"{movie.stem}_dw.mrc"), found.sums.weighted, found, dtype)
        gain = applied_gain(found, inputs.gain, out, of_eer=movie.suffix.lower() == ".eer") if inputs.gain else None
        write_star(stem.with_name(f"{movie.stem}.star"), motion_star(found, replace(inputs, gain=gain)))
        _write_picture(stem.with_name(f"{movie.stem}_thumb.png"), thumbnail(found.image, THUMBNAIL_SIZE))
        pictured = (
            fit_picture(found.ctf.spectrum, found.ctf.fit, found.optics, SPECTRUM_SIZE)
            if found.ctf.fit.determined
            else spectrum_picture(found.ctf.spectrum, SPECTRUM_SIZE)
        )
        _write_picture(stem.with_name(f"{movie.stem}_ctf.png"), pictured)
    report = stem.with_name(f"{movie.stem}.json")
    write_whole(report, to_json(measurements(found, inputs, timing), indent=1).encode())
    return report


def applied_gain(found: Computed, gain: Path, out: Path, *, of_eer: bool) -> Path | None:
    """Path of the gain as RELION would have to apply it; None where none was applied.

    RELION's STAR file has no word for how a gain lies: one that was turned is written anew, as RELION itself does.
    """
    parameters = found.parameters
    if found.gain_fit is not None and not found.gain_fit.fits:
        return None
    if parameters.gain_orientation is GainOrientation.AS_IS and (of_eer or parameters.gain_sense is GainSense.MULTIPLY):
        return gain
    path = out / f"{gain.stem}_{parameters.gain_orientation.value}.mrc"
    if not path.exists() or path.stat().st_mtime < gain.stat().st_mtime:
        reference = read_reference(gain, of_eer=of_eer)
        turned = reference.gain(found.shape, parameters.gain_orientation, parameters.gain_sense)
        with written_whole(path) as partial:
            write_mrc(partial, turned, pixel_size_angstrom=parameters.pixel_size_angstrom)
    return path


def measurements(found: Computed, inputs: Inputs, timing: Timing) -> dict[str, Any]:
    """Everything measured on a movie, by name. Motion is the specimen's against frame 0, px of the movie, y up."""
    height, width = found.shape
    rows, columns = found.grid
    centres = patch_centres(found.shape, found.grid).reshape(rows, columns, 2)
    return {
        "movie": str(inputs.movie),
        "gain": str(inputs.gain) if inputs.gain is not None else None,
        "defects": str(inputs.defects) if inputs.defects is not None else None,
        "pixel_size_angstrom": found.parameters.pixel_size_angstrom,
        "width_px": width,
        "height_px": height,
        "frames": found.frames,
        "mean_intensity_per_px": found.intensity,
        "repaired_pixels": len(found.hot_pixels),
        "frame_motion_px": found.motion.global_angstrom(1.0).tolist(),
        "motion_grid": {
            "x_px": ((centres[0, :, 1] + 0.5) * width).tolist(),
            "y_px": ((centres[:, 0, 0] + 0.5) * height).tolist(),
            "motion_px": patch_motion(found.motion, found.grid, 1.0).tolist(),
        },
        "drift": asdict(found.drift()),
        "ctf": ctf_values(found.ctf),
        "gain_fit": found.gain_fit.model_dump(mode="json") if found.gain_fit is not None else None,
        "flags": list(found.flags),
        "parameters": found.parameters.model_dump(mode="json"),
        "software": SOFTWARE,
        "seconds": timing.seconds,
        "cpu_seconds": timing.cpu_seconds,
    }


def ctf_values(ctf: MicrographCtf) -> dict[str, Any]:
    """Fitted values by name; NaN where the micrograph does not determine them."""
    fit, tilt = ctf.fit, ctf.tilt
    found = fit.defocus
    values = {
        "defocus_u_angstrom": found.u_angstrom,
        "defocus_v_angstrom": found.v_angstrom,
        "astigmatism_angle_deg": found.angle_deg,
        "phase_shift_rad": math.radians(found.phase_shift_deg),
        "confidence_range_angstrom": fit.quality.resolution_angstrom,
        "confidence_range_half_angstrom": fit.quality.resolution_half_angstrom,
        "score": fit.score,
    }
    if not fit.determined:
        values = dict.fromkeys(values, math.nan)
    return {
        "determined": fit.determined,
        **values,
        "significance": fit.significance,
        "tilt_deg": tilt.angle_deg,
        "tilt_error_deg": tilt.angle_error_deg,
        "tilt_axis_deg": tilt.axis_deg,
        "tilt_axis_error_deg": tilt.axis_error_deg,
        "ice_thickness_angstrom": ctf.ice_angstrom,
    }


def motion_star(found: Computed, inputs: Inputs) -> dict[str, Block]:
    """Blocks of the STAR file that RELION keeps of a movie's motion: shifts to apply, in px of the movie.

    Source: RELION's micrograph model (labels, signs, order of the coefficients).
    """
    parameters = found.parameters
    height, width = found.shape
    local = found.motion.local
    general: dict[str, str | int | float] = {
        "rlnImageSizeX": width,
        "rlnImageSizeY": height,
        "rlnImageSizeZ": found.frames,
        "rlnMicrographMovieName": str(inputs.movie),
        **({"rlnMicrographGainName": str(inputs.gain)} if inputs.gain is not None else {}),
        **({"rlnMicrographDefectFile": str(inputs.defects)} if inputs.defects is not None else {}),
        "rlnMicrographBinning": 1.0,
        "rlnMicrographOriginalPixelSize": parameters.pixel_size_angstrom,
        "rlnMicrographDoseRate": parameters.dose_per_frame_e_per_A2 or 0.0,
        "rlnMicrographPreExposure": parameters.pre_exposure_e_per_A2,
        "rlnVoltage": parameters.voltage_kv,
        "rlnMicrographStartFrame": 1,
        **(
            {"rlnEERUpsampling": parameters.eer_upsampling, "rlnEERGrouping": parameters.eer_frames_per_fraction}
            if parameters.eer_frames_per_fraction
            else {}
        ),
        "rlnMotionModelVersion": 0 if local is None else 1,
    }
    shifts = found.motion.global_shifts
    blocks: dict[str, Block] = {
        "general": general,
        "global_shift": Table(
            {
                "rlnMicrographFrameNumber": range(1, found.frames + 1),
                "rlnMicrographShiftX": shifts[:, 1].tolist(),
                "rlnMicrographShiftY": shifts[:, 0].tolist(),
            }
        ),
    }
    if local is not None:
        coefficients = relion_coefficients(local)
        blocks["local_motion_model"] = Table(
            {
                "rlnMotionModelCoeffsIdx": range(len(coefficients)),
                "rlnMotionModelCoeff": coefficients.tolist(),
            }
        )
    if len(found.hot_pixels):
        blocks["hot_pixels"] = Table(
            {
                "rlnCoordinateX": found.hot_pixels[:, 1].astype(float).tolist(),
                "rlnCoordinateY": found.hot_pixels[:, 0].astype(float).tolist(),
            }
        )
    return blocks


def relion_coefficients(local: LocalModel) -> npt.NDArray[np.float64]:
    """Coefficients (36,) of RELION's polynomial: those of x, then y, with time in frames where ours is in movies."""
    per_frame = local.coefficients.reshape(2, -1, 3) / float(local.frames) ** np.arange(1, 4)
    return np.concatenate([per_frame[1].ravel(), per_frame[0].ravel()])


def to_json(values: dict[str, Any], *, indent: int | None = None) -> str:
    """JSON text; what is not a number becomes null, which JSON has no other word for."""
    return json.dumps(_without_nan(values), indent=indent, allow_nan=False)


def _without_nan(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_nan(item) for name, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case np.generic():
            return _without_nan(value.item())
        case _:
            return value


def _write_micrograph(path: Path, image: npt.NDArray[np.float32], found: Computed, dtype: Any) -> None:
    with written_whole(path) as partial:
        write_mrc(partial, image.astype(dtype, copy=False), pixel_size_angstrom=found.parameters.pixel_size_angstrom)


def _write_picture(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write as PNG, turned over so that it is seen as microscopists see it: y up."""
    with written_whole(path) as partial:
        Image.fromarray(picture[::-1]).save(partial, format="png")
