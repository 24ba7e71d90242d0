"""Tilt series are replayed in the order in which they were taken; the command writes them."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athena.cli import app
from athena.errors import Invalid
from athena_pipelines.simulate.replay import paced, replay_session, schedule
from tests.simulate.tomography import contents, truth_of

pytestmark = pytest.mark.feature("AC-05")


def test_a_replay_is_the_same_session_in_the_order_in_which_it_was_taken(tilt_session: Path, tmp_path: Path) -> None:
    files = schedule(tilt_session)
    assert len(files) == len(contents(tilt_session))
    names = [file.path.name for file in files]
    for number, series in enumerate(truth_of(tilt_session).series):
        movies = [names.index(tilt.movie) for tilt in series.tilts]
        assert movies == sorted(movies)
        # what the program writes at the end of a series comes after its last movie
        ends = [names.index(f"{series.name}.{kind}") for kind in ("mdoc", "mrc")]
        assert min(ends) > max(movies)
        if number == 0:
            assert max(movies) < min(names.index(tilt.movie) for tilt in truth_of(tilt_session).series[1].tilts)
    assert names.index("Session.dm") < movies[0]
    assert names.index("SearchMap.xml") < movies[0]
    assert sum(file.movie for file in files) == 6
    assert [file.after_s for file in paced(files, 6.0) if file.movie] == [0, 6, 12, 18, 24, 30]
    seen: list[str] = []
    again = replay_session(
        tilt_session, tmp_path, speed=1e6, movie_s=0.02, progress=lambda _, __, name: seen.append(name)
    )
    assert contents(again) == contents(tilt_session)
    assert seen == names


def test_a_session_whose_names_have_no_times_is_replayed_by_its_mdoc(tilt_session: Path, tmp_path: Path) -> None:
    """As SerialEM writes it: the mdoc alone knows when a movie was taken."""
    session = tmp_path / "serialem"
    (session / "frames").mkdir(parents=True)
    text = (tilt_session / "Position_1.mdoc").read_bytes().decode()
    for order, tilt in enumerate(truth_of(tilt_session).series[0].tilts):
        plain = f"TS_01_{order:03d}_{tilt.nominal_angle_deg:.1f}.tif"
        text = text.replace(tilt.movie, plain)
        text = re.sub(
            rf"(DateTime = \S+  )\S+(?=\r\nFilterSlitAndLoss[^\[]*(\[ZValue = {order + 1}\]|$))",
            rf"\g<1>10:0{order}:00",
            text,
        )
        (session / "frames" / plain).write_bytes((tilt_session / tilt.movie).read_bytes())
    (session / "TS_01.mrc.mdoc").write_bytes(text.replace("Position_1.mrc", r"D:\DATA\TS_01.mrc").encode())
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
