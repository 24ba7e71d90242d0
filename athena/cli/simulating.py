"""What the commands that write simulated sessions share."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import typer
from rich.console import Console

from athena.errors import Invalid

console = Console()

Container = Literal["tiff", "mrc", "eer"]
MICROSCOPE, CAMERA, SPECIMEN = "Microscope", "Camera", "Specimen"
"""Panels of options in the help."""


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
