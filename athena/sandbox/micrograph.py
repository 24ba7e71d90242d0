"""What a user metric gets: the results of one micrograph, to be read only. Nothing here but NumPy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

ARRAYS = ("frequency", "experimental", "theory", "quality", "motion", "patch_motion", "thumbnail", "spectrum", "image")


@dataclass(frozen=True)
class Micrograph:
    """Results of one acquisition. What is not known is an empty array, or is missing from ``metrics``.

    Attributes
    ----------
    index, name : of the acquisition.
    metrics : what was measured, by catalogue name, in the stored unit: ``micrograph.metrics["defocus_um"]``.
    frequency : (n,) spatial frequency of the CTF curves, Å⁻¹.
    experimental, theory, quality : (n,) background-subtracted equiphase average, |CTF|, quality of the fit.
    motion : (frames, 2) global motion of the specimen against the first frame, Å, (x, y), y up.
    patch_motion : (frames, patches_y, patches_x, 2) global plus local motion, Å.
    thumbnail, spectrum : (256, 256) uint8, row 0 at the bottom.
    image : (height, width) float32 motion-corrected micrograph, row 0 at the bottom; only for a metric with
        ``image=True``.
    """

    index: int
    name: str
    metrics: Mapping[str, float]
    frequency: NDArray[np.float32]
    experimental: NDArray[np.float32]
    theory: NDArray[np.float32]
    quality: NDArray[np.float32]
    motion: NDArray[np.float32]
    patch_motion: NDArray[np.float32]
    thumbnail: NDArray[np.uint8]
    spectrum: NDArray[np.uint8]
    image: NDArray[np.float32]


def make_micrograph(
    index: int, name: str, metrics: Mapping[str, float], arrays: Mapping[str, NDArray[Any]]
) -> Micrograph:
    """Micrograph of these arrays, which become read only; those that are missing are empty."""
    whole = {key: np.asarray(arrays.get(key, np.zeros(0, np.float32))) for key in ARRAYS}
    for array in whole.values():
        array.setflags(write=False)
    return Micrograph(index=index, name=name, metrics=MappingProxyType(dict(metrics)), **whole)
