"""One simulated movie: specimen → wave → moving, fading image → electron counts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from athena_pipelines.simulate.detector import count_electrons, expected_counts, spline_prefilter
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.optics import Ctf, critical_exposure
from athena_pipelines.simulate.specimen import Ice, backward, frequencies, phase_spectrum
from athena_pipelines.simulate.structure import Molecule


@dataclass(frozen=True)
class MovieModel:
    """Everything that decides a movie, in real units.

    Attributes
    ----------
    shape : (h, w) px of a frame.
    counts_per_px : electrons a pixel and frame, on the camera.
    b_factor : envelope exp(−B k² / 4) of all that blurs the image and is not modelled, Å².
    damage : whether the specimen fades with exposure.
    """

    seed: int
    shape: tuple[int, int]
    pixel_size_angstrom: float
    counts_per_px: float
    ctf: Ctf
    motion: Motion
    ice: Ice | None = field(default_factory=Ice)
    b_factor: float = 60.0
    damage: bool = True

    @property
    def dose_per_frame(self) -> float:
        """Exposure a frame, e/Å²."""
        return self.counts_per_px / self.pixel_size_angstrom**2


class SimulatedMovie:
    """Frames of a movie, made one after the other.

    Parameters
    ----------
    molecule : what is in the ice.
    response : (h, w) counts a pixel of the camera gives for one electron; None is 1 everywhere.
    """

    def __init__(self, model: MovieModel, molecule: Molecule, *, response: NDArray[np.float32] | None = None) -> None:
        self.model = model
        self._response = response
        reach = np.abs(model.motion.trajectory).max() + 2.5 * np.abs(model.motion.local).sum(axis=(1, 2)).max()
        self._margin = math.ceil(float(reach)) + 3
        height, width = model.shape
        padded = tuple(next_fast_len(size + 2 * self._margin, real=True) for size in (height, width))
        self._padded = (padded[0], padded[1])
        rng = np.random.default_rng([model.seed, 1])
        self._frame_seeds = rng.integers(0, 2**63, model.motion.frames)
        self._fx, self._fy = frequencies(self._padded, model.pixel_size_angstrom)
        self._contrast = self._image_spectrum(rng, molecule)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame's counts, (h, w) uint8, row 0 at the bottom."""
        for frame, spline in enumerate(self._splines()):
            yield count_electrons(
                spline,
                self.model.shape,
                margin=self._margin,
                shift=self.model.motion.trajectory[frame],
                field=self.model.motion.space_coefficients(frame),
                seed=int(self._frame_seeds[frame]),
                response=self._response,
            )

    def expected_frames(self) -> Iterator[NDArray[np.float32]]:
        """Yield each frame's expected counts, (h, w) float32: the movie without counting noise."""
        for frame, spline in enumerate(self._splines()):
            yield expected_counts(
                spline,
                self.model.shape,
                margin=self._margin,
                shift=self.model.motion.trajectory[frame],
                field=self.model.motion.space_coefficients(frame),
            )

    def still(self) -> NDArray[np.float32]:
        """Expected counts a pixel of one frame of an undamaged specimen that does not move, (h, w) float32."""
        height, width = self.model.shape
        image = 1 + backward(self._contrast, self._padded[1])
        margin = self._margin
        return self.model.counts_per_px * image[margin : margin + height, margin : margin + width]

    def _image_spectrum(self, rng: np.random.Generator, molecule: Molecule) -> NDArray[np.complex64]:
        """Transform of the image's contrast, 2 φ(k) CTF(k) E(k), (h, w // 2 + 1)."""
        model = self.model
        if model.ice is None:
            return np.zeros((self._padded[0], self._padded[1] // 2 + 1), dtype=np.complex64)
        spectrum, _ = phase_spectrum(
            rng,
            molecule,
            model.ice,
            shape=self._padded,
            pixel_size_angstrom=model.pixel_size_angstrom,
            voltage_kv=model.ctf.voltage_kv,
        )
        spectrum *= 2 * model.ctf.evaluate(self._fx, self._fy)
        spectrum *= np.exp(np.float32(-0.25 * model.b_factor) * (self._fx**2 + self._fy**2))
        spectrum[0, 0] = 0
        return spectrum

    def _splines(self) -> Iterator[NDArray[np.float32]]:
        """Spline coefficients of the expected counts, one image a frame."""
        model = self.model
        pixel = model.pixel_size_angstrom
        spectrum = self._contrast * (spline_prefilter(self._fx * pixel) * spline_prefilter(self._fy * pixel))
        spectrum *= np.float32(model.counts_per_px)
        if not model.damage:
            spline = backward(spectrum, self._padded[1]) + np.float32(model.counts_per_px)
            for _ in range(model.motion.frames):
                yield spline
            return
        radius = np.sqrt(self._fx**2 + self._fy**2)
        fading = np.exp(-0.5 * model.dose_per_frame / critical_exposure(radius, model.ctf.voltage_kv))
        # the middle of the first frame has seen half a frame's exposure
        spectrum *= np.sqrt(fading)
        for _ in range(model.motion.frames):
            spline = backward(spectrum, self._padded[1])
            spline += np.float32(model.counts_per_px)
            yield spline
            spectrum *= fading
