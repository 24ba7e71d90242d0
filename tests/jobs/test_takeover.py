"""Several runners: they share the work, take over from one another, and never undo each other's."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from athena.contract.people import Principal
from athena.contract.processing import GainFit, MovieResult, MovieTask
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.db.base import now
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.db.jobs import JobRow
from athena.errors import Forbidden, NotFound
from athena.jobs.collect import collect
from athena.jobs.executors import Report
from athena.jobs.leases import JobLease, LeaseLost, take_job
from athena.jobs.work import Outcome
from athena.services.retry import retry_failed
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.reader import read_table
from athena.zarrio.writer import RunWriter


class IdleExecutor:
    """Takes movies and never does them, as a cluster that hangs."""

    workers = 2

    def __init__(self) -> None:
        self.submitted: list[MovieTask] = []
        self.cancelled = threading.Event()

    def start(self) -> None: ...
    def tend(self) -> None: ...

    def cluster(self) -> None: ...
    def close(self) -> None: ...
    def submit(self, task: MovieTask, report: Report) -> None:
        self.submitted.append(task)

    def cancel(self, run_id: str, branch: int = 0) -> None:
        self.cancelled.set()


def _completed_events(database: Database) -> list[int | None]:
    with database.session(read_only=True) as session:
        query = select(EventRow.index).where(EventRow.kind == "acquisition.completed")
        return sorted(session.scalars(query))


def test_another_runner_does_what_the_first_had_begun(folder, attach, running, wait_for, database: Database) -> None:
    folder.add("a")
    folder.add("b")
    run = attach(folder.path)
    idle = IdleExecutor()
    with running(idle):
        wait_for(lambda: set(run.states().values()) == {"processing"} and len(run.states()) == 2)
        with database.session() as session:  # as if the first had been silent for too long
            row = session.query(JobRow).one()
            row.lease_until = now() - timedelta(seconds=1)
            fence = row.fence
        with database.session() as session:
            theft = take_job(session, owner="elsewhere:1:0:b", seconds=600)
        assert theft is not None
        assert theft.fence == fence + 1
        wait_for(idle.cancelled.is_set, what="the first runner noticing")
    with database.session() as session:  # only now, else the first runner might take it back
        session.query(JobRow).one().lease_until = now() - timedelta(seconds=1)
    with running():
        wait_for(lambda: run.states() == {"a": "completed", "b": "completed"})
    assert [row.attempts for row in run.acquisitions()] == [2, 2]
    assert _completed_events(database) == [0, 1]


def test_two_runners_share_runs_and_double_nothing(
    folder, attach, running, wait_for, database: Database, quick: Settings
) -> None:
    for name in ("a", "b", "c", "d"):
        folder.add(name)
    runs = [attach(folder.path) for _ in range(3)]
    with running(), running():
        wait_for(
            lambda: all(set(run.states().values()) == {"completed"} and len(run.states()) == 4 for run in runs),
            seconds=60,
        )
    assert _completed_events(database) == sorted([0, 1, 2, 3] * 3)


@pytest.fixture
def begun(folder, attach, running, wait_for, database: Database) -> JobLease:
    """Lease on a job whose only acquisition is being processed."""
    folder.add("a")
    run = attach(folder.path)
    with running(IdleExecutor()):
        wait_for(lambda: run.states() == {"a": "processing"})
    with database.session() as session:
        lease = take_job(session, owner="there:1:0:a", seconds=60)
    assert lease is not None
    return lease


def _result(run_id: UUID, defocus_um: float) -> MovieResult:
    return MovieResult(
        run_id=str(run_id),
        index=0,
        frames=3,
        metrics={"defocus_um": defocus_um},
        global_motion=[0.0] * 6,
        patch_motion=[],
        patch_grid=(5, 5),
        ctf_curves=np.zeros((len(layout.CTF_CURVES), layout.CURVE_LENGTH)).tolist(),
        software="test",
    )


@pytest.mark.feature("BY-10")
def test_a_result_is_recorded_once_and_only_by_the_holder(begun: JobLease, database: Database, quick: Settings) -> None:
    store = str(quick.run_store(str(begun.run_id)))
    outcome = Outcome(index=0, result=_result(begun.run_id, 1.5))

    def record(lease: JobLease) -> int:
        with database.session() as session:
            return collect(session, lease, [outcome], settings=quick, storage_away=lambda: False).completed

    stale = JobLease(begun.job_id, begun.run_id, "there:1:0:a", begun.fence - 1, 60)
    with pytest.raises(LeaseLost):
        record(stale)
    assert np.isnan(read_table(store, ["defocus_um"], 0, 1)["defocus_um"]).all()
    with database.session() as session:  # more has come: two places of the beam, taken in turn
        for index in range(6):
            row = session.get(AcquisitionRow, (begun.run_id, index))
            if row is None:
                row = AcquisitionRow(run_id=begun.run_id, index=index, name=f"more {index}", state="registered")
                session.add(row)
            row.optics = {"beam_shift_x": 0.1 * (index % 2) + 0.001 * index, "beam_shift_y": 0.0}
    assert record(begun) == 1
    assert read_table(store, ["optics_group"], 0, 6)["optics_group"].tolist() == [1, 2, 1, 2, 1, 2]
    assert record(begun) == 0  # reported twice
    assert read_table(store, ["defocus_um"], 0, 1)["defocus_um"] == [1.5]
    assert _completed_events(database) == [0]


@pytest.mark.feature("BY-03")
def test_a_new_result_tells_the_relative_ice_thickness_of_all(
    begun: JobLease, database: Database, quick: Settings
) -> None:
    store = str(quick.run_store(str(begun.run_id)))
    before = list(range(1, 12))
    with database.session() as session:
        for index in before:
            if session.get(AcquisitionRow, (begun.run_id, index)) is None:
                session.add(AcquisitionRow(run_id=begun.run_id, index=index, name=f"more {index}", state="registered"))
    light = np.exp(-0.05 * np.array(before))
    camera = {"pixel_size_angstrom": 0.8, "dose_e_per_A2": 30.0, "frame_count": 3.0}
    same = {name: [value] * len(before) for name, value in camera.items()}
    RunWriter.open(store).write_metrics(before, {"mean_intensity_e_per_px": light, **same})
    assert np.isnan(read_table(store, ["ice_relative"], 0, 12)["ice_relative"]).all()
    metrics = {"mean_intensity_e_per_px": 1.0, **camera}
    bright = _result(begun.run_id, 1.5).model_copy(update={"metrics": metrics})
    outcome = Outcome(index=0, result=bright)
    with database.session() as session:
        collect(session, begun, [outcome], settings=quick, storage_away=lambda: False)
    found = read_table(store, ["ice_relative"], 0, 12)["ice_relative"]
    np.testing.assert_allclose(found, 0.05 * np.arange(12), atol=0.01)


@pytest.mark.feature("EQ-01")
def test_how_the_gain_lies_is_kept_from_the_first_movie_that_tells(
    begun: JobLease, database: Database, quick: Settings
) -> None:
    fit = GainFit(
        orientation="flip_y",
        sense="multiply",
        determined=True,
        fits=True,
        correlation=0.3,
        significance=40,
        flatness=0.9,
    )
    result = _result(begun.run_id, 1.5).model_copy(update={"gain": "/data/g.mrc", "gain_fit": fit})
    with database.session() as session:
        session.get_one(SourceRow, begun.run_id).gain_reference = "/data/g.mrc"
    with database.session() as session:
        collect(session, begun, [Outcome(index=0, result=result)], settings=quick, storage_away=lambda: False)
    with database.session(read_only=True) as session:
        found = session.get_one(SourceRow, begun.run_id).gain_found
    assert found == {"gain": "/data/g.mrc", "orientation": "flip_y", "sense": "multiply"}


def test_a_result_that_cannot_be_written_fails_alone(begun: JobLease, database: Database, quick: Settings) -> None:
    store = str(quick.run_store(str(begun.run_id)))
    wrong = _result(begun.run_id, 1.0).model_copy(update={"global_motion": [0.0]})
    with database.session() as session:
        done = collect(session, begun, [Outcome(index=0, result=wrong)], settings=quick, storage_away=lambda: False)
    assert (done.completed, done.failed) == (0, 1)
    with database.session(read_only=True) as session:
        row = session.scalars(select(AcquisitionRow)).one()
    assert row.state == "error"
    assert row.error.startswith("The results could not be written. Motion of acquisition 0")
    assert len(RunWriter.open(store).patches) == 2


def test_failures_while_the_storage_is_away_are_no_failures(
    begun: JobLease, database: Database, quick: Settings
) -> None:
    with database.session() as session:
        outcomes = [Outcome(index=0, error="No such file or directory")]
        done = collect(session, begun, outcomes, settings=quick, storage_away=lambda: True)
    assert (done.failed, done.requeued) == (0, 1)
    with database.session(read_only=True) as session:
        assert session.scalars(select(AcquisitionRow.state)).one() == "registered"


@pytest.mark.feature("AC-01")
def test_failed_movies_are_done_again_on_request(
    folder, attach, running, wait_for, database: Database, make_user: Callable[..., Principal]
) -> None:
    folder.add("a_full")
    folder.add("b")
    run = attach(folder.path, follow=False)
    with running():
        wait_for(lambda: run.job().state == "finished")
        assert run.states() == {"a_full": "error", "b": "completed"}
        (folder.path / "a_full.tif").rename(folder.path / "a_free.tif")  # as if space had been made
        with database.session() as session:
            session.query(AcquisitionRow).filter_by(index=0).update({"movie": str(folder.path / "a_free.tif")})
        owner = Principal(user_id=run.job().initiator_id, username="alice")
        with database.session() as session:
            assert retry_failed(session, owner, run.id) == 1
        wait_for(lambda: set(run.states().values()) == {"completed"})
        wait_for(lambda: run.job().state == "finished")
    assert run.job().message == "2 processed"
    with database.session() as session:
        assert retry_failed(session, owner, run.id) == 0
    stranger = make_user()
    with database.session() as session, pytest.raises((NotFound, Forbidden)):
        retry_failed(session, stranger, run.id)
