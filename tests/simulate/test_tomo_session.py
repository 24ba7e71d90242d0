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
from typer.testing import CliRunner

from athena.cli import app
from athena.errors import Invalid
from athena.formats.eer import EerMovie
from athena.formats.epu_xml_image import read_image
from athena.formats.gain import read_gain
from athena.formats.mdoc import read_mdoc
from athena.formats.movies import open_movie
from athena_pipelines.simulate.containers import RAW_FRAMES
from athena_pipelines.simulate.epu.grid import HOLES_VISITED, SQUARE, Grid
from athena_pipelines.simulate.replay import paced, replay_session, schedule
from athena_pipelines.simulate.session import EpuSimulator
from athena_pipelines.simulate.tomo.grid import position
from athena_pipelines.simulate.tomo.session import TomoSimulator
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.truth import TomoTruth
from athena_pipelines.simulate.truth import read_as, read_truth

pytestmark = pytest.mark.feature("AC-05")

NAME = re.compile(
    r"^(?P<pos>.+)_(?P<idx>\d{3})_\[?(?P<angle>-?\d+(\.\d+)?)\]?_(?P<d>\d{8})_(?P<t>\d{6})"
    r"_(?P<kind>fractions|Fractions|EER)\.(tiff?|mrc|eer)$"
)
"""How public readers of Tomography 5 take the names of movies apart."""


def tiny(out: Path, *, series: int = 1, **changed: object) -> TomoSimulator:
    settings = Tomography(step_deg=30.0, tilts=3, **changed.pop("settings", {}))  # type: ignore[arg-type]
    given: dict[str, object] = {"size": (96, 128), "frames": 3, "seed": 3} | changed
    return TomoSimulator(out, series=series, settings=settings, **given)  # type: ignore[arg-type]


def truth_of(session: Path) -> TomoTruth:
    return read_as(TomoTruth, session)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def first_frame(path: Path) -> NDArray[Any]:
    with open_movie(path) as movie:
        return movie.read(0).copy()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series of three tilts: 0°, 30° and −30°."""
    return tiny(tmp_path_factory.mktemp("tomo"), series=2).run()


def test_mdoc_truth_and_names_tell_the_same(taken: Path) -> None:
    truth = truth_of(taken)
    assert [series.name for series in truth.series] == ["Position_1", "Position_2"]
    assert all(series.complete for series in truth.series)
    for series in truth.series:
        mdoc = read_mdoc(taken / f"{series.name}.mdoc")
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


def test_movies_and_stack_hold_the_same_images(taken: Path) -> None:
    truth = truth_of(taken)
    for series in truth.series:
        with mrcfile.open(taken / f"{series.name}.mrc") as mrc:
            assert mrc.is_image_stack()
            assert mrc.header.mode == 6
            assert float(mrc.voxel_size.x) == pytest.approx(2.0)
            stack = mrc.data.copy()
        assert mrcfile.validate(taken / f"{series.name}.mrc")
        assert stack.shape == (3, 96, 128)
        for section, tilt, image in zip(
            read_mdoc(taken / f"{series.name}.mdoc").sections, series.tilts, stack, strict=True
        ):
            with open_movie(taken / tilt.movie) as movie:
                assert (movie.frames, movie.shape) == (3, (96, 128))
                total = sum(movie.read(frame).astype(int) for frame in range(movie.frames))
            np.testing.assert_array_equal(total, image)
            assert section.numbers("MinMaxMean")[:2] == (image.min(), image.max())
            expected = tilt.mean_counts_per_px_per_frame * 3
            assert image.mean() == pytest.approx(expected, rel=0.02)
            # 3 e/Å², pixels of 4 Å², less what the ice takes
            assert expected == pytest.approx(12 * np.exp(-tilt.path_angstrom / 3950), rel=1e-4)
        assert series.tilts[1].path_angstrom > series.thickness_angstrom / np.cos(np.radians(24))


def test_search_maps_and_positions_are_where_public_programs_look_for_them(taken: Path) -> None:
    assert etree.QName(etree.parse(taken / "Session.dm").getroot()).localname == "TomographySession"
    folder = taken / "SearchMaps" / "SearchMap_001"
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
        etree.parse(taken / "Batch" / "BatchPositionsList.xml")
        .getroot()
        .findall("{*}BatchPositions/{*}BatchPositionParameters")
    )
    assert [entry.findtext("{*}Name") for entry in positions] == ["Position_1", "Position_2"]
    assert [entry.findtext("{*}BatchPositionStatus") for entry in positions] == ["Completed", "Completed"]
    for entry, series in zip(positions, truth_of(taken).series, strict=True):
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
    places = [position(grid, index) for index in range(3 * HOLES_VISITED)]
    assert len({place.stage for place in places}) == len(places)
    assert [place.map_number for place in places if place.first_of_map] == [1, 2, 3]
    assert len({place.square.id for place in places}) == 3
    far = position(grid, HOLES_VISITED * len(grid.route))
    assert far.square == places[0].square
    assert far.stage != places[0].stage


def test_the_same_seed_makes_the_same_movies(tmp_path: Path, taken: Path) -> None:
    again = tiny(tmp_path / "same").run()
    other = tiny(tmp_path / "other", seed=4).run()
    first, second, third = (truth_of(folder).series[0] for folder in (taken, again, other))
    assert first.model_copy(update={"tilts": ()}) == second.model_copy(update={"tilts": ()})
    for one, two, three in zip(first.tilts, second.tilts, third.tilts, strict=True):
        assert one.motion == two.motion != three.motion
        pixels = [first_frame(folder / tilt.movie) for folder, tilt in ((taken, one), (again, two), (other, three))]
        np.testing.assert_array_equal(pixels[0], pixels[1])
        assert (pixels[0] != pixels[2]).any()


def test_starting_again_goes_on_after_the_last_tilt(tmp_path: Path, taken: Path) -> None:
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
    for mine, whole in zip(truth.series, truth_of(taken).series, strict=True):
        assert (session / f"{mine.name}.mrc").read_bytes() == (taken / f"{whole.name}.mrc").read_bytes()


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
def test_other_containers_hold_the_same_counts(tmp_path: Path, taken: Path, container: str, kind: str) -> None:
    session = tiny(tmp_path, container=container).run()
    pairs = zip(truth_of(session).series[0].tilts, truth_of(taken).series[0].tilts, strict=True)
    section = read_mdoc(session / "Position_1.mdoc").sections[1]
    for mine, whole in pairs:
        assert mine.movie.endswith(kind)
        assert NAME.match(mine.movie)
        with open_movie(session / mine.movie) as movie, open_movie(taken / whole.movie) as other:
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


def test_a_replay_is_the_same_session_in_the_order_in_which_it_was_taken(taken: Path, tmp_path: Path) -> None:
    files = schedule(taken)
    assert len(files) == len(contents(taken))
    names = [file.path.name for file in files]
    for number, series in enumerate(truth_of(taken).series):
        movies = [names.index(tilt.movie) for tilt in series.tilts]
        assert movies == sorted(movies)
        # what the program writes at the end of a series comes after its last movie
        ends = [names.index(f"{series.name}.{kind}") for kind in ("mdoc", "mrc")]
        assert min(ends) > max(movies)
        if number == 0:
            assert max(movies) < min(names.index(tilt.movie) for tilt in truth_of(taken).series[1].tilts)
    assert names.index("Session.dm") < movies[0]
    assert names.index("SearchMap.xml") < movies[0]
    assert sum(file.movie for file in files) == 6
    assert [file.after_s for file in paced(files, 6.0) if file.movie] == [0, 6, 12, 18, 24, 30]
    seen: list[str] = []
    again = replay_session(taken, tmp_path, speed=1e6, movie_s=0.02, progress=lambda _, __, name: seen.append(name))
    assert contents(again) == contents(taken)
    assert seen == names


def test_a_session_whose_names_have_no_times_is_replayed_by_its_mdoc(taken: Path, tmp_path: Path) -> None:
    """As SerialEM writes it: the mdoc alone knows when a movie was taken."""
    session = tmp_path / "serialem"
    session.mkdir()
    text = (taken / "Position_1.mdoc").read_bytes().decode()
    for order, tilt in enumerate(truth_of(taken).series[0].tilts):
        plain = f"TS_01_{order:03d}_{tilt.nominal_angle_deg:.1f}.tif"
        text = text.replace(tilt.movie, plain)
        text = re.sub(
            rf"(DateTime = \S+  )\S+(?=\r\nFilterSlitAndLoss[^\[]*(\[ZValue = {order + 1}\]|$))",
            rf"\g<1>10:0{order}:00",
            text,
        )
        (session / plain).write_bytes((taken / tilt.movie).read_bytes())
    (session / "TS_01.mrc.mdoc").write_bytes(text.replace("Position_1.mrc", "TS_01.mrc").encode())
    (session / "TS_01.mrc").write_bytes(b"stack")
    (session / "broken.mdoc").write_bytes(b"nothing of the kind")
    files = {file.path.name: file for file in schedule(session)}
    assert [files[name].after_s for name in sorted(files) if name.endswith(".tif")] == [0, 60, 120]
    assert all(files[name].movie for name in files if name.endswith(".tif"))
    assert next(iter(files)) == "broken.mdoc"
    assert set(list(files)[-2:]) == {"TS_01.mrc", "TS_01.mrc.mdoc"}
    assert not files["TS_01.mrc"].movie


def test_the_command_writes_a_session_and_names_what_cannot_be(tmp_path: Path) -> None:
    def run(*words: str) -> list[str]:
        result = CliRunner().invoke(app, ["simulate", "tomo", str(tmp_path / "out"), *words])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    words = ("--size", "64", "--frames", "2", "--range", "±40", "--step", "20", "--beads", "3", "--y-tilt=8")
    lines = run(*words, "--series", "1")
    assert lines[0].startswith("1 of 5  Position_1_001_0.00_")
    assert lines[4].startswith("5 of 5  Position_1_005_40.00_")
    truth = truth_of(Path(lines[-1]))
    assert truth.parameters["angles_deg"] == [-40, 40]
    (series,) = truth.series
    assert series.y_tilt_deg == 8
    assert len(series.beads) >= 3
    more = run(*words, "--series", "2")
    assert more[0].startswith("6 of 10  Position_2_001_")

    for wrong, word in (
        (("--range", "wide"), "nothing for --range"),
        (("--range", "1,2,3"), "no range for --range"),
        (("--range", "79"), "nearly from its edge"),
        (("--step", "0"), "step_deg"),
        (("--ice", "1-2-3"), "no range for --ice"),
        (("--start", "70"), "cannot begin at 70"),
        (("--hand", "0"), "hand"),
        (("--size", "8"), "64 × 64"),
    ):
        result = CliRunner().invoke(app, ["simulate", "tomo", str(tmp_path / "none"), *wrong])
        assert isinstance(result.exception, Invalid)
        assert word in f"{result.exception} {result.exception.hint}"
    assert not (tmp_path / "none").exists()
