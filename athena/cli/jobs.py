"""Commands about jobs: ``export``, ``jobs``."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from athena.cli.waiting import stay_with
from athena.contract.exports import ExportPart
from athena.errors import Invalid

if TYPE_CHECKING:
    from athena.sdk.jobs import Job, Jobs

console = Console()
jobs_app = typer.Typer(help="Look at jobs, cancel or retry them.", invoke_without_command=True)

Id = Annotated[str, typer.Argument(help="Identifier of the job, or its first characters.")]


def export(
    path: Annotated[str, typer.Argument(help='Dataset, as "Folder/Workflow/Imaging/Run name".')],
    into: Annotated[str, typer.Option(help="Folder of the export storage; the moment is added to its name.")],
    files: Annotated[ExportPart, typer.Option(help="Of a run, raw: movies and gain reference.")] = ExportPart.ALL,
    metadata: Annotated[ExportPart, typer.Option(help="Of a run, raw: nothing measured.")] = ExportPart.ALL,
    processed: Annotated[bool, typer.Option(help="Also micrographs, thumbnails, results table.")] = False,
    live: Annotated[bool, typer.Option(help="Go on until the run completes.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until it is done.")] = True,
) -> None:
    """Copy a dataset to the export storage, every file verified."""
    import athena
    from athena.sdk.elements import Dataset
    from athena.sdk.runs import Run

    element = athena.connect()[path]
    if isinstance(element, Run):
        start = element.live_export if live else element.export
        job = start(into, files=files, metadata=metadata, processed=processed)
    elif isinstance(element, Dataset) and not (live or processed):
        job = element.export(into, files=files is not ExportPart.NONE, metadata=metadata is not ExportPart.NONE)
    else:
        raise Invalid(f"“{path}” is no run: only runs are exported live or with what was processed.")
    console.print(f"Exporting to {job.result['location']}", soft_wrap=True, highlight=False)
    if wait:
        stay_with(job, console)


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
