"""What a CTF fit says of phase plates, tilt, empty holes, carbon and crystals of ice: sensible, or that it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from athena.portal.flags import FLAG_WORDS
from athena_pipelines.core.ctf import MicrographCtf, measure_ctf
from athena_pipelines.core.ctf_fit import CtfFit, SearchRange
from athena_pipelines.core.ctf_model import Defocus, Optics
from athena_pipelines.core.spectrum import Spectrum
from athena_pipelines.core.tilt import Tilt
from athena_pipelines.steps.compute import ctf_flags
from tests.pipelines.ctf_scenes import (
    Camera,
    carbon,
    count,
    crystalline_ice,
    poor_gain,
    project,
    protein,
    thick,
    tilted,
)

pytestmark = pytest.mark.feature("AC-03", "EQ-01")

CAMERA = Camera()
USUAL = Defocus(15500, 15200, 30)


def _fit(image: np.ndarray, camera: Camera = CAMERA, **search: float | bool) -> tuple[Spectrum, CtfFit, list[str]]:
    found = measure_ctf(image, camera.pixel, camera.optics, SearchRange(**search))  # type: ignore[arg-type]
    return found.spectrum, found.fit, ctf_flags(found)


def _near(fit: CtfFit, mean: float, *, within: float) -> None:
    assert fit.determined
    assert fit.defocus.mean_angstrom == pytest.approx(mean, abs=within)


@pytest.mark.parametrize(
    ("shift", "defocus", "within"),
    [(30, 6000, 60), (90, 8000, 100), (120, 5500, 60), (60, 3600, 100), (150, 11000, 90)],
)
def test_a_phase_plate_that_is_asked_for(shift: float, defocus: float, within: float) -> None:
    rng = np.random.default_rng(11)
    truth = Defocus(defocus + 100, defocus - 100, 30, shift)
    _, fit, flags = _fit(count(CAMERA, rng, project(CAMERA, protein(CAMERA, rng), truth)), phase_shift=True)
    _near(fit, defocus, within=within)
    assert fit.defocus.phase_shift_deg == pytest.approx(shift, abs=6)
    assert fit.quality.resolution_angstrom < 5
    assert flags == []


@pytest.mark.parametrize(("shift", "defocus"), [(30, 6000), (60, 9000), (90, 5000), (90, 8000), (120, 6000)])
def test_a_phase_plate_that_nobody_mentioned(shift: float, defocus: float) -> None:
    rng = np.random.default_rng(12)
    truth = Defocus(defocus + 100, defocus - 100, 30, shift)
    _, fit, flags = _fit(count(CAMERA, rng, project(CAMERA, protein(CAMERA, rng), truth)))
    assert "phase_shift_suspected" in flags
    # what is still told lies where rings that are wrong by this phase put it
    assert not fit.determined or abs(fit.defocus.mean_angstrom - defocus) < 1000


@pytest.mark.parametrize("contrast", [0.03, 0.07, 0.12])
@pytest.mark.parametrize("aberration", [2.4, 2.7, 3.0])
def test_a_wrong_amplitude_contrast_or_cs_is_no_phase_plate(contrast: float, aberration: float) -> None:
    rng = np.random.default_rng(13)
    seen = Camera(1024)
    image = count(seen, rng, project(seen, carbon(seen, rng), Defocus(12150, 11850, 30)))
    _, fit, flags = _fit(image, Camera(1024, optics=Optics(300, aberration, contrast)))
    _near(fit, 12000, within=250)
    assert flags == []


def test_no_phase_plate_has_no_phase_shift() -> None:
    rng = np.random.default_rng(14)
    _, fit, _ = _fit(count(CAMERA, rng, project(CAMERA, protein(CAMERA, rng), USUAL)), phase_shift=True)
    _near(fit, USUAL.mean_angstrom, within=60)
    assert fit.defocus.phase_shift_deg < 6


def test_no_phase_shift_is_told_where_one_of_nearly_180_degrees_fits_as_well() -> None:
    """Noise makes 175° the best of this image by a hair."""
    rng = np.random.default_rng([8, 32])
    camera = Camera(1024, 1.0)
    image = count(camera, rng, project(camera, protein(camera, rng), Defocus(8100, 7900, 30)))
    _, fit, _ = _fit(image, camera, phase_shift=True)
    assert fit.defocus.phase_shift_deg < 6
    _near(fit, 8000, within=60)


def test_a_phase_shift_of_nearly_180_degrees_that_is_clear_is_told() -> None:
    rng = np.random.default_rng(34)
    image = count(CAMERA, rng, project(CAMERA, protein(CAMERA, rng, contrast=0.25), Defocus(8100, 7900, 30, 168)))
    _, fit, _ = _fit(image, phase_shift=True)
    assert fit.defocus.phase_shift_deg == pytest.approx(168, abs=5)


def test_finer_rings_tell_astigmatism_better() -> None:
    camera = Camera(1024, 1.0)
    off: dict[bool, list[complex]] = {False: [], True: []}
    for seed in range(8):
        rng = np.random.default_rng([seed, 35])
        image = count(
            camera, rng, project(camera, carbon(camera, rng, contrast=0.12), Defocus(15100, 14900, 20 * seed))
        )
        for beyond, errors in off.items():
            _, fit, _ = _fit(image, camera, beyond=beyond)
            found = fit.defocus.u_angstrom - fit.defocus.v_angstrom
            turns = np.exp(2j * np.radians([fit.defocus.angle_deg, 20 * seed]))
            errors.append(found * turns[0] - 200 * turns[1])
    assert np.linalg.norm(off[True]) < 0.8 * np.linalg.norm(off[False])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_steep_tilt_pulls_neither_defocus_nor_astigmatism(seed: int) -> None:
    """Beyond 6 Å the rings of these images are inverted."""
    rng = np.random.default_rng([seed, 33])
    camera = Camera(1536, 1.0)
    truth = Defocus(20150, 19850, 30)
    found = _measure(count(camera, rng, tilted(camera, carbon(camera, rng), truth, tilt_deg=55)), camera).fit.defocus
    assert found.u_angstrom == pytest.approx(truth.u_angstrom, abs=60)
    assert found.v_angstrom == pytest.approx(truth.v_angstrom, abs=60)
    assert found.angle_deg == pytest.approx(truth.angle_deg, abs=10)


@pytest.mark.parametrize("aimed", [5000, 12000])
def test_phase_shifts_of_a_specimen_that_is_strongest_at_low_resolution_lean_to_no_side(aimed: int) -> None:
    rng = np.random.default_rng([aimed, 26])
    camera = Camera(1024, 1.0)
    off = []
    for shift in (10, 50, 90, 130, 170):
        truth = Defocus(aimed + 100, aimed - 100, 30, shift)
        specimen = protein(camera, rng, contrast=0.25, b_factor=150)
        _, fit, _ = _fit(count(camera, rng, project(camera, specimen, truth)), camera, phase_shift=True)
        off.append((fit.defocus.phase_shift_deg - shift + 90) % 180 - 90)
    assert abs(np.mean(off)) < 2.5
    assert np.abs(off).max() < 8


def test_a_tilt_costs_resolution_and_not_defocus() -> None:
    reached = []
    truth = Defocus(20150, 19850, 30)
    rng = np.random.default_rng(15)
    specimen = protein(CAMERA, rng)
    for image in (project(CAMERA, specimen, truth), *(tilted(CAMERA, specimen, truth, tilt_deg=t) for t in (30, 50))):
        _, fit, flags = _fit(count(CAMERA, rng, image))
        _near(fit, 20000, within=60)
        assert set(flags) <= {"tilted"}
        reached.append(fit.quality.resolution_angstrom)
    assert reached[0] < reached[1] < reached[2]
    assert reached[0] < 4.6
    assert 5 < reached[2] < 10


def test_a_tilt_is_measured_and_none_is_made_up() -> None:
    rng = np.random.default_rng(28)
    camera = Camera(1536)
    specimen = carbon(camera, rng)
    for tilt in (0, 20, 45):
        found = _measure(count(camera, rng, tilted(camera, specimen, USUAL, tilt_deg=tilt)), camera)
        error = found.tilt.angle_error_deg
        assert 0.1 < error < 2
        assert ctf_flags(found) == (["tilted"] if tilt > 10 else [])
        if tilt:
            assert found.tilt.angle_deg == pytest.approx(tilt, abs=4 * error)
            assert found.tilt.slope_x > 0
            assert found.tilt.axis_deg == pytest.approx(90, abs=4 * found.tilt.axis_error_deg)
        else:
            assert np.isnan([found.tilt.angle_deg, found.tilt.axis_deg, found.tilt.axis_error_deg]).all()


def test_what_does_not_show_a_tilt_tells_none() -> None:
    """Noise, an image too small for tiles, and one too weak: a tilt is not determined, and the last says how well."""
    rng = np.random.default_rng(27)
    camera = Camera(1024)
    weak = Camera(1024, dose=8.0)
    small = Camera(256)
    for seen, contrast in ((camera, None), (small, project(small, carbon(small, rng), USUAL))):
        image = count(seen, rng) if contrast is None else count(seen, rng, contrast)
        found = measure_ctf(image, seen.pixel, seen.optics, SearchRange()).tilt
        assert not found.significant
        assert np.isnan(found.angle_error_deg)
    image = count(weak, rng, tilted(weak, protein(weak, rng), USUAL, tilt_deg=15))
    found = measure_ctf(image, weak.pixel, weak.optics, SearchRange())
    assert "tilted" not in ctf_flags(found)
    assert np.isnan(found.tilt.angle_deg)


@pytest.mark.parametrize("error", [0.0, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("phase_shift", [False, True])
def test_an_empty_hole_has_no_ctf(error: float, *, phase_shift: bool) -> None:
    camera = Camera(1024)
    for seed in range(3):
        rng = np.random.default_rng([seed, 16])
        _, fit, flags = _fit(
            count(camera, rng, gain=poor_gain(camera, rng, error=error)), camera, phase_shift=phase_shift
        )
        assert flags == ["ctf_not_determined"], fit.significance


def test_an_empty_hole_with_crystals_has_no_ctf_either() -> None:
    rng = np.random.default_rng(17)
    _, _, flags = _fit(count(CAMERA, rng, project(CAMERA, crystalline_ice(CAMERA, rng), USUAL)))
    assert flags == ["ctf_not_determined", "crystalline_ice"]


def test_carbon_fits_best() -> None:
    rng = np.random.default_rng(18)
    _, fit, flags = _fit(count(CAMERA, rng, project(CAMERA, carbon(CAMERA, rng), USUAL)))
    assert flags == []
    assert fit.defocus.u_angstrom == pytest.approx(USUAL.u_angstrom, abs=15)
    assert fit.defocus.v_angstrom == pytest.approx(USUAL.v_angstrom, abs=15)
    assert fit.defocus.angle_deg == pytest.approx(USUAL.angle_deg, abs=2)
    assert fit.quality.resolution_angstrom < 3.2
    assert fit.score > 0.5


@pytest.mark.parametrize(("spots", "strength"), [(400, 3.0), (40, 8.0), (8, 6.0)])
@pytest.mark.parametrize("finest", [5.0, 3.0])
def test_crystalline_ice_is_told_and_does_not_pull_the_fit(spots: int, strength: float, finest: float) -> None:
    rng = np.random.default_rng(19)
    specimen = protein(CAMERA, rng) + crystalline_ice(CAMERA, rng, spots=spots, strength=strength)
    _, fit, flags = _fit(count(CAMERA, rng, project(CAMERA, specimen, USUAL)), max_resolution_angstrom=finest)
    assert flags == ["crystalline_ice"]
    _near(fit, USUAL.mean_angstrom, within=60)
    assert fit.quality.resolution_angstrom < 5


def test_vitreous_ice_however_thick_is_no_crystal() -> None:
    """Bare ice: little at low resolution, a broad ring at 3.7 Å."""
    rng = np.random.default_rng(20)
    k = CAMERA.frequency
    structure = 0.08 + 0.92 / (1 + np.exp(-(k - 0.2) / 0.02)) + 0.9 * np.exp(-0.5 * ((k - 1 / 3.7) / 0.025) ** 2)
    white = np.fft.rfft2(rng.standard_normal((CAMERA.size,) * 2))
    for contrast in (0.05, 0.2):
        specimen = contrast * white * np.sqrt(structure) * np.exp(-10 * k * k)
        _, _, flags = _fit(count(CAMERA, rng, project(CAMERA, specimen, USUAL)))
        assert "crystalline_ice" not in flags


def test_ice_rings_beyond_the_edge_are_not_looked_for() -> None:
    rng = np.random.default_rng(21)
    camera = Camera(1024, pixel=1.9)
    specimen = protein(camera, rng)
    spectrum, fit, flags = _fit(count(camera, rng, project(camera, specimen, USUAL)), camera)
    assert flags == []
    assert not spectrum.crystalline_ice
    _near(fit, USUAL.mean_angstrom, within=100)


def _measure(image: np.ndarray, camera: Camera) -> MicrographCtf:
    return measure_ctf(image, camera.pixel, camera.optics, SearchRange())


@pytest.mark.parametrize(("thickness", "contrast"), [(1000, 0.3), (1500, 0.15), (2500, 0.3), (3300, 0.3)])
def test_thick_ice_is_measured_by_its_node(thickness: float, contrast: float) -> None:
    rng = np.random.default_rng(22)
    camera = Camera(1536)
    found = _measure(count(camera, rng, thick(camera, rng, USUAL, thickness=thickness, contrast=contrast)), camera)
    assert found.ice_angstrom == pytest.approx(thickness, abs=60)
    _near(found.fit, USUAL.mean_angstrom, within=80)
    assert not found.fit.phase_suspected


def test_thin_ice_carbon_and_tilt_have_no_thickness() -> None:
    rng = np.random.default_rng(23)
    camera = Camera(1536)
    film = carbon(camera, rng)
    tilts = [tilted(camera, film, USUAL, tilt_deg=tilt) for tilt in (35, 55)]
    for contrast in (project(camera, protein(camera, rng), USUAL), project(camera, film, USUAL), *tilts):
        assert np.isnan(_measure(count(camera, rng, contrast), camera).ice_angstrom)


def test_a_phase_plate_that_nobody_mentioned_is_no_thick_ice() -> None:
    rng = np.random.default_rng(24)
    camera = Camera(1536)
    for shift in (45, 90, 130):
        image = project(camera, carbon(camera, rng), Defocus(9100, 8900, 30, shift))
        assert np.isnan(_measure(count(camera, rng, image), camera).ice_angstrom)


def test_every_flag_of_a_fit_has_words() -> None:
    """The portal says them; a name alone is shown only of what a package adds."""
    rng = np.random.default_rng(25)
    camera = Camera(1024)
    found = _measure(count(camera, rng), camera)
    spectrum, fit = replace(found.spectrum, crystalline_ice=True), replace(found.fit, phase_suspected=True)
    steep = Tilt(slope_x=1.0, slope_y=0.0, error=0.01, chance=0.0)
    told = ctf_flags(replace(found, spectrum=spectrum, fit=fit, tilt=steep))
    assert len(told) == 4
    assert set(told) <= set(FLAG_WORDS)
