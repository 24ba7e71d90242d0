"""``athena simulate`` writes sessions and says where."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athena.cli import app
from athena.errors import Invalid
from athena_pipelines.simulate.truth import read_truth

pytestmark = pytest.mark.feature("AC-05")

REAL = Path(__file__).parent.parent / "data" / "micrographs" / "epu2.9_crop.mrc"


def run(*arguments: str) -> list[str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_epu_writes_a_session_and_goes_on_with_it(tmp_path: Path) -> None:
    lines = run("simulate", "epu", str(tmp_path), "--movies", "1", "--size", "96", "--frames", "2")
    assert lines[0].startswith("1 of 1  FoilHole_")
    assert len(read_truth(Path(lines[-1])).movies) == 1
    again = run("simulate", "epu", str(tmp_path), "--movies", "2", "--size", "96", "--frames", "2")
    assert again[0].startswith("2 of 2  FoilHole_")
    assert again[-1] == lines[-1]


def test_told_to_stop_it_leaves_no_cut_movie(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "athena", "simulate", "epu", str(tmp_path), "--size", "512", "--frames", "4000"],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 90
        while not list(tmp_path.rglob("*_fractions.tiff")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    assert not list(tmp_path.rglob("*_fractions.tiff"))
    (session,) = tmp_path.glob("Supervisor_*")
    truth = read_truth(session)
    assert truth.movies == ()
    assert truth.current is not None


def test_thinned_writes_a_session_of_a_real_micrograph(tmp_path: Path) -> None:
    lines = run("simulate", "thinned", str(REAL), str(tmp_path), "--movies", "1", "--frames", "3", "--crop", "160")
    truth = read_truth(Path(lines[-1]))
    assert truth.kind == "thinned"
    assert truth.movies[0].shape == (136, 136)


@pytest.mark.parametrize("kind", ["epu", "tomo"])
def test_where_nothing_can_be_written_it_says_so(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a folder")
    for out, options, words in (
        (file, (), "is a file"),
        (file / "below", (), "Check the folder"),
        (tmp_path / "new", ("--seed=-1",), "no seed"),
    ):
        result = CliRunner().invoke(app, ["simulate", kind, str(out), "--size", "64", *options])
        assert isinstance(result.exception, Invalid)
        assert words in str(result.exception)
    assert file.read_text() == "not a folder"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_replay_writes_a_session_again(tmp_path: Path) -> None:
    session = run("simulate", "epu", str(tmp_path / "first"), "--movies", "1", "--size", "64", "--frames", "2")[-1]
    lines = run("replay", session, str(tmp_path / "again"), "--rate", "600/h")
    assert len(read_truth(Path(lines[-1])).movies) == 1
    assert len(list(Path(lines[-1]).rglob("*_fractions.tiff"))) == 1
    wrong = CliRunner().invoke(app, ["replay", session, str(tmp_path / "more"), "--rate", "fast"])
    assert isinstance(wrong.exception, Invalid)
