"""What is seen of a tilted slab lies where the truth says, at the defocus of its own height."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from athena.errors import Invalid
from athena.formats.movies import open_movie
from athena_pipelines.simulate.canvas import Canvas
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.specimen import backward, frequencies, molecule_transfer, phase_of_strength
from athena_pipelines.simulate.structure import load_molecule
from athena_pipelines.simulate.tomo.geometry import View
from athena_pipelines.simulate.tomo.imaging import let_through, moving_image
from athena_pipelines.simulate.tomo.projection import Transfer, image_spectra
from athena_pipelines.simulate.tomo.sample import Sample, needed_extent, place_molecules
from athena_pipelines.simulate.tomo.scheme import tilt_angles
from athena_pipelines.simulate.tomo.session import TomoSimulator
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.tilts import Tilt, draw_series
from athena_pipelines.simulate.tomo.truth import SeriesTruth, TiltTruth, TomoTruth
from athena_pipelines.simulate.truth import read_as
from tests.simulate.measure import power_spectrum, ring_score, whitened

pytestmark = pytest.mark.feature("AC-05")

NOWHERE = np.zeros((0, 3))


def slab(
    molecules: NDArray[np.float64] = NOWHERE, *, thickness: float = 600.0, x_tilt: float = 0.0, y_tilt: float = 0.0
) -> Sample:
    turns = Rotation.random(len(molecules), rng=np.random.default_rng(8))
    return Sample(thickness, x_tilt, y_tilt, molecules, turns, NOWHERE, np.zeros(0))


def test_angles_come_in_the_order_of_their_scheme() -> None:
    ends = (-12.0, 12.0)
    assert tilt_angles("dose-symmetric", ends, step_deg=3, start_deg=0) == (0, 3, -3, -6, 6, 9, -9, -12, 12)
    assert tilt_angles("bidirectional", ends, step_deg=6, start_deg=0) == (0, 6, 12, -6, -12)
    assert tilt_angles("unidirectional", ends, step_deg=6, start_deg=0) == (-12, -6, 0, 6, 12)
    # of a lamella; one side ends before the other
    assert tilt_angles("dose-symmetric", ends, step_deg=3, start_deg=9) == (9, 12, 6, 3, 0, -3, -6, -9, -12)
    assert tilt_angles("dose-symmetric", (0.0, 0.0), step_deg=3, start_deg=0) == (0,)
    full = tilt_angles("dose-symmetric", (-60.0, 60.0), step_deg=3, start_deg=0)
    assert len(full) == len(set(full)) == 41
    # neither side is ever more than a pair of steps ahead
    assert all(abs(max(full[:n]) + min(full[:n])) <= 6 for n in range(2, 42))


def test_a_view_turns_and_shifts_as_its_conventions_say() -> None:
    rng = np.random.default_rng(2)
    places = rng.uniform(-500, 500, (20, 3))
    view = View(33.0, x_tilt_deg=5.0, y_tilt_deg=-8.0, axis_deg=85.0, shift_angstrom=(40.0, -25.0), magnification=1.01)
    # intrinsic turns about z, the new y and the new x are Rz · Ry · Rx
    turned = Rotation.from_euler("ZYX", [85.0, 25.0, 5.0], degrees=True).apply(places)
    seen = view.project(places)
    np.testing.assert_allclose(seen[:, :2], 1.01 * turned[:, :2] + [40.0, -25.0], atol=1e-9)
    np.testing.assert_allclose(seen[:, 2], turned[:, 2], atol=1e-9)
    # the slab's middle rises across the image as it says
    middle = np.column_stack([places[:, :2], np.zeros(20)])
    right, up, height = view.project(middle).T
    np.testing.assert_allclose(height, view.rise.x * (right - 40) + view.rise.y * (up + 25), atol=1e-6)
    assert View(60.0).longer == pytest.approx(2.0)
    # with the axis upright, the right side sinks at positive tilts
    assert View(30.0).rise.x == pytest.approx(-math.tan(math.radians(30)))
    # along the axis nothing rises: it points up and to the left, 85° from +y
    axis = (-math.sin(math.radians(85)), math.cos(math.radians(85)))
    level = View(30.0, axis_deg=85.0).rise
    assert level.x * axis[0] + level.y * axis[1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("hand", [-1, 1])
def test_a_projection_is_a_central_slice_of_the_specimen(hand: int) -> None:
    molecule = load_molecule()
    canvas = Canvas((240, 216), (220, 200), 8, 3.0)
    places = np.array([[0.0, 0, 0], [60, -80, 150], [-120, 90, -200], [130, 110, 90]])
    sample = slab(places, x_tilt=4.0, y_tilt=-3.0)
    ctf = Ctf(21000, 19000, 35)
    fx, fy = frequencies(canvas.shape, 3.0)
    rows, columns = np.nonzero((np.hypot(fx, fy) > 0.004) & (np.hypot(fx, fy) < 1 / 15))
    rng = np.random.default_rng(1)
    chosen = rng.choice(len(rows), 120, replace=False)
    rows, columns = rows[chosen], columns[chosen]
    kx, ky = fx[0, columns].astype(float), fy[rows, 0].astype(float)
    for tilt in (0.0, 47.0, -60.0):
        view = View(tilt, x_tilt_deg=4.0, y_tilt_deg=-3.0, axis_deg=85.0, shift_angstrom=(21.0, -13.0))
        bright, contrast = image_spectra(rng, molecule, sample, view, Transfer(ctf=ctf, hand=hand), canvas, ice=False)
        assert bright is None
        # the transform of all atoms in space, where the plane through its middle cuts it
        lying = Rotation.from_euler("ZYX", [85.0, tilt - 3.0, 4.0], degrees=True)
        expected = np.zeros(len(rows), dtype=complex)
        for place, turn in zip(places, sample.turns, strict=True):
            right, up, height = lying.apply(place)
            atoms = (lying * turn).apply(molecule.positions)
            phase = np.outer(kx, atoms[:, 0] + right) + np.outer(ky, atoms[:, 1] + up)
            transfer = Ctf(ctf.defocus_u_angstrom + hand * height, ctf.defocus_v_angstrom + hand * height, 35)
            seen = np.array(
                [transfer.evaluate(np.float32([a]), np.float32([b]))[0] for a, b in zip(kx, ky, strict=True)]
            )
            expected += (np.exp(-2j * np.pi * phase) @ molecule.strength) * seen
        corner = (8 + 99.5) * 3.0 + 21.0, (8 + 109.5) * 3.0 - 13.0
        expected *= np.exp(-2j * np.pi * (kx * corner[0] + ky * corner[1]))
        expected *= 2 * phase_of_strength(pixel_size_angstrom=3.0, voltage_kv=300.0)
        expected *= molecule_transfer(molecule, fx, fy, pixel_size_angstrom=3.0)[rows, columns]
        # what pixels had spread was made up for in the transfer; here there were none
        expected *= (np.sinc(kx * 3.0) * np.sinc(ky * 3.0)) ** 2
        error = np.abs(contrast[rows, columns] - expected)
        assert np.sqrt((error**2).mean()) < 0.02 * np.sqrt((np.abs(expected) ** 2).mean())


def bead_places(series: SeriesTruth, tilt: TiltTruth) -> NDArray[np.float64]:
    """Where beads are seen, (n, 2) Å, by nothing but what truth.json says of it."""
    x, y, z = np.array([bead.place_angstrom for bead in series.beads]).T
    a, b = math.radians(series.x_tilt_deg), math.radians(tilt.tilt_angle_deg + series.y_tilt_deg)
    y, z = y * math.cos(a) - z * math.sin(a), z * math.cos(a) + y * math.sin(a)
    u, v = x * math.cos(b) + z * math.sin(b), y
    c = math.radians(tilt.tilt_axis_deg)
    right = tilt.magnification * (u * math.cos(c) - v * math.sin(c)) + tilt.shift_angstrom[0]
    up = tilt.magnification * (u * math.sin(c) + v * math.cos(c)) + tilt.shift_angstrom[1]
    return np.column_stack([right, up])


def test_beads_are_where_the_truth_says_in_every_tilt(tmp_path: Path) -> None:
    settings = Tomography(
        step_deg=20,
        beads=9,
        bead_diameter_angstrom=(140, 160),
        thickness_angstrom=(400, 400),
        concentration=0.0,
        dose_e_per_A2=30.0,
        pixel_size_angstrom=4.0,
    )
    session = TomoSimulator(tmp_path, series=1, size=(256, 320), frames=4, seed=5, settings=settings).run()
    truth = read_as(TomoTruth, session)
    (series,) = truth.series
    assert len(series.tilts) == 7
    compared = 0
    for tilt in series.tilts:
        with open_movie(session / tilt.movie) as movie:
            image = sum(movie.read(frame).astype(float) for frame in range(movie.frames))
        places = bead_places(series, tilt) / 4.0 + [159.5, 127.5]
        motion = tilt.motion.model()
        for number, (x, y) in enumerate(places):
            u, v = (x + 0.5) / 320 * 2 - 1, (y + 0.5) / 256 * 2 - 1
            moved = motion.trajectory + motion.local_at(np.array([u]), np.array([v]))[:, 0]
            x, y = np.array([x, y]) + moved.mean(axis=0)
            # some 38 px wide, so that a window of 61 px holds one of them and what is around it
            alone = np.hypot(*(np.delete(places, number, axis=0) - [x, y]).T).min() > 56
            if not (34 < x < 286 and 34 < y < 222 and alone):
                continue
            left, bottom = round(x) - 30, round(y) - 30
            part = image[bottom : bottom + 61, left : left + 61]
            rows, columns = np.indices(part.shape)
            around = np.hypot(rows - 30, columns - 30)
            shadow = np.where(around < 26, np.median(part[around > 26]) - part, 0)
            found = (columns * shadow).sum() / shadow.sum() + left, (rows * shadow).sum() / shadow.sum() + bottom
            assert found == pytest.approx((x, y), abs=0.5)
            compared += 1
    assert compared >= 12


def still_tilt(view: View, ctf: Ctf, *, prior_dose: float = 0.0, frames: int = 1) -> Tilt:
    motion = Motion(np.zeros((frames, 2)), np.zeros((2, 5, 3)))
    return Tilt(0, view.tilt_deg, view, ctf, motion, prior_dose, (3, 0))


@pytest.mark.parametrize("hand", [-1, 1])
def test_ice_has_the_defocus_of_its_height_across_a_tilted_image(hand: int) -> None:
    settings = Tomography(hand=hand, mean_free_path_angstrom=0.0, pixel_size_angstrom=1.5)
    ctf = Ctf(14000, 14000, 0)
    view = View(40.0, axis_deg=0.0)
    tilt = still_tilt(view, ctf)
    image = moving_image(settings, load_molecule(), slab(thickness=500.0), tilt, shape=(768, 768)).still()

    def best(part: NDArray[np.float32]) -> float:
        power = whitened(power_spectrum(part, 192))
        tried = 14000 + np.arange(-1500, 1501, 50)
        return float(tried[int(np.argmax([ring_score(power, Ctf(d, d, 0), 1.5) for d in tried]))])

    # the right side lies lower by tan 40° for each Å
    difference = best(image[:, -256:]) - best(image[:, :256])
    assert difference == pytest.approx(-hand * math.tan(math.radians(40)) * 512 * 1.5, abs=200)
    assert best(image[:, 256:512]) == pytest.approx(14000, abs=150)
    assert best(image[-256:]) == pytest.approx(best(image[:256]), abs=250)


def test_a_tilted_slab_lets_less_through() -> None:
    settings = Tomography(mean_free_path_angstrom=3000.0, dose_e_per_A2=10.0)
    for angle, longer in ((0.0, 1.0), (60.0, 2.0)):
        tilt = still_tilt(View(angle), Ctf(30000, 30000, 0), frames=2)
        sample = slab(thickness=900.0)
        assert let_through(settings, sample, tilt) == pytest.approx(math.exp(-0.3 * longer))
        image = moving_image(settings, load_molecule(), sample, tilt, shape=(256, 256))
        counts = np.stack(list(image.frames())).mean()
        assert counts == pytest.approx(5.0 * 4 * math.exp(-0.3 * longer), rel=0.01)


def test_molecules_fade_with_all_that_they_have_seen_and_ice_does_not() -> None:
    molecule = load_molecule()
    canvas = Canvas((192, 192), (180, 180), 6, 2.0)
    ctf = Ctf(20000, 20000, 0)
    places = np.array([[0.0, 0, 0], [100, 30, 0]])
    spectra = {}
    for ice, sample in ((False, slab(places)), (True, slab())):
        for dose in (0.0, 60.0):
            rng = np.random.default_rng(4)
            transfer = Transfer(ctf=ctf, prior_dose=dose)
            spectra[ice, dose] = image_spectra(rng, molecule, sample, View(0.0), transfer, canvas, ice=ice)[1]
    fx, fy = frequencies(canvas.shape, 2.0)
    band = (np.hypot(fx, fy) > 0.032) & (np.hypot(fx, fy) < 0.034)
    power = {key: float(np.sqrt((np.abs(value[band]) ** 2).sum())) for key, value in spectra.items()}
    critical = 0.24499 * 0.033**-1.6649 + 2.8141
    assert power[False, 60.0] / power[False, 0.0] == pytest.approx(math.exp(-60 / (2 * critical)), rel=0.1)
    assert power[True, 60.0] == pytest.approx(power[True, 0.0])


def test_images_of_slabs_that_lie_askew_are_filled_to_their_corners() -> None:
    view = View(0.0, x_tilt_deg=6.0, y_tilt_deg=8.0, axis_deg=70.0)
    x, y = needed_extent((300, 400), 5.0, view, steepest_deg=60.0, thickness_angstrom=800.0)
    for angle in (-60.0, 0.0, 60.0):
        tilted = View(angle, x_tilt_deg=6.0, y_tilt_deg=8.0, axis_deg=70.0)
        for corner in np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) * [1000.0, 750.0]:
            for face in (-400.0, 400.0):
                # along the beam from the corner to that face of the slab
                start, along = tilted.matrix.T @ [*corner, 0.0], tilted.matrix.T @ [0.0, 0.0, 1.0]
                place = start + along * (face - start[2]) / along[2]
                assert abs(place[0]) <= x + 1e-6
                assert abs(place[1]) <= y + 1e-6


def test_molecules_lie_within_the_slab_and_do_not_overlap() -> None:
    rng = np.random.default_rng(3)
    extent = (1500.0, 800.0)
    found = place_molecules(rng, extent, thickness_angstrom=1000.0, diameter_angstrom=130.0, concentration=0.1)
    wanted = 0.1 * 4 * 1500 * 800 * 1000 / (math.pi * 130**3 / 6)
    assert len(found) == pytest.approx(wanted, abs=1)
    assert (np.abs(found) <= [1500, 800, 435]).all()
    apart = np.linalg.norm(found[:, None] - found[None], axis=-1)
    assert apart[np.triu_indices(len(found), 1)].min() > 0.95 * 130
    thin = place_molecules(rng, extent, thickness_angstrom=50.0, diameter_angstrom=130.0, concentration=0.1)
    assert len(thin) > 10
    assert not thin[:, 2].any()


def test_series_depend_on_seed_and_number_alone_and_stay_the_same_when_broken_off() -> None:
    molecule = load_molecule()

    def drawn(seed: int, index: int, **settings: object) -> Tilt:
        made = draw_series(Tomography(**settings), molecule, seed=seed, index=index, shape=(96, 96), frames=3)  # type: ignore[arg-type]
        return made.tilts[2]

    same, again = drawn(4, 1), drawn(4, 1, tilts=5)
    assert (same.view, same.ctf) == (again.view, again.ctf)
    np.testing.assert_array_equal(same.motion.trajectory, again.motion.trajectory)
    assert drawn(4, 2).view != same.view != drawn(5, 1).view
    assert same.prior_dose == 6.0
    assert same.view.tilt_deg == pytest.approx(-3.0, abs=0.2)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"step_deg": 0.0}, "step_deg"),
        ({"angles_deg": (60.0, -60.0)}, "runs from 60 to -60"),
        ({"start_deg": 70.0}, "cannot begin at 70"),
        ({"hand": 0}, "hand"),
        ({"angles_deg": (-75.0, 75.0), "y_tilt_deg": (10.0, 12.0)}, "nearly from its edge"),
        ({"concentration": 0.9}, "concentration"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, object], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        Tomography(**settings)  # type: ignore[arg-type]


def test_a_still_image_of_nothing_but_ice_is_even() -> None:
    settings = Tomography(mean_free_path_angstrom=0.0)
    tilt = still_tilt(View(50.0, axis_deg=85.0), Ctf(30000, 30000, 0))
    image = moving_image(settings, load_molecule(), slab(thickness=1500.0), tilt, shape=(192, 256))
    still = image.still()
    assert image.mean_counts == pytest.approx(3.0 * 4)
    assert still.mean() == pytest.approx(12.0, rel=1e-3)
    assert 0.005 < still.std() / still.mean() < 0.5
    # as grainy in every quarter: no sheet was left out
    quarters = [
        still[rows, columns].std()
        for rows in (slice(96), slice(96, None))
        for columns in (slice(128), slice(128, None))
    ]
    assert max(quarters) < 1.2 * min(quarters)
    assert backward(image.contrast, image.canvas.shape[1]).mean() == pytest.approx(0, abs=1e-6)
