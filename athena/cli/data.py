"""Commands about data: ``import``, ``watch``, ``reprocess``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from athena.cli.waiting import stay_with
from athena.contract.elements import Element, PathCreate
from athena.contract.runs import Run, SourceCreate, SourceState
from athena.errors import AthenaError, Invalid
from athena.sdk.branches import wire_parameters
from athena.sdk.client import Client

if TYPE_CHECKING:
    from athena.sdk.runs import Run as SdkRun

console = Console()

import_app = typer.Typer(help="Import a complete session folder.", no_args_is_help=True)

Session = Annotated[Path, typer.Argument(help="Session folder; Athena only reads there.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Parameter of the processing, as voltage_kv=300 or defects=/data/bad.txt; repeatable."),
]
Into = Annotated[str, typer.Option(help='Where in the workspace: "Folder/Workflow/Imaging/Run name"; made as needed.')]


@import_app.callback()
def _import_group() -> None:
    """Import a complete session folder."""


@import_app.command("epu")
def import_epu(
    session: Session,
    into: Into,
    wait: Annotated[bool, typer.Option(help="Stay until everything is processed.")] = True,
    settings: Settings = None,
) -> None:
    """Import a complete EPU session."""
    _bring_in(session, into=into, adapter="epu", follow=False, wait=wait, settings=settings)


def watch(
    session: Session,
    into: Into,
    adapter: Annotated[str, typer.Option(help="Kind of session.")] = "epu",
    wait: Annotated[bool, typer.Option(help="Show progress until Ctrl-C; the runner watches in any case.")] = True,
    settings: Settings = None,
) -> None:
    """Watch a session folder that grows; the runner goes on watching after this command has ended."""
    _bring_in(session, into=into, adapter=adapter, follow=True, wait=wait, settings=settings)


def reprocess(
    path: Annotated[str, typer.Argument(help='Run, as "Folder/Workflow/Imaging/Run name".')],
    wait: Annotated[bool, typer.Option(help="Stay until everything is processed.")] = True,
    branch: Annotated[str, typer.Option(help="Process into this branch of results, beside those there are.")] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Parameter, as voltage_kv=300 or patches=7x7; may be repeated. Without --branch: of the run.",
        ),
    ] = None,
    exposures: Annotated[int | None, typer.Option(help="Only so many, spread evenly, for a trial.")] = None,
) -> None:
    """Process movies of a run again: those that failed, or (--branch) all, with other parameters.

    Without --branch, --set gives the run what its metadata lacks; results that are there are never mixed with others.
    """
    import athena

    connection = athena.connect()
    run = connection.run(path)
    if branch:
        _into_branch(run, branch, read_parameters(settings or []), exposures, wait=wait)
        return
    if exposures:
        raise Invalid("--exposures goes with --branch NAME: results are never overwritten.")
    if settings:
        run.set_parameters(**read_parameters(settings))
    count = run.retry_failed()
    if not count:
        console.print(f"Nothing failed in “{path}”.", soft_wrap=True, highlight=False)
        return
    console.print(f"{count} failed acquisitions are processed again.", highlight=False)
    if not wait:
        return
    try:
        state = _follow(connection.client, run.state, finished=_nothing_left)
    except KeyboardInterrupt:
        console.print("The runner goes on without this command.")
        raise typer.Exit(130) from None
    console.print(summary(state), highlight=False)


def read_parameters(settings: list[str]) -> dict[str, Any]:
    """Parameters from ``name=value``; ``patches`` is ``7x7``, true and false and numbers are what they look like."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name:
            raise Invalid(f"“{setting}” sets nothing.", hint="Write it as name=value, such as patches=7x7.")
        if name == "patches":
            x, _, y = value.lower().partition("x")
            if not (x.isdigit() and y.isdigit()):
                raise Invalid(f"“{value}” is no grid of patches.", hint="Write it as 7x5: along x, along y.")
            found[name] = (int(x), int(y))
        else:
            found[name] = value  # the API reads numbers and truth from words, and says what it does not take
    return found


def _into_branch(run: "SdkRun", branch: str, parameters: dict[str, Any], exposures: int | None, *, wait: bool) -> None:
    job = run.reprocess(branch, exposures=exposures, **parameters)
    console.print(f"{job.result['chosen']} acquisitions are processed into “{branch}”.", highlight=False)
    if wait:
        stay_with(job, console)


def attach_session(
    client: Client, session: Path, *, into: str, adapter: str, follow: bool, settings: list[str] | None = None
) -> Run:
    """Make the run at ``into`` if it is not there and attach the session folder to it; the runner does the rest."""
    if not session.is_dir():
        raise Invalid(f"{session} is not a folder.", hint="Give the folder that holds EpuSession.dm.")
    element = client.post("/paths", PathCreate(path=into), Element)
    parameters = wire_parameters(read_parameters(settings or []))
    source = SourceCreate(adapter=adapter, path=str(session.resolve()), follow=follow, parameters=parameters)
    return client.put(f"/runs/{element.id}/source", source, Run)


def summary(run: Run) -> str:
    """One line: how many acquisitions stand where."""
    counts = run.counts
    parts = [f"{counts.total} registered", f"{counts.completed} processed"]
    if counts.processing:
        parts.append(f"{counts.processing} in progress")
    if counts.awaiting_movie:
        parts.append(f"{counts.awaiting_movie} without a movie")
    if counts.error:
        parts.append(f"{counts.error} in error")
    return " · ".join(parts)


def _bring_in(session: Path, *, into: str, adapter: str, follow: bool, wait: bool, settings: list[str] | None) -> None:
    import athena

    connection = athena.connect()
    client = connection.client
    run = attach_session(client, session, into=into, adapter=adapter, follow=follow, settings=settings)
    console.print(f"{'Watching' if follow else 'Importing'} {session} into “{into}”.", soft_wrap=True, highlight=False)
    if not wait:
        return
    try:
        run = _follow(client, run, finished=_never if follow else _all_done)
    except KeyboardInterrupt:
        console.print("The runner goes on without this command.")
        raise typer.Exit(130) from None
    console.print(summary(run), highlight=False)
    if run.source is not None:
        _say_problems(run)
        if run.source.state is SourceState.ERROR:
            raise AthenaError(run.source.message)


def _follow(client: Client, run: Run, *, finished: Callable[[Run], bool]) -> Run:
    """Show a progress bar, moved by the event stream, until ``finished``."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    path = f"/runs/{run.element.id}"
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("processing", total=None)
        events = client.follow(client.events(-1).last_seq)
        run = client.get(path, Run)
        while not finished(run):
            counts = run.counts
            progress.update(task, description=summary(run), completed=counts.completed + counts.error)
            progress.update(task, total=counts.total - counts.awaiting_movie or None)
            next(events)
            run = client.get(path, Run)
        done = run.counts.completed + run.counts.error
        progress.update(task, description=summary(run), completed=done, total=done or 1)
    return run


def _all_done(run: Run) -> bool:
    """Whether the folder has been read whole and nothing is left to process."""
    read = run.source is not None and run.source.state in (SourceState.COMPLETED, SourceState.ERROR)
    return read and run.counts.registered == run.counts.processing == 0


def _nothing_left(run: Run) -> bool:
    return run.counts.registered == run.counts.processing == 0


def _never(_run: Run) -> bool:
    return False


def _say_problems(run: Run) -> None:
    assert run.source is not None
    if run.source.message:
        console.print(run.source.message, soft_wrap=True, highlight=False)
    for problem in run.source.problems:
        console.print(f"  ! {problem}", soft_wrap=True, highlight=False)
