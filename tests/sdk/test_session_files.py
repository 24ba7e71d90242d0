"""Downloads of what the microscope wrote: runs and acquisitions, whose files are no files of people."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.errors import Invalid, NotFound
from athena.sdk.runs import Run
from athena.services.zipping import MISSING_NAME
from tests.conftest import add_acquisitions


@pytest.fixture
def run(new_run: Callable[[], Run], running, tmp_path: Path) -> Run:
    """A run of two acquisitions whose files lie in a session folder, and a third whose movie is to come."""
    run = new_run()
    session = tmp_path / "session"
    data = session / "Images-Disc1" / "GridSquare_1" / "Data"
    data.mkdir(parents=True)
    add_acquisitions(running.database, run.model, count=2, state=AcquisitionState.COMPLETED)
    add_acquisitions(running.database, run.model, state=AcquisitionState.AWAITING_MOVIE)
    (session / "gain.mrc").write_bytes(b"gain")
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"outside")
    (data / "link.xml").symlink_to(secret)
    with running.database.session() as transaction:
        source = SourceRow(run_id=run.id, adapter="epu", path=str(session), state="completed")
        source.gain_reference = str(session / "gain.mrc")
        transaction.add(source)
        for index in range(3):
            row = transaction.get_one(AcquisitionRow, (run.id, index))
            row.movie = str(data / f"shot_{index}_fractions.tiff")
            row.files = {"xml": str(data / f"shot_{index}.xml")}
            if index < 2:
                Path(row.movie).write_bytes(f"movie {index}".encode())
            Path(row.files["xml"]).write_bytes(b"<xml/>")
        transaction.get_one(AcquisitionRow, (run.id, 1)).files = {"xml": str(data / "link.xml")}
    return run


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


DATA = "Images-Disc1/GridSquare_1/Data"


@pytest.mark.feature("WS-15")
def test_a_run_is_downloaded_with_its_session(run: Run, tmp_path: Path) -> None:
    found = contents(run.download(tmp_path, progress=False))
    missing = found.pop(MISSING_NAME).decode()
    assert found == {
        f"{run.name}/{DATA}/shot_0_fractions.tiff": b"movie 0",
        f"{run.name}/{DATA}/shot_0.xml": b"<xml/>",
        f"{run.name}/{DATA}/shot_1_fractions.tiff": b"movie 1",
        f"{run.name}/{DATA}/shot_2.xml": b"<xml/>",
        f"{run.name}/gain.mrc": b"gain",
    }
    assert missing.splitlines()[2:] == [f"{run.name}/{DATA}/link.xml"]  # leads out of the session


@pytest.mark.feature("WS-15")
def test_one_acquisition_and_its_movie_as_it_is(run: Run, tmp_path: Path) -> None:
    first = run.acquisition(0)
    assert contents(first.download(tmp_path, progress=False)) == {
        f"{DATA}/shot_0_fractions.tiff": b"movie 0",
        f"{DATA}/shot_0.xml": b"<xml/>",
    }
    movie = first.download_movie(tmp_path, progress=False)
    assert (movie.name, movie.read_bytes()) == ("shot_0_fractions.tiff", b"movie 0")
    place = f"/api/runs/{run.id}/acquisitions/0/movie"
    assert run.client.exchange("GET", place, {"Range": "bytes=0-4"})[::2] == (206, b"movie")
    with pytest.raises(NotFound, match="movie"):
        run.acquisition(2).download_movie(tmp_path, progress=False)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.feature("WS-15")
def test_acquisitions_of_no_run_are_refused(run: Run) -> None:
    with pytest.raises(Invalid, match="run"):
        run.client.get_bytes("/api/zip", params={"acquisitions": 0})
