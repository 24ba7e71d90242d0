"""Jobs from Python and the command line: started from elements, waited for, steered."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athena.cli import app
from athena.contract.jobs import JobState
from athena.errors import AthenaError, Conflict, Invalid, NotFound, Unavailable
from athena.jobs.executors import SerialExecutor
from athena.jobs.runner import Runner
from athena.sdk.connection import Athena
from athena.sdk.elements import Dataset
from athena.sdk.jobs import Job, Jobs
from athena.sdk.runs import Run
from tests.sdk.conftest import Running


@pytest.fixture
def runner(running: Running) -> Iterator[None]:
    """A runner of the instance, on a thread."""
    settings = running.settings.model_copy(update={"poll_seconds": 0.05, "lease_seconds": 2.0})
    stop, executor = threading.Event(), SerialExecutor("movie")
    thread = threading.Thread(target=Runner(settings, executor=executor).run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join(30)
    executor.close()
    assert not thread.is_alive()


@pytest.mark.feature("EX-02", "JB-01", "NB-01")
def test_a_run_is_filtered_exported_and_waited_for(
    athena: Athena, new_run: Callable[[], Run], process: Callable[..., None], runner: None, tmp_path: Path
) -> None:
    run = new_run()
    process(run, 2, defocus_um=1.0)
    process(run, 1, defocus_um=2.0)
    saved = run.save_filter(("defocus_um", "<", 1.5))
    assert (saved.matching, saved.total) == (2, 3)
    assert run.saved_filter() == saved
    job = run.export("out", processed=True).wait(60)
    assert job.state is JobState.FINISHED
    folder = Path(job.result["location"].removeprefix("file://"))
    assert sorted(path.name for path in (folder / "processed/micrographs").iterdir()) == [
        "FoilHole_00000.mrc",
        "FoilHole_00000.star",
        "FoilHole_00001.mrc",
        "FoilHole_00001.star",
    ]
    # a motion star each, RELION's two lists, and cryoSPARC's two groups with their tables
    assert job.result["files"] == 15
    everything = run.export("all", files="none", processed=True, rules=[]).wait(60, progress=False)
    assert everything.result["files"] == 18
    with pytest.raises(Invalid, match="path"):
        run.export("../out")
    with pytest.raises(Invalid, match="files"):
        run.export("out", files="most")
    with pytest.raises(Invalid, match="luck"):
        run.save_filter(("luck", "<", 1))
    assert {one.id for one in run.jobs()} == {job.id, everything.id}
    assert run.cleanup_sizes()["allowed"].to_dict() == {
        "movies": False,
        "integrated": False,
        "processed": True,
    }
    assert run.cleanup("processed").wait(60).result["files"] > 0
    with pytest.raises(NotFound):
        run.image(0)
    live = run.live_export("live").wait(60)
    assert live.kind == "live_export"
    with pytest.raises(Conflict, match="no live export"):
        run.update_live_export()


@pytest.mark.feature("WS-13", "WS-14")
def test_archive_restore_delete(athena: Athena, new_run: Callable[[], Run], runner: None) -> None:
    run = new_run()
    workflow = run.parent.parent  # type: ignore[union-attr]
    assert workflow is not None
    workflow.archive().wait(60)
    assert workflow.refresh().model.state.value == "archived"
    workflow.restore().wait(60)
    with pytest.raises(Conflict, match="not archived"):
        workflow.restore()
    folder = workflow.parent
    assert folder is not None
    job = folder.delete()
    assert job.wait(60).message == "Deleted."
    with pytest.raises(NotFound):
        folder.refresh()
    assert repr(job) == f"<Job 'Deletion of {folder.name}' finished>"


@pytest.mark.feature("JB-03", "JB-04", "EX-03")
def test_jobs_are_steered_and_show_themselves_as_tables(athena: Athena, new_run: Callable[[], Run]) -> None:
    athena.remove_ended_jobs()
    run = new_run()
    free = athena.ensure(run.path.removesuffix(run.name) + "Notes", dataset_type="free")
    assert isinstance(free, Dataset)
    job = free.export("notes")
    assert (job.state, job.kind) == (JobState.PENDING, "export")
    with pytest.raises(Unavailable, match="it goes on"):
        job.wait(0.1, progress=False)
    with pytest.raises(Conflict):
        job.remove()
    assert job.cancel().state is JobState.CANCELLED
    with pytest.raises(AthenaError, match="cancelled"):
        job.wait(5)
    assert job.retry().state is JobState.PENDING
    job.cancel()
    listed = athena.jobs()
    assert isinstance(listed, Jobs)
    assert isinstance(listed[0], Job)
    assert len(listed[:1]) == 1
    assert "Export" in repr(listed)
    assert "<td>" in listed._repr_html_()
    assert "Cancelled." in job._repr_html_()
    job.remove()
    assert job.id not in {one.id for one in athena.jobs()}
    free.export("other", files=False).cancel()
    assert athena.remove_ended_jobs() == 1
    assert repr(Jobs([])) == "No jobs."
    live = run.live_export("live")
    assert athena.stop_live_exports() == 1
    assert next(one for one in athena.jobs() if one.id == live.id).state is JobState.CANCELLED
    assert athena.stop_live_exports() == 0
    with pytest.raises(Invalid, match="no job kind"):
        athena.start_job("magic", run)


@pytest.mark.feature("NB-06")
def test_the_command_line_exports_and_steers(
    running: Running,
    athena: Athena,
    new_run: Callable[[], Run],
    process: Callable[..., None],
    runner: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATHENA_HOME", str(running.settings.home))
    monkeypatch.setenv("COLUMNS", "300")
    run = new_run()
    process(run, 1)
    command = CliRunner()
    done = command.invoke(app, ["export", run.path, "--into", "shell", "--files", "none", "--processed"])
    assert done.exit_code == 0, done.output
    assert "/export/shell_" in done.output
    assert "read back and compared" in done.output
    (job,) = run.jobs()
    listed = command.invoke(app, ["jobs"])
    assert str(job.id)[:8] in listed.output
    assert command.invoke(app, ["jobs", "remove", str(job.id)[:8]]).exit_code == 0
    assert len(run.jobs()) == 0
    waited = command.invoke(app, ["export", run.path, "--into", "shell", "--live", "--no-wait"])
    assert waited.exit_code == 0, waited.output
    (live,) = run.jobs()
    assert command.invoke(app, ["jobs", "wait", str(live.id)]).exit_code == 0
    assert "removed" in command.invoke(app, ["jobs", "remove", "--ended"]).output
    assert isinstance(command.invoke(app, ["jobs", "cancel", "zzz"]).exception, Invalid)
