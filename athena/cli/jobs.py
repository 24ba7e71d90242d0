"""Commands about jobs: ``export``, ``jobs``."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from athena.cli.waiting import stay_with
from athena.contract.exports import ExportPart
from athena.errors import Invalid

if TYPE_CHECKING:
    from athena.sdk.jobs import Job, Jobs
    from athena.sdk.runs import Run

console = Console()
jobs_app = typer.Typer(help="Look at jobs, cancel or retry them.", invoke_without_command=True)

Id = Annotated[str, typer.Argument(help="Identifier of the job, or its first characters.")]


class Form(StrEnum):
    """What results are saved as: micrographs alone, a RELION project, or what cryoSPARC imports."""

    MRC = "mrc"
    STAR = "star"
    CRYOSPARC = "cryosparc"


def export(
    path: Annotated[str, typer.Argument(help='Dataset, as "Folder/Workflow/Imaging/Run name".')],
    into: Annotated[str, typer.Option(help="Folder of the export storage; the moment is added to its name.")] = "",
    to: Annotated[Path | None, typer.Option(help="Instead: folder of this machine, for --format.")] = None,
    format: Annotated[
        Form | None, typer.Option(help="What a run's results are saved as in --to: those that match its filter.")
    ] = None,
    files: Annotated[ExportPart, typer.Option(help="Of a run, raw: movies and gain reference.")] = ExportPart.ALL,
    metadata: Annotated[ExportPart, typer.Option(help="Of a run, raw: nothing measured.")] = ExportPart.ALL,
    processed: Annotated[bool, typer.Option(help="Also micrographs, thumbnails, results table.")] = False,
    live: Annotated[bool, typer.Option(help="Go on until the run completes.")] = False,
    branch: Annotated[str, typer.Option(help="Of a run's results; left out: the default one.")] = "",
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Copy a dataset to the export storage, every file verified; or save a run's results here (--format, --to)."""
    import athena
    from athena.sdk.elements import Dataset
    from athena.sdk.runs import Run

    if (to is None) is not (format is None) or (to is None) is not bool(into):
        raise Invalid(
            "It is not said where to.", hint="Give --into FOLDER, or --format mrc|star|cryosparc --to FOLDER."
        )
    element = athena.connect()[path]
    if to is not None and format is not None:
        if not isinstance(element, Run):
            raise Invalid(f"“{path}” is no run: it has no results.")
        console.print(_save(element, format, to, branch or None), soft_wrap=True, highlight=False)
        return
    if isinstance(element, Run) and live and branch:
        raise Invalid("A live export goes by the default branch, where what arrives is processed.")
    if isinstance(element, Run):
        start = element.live_export if live else partial(element.export, branch=branch or None)
        job = start(into, files=files, metadata=metadata, processed=processed)
    elif isinstance(element, Dataset) and not (live or processed or branch):
        job = element.export(into, files=files is not ExportPart.NONE, metadata=metadata is not ExportPart.NONE)
    else:
        raise Invalid(f"“{path}” is no run: only runs are exported live, by a branch, or with what was processed.")
    console.print(f"Exporting to {job.result['location']}", soft_wrap=True, highlight=False)
    if wait:
        stay_with(job, console)


def _save(run: "Run", form: "Form", to: Path, branch: str | None) -> str:
    """Save results on this machine; what to say of it."""
    if form is Form.MRC:
        return f"{len(run.save_mrcs(to, branch=branch, progress=True))} micrographs are in {to}."
    save = run.save_star if form is Form.STAR else run.save_cryosparc
    return f"Saved {save(to, with_micrographs=True, branch=branch, progress=True)}"


@jobs_app.callback()
def list_jobs(context: typer.Context) -> None:
    """List the jobs that you may see, newest first."""
    import athena
    from athena.sdk.jobs import HEADS

    if context.invoked_subcommand is not None:
        return
    found = athena.connect().jobs()
    if not found:
        console.print("No jobs.")
        return
    table = Table("Id", *HEADS, box=None, pad_edge=False)
    for job in found:
        table.add_row(str(job.id)[:8], *job.cells())
    console.print(table)


@jobs_app.command("cancel")
def cancel(job: Id) -> None:
    """Cancel a job."""
    console.print(repr(_find(job).cancel()), highlight=False)


@jobs_app.command("retry")
def retry(job: Id) -> None:
    """Begin a failed or cancelled job again, from where it got to."""
    console.print(repr(_find(job).retry()), highlight=False)


@jobs_app.command("wait")
def wait(job: Id) -> None:
    """Show the progress of a job until it ends."""
    console.print(_find(job).wait().message, highlight=False)


@jobs_app.command("remove")
def remove(
    job: Annotated[str, typer.Argument(help="Identifier of the job, or its first characters.")] = "",
    ended: Annotated[bool, typer.Option(help="All of your own that have ended.")] = False,
) -> None:
    """Take ended jobs off the list."""
    import athena

    if ended:
        console.print(f"{athena.connect().remove_ended_jobs()} removed.", highlight=False)
        return
    _find(job).remove()


def _find(start: str) -> "Job":
    """Job whose identifier begins like that; Invalid unless it is one."""
    import athena

    jobs: Jobs = athena.connect().jobs()
    found = [job for job in jobs if start and str(job.id).startswith(start.lower())]
    if len(found) != 1:
        raise Invalid(f"{len(found)} jobs begin with {start!r}.", hint="'athena jobs' lists them.")
    return found[0]
