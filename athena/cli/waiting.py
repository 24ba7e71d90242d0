"""Staying with a job until it ends."""

from typing import TYPE_CHECKING

import typer
from rich.console import Console

if TYPE_CHECKING:
    from athena.sdk.jobs import Job


def stay_with(job: "Job", console: Console) -> None:
    """Show the job's progress until it ends, then what it says; Ctrl-C leaves it to the runner (exit code 130)."""
    try:
        job.wait()
    except KeyboardInterrupt:
        console.print("The runner goes on without this command; 'athena jobs' shows how far it is.")
        raise typer.Exit(130) from None
    console.print(job.message, highlight=False)
