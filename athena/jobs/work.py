"""The worker's side: one movie through one step, found by its entry point."""

import errno
import logging
import threading
import time
import traceback
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

from athena.contract.base import Wire
from athena.contract.processing import MovieResult, MovieTask
from athena.errors import AthenaError, Unavailable

log = logging.getLogger(__name__)

STEPS = "athena.steps"
WARM_UPS = "athena.warm_up"
"""Functions without arguments that compile or load what the steps of a package need, before the first movie comes."""

_numerics = threading.Lock()
"""Held by whatever computes in this process: warm-up and first movie must not compile the same kernels at once."""

MovieStep = Callable[[MovieTask], MovieResult]


class Outcome(Wire):
    """How the work on one movie ended: with a result, with an error, or ``lost`` on the way with neither.

    ``lost`` says nothing about the movie: it is to be done again.
    """

    index: int
    result: MovieResult | None = None
    error: str = ""
    trace: str = ""
    lost: bool = False


@cache
def load_step(name: str) -> MovieStep:
    """Step registered as ``name``.

    Raises
    ------
    Unavailable
        when no installed package offers it.
    """
    found = entry_points(group=STEPS, name=name)
    for entry in found:
        step: MovieStep = entry.load()
        return step
    offered = ", ".join(sorted(entry_points(group=STEPS).names)) or "none"
    raise Unavailable(f"No installed package offers the step {name!r}.", hint=f"Offered: {offered}.")


def run_step(name: str, task: MovieTask) -> Outcome:
    """Process a movie. Every exception becomes an outcome: one bad movie never stops a run, or its worker."""
    started = time.perf_counter()
    try:
        with _numerics:
            result = load_step(name)(task)
    except AthenaError as error:
        return Outcome(index=task.index, error=str(error))
    except OSError as error:
        return Outcome(index=task.index, error=explain_os_error(error), trace=traceback.format_exc())
    except Exception as error:  # noqa: BLE001 - a step is foreign code: whatever it raises concerns this movie only
        return Outcome(index=task.index, error=f"{type(error).__name__}: {error}", trace=traceback.format_exc())
    metrics = {"processing_s": time.perf_counter() - started} | result.metrics
    return Outcome(index=task.index, result=result.model_copy(update={"metrics": metrics}))


def explain_os_error(error: OSError) -> str:
    """Reason and advice for an error of the operating system."""
    where = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"There is no space left on the device{where}. Free some, then retry the failed acquisitions."
    return f"{error.strerror or error}{where}."


def warm_up(step: str) -> None:
    """Run the warm-up registered under the step's name, if any; one that fails only costs the first movie time."""
    for entry in entry_points(group=WARM_UPS, name=step):
        try:
            with _numerics:
                entry.load()()
        except Exception:
            log.exception("warm-up %s failed", entry.name)
