"""The movie of one tilt."""

import math

import numpy as np
from numpy.typing import NDArray

from athena_pipelines.simulate.canvas import canvas_around
from athena_pipelines.simulate.moving import MovingImage
from athena_pipelines.simulate.sensor import Sensor
from athena_pipelines.simulate.structure import Molecule
from athena_pipelines.simulate.tomo.projection import Transfer, image_spectra
from athena_pipelines.simulate.tomo.sample import Sample
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.tilts import Tilt


def moving_image(
    settings: Tomography,
    molecule: Molecule,
    sample: Sample,
    tilt: Tilt,
    *,
    shape: tuple[int, int],
    response: NDArray[np.float32] | None = None,
) -> MovingImage:
    """The image of a tilt at the camera.

    Parameters
    ----------
    response : (h, w) counts a pixel of the camera gives for one electron; None is 1 everywhere.
    """
    rng = np.random.default_rng(tilt.seed)
    frame_seeds = rng.integers(0, 2**63, tilt.motion.frames)
    canvas = canvas_around(shape, tilt.motion.reach, pixel_size_angstrom=settings.pixel_size_angstrom)
    ideal = settings.mtf_nyquist == 1 and settings.dqe_zero == 1
    sensor = None if ideal else Sensor(settings.mtf_nyquist, settings.dqe_zero)
    transfer = Transfer(
        ctf=tilt.ctf,
        hand=settings.hand,
        prior_dose=tilt.prior_dose,
        b_factor=settings.b_factor,
        sensor=sensor,
    )
    bright, contrast = image_spectra(rng, molecule, sample, tilt.view, transfer, canvas)
    dose = settings.dose_e_per_A2 / tilt.motion.frames
    rate = dose * settings.pixel_size_angstrom**2 * settings.dqe_zero
    return MovingImage(
        canvas=canvas,
        bright=bright,
        contrast=contrast,
        rate=np.float32(rate * let_through(settings, sample, tilt)),
        motion=tilt.motion,
        dose_per_frame=dose,
        voltage_kv=settings.voltage_kv,
        frame_seeds=frame_seeds,
        response=response,
    )


def let_through(settings: Tomography, sample: Sample, tilt: Tilt) -> float:
    """Share of the electrons that come through the ice, the way through which is longer in a tilted slab."""
    if settings.mean_free_path_angstrom == 0:
        return tilt.unblocked
    return tilt.unblocked * math.exp(-sample.thickness_angstrom * tilt.view.longer / settings.mean_free_path_angstrom)
