"""Small tomography sessions in tests of the simulator."""

from pathlib import Path

from athena_pipelines.simulate.tomo.session import TomoSimulator
from athena_pipelines.simulate.tomo.settings import Tomography
from athena_pipelines.simulate.tomo.truth import TomoTruth
from athena_pipelines.simulate.truth import read_as


def tiny(out: Path, *, series: int = 1, **changed: object) -> TomoSimulator:
    settings = Tomography(step_deg=30.0, tilts=3, **changed.pop("settings", {}))  # type: ignore[arg-type]
    given: dict[str, object] = {"size": (96, 128), "frames": 3, "seed": 3} | changed
    return TomoSimulator(out, series=series, settings=settings, **given)  # type: ignore[arg-type]


def truth_of(session: Path) -> TomoTruth:
    return read_as(TomoTruth, session)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
