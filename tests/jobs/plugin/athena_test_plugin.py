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

from athena.contract.acquisitions import DiscoveredExposure, DiscoveredSession, Optics
from athena.contract.processing import MovieResult, MovieTask
from athena.errors import BadFile
from athena.formats.movies import open_movie
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
        metrics={"mean_intensity_e_per_px": float(total.mean()) / frames, "defocus_um": 1.0 + task.index},
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
