"""The CTF of a micrograph in a file."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile
from athena.formats.movies import open_movie
from athena.formats.mrc import MrcMovie
from athena.formats.mrc_extended import read_fei_records
from athena_pipelines.core.ctf_fit import SearchRange, fit_ctf
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.spectrum import measure
from athena_pipelines.steps.compute import Timing
from athena_pipelines.steps.outputs import ctf_values


def fit_micrograph(
    path: Path, optics: Optics, search: SearchRange, *, pixel_size_angstrom: float | None = None
) -> dict[str, Any]:
    """Values of the CTF fit of a micrograph by name, with processor time by stage.

    Parameters
    ----------
    pixel_size_angstrom : None: as the file's header says.

    Raises
    ------
    BadFile : it cannot be read, is a stack, or its pixel size is not known.
    """
    timing = Timing()
    with timing("read"):
        image, said = read_micrograph(path)
    pixel = pixel_size_angstrom or said
    if pixel <= 0:
        raise BadFile(f"{path.name} does not say its pixel size.", hint="Give it: --pixel-size 0.8")
    with timing("ctf"):
        fit = fit_ctf(measure(image, pixel), optics, search)
    return {
        "micrograph": str(path),
        "pixel_size_angstrom": pixel,
        **ctf_values(fit),
        "seconds": timing.seconds,
        "cpu_seconds": timing.cpu_seconds,
    }


def read_micrograph(path: Path) -> tuple[npt.NDArray[np.float32], float]:
    """Image (height, width), MRC row order, and the pixel size its header says, Å; 0 where it does not."""
    with open_movie(path) as movie:
        if movie.frames != 1:
            raise BadFile(
                f"{path.name} is a stack of {movie.frames} images, no micrograph.", hint="Give single images."
            )
        image = movie.read(0).astype(np.float32)
        said = movie.pixel_size_angstrom
    if said <= 0 and isinstance(movie, MrcMovie):
        # EPU may say it in the extended header alone
        said = next((one.pixel_size_angstrom for one in read_fei_records(path)), None) or 0.0
    if not np.isfinite(image).all() or image.min() == image.max():
        raise BadFile(f"{path.name} is blank or holds values that are no numbers.")
    return image, said
