"""The runner end to end: from files in a folder to rows, arrays and events."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select

from athena.contract.events import EventKind
from athena.contract.people import Principal
from athena.contract.runs import ParametersUpdate
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.events import EventRow
from athena.db.people import UserRow
from athena.errors import Conflict
from athena.services import retry, runs
from athena.settings import Settings
from athena.zarrio.reader import read_table


def _all(run, state: str) -> Callable[[], bool]:
    return lambda: bool(run.states()) and set(run.states().values()) == {state}


@pytest.mark.feature("AC-01", "EQ-01")
def test_a_session_is_registered_processed_and_recorded(
    folder, attach, running, wait_for, database: Database, quick: Settings
) -> None:
    for name in ("a", "b", "c"):
        folder.add(name)
    run = attach(folder.path)
    with running():
        wait_for(_all(run, "completed"))
        folder.add("d")  # it goes on growing
        wait_for(lambda: run.states().get("d") == "completed")
        assert run.job().state == "running"

    rows = run.acquisitions()
    assert [(row.index, row.name, row.attempts) for row in rows] == [(0, "a", 1), (1, "b", 1), (2, "c", 1), (3, "d", 1)]
    table = read_table(str(quick.run_store(str(run.id))), ["defocus_um", "acquired_unix_s", "processing_s"], 0, 4)
    assert np.array_equal(table["defocus_um"], [1, 2, 3, 4])
    assert np.isfinite(table["acquired_unix_s"]).all()
    assert np.isfinite(table["processing_s"]).all()
    with database.session(read_only=True) as session:
        events = session.scalars(select(EventRow).order_by(EventRow.seq)).all()
        assert session.get_one(ElementRow, run.id).status == "in_progress"
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for kind in (EventKind.ACQUISITION_REGISTERED, EventKind.ACQUISITION_COMPLETED):
        assert sorted(event.index for event in events if event.kind == kind) == [0, 1, 2, 3]
    versions = [event.version for event in events if event.kind == EventKind.RUN_CHANGED]
    assert versions == sorted(set(versions))
    job = run.job()
    assert (job.done, job.total, job.message) == (4, 4, "4 processed")
    assert job.lease_until is None
    assert run.source().lease_until is None


def test_an_import_ends_by_itself(folder, attach, running, wait_for, database: Database) -> None:
    folder.add("a")
    folder.add_metadata("b")
    run = attach(folder.path, follow=False)
    with running():
        wait_for(lambda: run.job().state == "finished")
    assert run.states() == {"a": "completed", "b": "awaiting_movie"}
    assert run.source().state == "completed"
    assert run.source().message == "2 exposures, of which 1 has metadata only."
    assert run.source().movies_missing == 1
    with database.session(read_only=True) as session:
        assert session.get_one(ElementRow, run.id).status == "completed"


def test_errors_of_single_movies_do_not_stop_the_run(folder, attach, running, wait_for, database: Database) -> None:
    for name in ("a_raise", "b_refuse", "c_full", "d"):
        folder.add(name)
    folder.add("e_unknown", pixel_size_angstrom=None)
    folder.add("f_unknown", voltage_kv=None)
    run = attach(folder.path, follow=False)
    with running():
        wait_for(lambda: run.job().state == "finished")
    errors = {row.name: row.error for row in run.acquisitions()}
    assert errors["a_raise"] == "ValueError: the step is not up to it"
    assert errors["b_refuse"] == "this movie is refused. Take another."
    assert errors["c_full"].startswith("There is no space left on the device: ")
    assert errors["d"] == ""
    assert errors["e_unknown"].startswith("The pixel size of e_unknown is not known")
    assert errors["f_unknown"].startswith("The acceleration voltage of f_unknown is not known")
    assert {row.name: row.flags for row in run.acquisitions()}["f_unknown"] == ["no_voltage"]
    assert run.states()["d"] == "completed"
    assert run.job().message == "1 processed, 5 failed"
    with database.session(read_only=True) as session:
        assert session.get_one(ElementRow, run.id).status == "warning"
        failed = session.scalars(select(EventRow.index).where(EventRow.kind == EventKind.ACQUISITION_FAILED)).all()
    assert sorted(failed) == [0, 1, 2, 4, 5]


@pytest.mark.feature("EQ-01")
def test_a_run_without_a_voltage_is_told_it_and_goes_on(
    folder, attach, running, wait_for, database: Database, quick: Settings
) -> None:
    folder.add("a", voltage_kv=None)
    folder.add("b", voltage_kv=None)
    run = attach(folder.path)
    with database.session(read_only=True) as session:
        element = session.get_one(ElementRow, run.id)
        user = session.get_one(UserRow, element.creator_id)
        alice = Principal(user_id=user.id, username=user.username)
    with running():
        wait_for(_all(run, "error"))
        folder.add_metadata("b", voltage_kv=200.0)  # the metadata may mend
        wait_for(lambda: run.states() == {"a": "error", "b": "completed"})
        wanted = ParametersUpdate(parameters={"voltage_kv": 300})
        with database.session() as session, pytest.raises(Conflict):
            runs.set_parameters(session, alice, run.id, wanted, settings=quick)
        with database.session() as session:  # or a person says it
            wanted = ParametersUpdate(parameters={"voltage_kv": 200})
            runs.set_parameters(session, alice, run.id, wanted, settings=quick)
            assert retry.retry_failed(session, alice, run.id) == 1
        wait_for(_all(run, "completed"))
