"""Reading a movie into memory, as small as its counts allow."""

import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from athena.contract.processing import GainFit, GainOrientation, GainSense, MovieParameters
from athena.errors import BadFile, TooLarge
from athena.formats.defects import read_defects
from athena.formats.eer import EerMovie, frames_per_fraction
from athena.formats.gain import Reference, read_reference
from athena.formats.movies import Movie, fitting_memory, open_movie
from athena_pipelines.core.frames import NO_GAIN, Frames, find_defects, repair_frames, unaligned_sum
from athena_pipelines.steps.memory import physical_memory

QUANTA_PER_SIGMA = 64
"""Float frames are held in steps of this part of their noise: 16 bits then hold ± 500 σ at no loss to speak of."""


@dataclass(frozen=True)
class Loaded:
    """A movie in memory.

    Attributes
    ----------
    frames : repaired, with gain.
    mean : of a pixel and frame; e/px where the movie holds counts.
    parameters : those that were asked for, as they hold for these frames: of an EER movie pixel size, dose and raw
        frames a fraction follow from how it was rendered.
    flags : what a reader should know.
    """

    frames: Frames
    mean: float
    parameters: MovieParameters
    flags: tuple[str, ...]
    gain_fit: GainFit | None = None


def load_movie(path: str, gain: str | None, parameters: MovieParameters, defects: str | None = None) -> Loaded:
    """Read a movie. Raises BadFile when the movie or the gain cannot be used, TooLarge where it is beyond memory."""
    with fitting_memory(Path(path)):
        return _load(path, gain, parameters, defects)


def _load(path: str, gain: str | None, parameters: MovieParameters, defects: str | None) -> Loaded:
    flags: list[str] = []
    reference = None
    with open_movie(path) as movie:
        of_eer = isinstance(movie, EerMovie)
        if isinstance(movie, EerMovie):
            parameters = _render(movie, parameters)
        if gain:
            # before the frames: what cannot be used is told at once
            reference = read_reference(gain, of_eer=of_eer)
            reference.fitting(movie.shape)
        known = _defects_of(defects, movie.shape) if defects else None
        _check_room(Path(path), movie)
        frames = _read(movie)
        if isinstance(movie, EerMovie) and movie.damaged:
            flags.append("damaged_frames")
    total = unaligned_sum(frames.stack)
    fit = None
    if reference is not None:
        fit, parameters = _turn_gain(frames, total, reference, parameters)
        flags += gain_flags(fit)
        total *= frames.gain
    bad = find_defects(total, frames.gain, known)
    # the name seeds the random repair, so that a movie processed twice gives the same picture
    repair_frames(frames, bad, seed=zlib.crc32(Path(path).name.encode()))
    good = total.size - len(frames.repaired)
    whole = float(total.sum(dtype=np.float64)) - float(total[bad].sum(dtype=np.float64))
    mean = whole / max(good, 1) * frames.scale / frames.count + frames.offset
    return Loaded(frames, mean, parameters, tuple(flags), fit)


def _defects_of(path: str, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Mask of a file of defects, which is read once for the movies of a run. Raises BadFile."""
    try:
        written = Path(path).stat().st_mtime_ns
    except OSError as error:
        raise BadFile(f"The file of defects {path} cannot be read: {error.strerror}.", hint="Give it again.") from error
    return _read_once(path, written, shape)


@lru_cache(maxsize=1)
def _read_once(path: str, _written: int, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    mask = read_defects(path, shape)
    mask.flags.writeable = False
    return mask


def gain_flags(fit: GainFit | None) -> list[str]:
    """What a reader should know of how a gain reference fits."""
    if fit is None or fit.determined:
        return []
    return ["gain_not_determined"] if fit.fits else ["gain_does_not_fit"]


def _turn_gain(
    frames: Frames, total: npt.NDArray[np.float32], reference: Reference, parameters: MovieParameters
) -> tuple[GainFit | None, MovieParameters]:
    """Set the gain of frames as parameters ask for it, and measure what they leave open; the parameters as they hold.

    A gain that the measurement refutes is left out: it would bring in more than it takes out.
    """
    orientation, sense = parameters.gain_orientation, parameters.gain_sense
    shape = frames.shape
    fit = None
    if orientation is GainOrientation.AUTO or sense is GainSense.AUTO:
        # SciPy, which it needs and nothing else does, takes a while to load
        from athena_pipelines.core.gain_fit import fit_gain

        fitting = reference.fitting(shape)
        candidates = fitting if orientation is GainOrientation.AUTO else (orientation,)
        average = total if frames.scale == 1 else total * np.float32(frames.scale)
        average = average + np.float32(frames.offset * frames.count) if frames.offset else average
        fit = fit_gain(average, reference.image, candidates, usual=reference.usual_sense, sense=sense)
        orientation, sense = fit.orientation, fit.sense
    if fit is None or fit.fits:
        frames.gain = reference.gain(shape, orientation, sense)
    return fit, parameters.model_copy(update={"gain_orientation": orientation, "gain_sense": sense})


def _render(movie: EerMovie, parameters: MovieParameters) -> MovieParameters:
    """Set how an EER movie is rendered; the parameters that hold for its fractions.

    So many raw frames go into a fraction as were asked for; else as have the dose that was asked for a fraction, or a
    usual one, by the dose that the file says. Raises Invalid.
    """
    asked, said = parameters.dose_per_frame_e_per_A2, movie.dose_e_per_px
    raw = said / parameters.pixel_size_angstrom**2 / movie.raw_frames if said is not None else None
    count = parameters.eer_frames_per_fraction or frames_per_fraction(movie.raw_frames, raw, fraction_e_per_A2=asked)
    movie.group(count, upsampling=parameters.eer_upsampling)
    dose = asked if parameters.eer_frames_per_fraction and asked else raw * count if raw is not None else asked
    return parameters.model_copy(
        update={
            "eer_frames_per_fraction": count,
            "pixel_size_angstrom": parameters.pixel_size_angstrom / parameters.eer_upsampling,
            "dose_per_frame_e_per_A2": dose,
        }
    )


def _check_room(path: Path, movie: Movie) -> None:
    """Raise TooLarge where a movie as it is stored exceeds the machine's memory, before it is filled."""
    size = movie.frames * movie.shape[0] * movie.shape[1] * movie.dtype.itemsize
    if size > physical_memory():
        raise TooLarge(
            f"{path.name} holds {size / 2**30:.0f} GiB of frames, more than this machine's memory.",
            hint="Process it on a larger machine, or check whether its header is damaged.",
        )


def _read(movie: Movie) -> Frames:
    first = movie.read(0)
    dtype, scale, offset = _storage(first)
    stack: npt.NDArray[Any] = np.empty((movie.frames, *movie.shape), dtype)
    for index in range(movie.frames):
        if movie.dtype == dtype:
            if index == 0:
                stack[index] = first
            else:
                movie.read(index, stack[index])
            continue
        frame = first if index == 0 else movie.read(index)
        if scale == 1 and not _fits(frame, dtype):
            # a later frame is brighter than the first: widen what is there
            dtype = np.dtype(np.uint16) if _fits(frame, np.dtype(np.uint16)) else np.dtype(np.float32)
            stack = stack.astype(dtype)
        stack[index] = frame if scale == 1 else np.clip(np.rint((frame - offset) / scale), 0, 65535)
    return Frames(stack, NO_GAIN, scale=scale, offset=offset)


def _fits(frame: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Whether a frame's values survive in ``dtype`` unchanged."""
    if dtype == np.float32:
        return True
    if np.issubdtype(frame.dtype, np.floating) and not (np.isfinite(frame).all() and (frame == np.rint(frame)).all()):
        return False
    return bool(frame.min() >= 0 and frame.max() <= np.iinfo(dtype).max)


def _storage(first: npt.NDArray[Any]) -> tuple[np.dtype[Any], float, float]:
    """Type to hold a movie in, judged by its first frame; and scale and offset where values must be quantised."""
    for dtype in (np.dtype(np.uint8), np.dtype(np.uint16)):
        if _fits(first, dtype):
            return dtype, 1.0, 0.0
    spread = float(np.nanstd(first, dtype=np.float64)) if np.isfinite(first).any() else 0.0
    if not np.isfinite(first).all() or spread == 0:
        return np.dtype(np.float32), 1.0, 0.0
    scale = spread / QUANTA_PER_SIGMA
    # room for values as far below the first frame's lowest as it reaches above its mean
    offset = float(first.min()) - 32 * spread if first.min() < 0 else 0.0
    return np.dtype(np.uint16), scale, offset
