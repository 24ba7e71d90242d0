"""What the movie step takes and gives, importable without its numerical libraries."""

from dataclasses import dataclass

from athena.contract.base import Wire
from athena.contract.processing import MovieParameters, MovieResult
from athena.zarrio import layout


@dataclass(frozen=True)
class StepSpec:
    """A step as a portal shows it and a planner plans it.

    Attributes
    ----------
    name : of its entry point in ``athena.steps``.
    label : as people name it.
    parameters, result : wire models.
    metrics : catalogue names of what it measures.
    """

    name: str
    label: str
    parameters: type[Wire]
    result: type[Wire]
    metrics: tuple[str, ...]


FROM_ELSEWHERE = frozenset({"acquired_unix_s", "target_defocus_um", "optics_group", "ice_relative"})
"""Metrics that come with the acquisition, or from all of a run, and not from one movie's pixels."""

MOVIE = StepSpec(
    name="movie",
    label="Motion correction and CTF",
    parameters=MovieParameters,
    result=MovieResult,
    metrics=tuple(name for name in layout.METRICS if name not in FROM_ELSEWHERE),
)
