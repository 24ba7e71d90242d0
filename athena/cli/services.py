"""Commands that run Athena's processes: ``up``, ``demo``, ``status``, ``api``, ``portal``, ``runner``."""

import logging
import os
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from athena.settings import Settings

console = Console()
Home = Annotated[Path | None, typer.Option(help="Folder of the instance (default: ATHENA_HOME or ~/.athena).")]


def load_settings(home: Path | None = None) -> Settings:
    """Settings of the instance in ``home``, which also becomes this process's ATHENA_HOME."""
    if home is not None:
        os.environ["ATHENA_HOME"] = str(home.expanduser().resolve())
    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    return settings


def configure_logging(settings: Settings) -> None:
    """Log to standard error, with times; the supervisor keeps it in a file."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    # these libraries log every request or file event at INFO
    for noisy in ("httpx", "httpcore", "watchfiles", "alembic", "distributed"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def api() -> None:
    """Serve the API alone."""
    from athena.server.run import serve

    settings = load_settings()
    configure_logging(settings)
    serve(settings)


def portal() -> None:
    """Serve the web portal alone; it needs a running API."""
    from athena.portal.app import serve

    settings = load_settings()
    configure_logging(settings)
    serve(settings)


def runner() -> None:
    """Watch session folders and process what lands there; needs the database only."""
    from athena.jobs.runner import main

    settings = load_settings()
    configure_logging(settings)
    main(settings)


def up(
    home: Home = None,
    portal: Annotated[bool, typer.Option(help="Start the web portal.")] = True,
    notebook: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
    hub: Annotated[bool, typer.Option(help="Start JupyterHub with Athena's parts as its services.")] = False,
) -> None:
    """Run everything on this machine until Ctrl-C: API, portal, runner with its Dask cluster, JupyterLab."""
    from athena.cli.instance import run_hub, run_instance

    settings = load_settings(home)
    _stop_on_signals()
    if hub:
        run_hub(settings, console)
    else:
        run_instance(settings, console, portal=portal, notebook=notebook)


def demo(
    home: Annotated[Path, typer.Option(help="Folder of the demonstration; starting again resumes in it.")] = Path(
        "demo-data"
    ),
    movies: Annotated[int, typer.Option(help="Movies the simulated microscope takes.")] = 60,
    interval: Annotated[float, typer.Option(help="Seconds from one movie to the next.")] = 6.0,
    size: Annotated[int, typer.Option(help="Edge of a movie, px.")] = 1024,
    frames: Annotated[int, typer.Option(help="Frames a movie.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    notebook: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
) -> None:
    """Everything on this machine with a simulated microscope: see Athena work within a minute."""
    from athena.cli.demo import Microscope, run_demo

    settings = load_settings(home)
    _stop_on_signals()
    microscope = Microscope(movies=movies, interval_s=interval, size=size, frames=frames, seed=seed)
    run_demo(settings, console, microscope=microscope, notebook=notebook)


def status(home: Home = None) -> None:
    """Say whether an instance runs here, where, and what it is doing."""
    from athena.cli.instance import print_status

    print_status(load_settings(home), console)


def _stop_on_signals() -> None:
    """Stop as cleanly when a service manager asks as when a person presses Ctrl-C.

    SIGINT too: a shell that starts the command in the background has it ignored, and the command would inherit that.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
