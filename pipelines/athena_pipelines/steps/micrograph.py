"""The CTF of a micrograph in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from athena.errors import BadFile
from athena.formats.movies import open_movie
from athena.formats.mrc import MrcMovie
from athena.formats.mrc_extended import read_fei_records
from athena_pipelines.core.ctf import measure_ctf
from athena_pipelines.core.ctf_fit import SearchRange
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.steps.compute import Timing, ctf_flags
from athena_pipelines.steps.outputs import ctf_values


@dataclass(frozen=True)
class Known:
    """What the caller says of micrographs; None: as each file's header says."""

    voltage_kv: float | None
    spherical_aberration_mm: float
    amplitude_contrast: float
    pixel_size_angstrom: float | None = None


@dataclass(frozen=True)
class Micrograph:
    """Image (height, width), MRC row order, with the pixel size and voltage its header says; None where it does not."""

    image: npt.NDArray[np.float32]
    pixel_size_angstrom: float | None
    voltage_kv: float | None


def fit_micrograph(path: Path, known: Known, search: SearchRange) -> dict[str, Any]:
    """Values of the CTF fit of a micrograph by name, with processor time by stage.

    Raises
    ------
    BadFile : it cannot be read, is a stack, or its pixel size or voltage is not known.
    """
    timing = Timing()
    with timing("read"):
        found = read_micrograph(path)
    pixel = known.pixel_size_angstrom or found.pixel_size_angstrom
    if pixel is None:
        raise BadFile(f"{path.name} does not say its pixel size.", hint="Give it: --pixel-size 0.8")
    voltage = known.voltage_kv or found.voltage_kv
    if voltage is None:
        raise BadFile(f"{path.name} does not say its acceleration voltage.", hint="Give it: --voltage 300")
    with timing("ctf"):
        optics = Optics(voltage, known.spherical_aberration_mm, known.amplitude_contrast)
        ctf = measure_ctf(found.image, pixel, optics, search)
    return {
        "micrograph": str(path),
        "pixel_size_angstrom": pixel,
        "voltage_kv": voltage,
        **ctf_values(ctf),
        "flags": ctf_flags(ctf),
        "seconds": timing.seconds,
        "cpu_seconds": timing.cpu_seconds,
    }


def read_micrograph(path: Path) -> Micrograph:
    """Read a micrograph. Raises BadFile where it cannot be, is a stack, blank, or no image."""
    with open_movie(path) as movie:
        if movie.frames != 1:
            raise BadFile(
                f"{path.name} is a stack of {movie.frames} images, no micrograph.", hint="Give single images."
            )
        image = movie.read(0).astype(np.float32)
        said: float | None = movie.pixel_size_angstrom
    # EPU says the voltage in the extended header, and may say the pixel size there alone
    record = next(iter(read_fei_records(path)), None) if isinstance(movie, MrcMovie) else None
    if not said or said <= 0:
        said = record.pixel_size_angstrom if record is not None else None
    if not np.isfinite(image).all() or image.min() == image.max():
        raise BadFile(f"{path.name} is blank or holds values that are no numbers.")
    return Micrograph(image, said if said and said > 0 else None, record.voltage_kv if record is not None else None)
