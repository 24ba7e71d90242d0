"""Branches of results: a real instance and real processing of a small session, from the SDK and the command line."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import gemmi
import numpy as np
import pytest
import starfile
import tifffile
from typer.testing import CliRunner

from athena.cli import app
from athena.contract.jobs import JobKind
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.db.acquisitions import RunRow, SourceRow
from athena.db.branches import completed
from athena.db.elements import ElementRow
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.embedded import start_instance
from athena.errors import Conflict, Invalid, NotFound
from athena.jobs.executors import SerialExecutor
from athena.jobs.runner import Runner
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.sdk.runs import Run
from athena.services import branches, promotion
from athena.services.results import find_results, store_of
from athena.settings import Settings
from athena.zarrio.reader import read_table
from tests.jobs.exporting import check_sums

PLACE = "Folder/Apoferritin/Imaging/Grid 1"
COUNT = 4
OPTICS = {"pixel_size_angstrom": 1.0, "voltage_kv": 300.0, "frame_count": 4, "total_dose_e_per_A2": 20}


def write_movie(folder: Path, number: int) -> None:
    """A movie of a specimen that moves, so small that processing it takes a fraction of a second."""
    random = np.random.default_rng(number)
    specimen = np.kron(random.gamma(1.0, 1.0, (36, 36)), np.ones((8, 8)))
    frames = [random.poisson(specimen[8 + at : 264 + at, 8:264]) for at in range(4)]
    tifffile.imwrite(folder / f"m{number}.tif", np.array(frames, np.uint8), photometric="minisblack")
    (folder / f"m{number}.json").write_text(json.dumps(OPTICS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A session folder of a few movies."""
    made = tmp_path / "session"
    made.mkdir()
    (made / "session.json").write_text("{}")
    for number in range(COUNT):
        write_movie(made, number)
    return made


@pytest.fixture
def run(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run of the session, processed by a runner that goes on working."""
    for name in [name for name in os.environ if name.startswith(("ATHENA_", "JUPYTERHUB_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("ATHENA_HOME", str(home))
    settings = Settings(
        home=home,
        api_port=0,
        log_level="WARNING",
        poll_seconds=0.05,
        settle_seconds=0.05,
        stable_seconds=0.1,
        movie_step="movie",
    )
    executor = SerialExecutor("movie")
    stop = threading.Event()
    with ExitStack() as stack:
        instance, token = stack.enter_context(start_instance(settings, runner=False))
        athena = stack.enter_context(Athena(Client(instance.api_url, token)))
        made = athena.run(athena.ensure(PLACE).id)
        database = Database(settings.resolved_database_url)
        stack.callback(database.dispose)
        with database.session() as session:
            user = session.get_one(ElementRow, made.id).creator_id
            state = SourceState.WATCHING.value
            session.add(SourceRow(run_id=made.id, adapter="plain", path=str(folder), follow=True, state=state))
            session.add(JobRow(kind=JobKind.PROCESSING.value, element_id=made.id, initiator_id=user))
        runner = threading.Thread(target=Runner(settings, executor=executor).run, args=(stop,), daemon=True)
        runner.start()
        stack.callback(executor.close)
        stack.callback(runner.join, 60)
        stack.callback(stop.set)
        assert made.wait(60, finished=COUNT).completed == COUNT
        yield made


def _check_files_of_a_branch(run: Run, scratch: Path) -> None:
    lists = {}
    for branch in ("original", "fine"):
        params: dict[str, str | bool] = {"branch": branch, "matching": False}
        text = run.client.get_bytes(f"/api/runs/{run.id}/corrected_micrographs.star", params=params)
        (scratch / f"{branch}.star").write_bytes(text)
        lists[branch] = starfile.read(scratch / f"{branch}.star")
        groups = run.client.get_bytes(f"/api/runs/{run.id}/cryosparc/exposures.csg", params=params).decode()
        assert f"num_items: {len(lists[branch]['micrographs'])}" in groups
        motion = run.client.get_bytes(f"/api/runs/{run.id}/acquisitions/0/motion.star", params={"branch": branch})
        pixel = {"original": 1.0, "fine": 2.0}[branch]
        assert gemmi.cif.read_string(motion.decode())[0].find_value("_rlnMicrographOriginalPixelSize") == f"{pixel:.6f}"
    assert len(lists["original"]["micrographs"]) == COUNT
    assert len(lists["fine"]["micrographs"]) == 2, "what it was not given is not in its list"
    assert set(lists["fine"]["optics"]["rlnMicrographPixelSize"]) == {2.0}
    with pytest.raises(NotFound):
        run.client.get_bytes(f"/api/runs/{run.id}/acquisitions/1/motion.star", params={"branch": "fine"})


def _pixel_size(path: Path) -> float:
    """Å, as the header of an MRC file says."""
    header = path.read_bytes()[:1024]
    return float(np.frombuffer(header, "<f4")[10] / np.frombuffer(header, "<i4")[0])


def _check_saving_of_a_branch(run: Run, scratch: Path) -> None:
    """Files that Python writes of a branch, and what an export of it takes."""
    ends = ["m0", f"m{COUNT - 1}"]
    for branch, stems, pixel in ((None, [f"m{at}" for at in range(COUNT)], 1.0), ("fine", ends, 2.0)):
        folder = scratch / f"saved {branch}"
        saved = run.save_mrcs(folder / "mrc", only="all", branch=branch)
        assert [path.stem for path in saved] == stems
        assert [_pixel_size(path) for path in saved] == pytest.approx([pixel] * len(stems))
        ctf = run.save_star(folder / "relion", only="all", with_micrographs=True, branch=branch)
        listed = starfile.read(ctf.parent / "corrected_micrographs.star")
        assert set(listed["optics"]["rlnMicrographPixelSize"]) == {pixel}
        assert sorted(path.stem for path in (folder / "relion" / "micrographs").glob("*.star")) == stems
        group = run.save_cryosparc(folder / "cryosparc", only="all", branch=branch)
        assert f"num_items: {len(stems)}" in (group.parent / "exposures.csg").read_text()
        assert sorted(path.stem for path in (folder / "cryosparc" / "micrographs").glob("*.mrc")) == stems
    with pytest.raises(NotFound, match="finest"):
        run.save_mrcs(scratch / "none", branch="finest")

    # the filter looks at the branch's own numbers: there every pixel has 2 Å
    by_pixel = [("pixel_size_angstrom", ">", 1.5)]
    run.save_filter(*by_pixel)
    assert run.save_mrcs(scratch / "matching") == []
    assert [path.stem for path in run.save_mrcs(scratch / "matching", branch="fine")] == ends
    job = run.export("of fine", files="all", processed=True, branch="fine").wait(120)
    target = Path(job.result["location"].removeprefix("file://"))
    assert check_sums(target) == job.result["files"]
    assert sorted(path.stem for path in target.rglob("*.tif")) == ends
    micrographs = sorted(target.glob("processed/**/*.mrc"))
    assert [path.stem for path in micrographs] == ends
    assert [_pixel_size(path) for path in micrographs] == pytest.approx([2.0, 2.0])
    about = json.loads((target / "metadata" / "dataset.json").read_text())
    assert (about["branch"], about["processing"]["pixel_size_angstrom"]) == ("fine", 2.0)
    assert [one["name"] for one in json.loads((target / "metadata" / "acquisitions.json").read_text())] == ends
    nothing = run.export("of original", files="none", processed=True).wait(120)
    assert list(Path(nothing.result["location"].removeprefix("file://")).rglob("*.mrc")) == []
    run.save_filter()
    with pytest.raises(NotFound, match="finest"):
        run.export("of none", branch="finest")
    told = CliRunner().invoke(
        app, ["export", PLACE, "--format", "mrc", "--to", str(scratch / "told"), "--branch", "fine"]
    )
    assert told.exit_code == 0, told.output
    assert sorted(path.stem for path in (scratch / "told").glob("*.mrc")) == ends
    told = CliRunner().invoke(app, ["export", PLACE, "--into", "told", "--live", "--branch", "fine"])
    assert told.exit_code != 0


@pytest.mark.feature("BY-06", "NB-06", "EX-02")
def test_a_run_is_reprocessed_beside_its_results(run: Run, folder: Path) -> None:
    before = run.results["drift_total_angstrom"].values
    picture = np.asarray(run.thumbnail(2))
    assert [branch.name for branch in run.branches] == ["original"]

    with pytest.raises(Invalid, match="patches_z"):
        run.reprocess("fine", patches_z=3)
    with pytest.raises(Invalid, match="patches_x"):
        run.reprocess("fine", patches=(0, 2))
    assert [branch.name for branch in run.branches] == ["original"], "what is refused leaves nothing"

    # a trial on two exposures, at another pixel size: every length is the double
    job = run.reprocess("fine", patches=(3, 2), pixel_size_angstrom=2.0, exposures=2)
    assert job.wait(60).result == {"branch": "fine", "chosen": 2}
    fine = run.branch("fine")
    assert (fine.counts.completed, fine.counts.total, fine.default) == (2, 2, False)
    assert list(fine.table().index) == [0, COUNT - 1], "spread evenly"
    assert fine.results["state"].values.tolist() == ["completed", *["left_out"] * (COUNT - 2), "completed"]
    ratio = fine.results["drift_raw_angstrom"].values / run.results["drift_raw_angstrom"].values
    assert np.allclose(ratio[[0, COUNT - 1]], 2.0, rtol=0.05)
    assert np.isfinite(fine.results["motion"].values[0, 0]).all(axis=-1).sum() == 6
    assert run.counts.completed == COUNT
    assert np.array_equal(run.results["drift_total_angstrom"].values, before, equal_nan=True), "nothing is overwritten"

    table = fine.compare("original")
    assert table.attrs["both"] == 2
    row = table.loc["pixel_size_angstrom"]
    assert (row["count"], row["mean_difference"], row["higher"], row["unit"]) == (2, 1.0, 2, "Å")

    # other programs get it too, without its being the default one
    _check_files_of_a_branch(run, folder.parent)
    _check_saving_of_a_branch(run, folder.parent)

    # the same name goes on, from the command line, and keeps its parameters
    with pytest.raises(Conflict, match="other parameters"):
        run.reprocess("fine", pixel_size_angstrom=3.0)
    command = CliRunner()
    told = command.invoke(app, ["reprocess", PLACE, "--branch", "fine", "--set", "patches=3x2", "--exposures", "3"])
    assert told.exit_code == 0, told.output
    assert "processed into “fine”" in told.output
    assert run.branch("fine").counts.completed == 3
    refused = command.invoke(app, ["reprocess", PLACE, "--branch", "finer", "--set", "patches=many"])
    assert refused.exit_code != 0

    # the trial was good: what it lacks is processed with its parameters, and so is what comes
    version = run.version
    fine.promote()
    assert run.version > version
    assert run.wait(60, finished=COUNT).completed == COUNT
    write_movie(folder, COUNT)
    assert run.wait(60, finished=COUNT + 1).completed == COUNT + 1
    assert set(run.results["pixel_size_angstrom"].values) == {2.0}
    old = run.branch("original")
    assert (old.default, old.counts.completed) == (False, COUNT)
    assert np.array_equal(old.results["drift_total_angstrom"].values[:COUNT], before, equal_nan=True)
    assert np.array_equal(np.asarray(old.thumbnail(2)), picture)
    assert old.quality_report().model.processed == COUNT

    # back and forth loses nothing; the default one cannot be deleted
    old.promote()
    assert run.wait(60, finished=COUNT + 1).completed == COUNT + 1
    assert set(run.results["pixel_size_angstrom"].values) == {1.0}
    with pytest.raises(Conflict, match="default"):
        old.delete()
    store = run.branch("fine").store
    run.branch("fine").delete().wait(60)
    assert [branch.name for branch in run.branches] == ["original"]
    with pytest.raises(NotFound):
        run.client.get_bytes(f"/api/runs/{run.id}/acquisitions/0/thumbnail.png", params={"branch": "fine"})
    assert store is not None
    again = run.reprocess("fine", indices=[1])
    assert again.wait(60).result["chosen"] == 1
    assert run.branch("fine").counts.total == 1, "nothing of the old branch of this name is left"


@pytest.mark.feature("BY-06")
def test_promotion_in_the_middle_of_everything_mixes_nothing(
    folder, attach, running, start_job, wait_for, quick: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the job begins while the run has movies left, also where the machine has much else to do
    monkeypatch.setenv("ATHENA_TEST_STEP_SECONDS", "3")
    made = attach(folder)
    with database.session() as session:
        element = session.get_one(ElementRow, made.id)
        user = Principal(user_id=element.creator_id, username="")
    with running():
        wait_for(lambda: sum(row.state == "completed" for row in made.acquisitions()) == 1, what="a movie")
        job = start_job(user, "reprocess", element, branch="fine", parameters={"pixel_size_angstrom": 2.0})
        wait_for(lambda: job.now().done >= 1 and "processing" in _states(made), what="both at work")
        monkeypatch.setenv("ATHENA_TEST_STEP_SECONDS", "0")
        with database.session() as session:
            promotion.promote(session, user, made.id, "fine")
        assert job.state() == "cancelled"
        wait_for(lambda: set(_states(made)) == {"completed"}, what="the rest")
    with database.session() as session:
        original, fine = branches.list_branches(session, user, made.id)
        assert (original.counts.error, fine.counts.error) == (0, 0)
        assert 1 <= original.counts.completed < COUNT
        assert (fine.default, fine.counts.completed, fine.parameters) == (True, COUNT, {"pixel_size_angstrom": 2.0})
        for branch, pixel_size in ((original, 1.0), (fine, 2.0)):
            results = find_results(session, session.get_one(RunRow, made.id), branch.name)
            done = sorted(session.scalars(completed(results)))
            column = read_table(store_of(results, quick), ["pixel_size_angstrom"], 0, COUNT)["pixel_size_angstrom"]
            assert set(column[done]) == {pixel_size}


def _states(made) -> list[str]:
    return [row.state for row in made.acquisitions()]
