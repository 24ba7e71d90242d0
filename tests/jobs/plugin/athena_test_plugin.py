"""An installed package as far as entry points go: a quick step and a plain adapter, for the tests of the runner.

Everything the step writes follows from the movie alone, so that a test can tell a whole result from a torn one.
"""

import errno
import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field
from sqlalchemy.orm import Session

from athena.contract.acquisitions import DiscoveredExposure, DiscoveredSession, Optics
from athena.contract.base import Wire
from athena.contract.elements import ElementKind
from athena.contract.people import Principal
from athena.contract.processing import MovieResult, MovieTask
from athena.db.elements import ElementRow
from athena.domain.job_kinds import JobSpec, Prepared
from athena.errors import BadFile, Conflict, Unavailable
from athena.formats.movies import open_movie
from athena.jobs.context import JobContext
from athena.settings import Settings
from athena.zarrio import layout
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter


def process(task: MovieTask) -> MovieResult:
    """Sum the frames. The movie's name may ask for trouble."""
    name = Path(task.movie).stem
    if "crash" in name:
        os._exit(3)
    if "raise" in name:
        raise ValueError("the step is not up to it")
    if "refuse" in name:
        raise BadFile("this movie is refused.", hint="Take another.")
    if "full" in name:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), task.store)
    if "slow" in name:
        time.sleep(0.5)
    with open_movie(task.movie) as movie:
        total = np.zeros(movie.shape)
        for i in range(movie.frames):
            total += movie.read(i)
        frames = movie.frames
    time.sleep(float(os.environ.get("ATHENA_TEST_STEP_SECONDS", "0")))
    write_pyramid(task.store, task.index, total.astype(np.float32), pixel_size_angstrom=1.0)
    thumbnail = np.zeros((layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE), np.uint8)
    thumbnail[: movie.shape[0], : movie.shape[1]] = np.clip(total, 0, 255)[:256, :256]
    RunWriter.open(task.store).write_images(
        task.index, thumbnail=thumbnail, spectrum=thumbnail, spectrum_fit=255 - thumbnail
    )
    return MovieResult(
        run_id=task.run_id,
        index=task.index,
        frames=frames,
        metrics={
            "mean_intensity_e_per_px": float(total.mean()) / frames,
            "defocus_um": 1.0 + task.index,
            "pixel_size_angstrom": task.parameters.pixel_size_angstrom,
        },
        global_motion=[0.5] * (frames * 2),
        patch_motion=[0.25] * (frames * 25 * 2),
        patch_grid=(5, 5),
        ctf_curves=np.ones((len(layout.CTF_CURVES), layout.CURVE_LENGTH)).tolist(),
        software="test step",
    )


class PlainAdapter:
    """Sessions of ``session.json`` and, for each exposure, ``<name>.json`` (metadata) and ``<name>.tif`` (movie)."""

    name: ClassVar[str] = "plain"

    def recognises(self, path: Path) -> bool:
        return (path / "session.json").exists()

    def scan(self, path: Path) -> DiscoveredSession:
        if (path / "broken.json").exists():
            raise KeyError("the adapter is not up to it")
        files = {file for file in path.iterdir() if file.stem != "session"}
        exposures = []
        for name in sorted({file.stem for file in files}):
            said = path / f"{name}.json"
            movie = path / f"{name}.tif"
            metadata = json.loads(said.read_text()) if said in files else {}
            acquired = metadata.pop("acquired", None)
            exposures.append(
                DiscoveredExposure(
                    name=name,
                    movie=str(movie) if movie in files else None,
                    xml=str(said) if said in files else None,
                    acquired=datetime.fromisoformat(acquired) if acquired else None,
                    optics=Optics(**metadata),
                )
            )
        return DiscoveredSession(kind=self.name, path=str(path), name=path.name, exposures=tuple(exposures))


class CountParameters(Wire):
    """Parameters of the job kind ``count``."""

    file: str
    to: int = Field(ge=1, le=1_000_000)
    fail_at: int | None = None
    away_at: int | None = Field(None, description="A number at which the storage is away, as long as the file is not.")
    pause: float = 0.0


def count(context: JobContext) -> None:
    """Write numbers into a file, one a line, each exactly once however often the work is interrupted."""
    wanted: CountParameters = context.parameters
    done = int(context.checkpoint.get("done", 0))
    while done < wanted.to:
        context.item = f"number {done}"
        if done == wanted.fail_at:
            raise ValueError("it is unlucky")
        if done == wanted.away_at and not Path(wanted.file).with_suffix(".back").exists():
            raise Unavailable("The storage is away.")
        context.wait(wanted.pause)
        with Path(wanted.file).open("a") as stream:
            stream.write(f"{done}\n")
        done += 1
        context.checkpoint["done"] = done
        context.progress(done, wanted.to, save=True)
    context.result["file"] = wanted.file


def prepare_count(
    session: Session, principal: Principal, element: ElementRow, parameters: CountParameters, settings: Settings
) -> Prepared:
    """Refuse a file that is there already."""
    if Path(parameters.file).exists():
        raise Conflict(f"{parameters.file} is there already.", hint="Take another name.")
    return Prepared(parameters, result={"planned": parameters.to})


def tidy_count(context: JobContext) -> None:
    """Take away what was written."""
    Path(context.parameters.file).unlink(missing_ok=True)


COUNT = JobSpec(
    name="count",
    label="Counting",
    parameters=CountParameters,
    elements=(ElementKind.DATASET,),
    run="athena_test_plugin:count",
    prepare="athena_test_plugin:prepare_count",
    tidy="athena_test_plugin:tidy_count",
    slot="count",
    unit="numbers",
)


def wait_for_ever(context: JobContext) -> None:
    """Wait until told to end."""
    while True:
        context.wait(60.0)


WATCHING = JobSpec(
    name="watching", label="Watching", run="athena_test_plugin:wait_for_ever", action=None, elements=(), follows=True
)

NO_KIND = "something else altogether"
