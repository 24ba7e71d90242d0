"""``athena demo``: an instance with a simulated microscope, and a line that says how far it is."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from athena.cli.data import attach_session, summary
from athena.cli.instance import running_instance
from athena.cli.stack import ATHENA
from athena.cli.supervisor import Service
from athena.contract.runs import Run
from athena.sdk.client import Client
from athena.settings import Settings

RUN_PATH = "Demonstration/Apoferritin/Imaging/Simulated grid"
TICK_SECONDS = 2.0


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
        argv = [*ATHENA, "simulate", "epu", str(folder), f"--movies={self.movies}", f"--interval={self.interval_s}"]
        argv += [f"--size={self.size}", f"--frames={self.frames}", f"--seed={self.seed}"]
        return Service(
            "microscope", argv, env, ready=lambda: session_folder(folder) is not None, ready_seconds=120, once=True
        )


def session_folder(folder: Path) -> Path | None:
    """The EPU session below ``folder``, once its session file is there."""
    found = sorted(folder.glob("*/EpuSession.dm"))
    return found[0].parent if found else None


def run_demo(settings: Settings, console: Console, *, microscope: Microscope, notebook: bool) -> None:
    """Run until Ctrl-C."""
    data = settings.home / "microscope"
    with running_instance(settings, console, portal=True, notebook=notebook) as instance:
        environment = instance.addresses.environment(settings)
        instance.supervisor.start(microscope.service(data, environment))
        session = session_folder(data)
        if session is None:  # start() returned because a stop was asked for meanwhile
            return
        with Client(instance.addresses.api, instance.token) as client:
            run = attach_session(client, session, into=RUN_PATH, adapter="epu", follow=True)
            console.print(f"Session   {session}\nRun       {RUN_PATH}", soft_wrap=True, highlight=False)
            console.print("Ctrl-C stops everything; starting again goes on from there.\n")
            with console.status("waiting for the first movie") as line:
                shown = ""

                def tick() -> None:
                    nonlocal shown
                    text = f"{summary(client.get(f'/runs/{run.element.id}', Run))} (of {microscope.movies} to take)"
                    line.update(text)
                    if text != shown and not console.is_terminal:
                        console.print(text, soft_wrap=True, highlight=False)
                    shown = text

                instance.supervisor.watch(tick=tick, interval=TICK_SECONDS)
