"""User metrics: your own function of a micrograph's results, computed for the whole run (NB-05)."""

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from athena.contract.user_metrics import MetricFailure, UserMetric, UserMetricCreate
from athena.errors import Invalid
from athena.sdk.client import checked

if TYPE_CHECKING:
    import pandas as pd

    from athena.sdk.runs import Run

F = TypeVar("F", bound=Callable[[Any], Any])
_ABOUT = "__athena_metric__"
_GIVEN = {"np", "numpy", "math", "athena", "metric"}
"""Names that the function finds where it runs."""


@dataclass(frozen=True)
class About:
    """What the decorator says of a function."""

    unit: str = ""
    label: str = ""
    digits: int = 2
    lower_is_better: bool | None = None
    image: bool = False


@overload
def metric(function: F) -> F: ...
@overload
def metric(
    *, unit: str = "", label: str = "", digits: int = 2, lower_is_better: bool | None = None, image: bool = False
) -> Callable[[F], F]: ...
def metric(function: Any = None, **about: Any) -> Any:
    """Mark a function of a micrograph's results as a metric; ``run.add_metric(function)`` then adds it to a run. ::

        @athena.metric(unit="nm")
        def astigmatism_of_thin_ice(micrograph):
            if micrograph.metrics["iciness"] > 1.2:
                return float("nan")
            return micrograph.metrics["astigmatism_nm"]

    It gets an ``athena.sandbox.micrograph.Micrograph`` and gives a number. It runs apart from everything, so what it
    needs it imports or defines itself; ``np`` and ``math`` are there.

    Parameters
    ----------
    unit : of what it gives.
    label, digits : how it is shown.
    lower_is_better : for marks; None where neither is better.
    image : whether it looks at ``micrograph.image``, the whole corrected micrograph.
    """

    def mark(marked: Any) -> Any:
        setattr(marked, _ABOUT, About(**about))
        return marked

    return mark(function) if function is not None else mark


def register_metric(function: Callable[[Any], Any], run: "Run", *more: "Run") -> tuple[UserMetric, ...]:
    """Add a metric to one run or several; see ``run.add_metric``."""
    return tuple(one.add_metric(function) for one in (run, *more))


def put_metric(run: "Run", function: Callable[[Any], Any], source: str | None) -> UserMetric:
    """Send a function to a run."""
    about: About = getattr(function, _ABOUT, About())
    new = checked(
        UserMetricCreate,
        source=source if source is not None else source_of(function),
        unit=about.unit,
        label=about.label,
        digits=about.digits,
        lower_is_better=about.lower_is_better,
        image=about.image,
    )
    return run.client.put(f"/api/runs/{run.id}/metrics/{function.__name__}", new, UserMetric)


def list_failures(run: "Run", name: str) -> "pd.DataFrame":
    """Reasons by acquisition."""
    import pandas as pd

    found = run.client.get(f"/api/runs/{run.id}/metrics/{name}/failures", list[MetricFailure])
    index = pd.Index([one.index for one in found], name="acquisition", dtype=int)
    return pd.DataFrame({"reason": [one.reason for one in found]}, index=index)


def source_of(function: Callable[[Any], Any]) -> str:
    """Source text of a function that stands alone: with the imports of the modules it names.

    Raises
    ------
    Invalid : its source is not to be had, or it rests on what is defined elsewhere.
    """
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise Invalid("The source of the function cannot be read.", hint="Define it in a cell or a file.") from error
    if not source.lstrip().startswith(("def ", "@")):
        raise Invalid("A metric is a function made with def.")
    around = inspect.getclosurevars(function)
    imports, foreign = [], [*around.nonlocals]
    for name, value in around.globals.items():
        if name in _GIVEN or name == function.__name__:
            continue
        if isinstance(value, ModuleType):
            imports.append(f"import {value.__name__} as {name}\n")
        elif isinstance(value, bool | int | float | str) or value is None:
            imports.append(f"{name} = {value!r}\n")
        else:
            foreign.append(name)
    if foreign:
        raise Invalid(
            f"{function.__name__} rests on {', '.join(foreign)}, which is not there where it runs.",
            hint="Define or import it inside the function.",
        )
    return "".join(imports) + source
