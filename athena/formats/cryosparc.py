"""A run's results as cryoSPARC imports them (*Import Result Group*): a table of exposures, and what explains it.

The table (``.cs``) is a structured NumPy array in the usual ``.npy`` form, text as UTF-8 bytes; fields are named
``<slot>/<field>``. The group (``.csg``) is YAML and says which file holds which slot. A path that begins with ``>`` is
relative to the folder of the group. Names and types of fields are those of cryosparc-tools 5.0.3 and of the tables that
its tests hold.

Angles are in radians, defocus in Å with underfocus positive. ``ctf/df_angle_rad`` is the angle of ``df1``, the larger
one, from x counter-clockwise with rows counted upwards, as in RELION's ``rlnDefocusAngle`` and with the same sign.
"""

import hashlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from athena.formats.relion import Imaging

FORMATS = {".tif": "TIFF", ".tiff": "TIFF", ".mrc": "MRC", ".mrcs": "MRC"}
"""What cryoSPARC calls the form of a movie, by suffix; how EER is grouped cannot be told in a table."""

Fields = tuple[tuple[str, str, tuple[int, ...], Callable[["Exposure"], Any]], ...]


@dataclass(frozen=True)
class Movie:
    """A movie and its camera; paths are relative to the group's folder.

    Attributes
    ----------
    shape : (frames, height, width), px.
    origin : full path it was recorded under, by which cryoSPARC tells movies apart.
    gain, gain_shape : gain reference that multiplies the counts and lies as the micrographs do, and its (height,
        width); None where the movies need none.
    defects : file of the camera's defects; empty without one.
    """

    path: str
    shape: tuple[int, int, int]
    origin: str
    gain: str | None = None
    gain_shape: tuple[int, int] = (0, 0)
    defects: str = ""

    @property
    def suffix(self) -> str:
        """Of the file's name, in small letters with its dot."""
        return "." + self.path.rpartition(".")[2].lower()


@dataclass(frozen=True)
class Exposure:
    """A processed acquisition; NaN is what is not known.

    Attributes
    ----------
    origin : names the acquisition, always alike.
    path : of the micrograph (MRC), relative to the group's folder; ``shape`` is its (height, width), px.
    weighted : whether the micrograph's frames are weighted by exposure.
    group : of exposures with the same optics, from 1.
    defocus : U and V, Å; angle of U, °, as in :class:`athena.formats.relion.Micrograph`.
    movie : None where the movie does not go along.
    """

    origin: str
    path: str
    shape: tuple[int, int]
    weighted: bool
    imaging: Imaging
    group: int
    dose_e_per_A2: float
    defocus: tuple[float, float, float]
    phase_shift_deg: float
    merit: float
    resolution_angstrom: float
    phase_plate: bool = False
    movie: Movie | None = None

    @property
    def fitted(self) -> bool:
        """Whether its CTF is determined."""
        return all(map(math.isfinite, self.defocus))


def _blob(slot: str) -> Fields:
    return (
        (f"{slot}/path", "S", (), lambda one: f">{one.path}"),
        (f"{slot}/idx", "<u4", (), lambda _: 0),
        (f"{slot}/shape", "<u4", (2,), lambda one: one.shape),
        (f"{slot}/psize_A", "<f4", (), lambda one: one.imaging.pixel_size_angstrom),
        (f"{slot}/format", "S", (), lambda _: "MRC"),
        (f"{slot}/is_background_subtracted", "<u4", (), lambda _: 0),
        # 0 and 0: no range of grey values is said
        (f"{slot}/vmin", "<f4", (), lambda _: 0.0),
        (f"{slot}/vmax", "<f4", (), lambda _: 0.0),
        (f"{slot}/import_sig", "<u8", (), lambda one: signature(f"{one.origin} micrograph")),
    )


def _of_movie(read: Callable[[Movie], Any]) -> Callable[[Exposure], Any]:
    """Reads a field off an exposure that has a movie."""

    def value(one: Exposure) -> Any:
        assert one.movie is not None
        return read(one.movie)

    return value


_MOVIE: Fields = (
    ("movie_blob/path", "S", (), _of_movie(lambda movie: f">{movie.path}")),
    ("movie_blob/shape", "<u4", (3,), _of_movie(lambda movie: movie.shape)),
    ("movie_blob/psize_A", "<f4", (), lambda one: one.imaging.pixel_size_angstrom),
    ("movie_blob/is_gain_corrected", "<u4", (), _of_movie(lambda movie: int(movie.gain is None))),
    ("movie_blob/format", "S", (), _of_movie(lambda movie: FORMATS[movie.suffix])),
    ("movie_blob/has_defect_file", "<u4", (), _of_movie(lambda movie: int(bool(movie.defects)))),
    ("movie_blob/import_sig", "<u8", (), _of_movie(lambda movie: signature(movie.origin))),
)
_GAIN: Fields = (
    ("gain_ref_blob/path", "S", (), _of_movie(lambda movie: f">{movie.gain}")),
    ("gain_ref_blob/idx", "<u4", (), lambda _: 0),
    ("gain_ref_blob/shape", "<u4", (2,), _of_movie(lambda movie: movie.gain_shape)),
    ("gain_ref_blob/flip_x", "<u4", (), lambda _: 0),
    ("gain_ref_blob/flip_y", "<u4", (), lambda _: 0),
    ("gain_ref_blob/rotate_num", "<u4", (), lambda _: 0),
)
_MICROSCOPE: Fields = (
    ("mscope_params/accel_kv", "<f4", (), lambda one: one.imaging.voltage_kv),
    ("mscope_params/cs_mm", "<f4", (), lambda one: one.imaging.spherical_aberration_mm),
    ("mscope_params/total_dose_e_per_A2", "<f4", (), lambda one: _known(one.dose_e_per_A2)),
    ("mscope_params/phase_plate", "<u4", (), lambda one: int(one.phase_plate)),
    ("mscope_params/neg_stain", "<u4", (), lambda _: 0),
    ("mscope_params/exp_group_id", "<u4", (), lambda one: one.group),
    (
        "mscope_params/defect_path",
        "S",
        (),
        lambda one: f">{one.movie.defects}" if one.movie is not None and one.movie.defects else "",
    ),
)
_CTF: Fields = (
    ("ctf/type", "S", (), lambda _: "imported"),
    ("ctf/path", "S", (), lambda _: ""),
    ("ctf/exp_group_id", "<u4", (), lambda one: one.group),
    ("ctf/accel_kv", "<f4", (), lambda one: one.imaging.voltage_kv),
    ("ctf/cs_mm", "<f4", (), lambda one: one.imaging.spherical_aberration_mm),
    ("ctf/amp_contrast", "<f4", (), lambda one: one.imaging.amplitude_contrast),
    ("ctf/df1_A", "<f4", (), lambda one: one.defocus[0]),
    ("ctf/df2_A", "<f4", (), lambda one: one.defocus[1]),
    ("ctf/df_angle_rad", "<f4", (), lambda one: math.radians(one.defocus[2])),
    ("ctf/phase_shift_rad", "<f4", (), lambda one: math.radians(_known(one.phase_shift_deg))),
    ("ctf/cross_corr_ctffind4", "<f4", (), lambda one: _known(one.merit)),
    # as in RELION's lists where a fit ends nowhere
    ("ctf/ctf_fit_to_A", "<f4", (), lambda one: _known(one.resolution_angstrom, 999.0)),
)


def slots(exposures: Sequence[Exposure], *, with_ctf: bool) -> dict[str, Fields]:
    """Slots that all of the exposures have, with their fields.

    Movies go in where all have one of a form that can be told. ``micrograph_blob_non_dw`` is there where no micrograph
    is weighted by exposure: then it is the same file.
    """
    movies = [one.movie for one in exposures if one.movie is not None and one.movie.suffix in FORMATS]
    found: dict[str, Fields] = {}
    if exposures and len(movies) == len(exposures):
        found["movie_blob"] = _MOVIE
        if all(movie.gain is not None for movie in movies):
            found["gain_ref_blob"] = _GAIN
    found["mscope_params"] = _MICROSCOPE
    found["micrograph_blob"] = _blob("micrograph_blob")
    if exposures and not any(one.weighted for one in exposures):
        found["micrograph_blob_non_dw"] = _blob("micrograph_blob_non_dw")
    if with_ctf:
        found["ctf"] = _CTF
    return found


def table(exposures: Sequence[Exposure], *, with_ctf: bool) -> bytes:
    """Content of a ``.cs`` file of exposures; ``with_ctf`` only of those that are fitted."""
    columns = [field for fields in slots(exposures, with_ctf=with_ctf).values() for field in fields]
    values: dict[str, list[Any]] = {"uid": [signature(one.origin) for one in exposures]}
    types: list[tuple[Any, ...]] = [("uid", "<u8")]
    for name, kind, shape, read in columns:
        values[name] = [text.encode() if isinstance(text := read(one), str) else text for one in exposures]
        width = max(map(len, values[name]), default=0) if kind == "S" else 0
        types.append((name, f"S{max(width, 1)}") if kind == "S" else (name, kind, shape))
    array = np.zeros(len(exposures), dtype=types)
    for name, column in values.items():
        if column:
            array[name] = column
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def group(exposures: Sequence[Exposure], *, with_ctf: bool, metafile: str, title: str, created: datetime) -> str:
    """Text of the ``.csg`` file beside the table ``metafile``."""
    lines = [
        f"created: {created.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}",
        "group:",
        "  description: 'Micrographs that Athena processed, all from one run'",
        "  name: exposures",
        f"  title: {_quoted(title)}",
        "  type: exposure",
        "results:",
    ]
    for slot in slots(exposures, with_ctf=with_ctf):
        lines += [
            f"  {slot}:",
            f"    metafile: {_quoted('>' + metafile)}",
            f"    num_items: {len(exposures)}",
            f"    type: exposure.{slot.removesuffix('_non_dw')}",
        ]
    return "\n".join(lines) + "\n"


def signature(origin: str) -> int:
    """Number of 64 bits, as cryoSPARC makes it of a file's full path: the first bytes of its SHA-1."""
    return int.from_bytes(hashlib.sha1(origin.encode(), usedforsecurity=False).digest()[:8], "big")


def _known(value: float, otherwise: float = 0.0) -> float:
    return value if math.isfinite(value) else otherwise


def _quoted(text: str) -> str:
    """A text as YAML's single-quoted scalar, on one line."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"
