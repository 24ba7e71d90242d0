"""Pseudo-movies from a real micrograph: its electrons are dealt out to frames, each to one frame only.

A micrograph of n electrons a pixel is split by drawing, frame by frame, binomially from what is left; the frames add
up to the micrograph again, exactly. Each is moved by whole pixels, so that nothing is interpolated. What comes out has
real specimen, real optics and real noise, but its motion is made up and its frames share what the micrograph's own
frames had summed: such sessions say in their name, their metadata and ``truth.json`` that they are thinned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
from numba import njit
from numpy.typing import NDArray

from athena.errors import BadFile, Invalid
from athena.formats.mrc import read_mrc
from athena_pipelines.simulate.epu.grid import Place
from athena_pipelines.simulate.epu.writer import ExposureRecord, SessionWriter
from athena_pipelines.simulate.growing import GrowingSession, Made
from athena_pipelines.simulate.motion import Motion, draw_motion
from athena_pipelines.simulate.truth import MovieTruth, Parameters, SessionTruth, motion_truth

LABEL = "Thinned pseudo-movie of one real micrograph"


@dataclass(frozen=True)
class Micrograph:
    """A real micrograph in electrons.

    Attributes
    ----------
    electrons : (h, w) uint16, row 0 at the bottom.
    total_dose_e_per_A2 : of the whole exposure; its mean in ``electrons`` is this times the pixel's area.
    """

    name: str
    electrons: NDArray[np.uint16]
    pixel_size_angstrom: float
    total_dose_e_per_A2: float
    voltage_kv: float
    target_defocus_um: float


def read_micrograph(
    path: Path,
    *,
    total_dose_e_per_A2: float | None = None,
    pixel_size_angstrom: float | None = None,
    voltage_kv: float = 300.0,
    target_defocus_um: float = 0.0,
    crop: int | None = None,
    seed: int = 1,
) -> Micrograph:
    """Read a micrograph in MRC and turn its grey values into electrons by its dose.

    ``crop`` is the edge, px, of a square from the middle; None takes all. Values not given come from the header that
    EPU writes (FEI2). Fractions of electrons are rounded at random, so that no grey value is preferred.

    Raises
    ------
    BadFile : the file is no single image with positive values.
    Invalid : dose or pixel size are neither given nor in the header.
    """
    image, header_pixel = read_mrc(path)
    if image.ndim != 2 or image.mean() <= 0 or image.min() < 0:
        raise BadFile(f"{path} is no micrograph of counts.", hint="Give a single image that is not normalised.")
    says = _extended_header(path)
    dose = total_dose_e_per_A2 or says.get("Dose", 0.0) * 1e-20
    pixel = pixel_size_angstrom or says.get("Pixel size X", 0.0) * 1e10 or header_pixel
    if dose <= 0 or pixel <= 0:
        raise Invalid(f"{path} does not say its dose and pixel size.", hint="Give both.")
    per_electron = image.mean(dtype=np.float64) / (dose * pixel**2)
    if crop is not None:
        top, side = max(0, (image.shape[0] - crop) // 2), max(0, (image.shape[1] - crop) // 2)
        image = image[top : top + crop, side : side + crop]
    expected = image.astype(np.float32) / np.float32(per_electron)
    rng = np.random.default_rng([seed, 2**21])
    electrons = np.floor(expected + rng.random(expected.shape, dtype=np.float32))
    return Micrograph(
        name=path.stem,
        electrons=np.minimum(electrons, 65535).astype(np.uint16),
        pixel_size_angstrom=pixel,
        total_dose_e_per_A2=dose,
        voltage_kv=says.get("HT", 0.0) / 1e3 or voltage_kv,
        target_defocus_um=-says.get("Applied defocus", 0.0) * 1e6 or target_defocus_um,
    )


def thin(
    electrons: NDArray[np.uint16], motion: Motion, shape: tuple[int, int], *, seed: int
) -> Iterator[NDArray[np.uint8]]:
    """Deal the electrons of an image out to moving frames.

    Parameters
    ----------
    electrons : (h, w), larger than ``shape`` by the largest displacement on each side.
    motion : whole pixels; no local field.

    Yields
    ------
    frames (h, w) uint8 of ``shape``, cut from the middle.
    """
    left = electrons.copy()
    height, width = shape
    top, side = (electrons.shape[0] - height) // 2, (electrons.shape[1] - width) // 2
    taken = np.empty(electrons.shape, dtype=np.uint8)
    for frame in range(motion.frames):
        _take(left, 1.0 / (motion.frames - frame), seed + frame, taken)
        dx, dy = (round(float(value)) for value in motion.trajectory[frame])
        # what is now at r was at r − d
        yield taken[top - dy : top - dy + height, side - dx : side - dx + width].copy()


@njit(cache=True, nogil=True)
def _take(left: NDArray[np.uint16], share: float, seed: int, taken: NDArray[np.uint8]) -> None:
    """Draw each pixel's electrons binomially with probability ``share``, and take them away. By inversion."""
    np.random.seed(seed & 0x7FFFFFFF)
    odds = share / max(1.0 - share, 1e-300)
    keep = 1.0 - share
    powers = np.empty(65536)
    powers[0] = 1.0
    for n in range(1, 65536):
        powers[n] = powers[n - 1] * keep
    for row in range(left.shape[0]):
        for column in range(left.shape[1]):
            n = int(left[row, column])
            drawn = 0
            if share >= 1.0:
                drawn = n
            elif powers[n] < 1e-250:
                # one by one where the first term underflows: only hot pixels have so many
                for _ in range(n):
                    drawn += np.random.random() < share
            else:
                chance = powers[n]
                total = chance
                draw = np.random.random()
                while draw > total and drawn < n:
                    chance *= odds * (n - drawn) / (drawn + 1)
                    drawn += 1
                    total += chance
            drawn = min(drawn, 255)
            taken[row, column] = drawn
            left[row, column] = n - drawn


class ThinnedSession(GrowingSession):
    """Writes an EPU session of pseudo-movies thinned from a real micrograph.

    Parameters
    ----------
    micrograph : see ``read_micrograph``.
    drift_px : largest displacement; a margin of it is cut from each side of the micrograph.
    """

    def __init__(
        self,
        out: Path,
        micrograph: Micrograph,
        *,
        movies: int,
        frames: int = 40,
        drift_px: int = 12,
        seed: int = 1,
        interval_s: float = 3.0,
    ) -> None:
        height, width = micrograph.electrons.shape
        if movies < 0 or frames < 1 or drift_px < 0 or min(height, width) < 64 + 2 * drift_px:
            raise Invalid(
                f"{movies} movies of {frames} frames with {drift_px} px of drift cannot be thinned "
                f"from {height} × {width} px.",
                hint="Ask for at least one frame and less drift.",
            )
        super().__init__(out, movies=movies, seed=seed, interval_s=interval_s)
        self.micrograph = micrograph
        self.frames = frames
        self.drift_px = drift_px

    @cached_property
    def size(self) -> tuple[int, int]:
        """(h, w) of the frames."""
        height, width = self.micrograph.electrons.shape
        return height - 2 * self.drift_px, width - 2 * self.drift_px

    def _parameters(self) -> Parameters:
        return {
            "micrograph": self.micrograph.name,
            "frames": self.frames,
            "drift_px": self.drift_px,
            "seed": self.seed,
        }

    def _begin(self, started: datetime, parameters: Parameters) -> SessionTruth:
        stamp = started.strftime("%Y%m%d_%H%M%S")
        return SessionTruth(
            kind="thinned",
            name=f"Supervisor_{stamp}_ThinnedPseudoMovies_{self.micrograph.name}",
            atlas_session=f"Supervisor_{stamp}_Atlas_Simulated_{self.micrograph.name}",
            started=started,
            source=f"{LABEL}, {self.micrograph.name}; the motion is made up, the grid is simulated",
            parameters=parameters,
        )

    def _writer(self, truth: SessionTruth) -> SessionWriter:
        return SessionWriter(
            self.out,
            truth,
            seed=self.seed,
            grid_name=LABEL,
            target_defocus_um=(self.micrograph.target_defocus_um,),
            exposure_time_s=self.frames * 0.3,
        )

    def _make(self, index: int, *, place: Place, acquired: datetime) -> Made:
        micrograph = self.micrograph
        rng = np.random.default_rng([self.seed, index])
        # the trajectory turns, so that its ends may be nearer to one another than its farthest point
        drawn = draw_motion(rng, self.frames, drift_px=0.7 * self.drift_px, local_px=0.0, jitter_px=0.3)
        limit = self.drift_px
        motion = Motion(np.clip(np.round(drawn.trajectory), -limit, limit), drawn.local)
        counts_per_px = micrograph.total_dose_e_per_A2 * micrograph.pixel_size_angstrom**2 / self.frames
        record = ExposureRecord(
            place=place,
            acquired=acquired,
            shape=self.size,
            pixel_size_angstrom=micrograph.pixel_size_angstrom,
            frames=self.frames,
            counts_per_px=counts_per_px,
            target_defocus_um=micrograph.target_defocus_um,
            exposure_time_s=self.frames * 0.3,
            voltage_kv=micrograph.voltage_kv,
            camera=LABEL,
        )
        inner = micrograph.electrons[limit : limit + self.size[0], limit : limit + self.size[1]]
        truth = MovieTruth(
            name="",
            kind="thinned",
            movie=None,
            acquired=acquired,
            grid_square_id=place.square.id,
            foil_hole_id=place.hole.id,
            shape=self.size,
            frames=self.frames,
            pixel_size_angstrom=micrograph.pixel_size_angstrom,
            counts_per_px_per_frame=counts_per_px,
            dose_per_frame_e_per_A2=micrograph.total_dose_e_per_A2 / self.frames,
            total_dose_e_per_A2=micrograph.total_dose_e_per_A2,
            voltage_kv=micrograph.voltage_kv,
            target_defocus_um=micrograph.target_defocus_um,
            motion=motion_truth(motion, pixel_size_angstrom=micrograph.pixel_size_angstrom),
        )
        frames = thin(micrograph.electrons, motion, self.size, seed=int(rng.integers(0, 2**30)))
        return Made(record, inner.astype(np.float32) / np.float32(self.frames), frames, truth)


def _extended_header(path: Path) -> dict[str, float]:
    """Numbers of the first record of the header that EPU adds; empty when there is none."""
    with mrcfile.open(path, header_only=True) as mrc:
        if bytes(mrc.header.exttyp.item()) not in (b"FEI1", b"FEI2"):
            return {}
        record: Any = mrc.indexed_extended_header[0]
        names = ("Dose", "Pixel size X", "HT", "Applied defocus")
        return {name: float(record[name]) for name in names if name in record.dtype.names}
