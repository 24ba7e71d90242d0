"""``athena report``: the quality report of a run as a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from athena.errors import Invalid

console = Console()


def report(
    path: Annotated[str, typer.Argument(help='Run, as "Folder/Workflow/Imaging/Run name".')],
    to: Annotated[
        Path, typer.Option(help=".pdf, .svg, .png: the page; .html, .ipynb, .ipynb.pdf: executed notebook; .json.")
    ],
    branch: Annotated[str, typer.Option(help="Branch of results; left out: the default one.")] = "",
) -> None:
    """Save the quality report of a run: what it was worth, on what numbers, by which version."""
    import athena
    from athena.sdk.runs import Run

    run = athena.connect()[path]
    if not isinstance(run, Run):
        raise Invalid(f"“{path}” is no run: it has no quality report.")
    found = run.branch(branch).quality_report() if branch else run.quality_report()
    if found.model.images and found.model.too_few:
        console.print(f"{found.model.processed} images are too few to judge rates and distributions by.")
    console.print(f"Saved {found.save(to)}", soft_wrap=True, highlight=False)
