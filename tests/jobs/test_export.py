"""Exports: what goes out, under which names, whole and verified, once or while a run grows."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pandas as pd
import pytest

from athena.contract.elements import DatasetType, Element
from athena.contract.filters import FilterRule, Operator, RunFilter
from athena.contract.people import Principal, Role
from athena.contract.storages import StorageRole
from athena.db.elements import FileRow, MetadataRow
from athena.db.engine import Database
from athena.db.jobs import JobItemRow
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import exports, run_filters
from athena.services.storage_access import chosen_row, open_row
from athena.services.storages import prepare_storages
from athena.settings import Settings
from tests.jobs.conftest import JobUnderTest, RunsRunner, StartJob
from tests.jobs.exporting import Session, check_sums, files_below, folder_of, micrograph, no_leftovers

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Wait = Callable[..., None]
Make = Callable[..., Element]


@pytest.fixture(autouse=True)
def storages(database: Database, quick: Settings) -> None:
    with database.session() as session:
        prepare_storages(session, quick)


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def run(alice: Principal, make_run: Make) -> Element:
    return make_run(alice)


@pytest.fixture
def session(database: Database, quick: Settings, run: Element, tmp_path: Path) -> Session:
    return Session(database, quick, run, tmp_path / "microscope" / "session")


@pytest.fixture
def free(alice: Principal, database: Database, quick: Settings, make_run: Make) -> Element:
    """A free dataset with two uploaded files and a metadatum."""
    dataset = make_run(alice, "Notes", type=DatasetType.FREE)
    with database.session() as session:
        row = chosen_row(session, StorageRole.PRIMARY)
        storage = open_row(row, quick)
        for name in ("a.mrc", "sub/b.txt"):
            stored = storage.put(f"elements/{dataset.id}/{name}", name.encode() * 100)
            session.add(
                FileRow(
                    element_id=dataset.id,
                    storage_id=row.id,
                    key=f"elements/{dataset.id}/{name}",
                    name=name,
                    size=stored.size,
                    sha256=stored.sha256,
                )
            )
        session.add(
            MetadataRow(
                element_id=dataset.id,
                group="Custom",
                name="defocus",
                type="double",
                value="1.5",
                quantity="length",
                unit="um",
            )
        )
    return dataset


def settled(database: Database) -> int:
    with database.session(read_only=True) as session:
        return session.query(JobItemRow).count()


@pytest.fixture
def export(start_job: StartJob, running: RunsRunner, wait_for: Wait, alice: Principal) -> Callable[..., JobUnderTest]:
    """``export(element, **parameters)`` exports to the end."""

    def do(element: Element, *, expect: str = "finished", **parameters: Any) -> JobUnderTest:
        job = start_job(alice, "export", element, **({"folder": "out"} | parameters))
        with running():
            wait_for(job.ended)
        assert job.state() == expect, job.now().message
        return job

    return do


@SQLITE
@pytest.mark.feature("EX-01", "EX-02", "EX-05")
def test_a_free_dataset_with_files_and_metadata(
    export: Callable[..., JobUnderTest], free: Element, quick: Settings
) -> None:
    job = export(free, folder="team/july")
    folder = folder_of(job, quick)
    assert folder.parent == quick.home / "export" / "team"
    assert folder.name.startswith("july_20")
    assert job.now().result["location"] == folder.as_uri()
    found = files_below(folder)
    assert set(found) == {"files/a.mrc", "files/sub/b.txt", "metadata/dataset.json", "SHA256SUMS"}
    assert found["files/sub/b.txt"] == b"sub/b.txt" * 100
    about = json.loads(found["metadata/dataset.json"])
    assert about["name"] == "Notes"
    assert about["metadata"]["Custom"] == [
        {"name": "defocus", "type": "double", "value": 1.5, "quantity": "length", "unit": "um"}
    ]
    checked = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True)
    assert checked.returncode == 0
    assert (job.now().done, job.now().total) == (3, 3)
    no_leftovers(quick)
    assert set(files_below(folder_of(export(free, files="none", folder="b"), quick))) == {
        "metadata/dataset.json",
        "SHA256SUMS",
    }
    assert "metadata/dataset.json" not in files_below(folder_of(export(free, metadata="none", folder="c"), quick))


@pytest.mark.feature("EX-02", "EX-05")
def test_a_run_whole_raw_or_with_what_was_processed(
    export: Callable[..., JobUnderTest], session: Session, quick: Settings
) -> None:
    session.add(3)
    session.process(range(2))
    everything = folder_of(export(session.run, processed=True), quick)
    found = files_below(everything)
    raw = {name.removeprefix("raw/"): data for name, data in found.items() if name.startswith("raw/")}
    assert raw == files_below(session.folder)
    assert {name for name in found if not name.startswith("raw/")} == {
        "SHA256SUMS",
        "metadata/dataset.json",
        "metadata/acquisitions.json",
        "processed/results.csv",
        "processed/corrected_micrographs.star",
        "processed/micrographs_ctf.star",
        *("exposures.cs", "exposures.csg", "exposures_ctf.cs", "exposures_ctf.csg"),
        *(f"processed/micrographs/FoilHole_0000{n}.{kind}" for n in (0, 1) for kind in ("mrc", "star")),
        *(f"processed/thumbnails/FoilHole_0000{n}.png" for n in (0, 1)),
    }
    with mrcfile.open(everything / "processed/micrographs/FoilHole_00001.mrc") as mrc:
        assert np.allclose(mrc.data, micrograph(1), rtol=1e-3)  # stored in half precision
        assert float(mrc.voxel_size.x) == pytest.approx(0.84)
        assert mrcfile.validate(everything / "processed/micrographs/FoilHole_00001.mrc")
    table = pd.read_csv(everything / "processed/results.csv", index_col="index")
    assert list(table["name"]) == session.names
    assert list(table["defocus_um"][:2]) == [1.0, 2.0]
    assert table["defocus_um"].isna()[2]
    acquisitions = json.loads(found["metadata/acquisitions.json"])
    assert acquisitions[1]["metrics"]["defocus_um"] == 2.0
    assert acquisitions[2]["metrics"] == {}
    assert acquisitions[0]["optics"]["voltage_kv"] == 300.0
    check_sums(everything)

    raw_only = files_below(folder_of(export(session.run, files="raw", metadata="raw", folder="raw"), quick))
    assert {name for name in raw_only if name.startswith("raw/")} == {
        "raw/gain.tiff",
        *(f"raw/Images-Disc1/GridSquare_0/Data/{name}_fractions.tiff" for name in session.names),
    }
    assert "metrics" not in json.loads(raw_only["metadata/acquisitions.json"])[0]


@pytest.mark.feature("EX-02")
def test_the_saved_filter_limits_what_goes_out(
    database: Database, alice: Principal, export: Callable[..., JobUnderTest], session: Session, quick: Settings
) -> None:
    session.add(5)
    session.process(range(4))
    rules = (FilterRule(metric="defocus_um", operator=Operator.BETWEEN, value=2.0, upper=3.0),)
    with database.session() as transaction:
        saved = run_filters.save_filter(transaction, alice, session.run.id, RunFilter(rules=rules), settings=quick)
    assert (saved.matching, saved.total) == (2, 5)
    found = files_below(folder_of(export(session.run, processed=True), quick))
    assert {name for name in session.names if any(name in path for path in found)} == {
        "FoilHole_00001",
        "FoilHole_00002",
    }
    assert "raw/EpuSession.dm" in found
    assert "raw/Metadata/GridSquare_1.dm" in found
    assert [one["index"] for one in json.loads(found["metadata/acquisitions.json"])] == [1, 2]
    other = files_below(folder_of(export(session.run, folder="all", filter={"rules": []}), quick))
    assert all(any(name in path for path in other) for name in session.names)


@pytest.mark.feature("EX-01")
@pytest.mark.parametrize(
    "folder",
    [
        "../out",
        "a/../../b",
        "/etc",
        "a//b",
        "..",
        ".",
        "a:b",
        "a*",
        "a?",
        "a\\b",
        "a<b",
        "a>b",
        "a|b",
        'a"b',
        "a\nb",
        "",
        " ",
        "a/.",
        ".partial/x",
        "con",
        "x" * 301,
        "a\0b",
    ],
)
@SQLITE
def test_folders_that_are_none_are_refused(
    database: Database, alice: Principal, run: Element, start_job: StartJob, folder: str, quick: Settings
) -> None:
    with pytest.raises(Invalid):
        start_job(alice, "export", run, folder=folder)
    with database.session() as session:
        assert session.query(JobItemRow).count() == 0
    assert not (quick.home / "export").exists()


@SQLITE
@pytest.mark.feature("EX-01", "EX-02", "EX-03")
def test_what_cannot_be_exported_is_refused_with_the_reason(
    database: Database,
    alice: Principal,
    run: Element,
    free: Element,
    start_job: StartJob,
    grant: Callable[..., None],
    make_user: Callable[..., Principal],
    make_folder: Make,
    make_workflow: Make,
    make_run: Make,
) -> None:
    bob = make_user("bob")
    plain = make_run(alice, workflow=make_workflow(alice, template="spa"))
    for element, parameters, words in (
        (run, {"files": "none", "metadata": "none"}, "Nothing is chosen"),
        (free, {"files": "raw"}, "free dataset"),
        (free, {"processed": True}, "quality monitor"),
        (plain, {"processed": True}, "quality monitor"),
        (free, {"filter": {"rules": []}}, "no run"),
        (run, {"filter": {"rules": [{"metric": "luck", "operator": "<", "value": 1}]}}, "no metric luck"),
        (run, {"filter": {"rules": [{"metric": "defocus_um", "operator": "between", "value": 1}]}}, "between"),
        (make_folder(alice), {}, "is a folder"),
    ):
        with pytest.raises(Invalid, match=words):
            start_job(alice, "export", element, **({"folder": "out"} | parameters))
    with pytest.raises(Invalid, match="free"):
        start_job(alice, "live_export", free, folder="out")
    with pytest.raises(NotFound):
        start_job(bob, "export", run, folder="out")
    grant(run, bob, Role.VIEWER)
    with pytest.raises(Forbidden):
        start_job(bob, "export", run, folder="out")
    with database.session() as session, pytest.raises(Conflict, match="no live export"):
        exports.update_live_export(session, alice, run.id)


@SQLITE
@pytest.mark.feature("EX-05", "JB-04")
def test_one_missing_file_keeps_no_other_back_and_a_retry_brings_it(
    database: Database,
    export: Callable[..., JobUnderTest],
    session: Session,
    quick: Settings,
    running: RunsRunner,
    wait_for: Wait,
) -> None:
    session.add(40)
    lost = session.folder / "Images-Disc1/GridSquare_0/Data/FoilHole_00007_fractions.tiff"
    kept = lost.read_bytes()
    lost.unlink()
    job = export(session.run, files="raw", expect="failed")
    assert job.now().item == "raw/Images-Disc1/GridSquare_0/Data/FoilHole_00007_fractions.tiff"
    assert "1 file could not be exported" in job.now().message
    assert "is not there" in job.now().message
    folder = folder_of(job, quick)
    assert not (folder / "SHA256SUMS").exists()
    assert len([name for name in files_below(folder) if "fractions" in name]) == 39
    lost.write_bytes(kept)
    job.retry()
    with running():
        wait_for(job.ended)
    assert job.state() == "finished"
    assert check_sums(folder) == 43
    no_leftovers(quick)


@SQLITE
@pytest.mark.feature("EX-05")
def test_a_copy_that_differs_from_its_source_is_no_copy(
    database: Database, export: Callable[..., JobUnderTest], free: Element, quick: Settings
) -> None:
    file = next((quick.home / "data" / "files").rglob("a.mrc"))
    file.write_bytes(b"rotten")
    job = export(free, expect="failed")
    assert job.now().item == "files/a.mrc"
    assert "changed on the way" in job.now().message
    assert "files/a.mrc" not in files_below(folder_of(job, quick))


@pytest.mark.feature("JB-03", "EX-05")
@SQLITE
def test_a_cancelled_export_leaves_nothing(
    database: Database,
    alice: Principal,
    session: Session,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    quick: Settings,
) -> None:
    session.add(100)
    job = start_job(alice, "export", session.run, folder="out")
    with running():
        wait_for(lambda: job.now().done > 30)
        job.cancel()
        wait_for(job.ended)
    assert job.state() == "cancelled"
    assert files_below(quick.home / "export") == {}
    with database.session() as transaction:
        assert transaction.query(JobItemRow).count() == 0
    job.retry()
    with running():
        wait_for(job.ended)
    assert check_sums(folder_of(job, quick)) == 100 * 4 + 5


@pytest.mark.feature("EX-05", "JB-01")
@SQLITE
def test_an_export_goes_on_after_its_runner_was_killed(
    database: Database,
    alice: Principal,
    session: Session,
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Wait,
    quick: Settings,
    runner_process: Callable[[], "subprocess.Popen[bytes]"],
) -> None:
    session.add(200, size=20_000, side_files=False)
    job = start_job(alice, "export", session.run, folder="out", files="raw")
    first = runner_process()
    wait_for(lambda: settled(database) >= 32)
    first.kill()
    first.wait()
    assert settled(database) < 200
    assert not (folder_of(job, quick) / "SHA256SUMS").exists()
    with running():
        wait_for(job.ended)
    assert job.state() == "finished"
    assert job.now().attempts == 2
    assert check_sums(folder_of(job, quick)) == 203
    no_leftovers(quick)
