"""Everything that the CTF of a micrograph says: its fit, the tilt of the specimen, the thickness of its ice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from athena_pipelines.core.ctf_fit import CtfFit, SearchRange, fit_ctf, fit_on_slope
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.spectrum import Spectrum, measure
from athena_pipelines.core.thickness import measure_thickness
from athena_pipelines.core.tilt import Tilt, measure_tilt


@dataclass(frozen=True)
class MicrographCtf:
    """What was found.

    Attributes
    ----------
    spectrum, fit : of the whole image; the fit of a tilted specimen is of its middle.
    tilt : of the specimen; its values are NaN where it is chance or was not measured.
    ice_angstrom : thickness from the node of the CTF; NaN where it has none, or a tilt may have made it.
    """

    spectrum: Spectrum
    fit: CtfFit
    tilt: Tilt
    ice_angstrom: float


def measure_ctf(
    image: npt.NDArray[np.floating], pixel_size_angstrom: float, optics: Optics, search: SearchRange
) -> MicrographCtf:
    """CTF of an image (height, width), not weighted by exposure, rows upwards."""
    spectrum = measure(image, pixel_size_angstrom)
    ice = measure_thickness(spectrum, fit_ctf(spectrum, optics, search), optics, search)
    tilt = measure_tilt(image, spectrum, ice.fit, optics, search=ice.search, pixel_size_angstrom=pixel_size_angstrom)
    height, width = image.shape
    field = height * pixel_size_angstrom, width * pixel_size_angstrom
    fit = ice.fit
    if tilt.significant:
        spread = tilt.slope_x * field[1], tilt.slope_y * field[0]
        fit = fit_on_slope(
            spectrum, fit, optics, search=ice.search, mean_angstrom=tilt.mean_angstrom, spread_angstrom=spread
        )
    return MicrographCtf(spectrum, fit, tilt, ice.unless_tilted(tilt, field))
