"""Commands about files: ``upload``, ``download``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from athena.errors import Invalid
from athena.sdk.files import HoldsFiles
from athena.sdk.progress import size_words

console = Console()

Element = Annotated[str, typer.Argument(help='Path in the workspace: "Folder/Workflow/Step/Dataset".')]


def upload(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders of this machine.")],
    into: Annotated[str, typer.Option(help='Step or free dataset: "Folder/Workflow/Step/Dataset".')],
) -> None:
    """Upload files and folders; the same command again goes on where the last one was interrupted."""
    import athena

    element = athena.connect()[into]
    if not isinstance(element, HoldsFiles):
        raise Invalid(f"“{into}” is a {element.kind.value}: only steps and free datasets hold files.")
    files = element.upload(paths)
    console.print(f"{len(files)} files, {size_words(files.size)}, are in “{into}”.", highlight=False, soft_wrap=True)


def download(
    element: Element,
    to: Annotated[Path, typer.Option(help="Folder to save in.")] = Path(),
    archive: Annotated[bool, typer.Option("--zip", help="All that lies in it and below it, as one zip.")] = False,
) -> None:
    """Save the files of a step or dataset; of anything else, all that lies below it as a zip."""
    import athena

    found = athena.connect()[element]
    if archive or not isinstance(found, HoldsFiles):
        console.print(f"{found.download(to)}", highlight=False, soft_wrap=True)
        return
    for path in found.files.download(to):
        console.print(f"{path}", highlight=False, soft_wrap=True)
