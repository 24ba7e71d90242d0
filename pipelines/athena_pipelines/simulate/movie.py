"""One simulated movie: specimen → wave → moving, fading image → electron counts."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import canvas_around
from athena_pipelines.simulate.crystals import LUMP_LIMIT_ANGSTROM, Lump, crystal_phase, lump_thickness, transmission
from athena_pipelines.simulate.film import Film
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.moving import MovingImage
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.slope import LEVEL, Slope, image_on_slope
from athena_pipelines.simulate.specimen import Ice, backward, forward, frequencies, phase_spectrum
from athena_pipelines.simulate.structure import Molecule


@dataclass(frozen=True)
class MovieModel:
    """Everything that decides a movie, in real units.

    Attributes
    ----------
    shape : (h, w) px of a frame.
    counts_per_px : electrons a pixel and frame that reach the camera where nothing is in the beam.
    b_factor : envelope exp(−B k² / 4) of all that blurs the image and is not modelled, Å².
    damage : whether the specimen fades with exposure.
    sensor : transfer of the camera; None counts every electron and takes the image at points.
    slope : of the defocus; that of ``ctf`` holds in the middle of the image.
    ice_transmission : share of the electrons that the ice lets through.
    film : carbon in the image.
    crystalline_angstrom : thickness of a layer of crystalline ice.
    lumps : ice crystals that lie on the specimen.
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
    sensor: Sensor | None = None
    slope: Slope = LEVEL
    ice_transmission: float = 1.0
    film: Film | None = None
    crystalline_angstrom: float = 0.0
    lumps: tuple[Lump, ...] = ()

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
        self._canvas = canvas_around(model.shape, model.motion.reach, pixel_size_angstrom=model.pixel_size_angstrom)
        self._fx, self._fy = frequencies(self._canvas.shape, model.pixel_size_angstrom)
        rng = np.random.default_rng([model.seed, 1])
        frame_seeds = rng.integers(0, 2**63, model.motion.frames)
        rate = np.float32(model.counts_per_px * model.ice_transmission)
        if model.sensor is not None:
            rate *= np.float32(model.sensor.dqe_zero)
        bright, contrast = self._image_spectra(rng, molecule)
        self._image = MovingImage(
            canvas=self._canvas,
            bright=bright,
            contrast=contrast,
            rate=rate,
            motion=model.motion,
            dose_per_frame=model.dose_per_frame if model.damage else 0.0,
            voltage_kv=model.ctf.voltage_kv,
            frame_seeds=frame_seeds,
            response=response,
        )

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame's counts, (h, w) uint8, row 0 at the bottom."""
        return self._image.frames()

    def expected_frames(self) -> Iterator[NDArray[np.float32]]:
        """Yield each frame's expected counts, (h, w) float32: the movie without counting noise."""
        return self._image.expected_frames()

    def still(self) -> NDArray[np.float32]:
        """Expected counts a pixel of one frame of an undamaged specimen that does not move, (h, w) float32."""
        return self._image.still()

    @property
    def mean_counts(self) -> float:
        """Expected counts a pixel and frame, over the image."""
        return self._image.mean_counts

    def covered(self) -> tuple[float, float]:
        """Shares of the image that lie under carbon film and under ice crystals."""
        film, lumps = self.model.film, self.model.lumps
        carbon = float(self._canvas.cut(film.cover(self._canvas)).mean()) if film is not None else 0.0
        crystals = float((self._canvas.cut(lump_thickness(lumps, self._canvas)) > 0).mean()) if lumps else 0.0
        return carbon, crystals

    def _image_spectra(
        self, rng: np.random.Generator, molecule: Molecule
    ) -> tuple[NDArray[np.complex64] | None, NDArray[np.complex64]]:
        """Transforms of what does not fade (None: 1 everywhere) and of the contrast that does, on the camera.

        Contrast is 2 φ(k) CTF(k) E(k) where all electrons come through, times the share that does.
        """
        model, fx, fy = self.model, self._fx, self._fy
        phase, through = self._specimen(rng, molecule)
        height, width = self._canvas.shape
        if phase is None:
            contrast = np.zeros((height, width // 2 + 1), dtype=np.complex64)
            return None, contrast
        if model.slope.level:
            contrast = phase
            contrast *= 2 * model.ctf.evaluate(fx, fy)
        else:
            contrast = forward(2 * image_on_slope(phase, model.ctf, model.slope, fx=fx, fy=fy, canvas=self._canvas))
        contrast *= np.exp(np.float32(-0.25 * model.b_factor) * (fx**2 + fy**2))
        contrast[0, 0] = 0
        bright = None
        if through is not None:
            contrast = forward(through * backward(contrast, width))
            bright = forward(through)
        if model.sensor is not None:
            pixel = np.float32(model.pixel_size_angstrom)
            mtf = model.sensor.mtf(fx * pixel, fy * pixel)
            contrast *= mtf
            if bright is not None:
                bright *= mtf
        return bright, contrast

    def _specimen(
        self, rng: np.random.Generator, molecule: Molecule
    ) -> tuple[NDArray[np.complex64] | None, NDArray[np.float32] | None]:
        """Transform of the projected phase (None: nothing there), and the share of electrons let through (None: 1)."""
        model, canvas = self.model, self._canvas
        pixel, voltage = model.pixel_size_angstrom, model.ctf.voltage_kv
        # what was added later draws from a stream of its own, so that the rest stays the same
        more = np.random.default_rng([model.seed, 2])
        phase: NDArray[np.complex64] | None = None
        through: NDArray[np.float32] | None = None
        if model.ice is not None:
            phase, _ = phase_spectrum(
                rng, molecule, model.ice, shape=canvas.shape, pixel_size_angstrom=pixel, voltage_kv=voltage
            )
        if model.film is not None:
            cover = model.film.cover(canvas)
            radius = np.hypot(self._fx, self._fy)
            film = model.film.phase_spectrum(more, cover, radius, pixel_size_angstrom=pixel, voltage_kv=voltage)
            phase = film if phase is None else phase + film
            through = model.film.transmission(cover)
        if model.crystalline_angstrom > 0 or model.lumps:
            lumps = lump_thickness(model.lumps, canvas)
            crystals = np.minimum(lumps, np.float32(LUMP_LIMIT_ANGSTROM)) + np.float32(model.crystalline_angstrom)
            planes = forward(crystal_phase(more, crystals, pixel_size_angstrom=pixel, voltage_kv=voltage))
            phase = planes if phase is None else phase + planes
            if model.lumps:
                through = transmission(lumps) if through is None else through * transmission(lumps)
        return phase, through
