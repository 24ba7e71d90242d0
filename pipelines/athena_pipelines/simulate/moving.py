"""Frames of an image that moves and fades, as a camera counts them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.detector import count_electrons, expected_counts, spline_prefilter
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.optics import critical_exposure
from athena_pipelines.simulate.specimen import backward, frequencies


@dataclass(frozen=True, kw_only=True)
class MovingImage:
    """An image at the camera.

    Attributes
    ----------
    canvas : the image with a margin that motion brings parts of into view.
    bright : transform of what does not fade, over the canvas; None is 1 everywhere.
    contrast : transform of what is added to that and fades.
    rate : electrons a pixel and frame that are counted where the image is 1.
    dose_per_frame : exposure a frame, e/Å²; 0 for an image that does not fade.
    frame_seeds : (frames,) of the counting noise.
    response : (h, w) counts a pixel of the camera gives for one electron; None is 1 everywhere.
    """

    canvas: Canvas
    bright: NDArray[np.complex64] | None
    contrast: NDArray[np.complex64]
    rate: np.float32
    motion: Motion
    dose_per_frame: float
    voltage_kv: float
    frame_seeds: NDArray[np.int64]
    response: NDArray[np.float32] | None = None

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield each frame's counts, (h, w) uint8, row 0 at the bottom."""
        for frame, spline in enumerate(self._splines()):
            yield count_electrons(
                spline,
                self.canvas.inner,
                margin=self.canvas.margin,
                shift=self.motion.trajectory[frame],
                field=self.motion.space_coefficients(frame),
                seed=int(self.frame_seeds[frame]),
                response=self.response,
            )

    def expected_frames(self) -> Iterator[NDArray[np.float32]]:
        """Yield each frame's expected counts, (h, w) float32: the movie without counting noise and camera."""
        for frame, spline in enumerate(self._splines()):
            yield expected_counts(
                spline,
                self.canvas.inner,
                margin=self.canvas.margin,
                shift=self.motion.trajectory[frame],
                field=self.motion.space_coefficients(frame),
            )

    def still(self) -> NDArray[np.float32]:
        """Expected counts a pixel of one frame before anything moves and fades, (h, w) float32."""
        width = self.canvas.shape[1]
        image = 1 + backward(self.contrast, width)
        if self.bright is not None:
            image += backward(self.bright, width) - 1
        return self.rate * self.canvas.cut(image)

    @property
    def mean_counts(self) -> float:
        """Expected counts a pixel and frame, over the image."""
        if self.bright is None:
            return float(self.rate)
        return float(self.rate * self.canvas.cut(backward(self.bright, self.canvas.shape[1])).mean())

    def _splines(self) -> Iterator[NDArray[np.float32]]:
        """Spline coefficients of the expected counts, one image a frame."""
        pixel, width = self.canvas.pixel_size_angstrom, self.canvas.shape[1]
        fx, fy = frequencies(self.canvas.shape, pixel)
        prefilter = spline_prefilter(fx * pixel) * spline_prefilter(fy * pixel)
        spectrum = self.contrast * prefilter
        spectrum *= self.rate
        steady: NDArray[np.float32] | np.float32 = self.rate
        if self.bright is not None:
            steady = self.rate * backward(self.bright * prefilter, width)
        if self.dose_per_frame == 0:
            spline = backward(spectrum, width) + steady
            for _ in range(self.motion.frames):
                yield spline
            return
        radius = np.sqrt(fx**2 + fy**2)
        fading = np.exp(-0.5 * self.dose_per_frame / critical_exposure(radius, self.voltage_kv))
        # the middle of the first frame has seen half a frame's exposure
        spectrum *= np.sqrt(fading)
        for _ in range(self.motion.frames):
            spline = backward(spectrum, width)
            spline += steady
            yield spline
            spectrum *= fading
