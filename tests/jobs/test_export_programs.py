"""Exports that other programs open: RELION and cryoSPARC."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import starfile
import yaml
from cryosparc.dataset import Dataset

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.contract.verdicts import VerdictChange, VerdictKind
from athena.db.acquisitions import RunRow, SourceRow
from athena.db.engine import Database
from athena.formats.mrc import write_mrc
from athena.services import verdicts
from athena.services.storages import prepare_storages
from athena.settings import Settings
from athena.zarrio.writer import RunWriter
from tests.jobs.conftest import JobUnderTest, RunsRunner, StartJob
from tests.jobs.exporting import Session, check_sums, folder_of

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
@pytest.mark.feature("EX-02")
def test_an_export_is_a_relion_project(
    database: Database, export: Callable[..., JobUnderTest], session: Session, quick: Settings, alice: Principal
) -> None:
    session.add(3)
    session.process(range(3))
    with database.session() as transaction:
        rejected = VerdictChange(indices=(1,), verdict=VerdictKind.REJECTED)
        verdicts.give_verdict(transaction, alice, session.run.id, rejected)
    project = folder_of(export(session.run, processed=True), quick)
    table = starfile.read(project / "processed/corrected_micrographs.star")["micrographs"]
    assert [Path(path).stem for path in table["rlnMicrographName"]] == [session.names[0], session.names[2]]
    motion = [starfile.read(project / path)["general"] for path in table["rlnMicrographMetadata"]]
    for path in (
        *table["rlnMicrographName"],
        *(one[f"rlnMicrograph{x}Name"] for one in motion for x in ("Movie", "Gain")),
    ):
        assert (project / path).is_file()
    check_sums(project)


@SQLITE
@pytest.mark.feature("EX-02")
@pytest.mark.parametrize("turned", [False, True])
def test_an_export_is_what_cryosparc_imports(
    database: Database, export: Callable[..., JobUnderTest], session: Session, quick: Settings, turned: bool
) -> None:
    reference = np.random.default_rng(0).uniform(0.5, 2, (60, 70)).astype(np.float32)
    gain, bad = session.folder / "gain.mrc", b"1 2 3 4\n"
    write_mrc(gain, np.rot90(reference) if turned else reference / reference.mean(), pixel_size_angstrom=1.0)
    digest = hashlib.sha256(bad).hexdigest()
    kept = quick.run_defects(str(session.run.id)) / f"{digest}.txt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bad)
    with database.session() as transaction:
        transaction.get_one(RunRow, session.run.id).parameters = {
            "defects": "/camera/bad.txt",
            "defects_sha256": digest,
        }
        source = transaction.get_one(SourceRow, session.run.id)
        source.gain_reference = str(gain)
        if turned:  # seen with row 0 at the bottom, numpy's turn is clockwise
            source.gain_found = {"gain": str(gain), "orientation": "rotate_90", "sense": "divide"}
    session.add(3)
    session.process(range(3))
    RunWriter.open(quick.run_store(str(session.run.id))).write_metrics(range(3), {"frame_count": [6.0] * 3})
    folder = folder_of(export(session.run, files="raw", processed=True), quick)
    check_sums(folder)
    about = yaml.safe_load((folder / "exposures.csg").read_text())
    assert about["group"]["title"] == session.run.name
    slots = {"movie_blob", "gain_ref_blob", "mscope_params", "micrograph_blob"}
    assert set(about["results"]) == slots
    (metafile,) = {one["metafile"] for one in about["results"].values()}
    table = Dataset.load(folder / metafile.removeprefix(">"))
    assert len(table) == 3
    assert set(table.prefixes()) == slots
    paths = ("movie_blob/path", "gain_ref_blob/path", "mscope_params/defect_path", "micrograph_blob/path")
    for path in (one for name in paths for one in table[name]):
        assert (folder / path.removeprefix(">")).is_file()
    assert (folder / "camera/bad.txt").read_bytes() == bad
    assert np.array_equal(table["movie_blob/shape"], [[6, 60, 70]] * 3)
    assert np.array_equal(table["micrograph_blob/shape"], [[60, 70]] * 3)
    assert np.array_equal(table["gain_ref_blob/shape"], [[60, 70]] * 3)
    assert set(table["mscope_params/accel_kv"]) == {300.0}
    # the gain lies as the micrographs do, and multiplies, whichever way it came
    with mrcfile.open(folder / table["gain_ref_blob/path"][0].removeprefix(">")) as mrc:
        expected = 1 / reference if turned else reference
        np.testing.assert_allclose(mrc.data, expected / expected.mean(), rtol=1e-5)
    motion = starfile.read(folder / f"processed/micrographs/{session.names[0]}.star")["general"]
    assert f">{motion['rlnMicrographGainName']}" == table["gain_ref_blob/path"][0]
    # without movies none are told of, and what the camera needs goes out all the same
    alone = folder_of(export(session.run, files="none", processed=True, folder="alone"), quick)
    assert set(Dataset.load(alone / "exposures.cs").prefixes()) == {"mscope_params", "micrograph_blob"}
    assert (alone / "camera/bad.txt").is_file()
    assert (alone / motion["rlnMicrographGainName"]).is_file()
