"""``athena demo``: an instance with a simulated microscope, and a line that says how far it is."""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

import athena
from athena.cli.instance import notebook_folder, running_instance
from athena.cli.stack import ATHENA, Addresses
from athena.cli.supervisor import Service, Supervisor
from athena.contract.runs import Run, SourceCreate
from athena.sdk.client import Client
from athena.settings import Settings

RUN_PATH = "Demonstration/Apoferritin/Imaging/Simulated grid"


@dataclass(frozen=True)
class Microscope:
    """What the simulated microscope takes."""

    movies: int
    interval_s: float
    size: int
    frames: int
    seed: int

    def service(self, folder: Path, env: dict[str, str]) -> Service:
        """The simulator as a supervised process; it goes on after the last complete movie when started again."""
        argv = [
            *ATHENA,
            "simulate",
            "epu",
            str(folder),
            f"--movies={self.movies}",
            f"--interval={self.interval_s}",
            f"--size={self.size}",
            f"--frames={self.frames}",
            f"--seed={self.seed}",
        ]
        return Service(
            "microscope", argv, env, ready=lambda: session_folder(folder) is not None, ready_seconds=120, once=True
        )


def session_folder(folder: Path) -> Path | None:
    """The EPU session below ``folder``, once its session file is there."""
    found = sorted(folder.glob("**/EpuSession.dm"))
    return found[0].parent if found else None


def run_demo(settings: Settings, console: Console, *, microscope: Microscope, notebook: bool) -> None:
    """Run until Ctrl-C."""
    data = settings.home / "microscope"
    with running_instance(settings, console, portal=True, notebook=notebook) as instance:
        supervisor: Supervisor = instance.supervisor
        addresses: Addresses = instance.addresses
        supervisor.start(microscope.service(data, addresses.environment(settings)))
        session = session_folder(data)
        if session is None:  # start() returned because a stop was asked for meanwhile
            return
        with athena.connect(addresses.api, instance.token) as connection:
            client: Client = connection.client
            element = attach(client, session)
            console.print(f"Session   {session}")
            console.print(f"Run       {RUN_PATH}")
            console.print("Ctrl-C stops everything; starting again goes on from there.\n")
            with console.status("waiting for the first movie") as line:

                def tick() -> None:
                    run = client.get(f"/runs/{element}", Run)
                    line.update(progress(run, microscope.movies))
                    if not sys.stdout.isatty():
                        print(progress(run, microscope.movies), flush=True)

                supervisor.watch(tick=tick, interval=2.0)


def attach(client: Client, session: Path) -> str:
    """Make the run in the workspace if it is not there, and let the runner watch the session; returns the run's id."""
    from athena.contract.elements import Element

    element = client.post("/paths", Element, json={"path": RUN_PATH})
    run = client.get(f"/runs/{element.id}", Run)
    if run.source is None:
        body = SourceCreate(adapter="epu", path=str(session), follow=True)
        client.put(f"/runs/{element.id}/source", None, json=body.model_dump(mode="json"))
    return str(element.id)


def progress(run: Run, movies: int) -> str:
    """One line: what has been taken, processed and failed."""
    counts = run.counts
    text = f"{counts.total} of {movies} movies taken · {counts.completed} processed · {counts.processing} in progress"
    return f"{text} · {counts.error} in error" if counts.error else text


__all__ = ["RUN_PATH", "Microscope", "notebook_folder", "run_demo"]
