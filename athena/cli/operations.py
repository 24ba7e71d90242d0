"""Commands for whoever runs the machine: ``backup``, ``restore``, ``doctor``."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from athena.errors import Invalid

console = Console()
Home = Annotated[Path | None, typer.Option(help="Folder of the instance (default: ATHENA_HOME or ~/.athena).")]


def backup(
    folder: Annotated[Path, typer.Argument(help="New folder for the backup; with --verify, the backup to check.")],
    home: Home = None,
    since: Annotated[
        Path | None, typer.Option(help="An earlier backup on the same disk: what has not changed takes no room again.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check a backup instead of making one.")] = False,
) -> None:
    """Back up the whole instance while it runs: catalogue, run stores, files, settings, secrets."""
    from athena.cli.services import load_settings
    from athena.operations import backup as operation

    target = folder.expanduser().resolve()
    with _steps() as steps:
        if verify:
            if since is not None:
                raise Invalid("--since is for making a backup, not for checking one.")
            manifest = operation.verify(target, steps)
        else:
            earlier = since.expanduser().resolve() if since else None
            manifest = operation.back_up(load_settings(home), target, steps, since=earlier)
    size = f"{len(manifest.entries)} files, {manifest.size / 1e9:.2f} GB, of {manifest.head.created:%F %R %Z}"
    _say(f"{target} is {'whole' if verify else 'written'}: {size}.")


def restore(
    folder: Annotated[Path, typer.Argument(help="The backup.")],
    home: Home = None,
    database: Annotated[
        str, typer.Option(help="Address of the database the catalogue goes to (default: SQLite in the home).")
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Put a home that is there aside, under another name.")
    ] = False,
) -> None:
    """Restore an instance from a backup into a new home; every file is checked."""
    from athena.cli.services import load_settings
    from athena.operations.restore import restore as operation

    settings = load_settings(home)
    with _steps() as steps:
        former = operation(folder.expanduser().resolve(), settings, steps, database_url=database, replace=replace)
    if former != settings.home:
        _say(f"The former home is now {former}.")
    _say(f"{settings.home} is restored. Start it with 'athena up --home {settings.home}'.")


@contextmanager
def _steps() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """A progress bar for each stage."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:

        def begin(stage: str) -> Callable[[int, int], None]:
            task = shown.add_task(stage)
            return lambda done, whole: shown.update(task, completed=done, total=whole)

        yield begin


def _say(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False)


def doctor(
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Put right the modes of secret files; nothing else.")] = False,
) -> None:
    """Check this machine and the instance; exit code 1 when something does not work."""
    from athena.operations.doctor import examine
    from athena.operations.findings import Level
    from athena.settings import Settings

    if home is not None:
        os.environ["ATHENA_HOME"] = str(home.expanduser().resolve())
    report = examine(Settings(), fix=fix)  # not load_settings, which would make the home
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        for finding in report.findings:
            mark = {Level.OK: "[green]OK     [/]", Level.WARNING: "[yellow]Warning[/]", Level.ERROR: "[red]Error  [/]"}
            console.print(f"{mark[finding.level]} ", end="")
            console.print(f"{finding.check}: {finding.reason}", soft_wrap=True, highlight=False, markup=False)
            if finding.advice:
                console.print(f"        {finding.advice}", soft_wrap=True, highlight=False, markup=False)
    if report.level is Level.ERROR:
        raise typer.Exit(1)
