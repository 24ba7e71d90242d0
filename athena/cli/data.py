"""Commands about data: ``import``, ``watch``, ``reprocess``, ``simulate``, ``replay``."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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

Container = Literal["tiff", "mrc", "eer"]

import_app = typer.Typer(help="Import a complete session folder.", no_args_is_help=True)
simulate_app = typer.Typer(help="Write simulated sessions with known truth.", no_args_is_help=True)

Session = Annotated[Path, typer.Argument(help="Session folder; Athena only reads there.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Parameter of the processing, as voltage_kv=300 or defects=/data/bad.txt; repeatable."),
]
Into = Annotated[str, typer.Option(help='Where in the workspace: "Folder/Workflow/Imaging/Run name"; made as needed.')]


@import_app.callback()
def _import_group() -> None:
    """Import a complete session folder."""


@simulate_app.callback()
def _simulate_group() -> None:
    """Write simulated sessions with known truth."""


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


@simulate_app.command("epu")
def simulate_epu(
    out: Annotated[Path, typer.Argument(help="Folder the session is written below; an unfinished one is continued.")],
    movies: Annotated[int, typer.Option(help="Movies to take.")] = 20,
    size: Annotated[int, typer.Option(help="Edge of a frame, px.")] = 4096,
    frames: Annotated[int, typer.Option(help="Frames a movie.")] = 40,
    container: Annotated[
        Container, typer.Option("--format", help="Of the movies; in EER each frame becomes 25 raw frames.")
    ] = "tiff",
    seed: Annotated[int, typer.Option(help="The same seed gives the same movies.")] = 1,
    interval: Annotated[float, typer.Option(help="Seconds from one movie to the next; 0: as fast as it goes.")] = 0.0,
) -> None:
    """Write an EPU session as a microscope would, with its truth in truth.json."""
    from athena_pipelines.simulate.session import EpuSimulator

    simulator = EpuSimulator(
        out.expanduser().resolve(),
        movies=movies,
        size=(size, size),
        frames=frames,
        seed=seed,
        interval_s=interval,
        container=container,
    )
    _until_stopped(lambda stop: simulator.run(stop, _say_exposure))


@simulate_app.command("thinned")
def simulate_thinned(
    micrograph: Annotated[Path, typer.Argument(help="A real micrograph, MRC, not normalised.")],
    out: Annotated[Path, typer.Argument(help="Folder the session is written below; an unfinished one is continued.")],
    movies: Annotated[int, typer.Option(help="Pseudo-movies to make.")] = 5,
    frames: Annotated[int, typer.Option(help="Frames a movie.")] = 40,
    dose: Annotated[float | None, typer.Option(help="Total dose, e⁻/Å²; default: as the header says.")] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Pixel size, Å; default: as the header says.")] = None,
    crop: Annotated[int | None, typer.Option(help="Edge of a square from the middle, px; default: all.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same movies.")] = 1,
    interval: Annotated[float, typer.Option(help="Seconds from one movie to the next; 0: as fast as it goes.")] = 0.0,
) -> None:
    """Write an EPU session of pseudo-movies: a real micrograph's electrons dealt out to moving frames."""
    from athena_pipelines.simulate.thinning import ThinnedSession, read_micrograph

    real = read_micrograph(
        micrograph.expanduser().resolve(), total_dose_e_per_A2=dose, pixel_size_angstrom=pixel_size, crop=crop
    )
    session = ThinnedSession(
        out.expanduser().resolve(), real, movies=movies, frames=frames, seed=seed, interval_s=interval
    )
    _until_stopped(lambda stop: session.run(stop, _say_exposure))


def replay(
    session: Session,
    out: Annotated[Path, typer.Argument(help="Folder the session appears in again; an unfinished one is continued.")],
    speed: Annotated[float, typer.Option(help="Times faster than it was taken.")] = 1.0,
    rate: Annotated[str, typer.Option(help="Movies an hour, such as 600/h, instead of the session's own pace.")] = "",
    longest_pause: Annotated[float, typer.Option(help="Longer pauses are cut to this, s.")] = 60.0,
) -> None:
    """Write a session's files again in the order and at the pace in which they were taken."""
    from athena_pipelines.simulate.replay import replay_session

    source, target = session.expanduser().resolve(), out.expanduser().resolve()
    _until_stopped(
        lambda stop: replay_session(
            source,
            target,
            speed=speed,
            interval_s=3600 / _per_hour(rate) if rate else None,
            longest_pause_s=longest_pause,
            stop=stop,
            progress=_say_exposure,
        )
    )


def _per_hour(rate: str) -> float:
    """Movies an hour from words such as ``600/h``."""
    try:
        number = float(rate.removesuffix("/h"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise Invalid(f"“{rate}” is no rate.", hint="Give movies an hour, such as 600/h.")
    return number


def _until_stopped(write: Callable[[threading.Event], Path]) -> None:
    """Write until done or told to stop by Ctrl-C or SIGTERM; then the movie at hand is taken away again."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        folder = write(stop)
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
    if stop.is_set():
        raise typer.Exit(130)
    console.print(f"{folder}", soft_wrap=True, highlight=False)


def _say_exposure(done: int, wanted: int, name: str) -> None:
    console.print(f"{done} of {wanted}  {name}", soft_wrap=True, highlight=False)


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
