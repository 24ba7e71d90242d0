"""CTF fits recover known optics and stay silent about noise."""

from pathlib import Path

import numpy as np
import pytest

from athena.formats.movies import open_movie
from athena_pipelines.core.ctf_fit import CtfFit, SearchRange, fit_ctf
from athena_pipelines.core.ctf_kernels import correlate_with_gradient
from athena_pipelines.core.ctf_model import Defocus, Optics, ctf_image
from athena_pipelines.core.ice_ring import iciness
from athena_pipelines.core.spectrum import SIZE, measure, radial_average
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.structure import load_molecule

DATA = Path(__file__).parents[1] / "data"

pytestmark = pytest.mark.feature("EQ-01")


def _image(defocus: Defocus, optics: Optics = Optics(), *, size: int = 1024, snr: float = 0.1, pixel: float = 1.0):  # type: ignore[no-untyped-def]
    """White specimen through the CTF, plus noise; ``snr`` is the ratio of variances."""
    rng = np.random.default_rng(4)
    specimen = np.fft.rfft2(rng.standard_normal((size, size))) * ctf_image((size, size), pixel, defocus, optics)
    image = np.fft.irfft2(specimen)
    return (image / image.std() * np.sqrt(snr) + rng.standard_normal((size, size))).astype(np.float32)


def _fit(image: np.ndarray, pixel: float = 1.0, optics: Optics = Optics(), **search: float | bool) -> CtfFit:
    return fit_ctf(measure(image, pixel), optics, SearchRange(**search))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "truth", [Defocus(15500, 15000, 30), Defocus(22000, 20500, 120), Defocus(8000, 7800, 80), Defocus(30500, 30000, 10)]
)
def test_defocus_and_astigmatism(truth: Defocus) -> None:
    fit = _fit(_image(truth, size=2048, snr=0.05))
    assert fit.determined
    assert fit.defocus.u_angstrom == pytest.approx(truth.u_angstrom, abs=100)
    assert fit.defocus.v_angstrom == pytest.approx(truth.v_angstrom, abs=100)
    apart = (fit.defocus.angle_deg - truth.angle_deg + 90) % 180 - 90
    assert abs(apart) < (10 if truth.u_angstrom - truth.v_angstrom > 400 else 35)
    assert fit.quality.resolution_angstrom < 5.5
    assert 0.05 < fit.score < 1


def test_strong_astigmatism_is_found() -> None:
    fit = _fit(_image(Defocus(21000, 18000, 60), size=2048))
    assert fit.defocus.u_angstrom == pytest.approx(21000, abs=150)
    assert fit.defocus.v_angstrom == pytest.approx(18000, abs=150)
    assert fit.defocus.angle_deg == pytest.approx(60, abs=3)


def test_phase_shift() -> None:
    truth = Defocus(12000, 11800, 20, 90)
    fit = _fit(_image(truth, size=2048), phase_shift=True)
    assert fit.defocus.phase_shift_deg == pytest.approx(90, abs=5)
    assert fit.defocus.mean_angstrom == pytest.approx(11900, abs=150)


def test_other_microscopes_and_pixels() -> None:
    optics = Optics(200, 1.4, 0.1)
    fit = _fit(_image(Defocus(18000, 17500, 45), optics, pixel=0.66), 0.66, optics)
    assert fit.defocus.mean_angstrom == pytest.approx(17750, abs=100)
    coarse = _fit(_image(Defocus(18000, 17500, 45), pixel=3.1), 3.1)
    assert coarse.defocus.mean_angstrom == pytest.approx(17750, abs=150)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_defocus(seed: int) -> None:
    noise = np.random.default_rng(seed).poisson(30, (700, 900)).astype(np.float32)
    assert not _fit(noise).determined


@pytest.mark.parametrize("phase_shift", [False, True])
def test_a_bump_without_rings_has_no_defocus(phase_shift: bool) -> None:
    """An object that scatters around 10 Å and shows no rings: the best model lies at the end of the search."""
    k = np.hypot(np.fft.fftfreq(1024, 0.8)[:, None], np.fft.rfftfreq(1024, 0.8)[None])
    noise = np.fft.rfft2(np.random.default_rng(0).standard_normal((1024, 1024)))
    image = np.fft.irfft2(noise * (1 + 2 * np.exp(-(((k - 0.1) / 0.03) ** 2)))).astype(np.float32)
    assert not _fit(image, 0.8, phase_shift=phase_shift).determined


@pytest.mark.parametrize(
    ("defocus", "voltage", "aberration", "pixel", "shape"),
    [
        (4000, 300.0, 2.7, 0.5, (2048, 2048)),
        (3500, 200.0, 1.4, 0.9, (1024, 1024)),
        (50000, 300.0, 2.7, 1.0, (2048, 2048)),
        (12000, 100.0, 1.6, 1.3, (1024, 1024)),
        (20000, 300.0, 0.01, 0.8, (1364, 1920)),
    ],
)
def test_extremes_of_defocus_pixel_and_shape(
    defocus: float, voltage: float, aberration: float, pixel: float, shape: tuple[int, int]
) -> None:
    optics, truth = Optics(voltage, aberration, 0.1), Defocus(defocus + 150, defocus - 150, 25)
    rng = np.random.default_rng(3)
    transform = np.fft.rfft2(rng.standard_normal(shape)) * ctf_image(shape, pixel, truth, optics)
    image = np.fft.irfft2(transform, shape)
    counts = rng.poisson(30 * np.maximum(1 + 0.15 * image / image.std(), 0)).astype(np.float32)
    fit = _fit(counts, pixel, optics, max_defocus_angstrom=60000.0)
    assert fit.determined
    assert fit.defocus.mean_angstrom == pytest.approx(defocus, abs=40)
    assert fit.defocus.u_angstrom - fit.defocus.v_angstrom == pytest.approx(300, abs=150)


def test_far_defocus_in_a_small_field_is_not_pulled() -> None:
    """2048 px at 0.5 Å: the image is padded, and must be padded far enough."""
    still = Motion(np.zeros((1, 2)), np.zeros((2, 5, 3)))
    lens = Ctf(40100, 39900, 30)
    model = MovieModel(301, (2048, 2048), 0.5, counts_per_px=11.25, ctf=lens, motion=still, b_factor=110, damage=False)
    expected = SimulatedMovie(model, load_molecule()).still()
    counts = np.random.default_rng(301).poisson(expected).astype(np.float32)
    fit = _fit(counts, 0.5)
    assert fit.determined
    assert fit.defocus.mean_angstrom == pytest.approx(40000, abs=30)


def test_gradient_is_that_of_the_correlation() -> None:
    rng = np.random.default_rng(0)
    k2, azimuth = rng.uniform(0.001, 0.04, 5000).astype(np.float32), rng.uniform(-1.5, 1.5, 5000)
    arrays = (rng.standard_normal(5000).astype(np.float32), k2)
    arrays += (np.cos(2 * azimuth).astype(np.float32), np.sin(2 * azimuth).astype(np.float32))
    x = np.array([15000.0, 200.0, -100.0, 0.07])
    _, gradient = correlate_with_gradient(*arrays, 0.0197, 2.7e7, x)
    for axis, step in enumerate((5.0, 5.0, 5.0, 3e-3)):
        ahead, behind = (
            correlate_with_gradient(*arrays, 0.0197, 2.7e7, x + s * np.eye(4)[axis])[0] for s in (step, -step)
        )
        assert gradient[axis] == pytest.approx((ahead - behind) / (2 * step), rel=0.05, abs=1e-7)


def test_spectrum_of_a_wave_peaks_at_its_frequency() -> None:
    y, x = np.mgrid[:900, :1100]
    wave = np.cos(2 * np.pi * (0.05 * x + 0.1 * y)).astype(np.float32)
    spectrum = measure(wave + np.random.default_rng(0).normal(0, 0.1, wave.shape).astype(np.float32), 1.0)
    row, column = np.unravel_index(spectrum.amplitude.argmax(), spectrum.amplitude.shape)
    assert abs(int(row) - SIZE // 2) * spectrum.step == pytest.approx(0.1, abs=spectrum.step)
    assert abs(int(column) - SIZE // 2) * spectrum.step == pytest.approx(0.05, abs=spectrum.step)
    # y up: rising rows and columns together
    assert (row - SIZE // 2) * (column - SIZE // 2) > 0
    assert spectrum.nyquist == pytest.approx(0.5 / spectrum.pixel_size_angstrom)


@pytest.mark.parametrize("shape", [(700, 900), (1024, 1536), (300, 2100), (1499, 641)])
def test_white_noise_has_a_flat_spectrum_at_every_shape(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(2).normal(5, 2, shape).astype(np.float32)
    spectrum = measure(noise, 0.9)
    rings = radial_average(spectrum.amplitude)[8:]
    expected = 2 * np.sqrt(noise.size)
    np.testing.assert_allclose(rings, expected, rtol=0.2)
    assert rings.mean() == pytest.approx(expected, rel=0.05)
    centre = SIZE // 2
    np.testing.assert_array_equal(spectrum.amplitude[1:centre, 1:centre], spectrum.amplitude[:centre:-1, :centre:-1])


def test_iciness_rises_with_an_ice_ring() -> None:
    flat = measure(np.random.default_rng(0).standard_normal((700, 700)).astype(np.float32), 1.0)
    k = np.hypot(*np.mgrid[-256:256, -256:256]) * flat.step
    icy = flat.amplitude * np.where((k > 1 / 3.9) & (k < 1 / 3.5), 3, 1).astype(np.float32)
    assert iciness(flat.amplitude, flat.step) == pytest.approx(1, abs=0.1)
    assert iciness(icy, flat.step) == pytest.approx(9, rel=0.1)
    assert np.isnan(iciness(icy, flat.step / 2))
    assert radial_average(flat.amplitude).shape == (SIZE // 2,)


def test_a_real_micrograph_agrees_with_ctffind() -> None:
    """Piece of a Krios micrograph; CTFFIND finds U 27305, V 27166 Å for the whole of it."""
    with open_movie(DATA / "micrographs" / "epu2.9_piece.tiff") as movie:
        fit = _fit(movie.read(0).astype(np.float32), 0.66655)
    assert fit.determined
    assert fit.defocus.mean_angstrom == pytest.approx(27235, abs=150)
