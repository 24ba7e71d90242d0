"""What a session's settings ask for stands in its XML, in its truth, and is what Athena reads of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from typer.testing import CliRunner

from athena.cli import app
from athena.domain.optics_groups import group_by_beam_shift
from athena.errors import Invalid
from athena.formats.epu_xml_image import read_image
from athena.formats.movies import open_movie
from athena.ingest.epu import EpuAdapter
from athena_pipelines.simulate.epu.beam import point_beam
from athena_pipelines.simulate.epu.grid import Grid
from athena_pipelines.simulate.exposures import PLATE_EXPOSURES, draw_exposure, phase_shift
from athena_pipelines.simulate.microscope import REALISTIC, Microscope
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.session import EpuSimulator
from athena_pipelines.simulate.specimen import Ice
from athena_pipelines.simulate.truth import MovieTruth, SessionTruth, read_truth
from tests.simulate.measure import model, power_spectrum, ring_score, simulated, whitened

pytestmark = pytest.mark.feature("AC-05")


def simulator(out: Path, microscope: Microscope, *, movies: int = 3, size: int = 96) -> EpuSimulator:
    return EpuSimulator(out, movies=movies, size=(size, size), frames=4, seed=3, interval_s=0, microscope=microscope)


def truths(out: Path, microscope: Microscope, *, movies: int = 3) -> tuple[MovieTruth, ...]:
    return read_truth(simulator(out, microscope, movies=movies).run()).movies


def test_zeros_shift_with_the_phase_plate() -> None:
    truth = Ctf(13000.0, 13000.0, 0.0, phase_shift_deg=70.0)
    made = model(size=768, ctf=truth, ice=Ice(coverage=0.3, thickness_angstrom=900.0))
    power = whitened(power_spectrum(simulated(made).still()))
    tried = np.arange(0, 180, 10)
    scores = [ring_score(power, Ctf(13000, 13000, 0, phase_shift_deg=float(one)), 1.5) for one in tried]
    assert abs(tried[int(np.argmax(scores))] - 70) <= 10
    # where χ, the phase shift and asin 0.07 make π, by the quadratic equation in k²
    zeros = np.float32([1 / 16.1668, 1 / 20.8388])
    none = np.zeros(1, dtype=np.float32)
    assert abs(Ctf(13000, 13000, 0).evaluate(zeros, none)[0]) < 1e-3
    assert abs(truth.evaluate(zeros, none)[1]) < 1e-3


def test_a_phase_plate_is_in_xml_session_and_truth_and_its_phase_grows(tmp_path: Path) -> None:
    session = simulator(tmp_path, Microscope(phase_shift_deg=(30.0, 110.0))).run()
    found = EpuAdapter().scan(session)
    assert all(exposure.optics.phase_plate for exposure in found.exposures)
    assert {entry.name: entry.value for entry in found.metadata if entry.group == "Session"}["Phase plate"] is True
    shifts = [movie.phase_shift_deg for movie in read_truth(session).movies]
    assert shifts[0] == 30
    assert np.all(np.diff(shifts) > 1)
    scope = Microscope(phase_shift_deg=(30.0, 110.0))
    assert phase_shift(scope, PLATE_EXPOSURES - 1) == pytest.approx(108.5, abs=0.5)
    assert phase_shift(scope, PLATE_EXPOSURES) == 30
    drawn = draw_exposure(scope, seed=3, index=2, place=Grid(3).place(2), size=(64, 64), frames=2)
    assert drawn.model.ctf.phase_shift_deg == pytest.approx(shifts[2], abs=1e-3)

    without = EpuAdapter().scan(simulator(tmp_path / "none", Microscope()).run())
    assert not any(exposure.optics.phase_plate for exposure in without.exposures)


def test_tilt_is_in_xml_and_truth(tmp_path: Path) -> None:
    session = simulator(tmp_path, Microscope(stage_tilt_deg=30.0), movies=1).run()
    (movie,) = read_truth(session).movies
    assert read_image(next(session.rglob(f"{movie.name}.xml"))).alpha_rad == pytest.approx(np.radians(30))
    assert movie.stage_tilt_deg == 30
    assert movie.defocus_slope is not None
    assert np.hypot(*movie.defocus_slope) == pytest.approx(np.tan(np.radians(30)), abs=1e-4)


@pytest.mark.feature("BY-10")
@pytest.mark.parametrize(("afis", "groups"), [(True, 27), (False, 3)])
def test_athena_finds_the_optics_groups_of_the_truth(afis: bool, groups: int) -> None:
    grid = Grid(3)
    beams = [point_beam(grid.place(index), afis=afis, seed=3) for index in range(600)]
    true = np.array([beam.optics_group for beam in beams])
    assert len(set(true)) == groups
    found = group_by_beam_shift(np.array([beam.shift for beam in beams]))
    # the same partition, whatever the numbers
    assert len(set(zip(true, found, strict=True))) == groups == len(set(found))


def test_beam_shifts_are_in_xml_and_truth_and_the_stage_stays_within_a_cluster(tmp_path: Path) -> None:
    for afis in (True, False):
        session = simulator(tmp_path / str(afis), Microscope(afis=afis), movies=9).run()
        movies = read_truth(session).movies
        exposures = EpuAdapter().scan(session).exposures
        for exposure, movie in zip(exposures, movies, strict=True):
            assert (exposure.optics.beam_shift_x, exposure.optics.beam_shift_y) == movie.beam_shift
        # exposures of the same hole lie apart for Athena, but the stage stood still
        assert len({one.stage for one in exposures}) == 9
        holes = {hole.id: hole.stage for square in Grid(3).squares for hole in square.holes}
        steps = set()
        for exposure, movie in zip(exposures, movies, strict=True):
            stage = read_image(Path(str(exposure.xml))).stage
            assert stage is not None
            hole = holes[movie.foil_hole_id]
            steps |= {round(abs(stage[axis] - hole[axis]) * 1e6, 3) for axis in (0, 1)}
        # in the middle of a cluster of 3 × 3 holes that are 4 µm apart, or on the hole
        assert steps == ({0.0, 4.0} if afis else {0.0})
        largest = max(abs(value) for movie in movies for value in movie.beam_shift or ())
        assert 0.005 < largest < 0.12


def test_truth_tells_of_film_crystals_and_contamination(tmp_path: Path) -> None:
    everything = Microscope(carbon=1.0, crystalline_ice=1.0, contamination=1.0, mean_free_path_angstrom=3950.0)
    movies = truths(tmp_path, everything, movies=8)
    assert {movie.kind for movie in movies} == {"specimen", "carbon"}
    for movie in movies:
        assert movie.carbon_thickness_angstrom is not None
        assert (movie.carbon_fraction == 1) == (movie.kind == "carbon")
        assert (movie.ice_thickness_angstrom is None) == (movie.kind == "carbon")
        assert (movie.crystalline_ice_angstrom > 0) == (movie.kind != "carbon")
        assert movie.mean_counts_per_px_per_frame is not None
        assert movie.mean_counts_per_px_per_frame < 0.8
    assert any(movie.contamination_fraction > 0 for movie in movies)
    plain = truths(tmp_path / "plain", Microscope())
    for movie in plain:
        assert (movie.carbon_fraction, movie.contamination_fraction, movie.crystalline_ice_angstrom) == (0, 0, 0)
        assert movie.mean_counts_per_px_per_frame == pytest.approx(0.8)
        assert movie.defocus_slope == (0, 0)


def test_ice_and_camera_take_the_electrons_that_the_truth_says(tmp_path: Path) -> None:
    scope = Microscope(mean_free_path_angstrom=3950.0, dqe_zero=0.8, counts_per_px=5.0, failures=0.5)
    session = simulator(tmp_path, scope, movies=6, size=256).run()
    truth = read_truth(session)
    assert truth.detector is not None
    assert truth.detector[0] == (0.0, 1.0, 0.8)
    seen = set()
    for movie in truth.movies:
        if movie.movie is None:
            continue
        with open_movie(session / movie.movie) as file:
            mean = float(np.mean([file.read(frame) for frame in range(file.frames)]))
        assert movie.mean_counts_per_px_per_frame == pytest.approx(mean, rel=0.01)
        ice = movie.ice_thickness_angstrom or 0.0
        assert mean == pytest.approx(5.0 * 0.8 * np.exp(-ice / 3950), rel=0.01)
        # the specimen was exposed to all of them
        assert movie.dose_per_frame_e_per_A2 == 5.0
        seen.add(movie.kind)
    assert seen == {"specimen", "empty"}


def test_seeds_stand_for_the_same_sessions_as_ever_whatever_else_is_on(tmp_path: Path) -> None:
    # drawn before any of these options was there
    known = [8653.56, 10802.7, 10680.98]
    for scope in (Microscope(), Microscope(carbon=1.0, crystalline_ice=1.0, contamination=1.0, mtf_nyquist=0.5)):
        drawn = [
            draw_exposure(scope, seed=1, index=index, place=Grid(1).place(index), size=(64, 64), frames=5).model
            for index in range(3)
        ]
        assert [round(one.ctf.defocus_u_angstrom, 2) for one in drawn] == known
    kinds = [
        draw_exposure(
            Microscope(failures=0.6), seed=3, index=index, place=Grid(3).place(index), size=(64, 64), frames=5
        ).kind
        for index in range(3)
    ]
    assert kinds == ["specimen", "no_movie", "empty"]


def as_begun_long_ago(session: Path) -> None:
    """Take away what a truth file did not hold before there were these options."""
    path = session / "truth.json"
    truth = json.loads(path.read_text())
    added = {
        *("mtf_nyquist", "dqe_zero", "phase_shift_deg", "stage_tilt_deg", "hole_slope_deg", "hole_height_um", "afis"),
        *("mean_free_path_angstrom", "carbon", "crystalline_ice", "contamination"),
    }
    assert added < set(truth["parameters"])
    truth["parameters"] = {name: value for name, value in truth["parameters"].items() if name not in added}
    known = set(MovieTruth.model_fields) - {
        *("stage_tilt_deg", "defocus_slope", "hole_height_angstrom", "carbon_fraction", "carbon_thickness_angstrom"),
        *("crystalline_ice_angstrom", "contamination_fraction", "mean_counts_per_px_per_frame"),
        *("beam_shift", "optics_group"),
    }
    truth["movies"] = [{name: movie[name] for name in known} for movie in truth["movies"]]
    del truth["detector"]
    path.write_text(json.dumps(truth))


def test_a_session_begun_before_there_were_these_settings_goes_on(tmp_path: Path) -> None:
    session = simulator(tmp_path, Microscope(b_factor=70.0), movies=1).run()
    as_begun_long_ago(session)
    with pytest.raises(Invalid, match=r"other settings \(afis, carbon\)"):
        simulator(tmp_path, Microscope(b_factor=70.0, carbon=0.5, afis=True)).prepare()
    with pytest.raises(Invalid, match=r"other settings \(b_factor\)"):
        simulator(tmp_path, Microscope()).prepare()
    assert simulator(tmp_path, Microscope(b_factor=70.0), movies=2).run() == session
    assert len(read_truth(session).movies) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"mtf_nyquist": 0.0},
        {"dqe_zero": 1.5},
        {"carbon": -0.1},
        {"stage_tilt_deg": 89.0},
        {"phase_shift_deg": (90.0, 30.0)},
        {"target_defocus_um": ()},
        {"counts_per_px": float("nan")},
    ],
)
def test_impossible_microscopes_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        Microscope(**wrong)  # type: ignore[arg-type]


def simulated_by_command(out: Path, *options: str) -> SessionTruth:
    arguments = ["simulate", "epu", str(out), "--movies", "1", "--size", "64", "--frames", "2", *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return read_truth(Path(result.output.splitlines()[-1]))


def test_every_option_of_the_command_reaches_the_truth(tmp_path: Path) -> None:
    options = (
        "--pixel-size 1.2 --voltage 200 --counts 1.5 --defocus 0.5,0.9 --drift 2-4 --phase-plate 90 --tilt -20 --afis "
        "--mtf 0.4 --dqe 0.9 --gain-spread 0.02 --hot-pixels 1e-4 --ice 150 --mean-free-path 3000 --hole-slope 1 "
        "--hole-height 0.1 --carbon 0.2 --crystalline 0.3 --contamination 0.4 --failures 0.1"
    )
    found = simulated_by_command(tmp_path / "all", *options.split()).parameters
    assert (
        found
        | {
            "pixel_size_angstrom": 1.2,
            "voltage_kv": 200,
            "counts_per_px": 1.5,
            "target_defocus_um": [0.5, 0.9],
            "drift_px": [2, 4],
            "phase_shift_deg": [90, 90],
            "stage_tilt_deg": -20,
            "afis": True,
            "mtf_nyquist": 0.4,
            "dqe_zero": 0.9,
            "gain_spread": 0.02,
            "hot_pixels": 1e-4,
            "ice_angstrom": [150, 150],
            "mean_free_path_angstrom": 3000,
            "hole_slope_deg": 1,
            "hole_height_um": 0.1,
            "carbon": 0.2,
            "crystalline_ice": 0.3,
            "contamination": 0.4,
            "failures": 0.1,
        }
        == found
    )
    plain = simulated_by_command(tmp_path / "plain").parameters
    assert plain["carbon"] == plain["phase_shift_deg"][0] == 0  # type: ignore[index]
    realistic = simulated_by_command(tmp_path / "realistic", "--realistic", "--no-afis", "--carbon", "0").parameters
    assert (realistic["mtf_nyquist"], realistic["afis"], realistic["carbon"]) == (REALISTIC.mtf_nyquist, False, 0)


@pytest.mark.parametrize("options", [("--drift", "1-2-3"), ("--phase-plate", "much"), ("--mtf", "7"), ("--ice", "9-3")])
def test_options_that_say_nothing_are_refused(tmp_path: Path, options: tuple[str, str]) -> None:
    wrong = CliRunner().invoke(app, ["simulate", "epu", str(tmp_path), *options])
    assert isinstance(wrong.exception, Invalid)
    assert wrong.exception.hint
    assert not list(tmp_path.iterdir())


def test_the_xml_is_well_formed_with_everything_on(tmp_path: Path) -> None:
    session = simulator(tmp_path, REALISTIC, movies=4).run()
    for path in session.rglob("*.xml"):
        etree.parse(path)
    assert EpuAdapter().scan(session).problems == ()
