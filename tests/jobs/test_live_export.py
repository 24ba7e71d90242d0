"""Live exports: they follow the run, the filter as it changes, and survive whatever works them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.elements import Element
from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.jobs import JobState
from athena.contract.named_filters import NamedFilterCreate, NamedFilterUpdate
from athena.contract.people import Principal
from athena.db.acquisitions import AcquisitionRow
from athena.db.engine import Database
from athena.errors import Conflict
from athena.services import exports, named_filters, run_filters
from athena.services.storages import prepare_storages
from athena.settings import Settings
from tests.jobs.conftest import RunsRunner, StartJob
from tests.jobs.exporting import Session, check_sums, files_below, folder_of, no_leftovers

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Wait = Callable[..., None]


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def session(
    database: Database, quick: Settings, alice: Principal, make_run: Callable[..., Element], tmp_path: Path
) -> Session:
    with database.session() as transaction:
        prepare_storages(transaction, quick)
    return Session(database, quick, make_run(alice), tmp_path / "microscope" / "session")


@pytest.mark.feature("EX-03", "BY-09")
def test_a_live_export_follows_the_run_its_filter_and_restarts(
    database: Database,
    alice: Principal,
    session: Session,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    quick: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("athena.jobs.export.LOOK_SECONDS", 0.05)

    def save(rule: FilterRule) -> None:
        with database.session() as transaction:
            run_filters.save_filter(transaction, alice, session.run.id, RunFilter(rules=(rule,)), settings=quick)

    def out() -> set[str]:
        return {name for name in session.names if any(name in path for path in files_below(folder))}

    near = FilterRule(metric="defocus_um", operator=Operator.BELOW, value=2.5)
    with database.session() as transaction:
        given = NamedFilterCreate(name="near", rules=(near,))
        named = named_filters.add_filter(transaction, alice, session.run.id, given)
        other = NamedFilterUpdate(rules=(near.model_copy(update={"value": 2.0}),))
        named_filters.update_filter(transaction, alice, session.run.id, named.id, other)
    save(near)  # its first version, which is no longer what it is
    session.add(3)
    job = start_job(alice, "live_export", session.run, folder="live", files="all", processed=True)
    folder = folder_of(job, quick)
    with pytest.raises(Conflict):
        start_job(alice, "live_export", session.run, folder="again")
    with running():
        session.process(range(3))  # 1.0, 2.0, 3.0
        wait_for(lambda: "waiting" in job.now().message and job.now().done >= 12)
        assert out() == {"FoilHole_00000", "FoilHole_00001"}
        session.add(2)
    with running():  # another runner, which begins in the middle
        save(FilterRule(metric="defocus_um", operator=Operator.ABOVE, value=4.5))
        with database.session() as transaction:
            exports.update_live_export(transaction, alice, session.run.id)
        session.process(range(3, 5))  # 4.0, 5.0: by the changed filter
        wait_for(lambda: "FoilHole_00004" in out())
        assert not (folder / "SHA256SUMS").exists()
        session.end()
        wait_for(job.ended)
    assert (job.state(), job.now().attempts) == ("finished", 1)
    # what was decided by the first filter stays decided
    assert out() == {"FoilHole_00000", "FoilHole_00001", "FoilHole_00004"}
    check_sums(folder)
    assert "raw/EpuSession.dm" in files_below(folder)
    assert [one["index"] for one in json.loads((folder / "metadata/acquisitions.json").read_text())] == [0, 1, 4]
    # it says by which rules it went, and since when
    first, second = job.now().result["filters"]
    assert first["named_filter"] == {"id": str(named.id), "name": "near", "version": 1}
    assert second["named_filter"] is None
    assert [rule["value"] for used in (first, second) for rule in used["rules"]] == [2.5, 4.5]
    assert first["since"] < second["since"]
    assert json.loads((folder / "metadata/dataset.json").read_text())["filters"] == [first, second]
    no_leftovers(quick)


@pytest.mark.feature("EX-03")
@SQLITE
def test_a_live_export_without_rules_copies_at_once_and_closes_when_stopped(
    database: Database,
    alice: Principal,
    session: Session,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    quick: Settings,
) -> None:
    session.add(2)
    with database.session() as transaction:
        transaction.get_one(AcquisitionRow, (session.run.id, 1)).state = "awaiting_movie"
    job = start_job(alice, "live_export", session.run, folder="live", files="raw")
    folder = folder_of(job, quick)
    with running():
        wait_for(lambda: "waiting" in job.now().message)
        assert {name for name in files_below(folder) if "fractions" in name} == {
            "raw/Images-Disc1/GridSquare_0/Data/FoilHole_00000_fractions.tiff"
        }
        job.cancel()
        wait_for(job.ended)
    assert job.now().state is JobState.CANCELLED
    assert check_sums(folder) == 1
