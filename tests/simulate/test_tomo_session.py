"""Simulated tomography sessions look like Tomography 5's, agree with their truth, and go on where they stopped."""

import json
import re
import threading
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
from lxml import etree
from numpy.typing import NDArray

from athena.contract.processing import MovieParameters
from athena.errors import Invalid
from athena.formats.eer import EerMovie
from athena.formats.epu_xml_image import read_image
from athena.formats.gain import read_gain
from athena.formats.mdoc import read_mdoc
from athena.formats.movies import open_movie
from athena_pipelines.simulate.containers import RAW_FRAMES
from athena_pipelines.simulate.epu.grid import HOLES_VISITED, SQUARE, Grid
from athena_pipelines.simulate.session import EpuSimulator
from athena_pipelines.simulate.tomo.grid import position
from athena_pipelines.simulate.tomo.session import TomoSimulator
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.truth import read_truth
from athena_pipelines.steps.compute import Timing, compute_movie
from tests.simulate.tomography import tiny, truth_of

pytestmark = pytest.mark.feature("AC-05")


NAME = re.compile(
    r"^(?P<pos>.+)_(?P<idx>\d{3})_\[?(?P<angle>-?\d+(\.\d+)?)\]?_(?P<d>\d{8})_(?P<t>\d{6})"
    r"_(?P<kind>fractions|Fractions|EER)\.(tiff?|mrc|eer)$"
)
"""How public readers of Tomography 5 take the names of movies apart."""


def first_frame(path: Path) -> NDArray[Any]:
    with open_movie(path) as movie:
        return movie.read(0).copy()


def test_mdoc_truth_and_names_tell_the_same(tilt_session: Path) -> None:
    truth = truth_of(tilt_session)
    assert [series.name for series in truth.series] == ["Position_1", "Position_2"]
    assert all(series.complete for series in truth.series)
    for series in truth.series:
        mdoc = read_mdoc(tilt_session / f"{series.name}.mdoc")
        assert mdoc.of_tomography5
        assert mdoc.problems == 0
        assert mdoc.tilt_axis_deg == pytest.approx(series.tilt_axis_deg)
        assert mdoc.sections[0].number("RotationAngle") == pytest.approx(series.tilt_axis_deg)
        assert mdoc.header.pixel_size_angstrom == truth.pixel_size_angstrom
        assert mdoc.header.numbers("ImageSize") == (128, 96)
        assert mdoc.header.number("Voltage") == 300
        assert [tilt.nominal_angle_deg for tilt in series.tilts] == [0, 30, -30]
        assert len(mdoc.by_time()) == len(mdoc.sections) == len(series.tilts) == 3
        for order, (section, tilt) in enumerate(zip(mdoc.by_time(), series.tilts, strict=True)):
            assert section.index == tilt.order == order
            assert section.tilt_angle_deg == pytest.approx(tilt.tilt_angle_deg, abs=0.006)
            assert section.tilt_angle_deg == pytest.approx(tilt.nominal_angle_deg, abs=0.2)
            assert section.dose() == pytest.approx(tilt.dose_e_per_A2)
            assert section.prior_dose == pytest.approx(tilt.prior_dose_e_per_A2) == 3.0 * order
            assert section.integer("NumSubFrames") == truth.frames
            ((dose, count),) = section.frame_doses
            assert dose * count == pytest.approx(3.0)
            assert section.number("TargetDefocus") == pytest.approx(-series.target_defocus_um)
            assert section.pair("StagePosition") == pytest.approx(series.stage_um, abs=0.006)
            assert section.frames_name == tilt.movie
            assert section.acquired == tilt.acquired.replace(tzinfo=None)
            found = NAME.match(tilt.movie)
            assert found is not None
            assert (found["pos"], int(found["idx"]), float(found["angle"])) == (
                series.name,
                order + 1,
                tilt.nominal_angle_deg,
            )
            # refocusing keeps the defocus of the specimen's middle
            mean = (tilt.defocus_u_angstrom + tilt.defocus_v_angstrom) / 2
            assert mean == pytest.approx(series.target_defocus_um * 1e4, abs=8000)
    assert truth.series[0].target_defocus_um != truth.series[1].target_defocus_um
    assert truth.series[0].molecules != truth.series[1].molecules


def test_movies_and_stack_hold_the_same_images(tilt_session: Path) -> None:
    truth = truth_of(tilt_session)
    for series in truth.series:
        with mrcfile.open(tilt_session / f"{series.name}.mrc") as mrc:
            assert mrc.is_image_stack()
            assert mrc.header.mode == 6
            assert float(mrc.voxel_size.x) == pytest.approx(2.0)
            stack = mrc.data.copy()
        assert mrcfile.validate(tilt_session / f"{series.name}.mrc")
        assert stack.shape == (3, 96, 128)
        for section, tilt, image in zip(
            read_mdoc(tilt_session / f"{series.name}.mdoc").sections, series.tilts, stack, strict=True
        ):
            with open_movie(tilt_session / tilt.movie) as movie:
                assert (movie.frames, movie.shape) == (3, (96, 128))
                total = sum(movie.read(frame).astype(int) for frame in range(movie.frames))
            np.testing.assert_array_equal(total, image)
            assert section.numbers("MinMaxMean")[:2] == (image.min(), image.max())
            expected = tilt.mean_counts_per_px_per_frame * 3
            assert image.mean() == pytest.approx(expected, rel=0.02)
            # 3 e/Å², pixels of 4 Å², less what the ice takes
            assert expected == pytest.approx(12 * np.exp(-tilt.path_angstrom / 3950), rel=1e-4)
        assert series.tilts[1].path_angstrom > series.thickness_angstrom / np.cos(np.radians(24))


def test_search_maps_and_positions_are_where_public_programs_look_for_them(tilt_session: Path) -> None:
    assert etree.QName(etree.parse(tilt_session / "Session.dm").getroot()).localname == "TomographySession"
    folder = tilt_session / "SearchMaps" / "SearchMap_001"
    image = read_image(folder / "SearchMap.xml")
    assert image.software.startswith("Tomography 5")
    assert image.stage is not None
    assert image.pixel_size_m is not None
    assert image.readout == (SQUARE.width, SQUARE.height)
    assert {path.suffix for path in folder.iterdir()} == {".xml", ".dm", ".jpg", ".mrc"}
    size = etree.parse(folder / "SearchMap.dm").getroot().find("{*}ImageSize")
    assert size is not None
    assert [int(size.findtext(f"{{*}}{name}", "")) for name in ("width", "height")] == [SQUARE.width, SQUARE.height]
    reference = np.array(image.matrix)
    corrections = {}
    for entry in etree.parse(folder / "SearchMap.xml").getroot().iterfind("{*}CustomData/{*}KeyValueOfstringanyType"):
        key, value = entry.findtext("{*}Key", ""), entry.find("{*}Value")
        assert value is not None
        if key.startswith("ReferenceCorrection"):
            corrections[key] = np.array(
                [float(value.findtext(f"{{*}}_m{n}", "nan")) for n in (11, 12, 21, 22)]
            ).reshape(2, 2)
    positions = (
        etree.parse(tilt_session / "Batch" / "BatchPositionsList.xml")
        .getroot()
        .findall("{*}BatchPositions/{*}BatchPositionParameters")
    )
    assert [entry.findtext("{*}Name") for entry in positions] == ["Position_1", "Position_2"]
    assert [entry.findtext("{*}BatchPositionStatus") for entry in positions] == ["Completed", "Completed"]
    for entry, series in zip(positions, truth_of(tilt_session).series, strict=True):
        assert entry.findtext("{*}PositionOnTileSet/{*}TileSetName") == "SearchMap_001"
        stage = np.array(
            [float(entry.findtext(f"{{*}}PositionOnTileSet/{{*}}StagePosition{axis}", "nan")) for axis in "XY"]
        )
        assert stage * 1e6 == pytest.approx(series.stage_um, abs=1e-3)
        # the formula by which python-murfey draws positions
        inverse = np.linalg.inv
        moved = stage - np.array(image.stage[:2])
        moved = (
            inverse(reference)
            @ inverse(corrections["ReferenceCorrectionForStage"])
            @ inverse(corrections["ReferenceCorrectionForImageShift"])
            @ reference
            @ moved
        )
        drawn = moved * [1, -1] / image.pixel_size_m + np.array(image.readout) / 2
        assert drawn == pytest.approx(SQUARE.to_pixel(tuple(stage), image.stage[:2]), abs=1e-6)  # type: ignore[arg-type]
        assert (drawn > 0).all()
        assert (drawn < image.readout).all()


def test_positions_are_holes_and_every_few_have_a_search_map_of_their_own() -> None:
    grid = Grid(3)
    places = [position(grid, index, shots=1) for index in range(3 * HOLES_VISITED)]
    assert len({place.stage for place in places}) == len(places)
    assert [place.map_number for place in places if place.first_of_map] == [1, 2, 3]
    assert len({place.square.id for place in places}) == 3
    far = position(grid, HOLES_VISITED * len(grid.route), shots=1)
    assert far.square == places[0].square
    assert far.stage != places[0].stage


def test_shots_from_one_place_are_taken_in_turn(tmp_path: Path) -> None:
    stop, seen = threading.Event(), []

    def in_the_middle(done: int, wanted: int, name: str) -> None:
        seen.append((wanted, name.rsplit("_", 4)[0]))
        if done == 5:
            stop.set()

    tiny(tmp_path, settings={"shots": 3}).run(stop, in_the_middle)
    session = tiny(tmp_path, settings={"shots": 3}).run(progress=in_the_middle)
    assert seen == [(9, f"Position_1{shot}") for _ in range(3) for shot in ("", "_2", "_3")]
    truth = truth_of(session)
    assert [series.name for series in truth.series] == ["Position_1", "Position_1_2", "Position_1_3"]
    assert all(series.complete for series in truth.series)
    assert len({series.stage_um for series in truth.series}) == 1
    assert len({series.image_shift_um for series in truth.series}) == 3
    (listed,) = etree.parse(session / "Batch" / "BatchPositionsList.xml").getroot().iter("{*}BatchPositionParameters")
    areas = listed.findall("{*}AdditionalExposureTemplateAreas/{*}ExposureTemplateAreaParameters")
    assert [area.findtext("{*}Name") for area in areas] == ["Position_1_2", "Position_1_3"]
    assert listed.findtext("{*}BatchPositionStatus") == "Completed"
    for series, area in zip(truth.series[1:], areas, strict=True):
        said = [float(area.findtext(f"{{*}}Position{axis}", "nan")) * 1e6 for axis in "XY"]
        assert said == pytest.approx(series.image_shift_um, abs=1e-4)
        mdoc = read_mdoc(session / f"{series.name}.mdoc")
        assert mdoc.sections[0].pair("ImageShift") == pytest.approx(series.image_shift_um, abs=0.006)
        assert [section.frames_name for section in mdoc.sections] == [tilt.movie for tilt in series.tilts]
        found = NAME.match(series.tilts[1].movie)
        assert found is not None
        assert (found["pos"], found["idx"]) == (series.name, "002")


def test_the_same_seed_makes_the_same_movies(tmp_path: Path, tilt_session: Path) -> None:
    again = tiny(tmp_path / "same").run()
    other = tiny(tmp_path / "other", seed=4).run()
    first, second, third = (truth_of(folder).series[0] for folder in (tilt_session, again, other))
    assert first.model_copy(update={"tilts": ()}) == second.model_copy(update={"tilts": ()})
    for one, two, three in zip(first.tilts, second.tilts, third.tilts, strict=True):
        assert one.motion == two.motion != three.motion
        pixels = [
            first_frame(folder / tilt.movie) for folder, tilt in ((tilt_session, one), (again, two), (other, three))
        ]
        np.testing.assert_array_equal(pixels[0], pixels[1])
        assert (pixels[0] != pixels[2]).any()


def test_starting_again_goes_on_after_the_last_tilt(tmp_path: Path, tilt_session: Path) -> None:
    stop, seen = threading.Event(), []

    def after_the_second(done: int, wanted: int, name: str) -> None:
        seen.append((done, wanted))
        if done == 2:
            stop.set()

    session = tiny(tmp_path).run(stop, after_the_second)
    assert seen == [(1, 3), (2, 3)]
    assert not list(session.glob("*.mdoc"))
    assert (
        etree.parse(session / "Batch" / "BatchPositionsList.xml").getroot().findtext(".//{*}BatchPositionStatus")
        == "Ready"
    )
    with mrcfile.open(session / "Position_1.mrc") as mrc:
        assert mrc.data.shape == (2, 96, 128)
    assert tiny(tmp_path, series=2).run() == session
    truth = truth_of(session)
    assert [len(series.tilts) for series in truth.series] == [3, 3]
    assert len(list(session.glob("*.mdoc"))) == 2
    # going on does not take back what was done
    tiny(tmp_path, series=3).prepare()
    listed = etree.parse(session / "Batch" / "BatchPositionsList.xml").getroot().findall(".//{*}BatchPositionStatus")
    assert [status.text for status in listed] == ["Completed", "Completed", "Ready"]
    for mine, whole in zip(truth.series, truth_of(tilt_session).series, strict=True):
        assert (session / f"{mine.name}.mrc").read_bytes() == (tilt_session / f"{whole.name}.mrc").read_bytes()


def test_a_tilt_cut_off_leaves_nothing_and_an_mdoc_that_is_missing_is_written(tmp_path: Path) -> None:
    stop = threading.Event()
    simulator = tiny(tmp_path)
    session = simulator.prepare()
    stop.set()
    assert simulator._expose(0, stop) is None
    assert not list(session.glob("Position_*"))
    begun = truth_of(session)
    assert begun.current is not None
    assert begun.series[0].tilts == ()
    simulator.run()
    truth = truth_of(session)
    assert truth.series[0].tilts[0].acquired == begun.current.acquired
    # a crash after the last tilt and before its mdoc
    whole = (session / "Position_1.mdoc").read_bytes()
    (session / "Position_1.mdoc").unlink()
    unfinished = json.loads((session / "truth.json").read_text())
    unfinished["series"][0]["complete"] = False
    (session / "truth.json").write_text(json.dumps(unfinished))
    tiny(tmp_path).run()
    assert (session / "Position_1.mdoc").read_bytes() == whole
    assert truth_of(session) == truth


def test_epu_and_tomography_sessions_lie_side_by_side(tmp_path: Path) -> None:
    epu = EpuSimulator(tmp_path, movies=1, size=(64, 64), frames=2, interval_s=0)
    first = epu.run()
    tomo = tiny(tmp_path).run()
    assert first != tomo
    assert EpuSimulator(tmp_path, movies=2, size=(64, 64), frames=2, interval_s=0).run() == first
    assert tiny(tmp_path).run() == tomo
    assert len(read_truth(first).movies) == 2
    with pytest.raises(Invalid, match="other settings \\(frames\\)"):
        tiny(tmp_path, frames=4).prepare()
    with pytest.raises(Invalid, match="cannot be made"):
        tiny(tmp_path, frames=0)


@pytest.mark.parametrize(("container", "kind"), [("mrc", "Fractions.mrc"), ("eer", "EER.eer")])
def test_other_containers_hold_the_same_counts(tmp_path: Path, tilt_session: Path, container: str, kind: str) -> None:
    session = tiny(tmp_path, container=container).run()
    pairs = zip(truth_of(session).series[0].tilts, truth_of(tilt_session).series[0].tilts, strict=True)
    section = read_mdoc(session / "Position_1.mdoc").sections[1]
    for mine, whole in pairs:
        assert mine.movie.endswith(kind)
        assert NAME.match(mine.movie)
        with open_movie(session / mine.movie) as movie, open_movie(tilt_session / whole.movie) as other:
            if isinstance(movie, EerMovie):
                assert section.integer("NumSubFrames") == movie.raw_frames == 3 * RAW_FRAMES
                assert movie.dose_e_per_px == pytest.approx(12.0)
                movie.group(RAW_FRAMES)
            assert movie.frames == 3
            for frame in range(3):
                np.testing.assert_array_equal(movie.read(frame), other.read(frame))
    assert section.dose() == pytest.approx(3.0)


def test_raw_movies_come_with_their_gain_reference(tmp_path: Path) -> None:
    session = tiny(tmp_path, settings={"gain_spread": 0.1, "hot_pixels": 1e-3, "dose_e_per_A2": 20.0}).run()
    gain = read_gain(session / "Simulated_gain.tiff", (96, 128))
    with mrcfile.open(session / "Position_1.mrc") as mrc:
        corrected = mrc.data[0].astype(float)
    with open_movie(session / truth_of(session).series[0].tilts[0].movie) as movie:
        raw = sum(movie.read(frame).astype(float) for frame in range(movie.frames))
    good = raw < 3 * np.median(raw)
    assert (~good).sum() in range(3, 40)
    # brighter where the gain is lower, until it is made up for in the stack
    assert np.corrcoef(raw[good], gain[good])[0, 1] < -0.3
    assert corrected[good].std() < 0.9 * raw[good].std()


@pytest.mark.slow
def test_motion_and_defocus_of_tilts_are_found_as_the_truth_has_them(tmp_path: Path) -> None:
    settings = Tomography(
        step_deg=45.0, tilts=2, dose_e_per_A2=6.0, target_defocus_um=(2.0,), thickness_angstrom=(1200, 1200)
    )
    simulator = TomoSimulator(tmp_path, series=1, size=(1024, 1024), frames=6, seed=5, settings=settings)
    session = simulator.run()
    (series,) = truth_of(session).series
    for tilt in series.tilts:
        parameters = MovieParameters(
            pixel_size_angstrom=2.0,
            voltage_kv=300.0,
            spherical_aberration_mm=2.7,
            amplitude_contrast=0.07,
            dose_per_frame_e_per_A2=1.0,
            patches_y=1,
            patches_x=1,
        )
        found = compute_movie(str(session / tilt.movie), None, parameters, Timing())
        error = found.motion.global_angstrom(2.0) / 2.0 - np.array(tilt.motion.global_px)
        assert np.abs(error - error.mean(axis=0)).max() < 0.3
        # in the middle of the image, not of the specimen
        off = -(np.array(tilt.defocus_slope) * tilt.shift_angstrom).sum()
        expected = (tilt.defocus_u_angstrom + tilt.defocus_v_angstrom) / 2 + off
        assert found.ctf.fit.defocus.mean_angstrom == pytest.approx(expected, abs=300)


def test_dark_tilts_are_dark_and_change_nothing_else(tilt_session: Path, tmp_path: Path) -> None:
    session = tiny(tmp_path, settings={"failures": 1.0}).run()
    (dark,), (light, _) = truth_of(session).series, truth_of(tilt_session).series
    assert dark.tilts[0] == light.tilts[0].model_copy(
        update={"name": dark.tilts[0].name, "movie": dark.tilts[0].movie, "acquired": dark.tilts[0].acquired}
    )
    with mrcfile.open(session / "Position_1.mrc") as mrc:
        means = mrc.data.mean(axis=(1, 2))
    for mine, whole, mean in zip(dark.tilts[1:], light.tilts[1:], means[1:], strict=True):
        assert (mine.motion, mine.defocus_u_angstrom, mine.shift_px) == (
            whole.motion,
            whole.defocus_u_angstrom,
            whole.shift_px,
        )
        assert mine.unblocked < 0.15
        share = mine.mean_counts_per_px_per_frame / whole.mean_counts_per_px_per_frame
        assert share == pytest.approx(mine.unblocked, rel=1e-3, abs=1e-5)
        assert mean == pytest.approx(3 * mine.mean_counts_per_px_per_frame, rel=0.2, abs=0.02)
