"""Arrays of a run, read through the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import numpy as np

from athena.contract.runs import AcquisitionCurves, ImageInfo
from athena.sdk.client import Client
from athena.zarrio import layout

# Neither zarr nor xarray is imported before somebody asks for arrays: connecting stays quick.
if TYPE_CHECKING:
    import xarray as xr

    from athena.zarrio.stores import ApiStore


@dataclass(frozen=True)
class RunFetch:
    """Fetches keys of one run's zarr group; equal and picklable by what it fetches, as zarr wants its stores."""

    client: Client
    run_id: UUID
    branch: str | None = None

    def __call__(self, method: str, key: str, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        """One exchange with the API's zarr route."""
        which = f"?branch={quote(self.branch)}" if self.branch else ""
        return self.client.exchange(method, f"/api/zarr/{self.run_id}/{key}{which}", headers)


def run_store(client: Client, run_id: UUID, *, branch: str | None = None) -> "ApiStore":
    """Read-only zarr store of a run's group (of a branch of its results); anything that reads zarr can use it."""
    from athena.zarrio.stores import ApiStore

    return ApiStore(RunFetch(client, run_id, branch))


def read_image(store: "ApiStore", index: int, info: ImageInfo, *, level: int) -> "xr.DataArray":
    """Level of a micrograph with coordinates in Å.

    Dimensions (y, x), row 0 at the bottom; ``y`` and ``x`` are the pixel centres, from the centre of the first
    full-size pixel, so a plot with y upwards shows it as the viewer does. ``attrs``: grey window ``low`` and ``high``.
    """
    import xarray as xr

    from athena.zarrio.pyramid import open_level

    values = np.asarray(open_level(store, index, level)[...], dtype=np.float32)
    pixel = info.pixel_size_angstrom * 2**level
    first = info.pixel_size_angstrom * (2**level - 1) / 2
    coordinates = {
        dim: xr.DataArray(first + pixel * np.arange(size), dims=dim, attrs={"units": "Å"})
        for dim, size in zip(("y", "x"), values.shape, strict=True)
    }
    attributes = {"long_name": f"Micrograph {index}", "low": info.low, "high": info.high}
    return xr.DataArray(values, dims=("y", "x"), coords=coordinates, attrs=attributes, name="micrograph")


def ctf_dataset(curves: AcquisitionCurves) -> "xr.Dataset":
    """Radial CTF curves over spatial frequency (Å⁻¹); empty when there are none yet."""
    import xarray as xr

    labels = {"experimental": "Experimental", "theory": "Theory (|CTF|)", "quality": "Fit quality"}
    frequency = xr.DataArray(_floats(curves.frequency), dims="frequency", attrs={"units": "Å⁻¹"})
    variables: dict[str, Any] = {
        name: ("frequency", _floats(getattr(curves, name)), {"long_name": label}) for name, label in labels.items()
    }
    return xr.Dataset(variables, coords={"frequency": frequency})


def motion_dataset(curves: AcquisitionCurves) -> "xr.Dataset":
    """Motion of the specimen against the first frame, Å, y upwards.

    ``trajectory`` (frame, axis) of the whole image; ``patches`` (patch, frame, axis), global plus local, with the patch
    centres ``patch_x`` and ``patch_y`` as fractions of the image. Empty when there is none yet.
    """
    import xarray as xr

    trajectory = np.array(curves.global_motion, dtype=float).reshape(-1, 2)
    patches = np.array(curves.patch_motion, dtype=float).reshape(len(curves.patch_motion), len(trajectory), 2)
    centres = np.array(curves.patch_centres, dtype=float).reshape(-1, 2)
    return xr.Dataset(
        {
            "trajectory": (("frame", "axis"), trajectory, {"units": "Å", "long_name": "Global motion"}),
            "patches": (("patch", "frame", "axis"), patches, {"units": "Å", "long_name": "Patch motion"}),
        },
        coords={
            "axis": list(layout.AXES),
            "frame": np.arange(len(trajectory)),
            "patch_x": ("patch", centres[:, 0]),
            "patch_y": ("patch", centres[:, 1]),
        },
    )


def _floats(values: tuple[float | None, ...]) -> "np.typing.NDArray[np.float64]":
    return np.array([np.nan if value is None else value for value in values], dtype=float)
