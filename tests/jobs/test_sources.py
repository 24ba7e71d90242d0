"""Following a folder: what it says when things are missing, broken or away."""

from pathlib import Path

import pytest

from athena.contract.elements import DatasetType
from athena.contract.people import Principal
from athena.contract.runs import SourceCreate
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.jobs.sources import describe_session
from athena.services import runs
from athena.settings import Settings


@pytest.mark.parametrize(
    ("exposures", "movies", "words"),
    [
        (0, 0, "The session holds no exposures yet."),
        (1, 0, "No movies were found: 1 exposure has metadata only."),
        (3, 0, "No movies were found: 3 exposures have metadata only."),
        (3, 2, "3 exposures, of which 1 has metadata only."),
        (3, 3, "3 exposures, each with its movie."),
        (12480, 12480, "12\u2009480 exposures, each with its movie."),
        (12480, 1234, "12\u2009480 exposures, of which 11\u2009246 have metadata only."),
        (4000, 0, "No movies were found: 4\u2009000 exposures have metadata only."),
    ],
)
def test_a_scan_in_words(exposures: int, movies: int, words: str) -> None:
    assert describe_session(exposures, movies) == words


@pytest.mark.feature("AC-01")
def test_a_session_without_movies_says_so(folder, attach, running, wait_for) -> None:
    folder.add_metadata("a")
    run = attach(folder.path, follow=False)
    with running():
        wait_for(lambda: run.job().state == "finished")
    assert run.source().message == "No movies were found: 1 exposure has metadata only."
    assert run.states() == {"a": "awaiting_movie"}


def test_a_folder_that_is_no_session_is_an_error(attach, running, wait_for, tmp_path: Path, database: Database) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    run = attach(empty, follow=False)
    with running():
        wait_for(lambda: run.job().state == "finished")
    assert run.source().state == "error"
    assert run.source().message.startswith(f"{empty} holds no plain session.")
    with database.session(read_only=True) as session:
        assert session.get_one(ElementRow, run.id).status == "warning"


def test_an_empty_folder_is_watched_until_it_is_a_session(attach, running, wait_for, folder) -> None:
    (folder.path / "session.json").unlink()
    run = attach(folder.path)
    with running():
        wait_for(lambda: "no plain session yet" in run.source().message)
        (folder.path / "session.json").write_text("{}")
        folder.add("a")
        wait_for(lambda: run.states() == {"a": "completed"})


def test_storage_that_goes_away_and_comes_back(attach, running, wait_for, folder) -> None:
    folder.add("a")
    run = attach(folder.path)
    away = folder.path.with_name("away")
    with running():
        wait_for(lambda: run.states() == {"a": "completed"})
        folder.path.rename(away)
        wait_for(lambda: "is not there" in run.source().message)
        assert run.source().state == "watching"
        away.rename(folder.path)
        folder.add("b")
        wait_for(lambda: run.states() == {"a": "completed", "b": "completed"})
    assert run.source().message == "2 exposures, each with its movie."


def test_what_arrives_while_no_runner_lives_is_found(attach, running, wait_for, folder) -> None:
    folder.add("a")
    run = attach(folder.path)
    with running():
        wait_for(lambda: run.states() == {"a": "completed"})
    folder.add("b")
    folder.add("c")
    with running():
        wait_for(lambda: set(run.states().values()) == {"completed"} and len(run.states()) == 3)
    assert [row.index for row in run.acquisitions()] == [0, 1, 2]


def test_half_written_movies_are_not_touched_and_truncated_ones_given_up(attach, running, wait_for, folder) -> None:
    data = folder.movie_bytes("a")
    half = folder.path / "a.tif"
    folder.add_metadata("a")
    half.write_bytes(data[: len(data) // 2])
    folder.add("b")
    run = attach(folder.path)
    with running():
        wait_for(lambda: run.states() == {"a": "error", "b": "completed"}, what="giving up the truncated movie")
        assert "a.tif is not whole" in run.acquisitions()[0].error
        # the source is written a moment after the acquisition
        wait_for(lambda: any("a.tif" in problem for problem in run.source().problems), what="the source to say so")
        half.write_bytes(data)  # it was not lost after all
        wait_for(lambda: run.states() == {"a": "completed", "b": "completed"})
        wait_for(lambda: run.source().problems == [])
    assert run.acquisitions()[0].error == ""


def test_a_movie_waits_for_its_metadata_but_not_for_ever(attach, running, wait_for, folder) -> None:
    folder.add_movie("a")
    folder.add_movie("b")
    run = attach(folder.path)
    with running():
        wait_for(lambda: set(run.states()) == {"a", "b"})
        folder.add_metadata("a")
        wait_for(lambda: run.states() == {"a": "completed", "b": "error"})
        assert "pixel size of b is not known" in run.acquisitions()[1].error
        folder.add_metadata("b")  # better late than never
        wait_for(lambda: run.states() == {"a": "completed", "b": "completed"})


def test_a_failing_adapter_is_told_and_tried_again(attach, running, wait_for, folder, monkeypatch) -> None:
    monkeypatch.setattr("athena.jobs.sources.AWAY_SECONDS", 0.1)
    broken = folder.path / "broken.json"
    broken.write_text("{}")
    run = attach(folder.path)
    with running():
        wait_for(lambda: "The plain adapter failed" in run.source().message)
        broken.unlink()
        folder.add("a")
        wait_for(lambda: run.states() == {"a": "completed"})


def test_a_wrong_folder_put_right_is_followed_at_once(
    attach, running, wait_for, folder, database: Database, quick: Settings, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(runs, "RUN_ADAPTERS", {DatasetType.EPU_RUN: {"plain"}})
    folder.add("a")
    (tmp_path / "wrong").mkdir()
    run = attach(tmp_path / "wrong")
    with running():
        wait_for(lambda: "holds no plain session yet" in run.source().message)
        right = SourceCreate(adapter="plain", path=str(folder.path))
        with database.session() as session:
            owner = Principal(user_id=run.job().initiator_id, username="alice")
            runs.attach_source(session, owner, run.id, right, settings=quick)
        wait_for(lambda: run.states() == {"a": "completed"})
