"""What the commands that write simulated sessions share."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from athena.errors import Invalid

console = Console()

Container = Literal["tiff", "mrc", "eer"]
MICROSCOPE, CAMERA, SPECIMEN = "Microscope", "Camera", "Specimen"
"""Panels of options in the help."""

# options that sessions of every kind have
Out = Annotated[Path, typer.Argument(help="Folder the session is written below; an unfinished one is continued.")]
Format = Annotated[Container, typer.Option("--format", help="Of the movies; in EER each frame becomes 25 raw frames.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same movies.")]
Edge = Annotated[int, typer.Option(help="Edge of a frame, px.")]
Voltage = Annotated[float | None, typer.Option(help="kV; default 300.", rich_help_panel=MICROSCOPE)]
Dqe = Annotated[
    float | None,
    typer.Option(help="DQE at frequency 0: share of electrons that are counted; default 1.", rich_help_panel=CAMERA),
]
GainSpread = Annotated[
    float | None,
    typer.Option(
        help="Of the pixels' gain, such as 0.05: raw movies and a gain reference; default 0: corrected movies.",
        rich_help_panel=CAMERA,
    ),
]
HotPixels = Annotated[float | None, typer.Option(help="Share of hot pixels; default 0.", rich_help_panel=CAMERA)]
Structure = Annotated[
    Path | None,
    typer.Option(help="PDB or mmCIF file of the molecule; default apoferritin.", rich_help_panel=SPECIMEN),
]


def span(option: str, text: str | None) -> tuple[float, float] | None:
    """Smallest and largest from words such as ``30-110``, or ``90`` for both."""
    found = numbers(option, text, "-")
    if found is None:
        return None
    if len(found) > 2:
        raise Invalid(f"“{text}” is no range for --{option}.", hint="Give one number, or two such as 30-110.")
    return found[0], found[-1]


def numbers(option: str, text: str | None, between: str) -> tuple[float, ...] | None:
    """Numbers from words with ``between`` between them."""
    if text is None:
        return None
    try:
        return tuple(float(word) for word in text.split(between))
    except ValueError:
        example = between.join(("0.8", "1.6"))
        raise Invalid(f"“{text}” is nothing for --{option}.", hint=f"Give numbers such as {example}.") from None


def until_stopped(write: Callable[[threading.Event], Path]) -> None:
    """Write until done or told to stop by Ctrl-C or SIGTERM; then the movie at hand is taken away again."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in signals]
    try:
        folder = write(stop)
    except OSError as error:
        raise Invalid(
            f"{error.filename or 'The session'} cannot be used: {error.strerror or error}.",
            hint="Check the folder, its rights and the room on its disk.",
        ) from error
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
    if stop.is_set():
        raise typer.Exit(130)
    console.print(f"{folder}", soft_wrap=True, highlight=False)


def say_exposure(done: int, wanted: int, name: str) -> None:
    """One line for an exposure that is there."""
    console.print(f"{done} of {wanted}  {name}", soft_wrap=True, highlight=False)
