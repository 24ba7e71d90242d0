"""On a slope every place of the image has the contrast transfer of its own defocus."""

import math

import numpy as np
import pytest

from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.epu.grid import Grid
from athena_pipelines.simulate.exposures import TILT_AXIS_DEG, draw_exposure
from athena_pipelines.simulate.microscope import Microscope
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.slope import Slope, image_on_slope
from athena_pipelines.simulate.specimen import Ice, backward, frequencies
from tests.simulate.measure import Image, model, power_spectrum, ring_score, simulated, whitened

pytestmark = pytest.mark.feature("AC-05")


@pytest.mark.parametrize("slope", [Slope(0.8, -0.5), Slope(0.0, 0.02)])
def test_every_place_has_the_transfer_of_its_own_defocus(slope: Slope) -> None:
    canvas = Canvas((240, 320), (200, 300), 10, 2.0)
    fx, fy = frequencies(canvas.shape, 2.0)
    rng = np.random.default_rng(4)
    spectrum = np.fft.rfft2(rng.normal(0, 1, canvas.shape)).astype(np.complex64)
    # within what is told apart in detail
    spectrum *= np.hypot(fx, fy) < 1 / 2.5
    ctf = Ctf(9000, 8000, 20, phase_shift_deg=30)
    image = image_on_slope(spectrum, ctf, slope, fx=fx, fy=fy, canvas=canvas)
    for row, column in ((0, 0), (110, 160), (60, 250), (239, 319), (10, 10)):
        more = slope.x * float(canvas.x[column]) + slope.y * float(canvas.y[row])
        there = Ctf(9000 + more, 8000 + more, 20, phase_shift_deg=30)
        level = backward(spectrum * there.evaluate(fx, fy), canvas.shape[1])
        assert image[row, column] == pytest.approx(level[row, column], abs=2e-3)
    assert canvas.x[10] == -canvas.x[309] == -299.0


def best_defocus(image: Image, ctf: Ctf, pixel: float) -> float:
    """Mean defocus whose rings fit best, within 1500 Å of that of ``ctf``."""
    power = whitened(power_spectrum(image, 192))
    half = (ctf.defocus_u_angstrom - ctf.defocus_v_angstrom) / 2
    mean = (ctf.defocus_u_angstrom + ctf.defocus_v_angstrom) / 2
    tried = mean + np.arange(-1500, 1501, 50)
    scores = [ring_score(power, Ctf(one + half, one - half, ctf.astigmatism_angle_deg), pixel) for one in tried]
    return float(tried[int(np.argmax(scores))])


def test_left_and_right_top_and_bottom_differ_in_defocus_as_the_truth_says() -> None:
    ctf = Ctf(13000, 13000, 0)
    made = model(size=768, ctf=ctf, ice=Ice(coverage=0.3, thickness_angstrom=1500.0), slope=Slope(1.2, -0.8))
    image = simulated(made).still()
    left, right = best_defocus(image[:, :256], ctf, 1.5), best_defocus(image[:, -256:], ctf, 1.5)
    assert right - left == pytest.approx(1.2 * 512 * 1.5, abs=200)
    bottom, top = best_defocus(image[:256], ctf, 1.5), best_defocus(image[-256:], ctf, 1.5)
    assert top - bottom == pytest.approx(-0.8 * 512 * 1.5, abs=200)
    assert best_defocus(image[256:512, 256:512], ctf, 1.5) == pytest.approx(13000, abs=150)


def test_a_tilted_stage_slopes_across_its_axis_and_holes_have_slopes_and_heights_of_their_own() -> None:
    grid = Grid(3)
    level = {"defocus_error_um": 0.0, "astigmatism_angstrom": (0.0, 0.0), "target_defocus_um": (1.0,)}

    def exposures(count: int, **settings: float) -> list[tuple[int, float, Slope]]:
        scope = Microscope(**level, **settings)  # type: ignore[arg-type]
        found = []
        for index in range(count):
            place = grid.place(index)
            drawn = draw_exposure(scope, seed=3, index=index, place=place, size=(64, 64), frames=2).model
            found.append((place.hole.id, drawn.ctf.defocus_u_angstrom, drawn.slope))
        return found

    (_, defocus, slope), (_, second, _), (_, third, _) = exposures(3, stage_tilt_deg=30.0)
    assert math.hypot(slope.x, slope.y) == pytest.approx(math.tan(math.radians(30)))
    axis = math.radians(TILT_AXIS_DEG)
    assert slope.x * math.cos(axis) + slope.y * math.sin(axis) == pytest.approx(0, abs=1e-9)
    # exposures beside the middle of the hole: 330 px of 12.5 Å to the left and 190 px up, and so on
    assert defocus - 10_000 == pytest.approx(12.5 * (-330 * slope.x - 190 * slope.y))
    assert second - 10_000 == pytest.approx(10_000 - defocus)
    assert third - 10_000 == pytest.approx(12.5 * 400 * slope.y)

    uneven = exposures(300, hole_slope_deg=2.0, hole_height_um=0.2)
    by_hole: dict[int, set[Slope]] = {}
    for hole, _, slope in uneven:
        by_hole.setdefault(hole, set()).add(slope)
    assert all(len(slopes) == 1 for slopes in by_hole.values())
    slopes = np.array([(slope.x, slope.y) for (slope,) in by_hole.values()])
    assert slopes.std() == pytest.approx(math.tan(math.radians(2)), rel=0.2)
    assert np.std([defocus for _, defocus, _ in uneven]) == pytest.approx(2000, rel=0.25)
    assert all(slope.level and defocus == 10_000 for _, defocus, slope in exposures(6))
