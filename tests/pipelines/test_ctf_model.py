"""The CTF against published values."""

import numpy as np
import pytest

from athena_pipelines.core.ctf_model import Defocus, Optics, ctf, ctf_image, wavelength, zeros

pytestmark = pytest.mark.feature("EQ-01")


@pytest.mark.parametrize(
    ("voltage_kv", "expected"), [(100, 0.037013), (120, 0.033491), (200, 0.025079), (300, 0.019687)]
)
def test_wavelength(voltage_kv: float, expected: float) -> None:
    assert wavelength(voltage_kv) == pytest.approx(expected, abs=1e-6)


def test_zeros_and_values_at_300_kv() -> None:
    optics = Optics(300, 2.7, 0.1)
    assert 1 / zeros(15000, optics) == pytest.approx([17.455, 12.235, 9.957, 8.606], abs=1e-3)
    assert ctf([0.05, 0.1, 0.2], 15000, optics) == pytest.approx([-0.6625, -0.0796, 0.8456], abs=1e-4)


def test_zeros_stop_where_the_phase_turns_over() -> None:
    found = zeros(3000, Optics(), count=100)
    assert 0 < len(found) < 100
    assert np.abs(ctf(found, 3000, Optics())).max() < 1e-6


def test_defocus_is_u_along_its_angle_and_v_across() -> None:
    defocus = Defocus(15500, 15000, 30)
    assert defocus.along(np.deg2rad([30, 120, 75])) == pytest.approx([15500, 15000, 15250])


def test_image_has_u_along_the_angle_with_y_up() -> None:
    # along +45° (rows and columns rising) the phase runs faster than along −45°
    image = ctf_image((512, 512), 1.0, Defocus(20000, 10000, 45), Optics())
    n = 20
    k = np.hypot(n, n) / 512
    assert image[n, n] == pytest.approx(float(ctf(k, 20000, Optics())), abs=1e-5)
    assert image[-n, n] == pytest.approx(float(ctf(k, 10000, Optics())), abs=1e-5)
