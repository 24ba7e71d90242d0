"""What patches tell of local motion: as much as the likelihood says, no more and no less."""

import numpy as np
import pytest

from athena_pipelines.core.local_motion import Patch
from athena_pipelines.core.signal import bands_for, on_plane

pytestmark = pytest.mark.feature("EQ-01")

SIZE, GROUPS, SNR = 256, 5, 0.2


def test_slopes_are_information_times_displacement() -> None:
    """Of groups that fade at different rates, all displaced at once: as local motion that grows is."""
    rng = np.random.default_rng(4)
    bands = bands_for((SIZE, SIZE), 2.0)
    rings = bands.rings((SIZE, SIZE))
    snr = np.where(np.arange(bands.count) < 50, SNR, 0.0)
    left = np.exp(-np.arange(GROUPS)[:, None] * np.linspace(0.02, 0.8, bands.count))
    shifts = np.linspace(0, 0.3, GROUPS)[:, None] * np.array([1.0, -0.7])
    qy, qx = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :]
    found, expected, alone = np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(24):
        specimen = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * on_plane(np.sqrt(snr), rings)
        images = np.empty((GROUPS, SIZE, SIZE), np.float32)
        for image, part, (y, x) in zip(images, left, shifts, strict=True):
            fading = on_plane(part, rings)
            moved = specimen * fading * np.exp(2j * np.pi * (qy * y + qx * x))
            image[:] = np.fft.irfft2(fading * (moved + np.fft.rfft2(rng.standard_normal((SIZE, SIZE)))))
        patch = Patch.of(images, bands, snr, left**2, None)
        assert np.allclose(patch.information.sum(axis=1), 0, atol=1e-6 * patch.information.max())
        slopes = patch.gradient(np.zeros((GROUPS, 2)))
        late = [0, 2, 4]
        found += (slopes * np.sign(shifts[-1]))[late].sum(axis=1)
        expected += (patch.information @ np.abs(shifts))[late].sum(axis=1)
        alone += (np.diag(patch.information)[:, None] * (np.abs(shifts) - np.abs(shifts).mean(axis=0)))[late].sum(
            axis=1
        )
    np.testing.assert_allclose(found, expected, rtol=0.2)
    # places that are told one by one, each against the mean of all, would be another matter
    assert np.abs(alone / expected - 1).max() > 0.3
