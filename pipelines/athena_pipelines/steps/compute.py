"""From a movie file to its motion, sums, spectrum and CTF: the computing shared by the movie step and the command line.

Nothing is written here; what a caller does with the result is the caller's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from athena.contract.processing import NO_DOSE_WEIGHTING, GainFit, MovieParameters
from athena.formats.movies import fitting_memory
from athena_pipelines.core.ctf import MicrographCtf, measure_ctf
from athena_pipelines.core.ctf_fit import SearchRange
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.drift import NOTHING, Drift, describe
from athena_pipelines.core.motion import Exposure, Motion, Sums, add_frames, measure_motion
from athena_pipelines.core.small_frames import shrink
from athena_pipelines.steps.load import load_movie
from athena_pipelines.steps.memory import keep_freed_memory

TILTED_DEG = 10.0
"""Tilt that is said in words; ice in a hole is seldom as steep by itself."""

SOFTWARE = f"athena {version('athena-cryoem')} movie"


@dataclass
class Timing:
    """Time of named stages, s: on the clock, and of the processor (this process, all threads)."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time what happens inside as ``stage``."""
        start, start_cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
        self.cpu_seconds[stage] = self.cpu_seconds.get(stage, 0.0) + time.process_time() - start_cpu


@dataclass(frozen=True)
class Computed:
    """Everything measured on one movie.

    Attributes
    ----------
    parameters : it was computed with; of an EER movie, those of its fractions.
    frames : number of frames.
    shape : (height, width), px.
    intensity : mean of a frame, e/px where the movie holds counts.
    hot_pixels : (n, 2) pixels that were repaired, (y, x), MRC row order.
    motion, sums, ctf, optics : of the stages.
    flags : what a reader should know, by name.
    gain_fit : how the gain reference fits, where that was measured.
    """

    parameters: MovieParameters
    frames: int
    shape: tuple[int, int]
    intensity: float
    hot_pixels: npt.NDArray[np.int64]
    motion: Motion
    sums: Sums
    ctf: MicrographCtf
    optics: Optics
    flags: tuple[str, ...]
    gain_fit: GainFit | None = None

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """The micrograph to show: exposure weighted where the dose is known, (height, width)."""
        return self.sums.plain if self.sums.weighted is None else self.sums.weighted

    @property
    def grid(self) -> tuple[int, int]:
        """Patches (y, x)."""
        return self.parameters.patches_y, self.parameters.patches_x

    def drift(self) -> Drift:
        """Drift metrics; all NaN where no motion could be measured."""
        if not self.motion.measured:
            return NOTHING
        pixel = self.parameters.pixel_size_angstrom
        return describe(
            self.motion.global_angstrom(pixel),
            self.motion.global_angstrom(pixel, measured=True),
            pixel_size_angstrom=pixel,
            dose_per_frame_e_per_A2=self.parameters.dose_per_frame_e_per_A2,
            pre_exposure_e_per_A2=self.parameters.pre_exposure_e_per_A2,
        )


def compute_movie(
    movie: str, gain: str | None, parameters: MovieParameters, timing: Timing, *, defects: str | None = None
) -> Computed:
    """Read, align, sum and fit one movie.

    Raises BadFile when the movie, the gain or the defects cannot be used, TooLarge when there is too little memory.
    """
    keep_freed_memory()
    with fitting_memory(Path(movie)):
        return _compute(movie, gain, parameters, timing, defects)


def _compute(
    movie: str, gain: str | None, parameters: MovieParameters, timing: Timing, defects: str | None
) -> Computed:
    with timing("read"):
        loaded = load_movie(movie, gain, parameters, defects)
    frames, parameters, mean, flags = loaded.frames, loaded.parameters, loaded.mean, [*loaded.flags]
    gain_fit = loaded.gain_fit
    del loaded  # or it would keep the frames
    pixel = parameters.pixel_size_angstrom
    with timing("align"):
        exposure = Exposure(parameters.dose_per_frame_e_per_A2, parameters.pre_exposure_e_per_A2, parameters.voltage_kv)
        grid = (parameters.patches_y, parameters.patches_x)
        motion = measure_motion(shrink(frames, pixel), grid=grid, exposure=exposure)
    with timing("sum"):
        terms = add_frames(
            frames,
            motion,
            pixel,
            dose_per_frame_e_per_A2=parameters.dose_per_frame_e_per_A2,
            pre_exposure_e_per_A2=parameters.pre_exposure_e_per_A2,
            voltage_kv=parameters.voltage_kv,
        )
        count, shape, repaired = frames.count, frames.shape, frames.repaired
        # the largest array of all, and not needed any more
        del frames
        sums = terms.combine()
        del terms
    with timing("ctf"):
        optics = optics_of(parameters)
        ctf = measure_ctf(sums.plain, pixel, optics, search_range(parameters))
    flags += motion.flags
    if sums.weighted is None:
        flags.append(NO_DOSE_WEIGHTING)
    flags += ctf_flags(ctf)
    return Computed(
        parameters,
        count,
        shape,
        mean,
        repaired,
        motion,
        sums,
        ctf,
        optics,
        tuple(flags),
        gain_fit,
    )


def ctf_flags(ctf: MicrographCtf) -> list[str]:
    """What a reader should know of a micrograph's CTF, by name."""
    flags = []
    if not ctf.fit.determined:
        flags.append("ctf_not_determined")
    if ctf.fit.phase_suspected:
        flags.append("phase_shift_suspected")
    if ctf.spectrum.crystalline_ice:
        flags.append("crystalline_ice")
    if ctf.tilt.steeper_than(TILTED_DEG):
        flags.append("tilted")
    return flags


def optics_of(parameters: MovieParameters) -> Optics:
    """Optics of a microscope as parameters name them."""
    return Optics(parameters.voltage_kv, parameters.spherical_aberration_mm, parameters.amplitude_contrast)


def search_range(parameters: MovieParameters) -> SearchRange:
    """Where a CTF is looked for."""
    return SearchRange(
        min_resolution_angstrom=parameters.min_resolution_angstrom,
        max_resolution_angstrom=parameters.max_resolution_angstrom,
        min_defocus_angstrom=parameters.min_defocus_angstrom,
        max_defocus_angstrom=parameters.max_defocus_angstrom,
        phase_shift=parameters.search_phase_shift,
    )
