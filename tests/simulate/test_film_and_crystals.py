"""Carbon film, crystalline ice and contamination look as they do: rings, reflections, shadows."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from athena_pipelines.core.ice_ring import iciness
from athena_pipelines.core.spectrum import measure
from athena_pipelines.simulate import film
from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.crystals import SPACINGS_ANGSTROM, Lump
from athena_pipelines.simulate.film import Film
from athena_pipelines.simulate.microscope import ICE_MEAN_FREE_PATH
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.specimen import Ice
from tests.simulate.measure import Image, model, power_spectrum, ring_score, simulated, whitened

pytestmark = pytest.mark.feature("AC-05")

EVERYWHERE = -math.inf
FRAMES = Motion(np.zeros((8, 2)), np.zeros((2, 5, 3)))


def counted(**settings: object) -> Image:
    return np.sum(list(simulated(model(motion=FRAMES, **settings)).frames()), axis=0, dtype=np.float32)


def test_carbon_shows_rings_at_its_defocus() -> None:
    truth = Ctf(12000.0, 12000.0, 0.0)
    power = whitened(power_spectrum(counted(size=512, ice=None, film=Film(EVERYWHERE, 0.0), ctf=truth)))
    changes = np.arange(-500, 501, 50)
    scores = [ring_score(power, Ctf(12000 + one, 12000 + one, 0), 1.5) for one in changes]
    assert abs(changes[int(np.argmax(scores))]) <= 50
    assert max(scores) > 0.35


def test_carbon_scatters_as_much_as_its_atoms() -> None:
    canvas = Canvas((256, 256), (256, 256), 0, 1.0)
    sheet = Film(EVERYWHERE, 0.0, thickness_angstrom=200.0)
    radius = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256)[None, :]).astype(np.float32)
    rng = np.random.default_rng(1)
    spectrum = sheet.phase_spectrum(rng, sheet.cover(canvas), radius, pixel_size_angstrom=1.0, voltage_kv=300.0)
    low = (radius > 0.01) & (radius < 0.05)
    # each atom turns the phase by λ γ f(0) over 1 Å²: 0.0197 · 1.587 · 2.51; 0.1 atoms an Å³ over 200 Å
    expected = (0.0196875 * 1.58707 * 2.509) ** 2 * 20
    assert (np.abs(spectrum[low]) ** 2).mean() / 256**2 == pytest.approx(expected, rel=0.15)


def test_the_film_lies_beyond_its_edge_and_lets_less_through() -> None:
    sheet = Film(edge_angstrom=60.0, direction_deg=90.0, thickness_angstrom=200.0)
    movie = simulated(model(size=384, ice=None, film=sheet, counts_per_px=5.0))
    frame = next(iter(movie.expected_frames()))
    # the edge is 40 px above the middle: film is in the upper rows
    film_side, hole = frame[250:].mean(), frame[:210].mean()
    assert hole == pytest.approx(5.0, rel=0.005)
    assert film_side / hole == pytest.approx(math.exp(-200 / film.MEAN_FREE_PATH), rel=0.01)
    assert frame[250:].std() > 5 * frame[100:180].std()
    carbon, lumps = movie.covered()
    assert carbon == pytest.approx((384 / 2 - 40) / 384, abs=0.01)
    assert lumps == 0
    assert movie.mean_counts == pytest.approx(frame.mean(), rel=0.01)


RINGS = np.arange(0.2, 0.33, 0.004)


def reflections(image: Image, pixel: float) -> NDArray[np.float64]:
    """Mean power in ``RINGS``, from each to 0.004 Å⁻¹ more."""
    power = np.abs(np.fft.fft2(image - image.mean())) ** 2
    radius = np.hypot(*np.meshgrid(*2 * [np.fft.fftfreq(len(image), pixel)]))
    return np.array([power[(radius >= low) & (radius < low + 0.004)].mean() for low in RINGS])


def test_crystalline_ice_reflects_where_its_lattice_planes_are() -> None:
    glass, ice, icy, seen = np.zeros(len(RINGS)), np.zeros(len(RINGS)), [], []
    for number in range(8):
        # several defoci, so that no plane lies on a zero of all of them; few grains fit into a small image
        ctf = Ctf(13000.0 + 300 * number, 13000.0 + 300 * number, 0.0)
        images = [
            counted(
                size=512,
                seed=number,
                pixel_size_angstrom=1.1,
                ctf=ctf,
                counts_per_px=2.0,
                crystalline_angstrom=thickness,
            )
            for thickness in (0.0, 250.0)
        ]
        glass += reflections(images[0], 1.1)
        ice += reflections(images[1], 1.1)
        spectra = [measure(image, 1.1) for image in images]
        icy.append(iciness(spectra[1].amplitude, spectra[1].step) / iciness(spectra[0].amplitude, spectra[0].step))
        seen.append([one.crystalline_ice for one in spectra])
    ratio, middles = ice / glass, RINGS + 0.002
    planes = [1 / spacing for spacing in SPACINGS_ANGSTROM]
    for plane in planes:
        assert ratio[np.abs(middles - plane) < 0.003].max() > 2
    assert ratio[np.all([np.abs(middles - plane) > 0.012 for plane in planes], axis=0)].max() < 1.3
    assert np.mean(icy) > 1.2
    # and Athena tells the one from the other in nearly all
    wrong, right = np.sum(seen, axis=0)
    assert right >= 7
    assert wrong <= 2


def test_lumps_of_ice_are_dark_where_they_lie() -> None:
    lump = Lump(x=0.25, y=0.75, radius_angstrom=100.0, thickness_angstrom=2000.0)
    movie = simulated(model(size=384, lumps=(lump,), ice=Ice(coverage=0.0), counts_per_px=4.0))
    frame = next(iter(movie.expected_frames()))
    # at the middle of a lump a little less than its full thickness
    middle, clear = frame[280:297, 88:105].mean(), frame[:192, 192:].mean()
    assert middle / clear == pytest.approx(math.exp(-2000 / ICE_MEAN_FREE_PATH), rel=0.03)
    assert clear == pytest.approx(4.0, rel=0.01)
    assert movie.covered() == (0.0, pytest.approx(math.pi * (100 / 1.5) ** 2 / 384**2, rel=0.03))
    assert movie.mean_counts == pytest.approx(frame.mean(), rel=0.01)


def test_a_fading_specimen_keeps_its_shadows() -> None:
    lump = Lump(x=0.5, y=0.5, radius_angstrom=120.0, thickness_angstrom=2500.0)
    made = model(size=256, lumps=(lump,), counts_per_px=40.0, damage=True)
    first, *_, last = simulated(made).expected_frames()
    middle = np.s_[118:138, 118:138]
    assert last[middle].mean() / last.mean() == pytest.approx(first[middle].mean() / first.mean(), rel=0.03)
    assert last.std() < first.std()
