"""What Thermo Fisher's software writes into the extended header of an MRC file (``FEI1``, ``FEI2``).

A record a section, in which bit masks say what holds; EPU leaves room for more records than there are sections. Angles
are degrees here, where EPU's XML has radians. Source: the description of the format at mrcfile's and Thermo Fisher's.
"""

import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from athena.errors import BadFile
from athena.formats.mrc import HEADER_BYTES, read_header

RECORD_BYTES = {b"FEI1": 768, b"FEI2": 888}
_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_MASKS = (8, 297)
"""Where the masks lie that tell of the fields below."""


@dataclass(frozen=True)
class FeiRecord:
    """Microscope and camera when a section was taken; None, or empty, where the record does not say.

    ``defocus_um``, ``applied_defocus_um``: negative is underfocus, as in EPU.
    """

    acquired: datetime | None = None
    microscope: str = ""
    application: str = ""
    application_version: str = ""
    voltage_kv: float | None = None
    dose_e_per_A2: float | None = None
    alpha_tilt_deg: float | None = None
    beta_tilt_deg: float | None = None
    stage_x_um: float | None = None
    stage_y_um: float | None = None
    stage_z_um: float | None = None
    tilt_axis_deg: float | None = None
    pixel_size_angstrom: float | None = None
    defocus_um: float | None = None
    applied_defocus_um: float | None = None
    magnification: float | None = None
    spot_index: int | None = None
    slit_inserted: bool | None = None
    slit_width_ev: float | None = None
    exposure_s: float | None = None
    binning: int | None = None
    camera: str = ""
    electron_counting: bool | None = None


# field: mask, bit in it, place, format, factor to the unit of the name
_FIELDS: dict[str, tuple[int, int, int, str, float]] = {
    "acquired": (0, 0, 12, "d", 1),
    "microscope": (0, 1, 20, "16s", 1),
    "application": (0, 3, 52, "16s", 1),
    "application_version": (0, 4, 68, "16s", 1),
    "voltage_kv": (0, 5, 84, "d", 1e-3),
    "dose_e_per_A2": (0, 6, 92, "d", 1e-20),
    "alpha_tilt_deg": (0, 7, 100, "d", 1),
    "beta_tilt_deg": (0, 8, 108, "d", 1),
    "stage_x_um": (0, 9, 116, "d", 1e6),
    "stage_y_um": (0, 10, 124, "d", 1e6),
    "stage_z_um": (0, 11, 132, "d", 1e6),
    "tilt_axis_deg": (0, 12, 140, "d", 1),
    "pixel_size_angstrom": (0, 14, 156, "d", 1e10),
    "defocus_um": (0, 22, 220, "d", 1e6),
    "applied_defocus_um": (0, 24, 236, "d", 1e6),
    "magnification": (0, 31, 289, "d", 1),
    "spot_index": (1, 1, 309, "i", 1),
    "slit_inserted": (1, 7, 354, "?", 1),
    "slit_width_ev": (1, 8, 355, "d", 1),
    "exposure_s": (1, 16, 419, "d", 1),
    "binning": (1, 17, 427, "i", 1),
    "camera": (1, 19, 435, "16s", 1),
    "electron_counting": (1, 26, 472, "?", 1),
}


def read_fei_records(path: str | Path) -> tuple[FeiRecord, ...]:
    """Records of an MRC file, one a section at the most; none where it has no such extended header.

    Raises BadFile where the file is no MRC file, or is cut off inside its extended header.
    """
    path = Path(path)
    header = read_header(path)
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        size = RECORD_BYTES.get(head[104:108], 0)
        room = header.offset - HEADER_BYTES
        if not size or room < size:
            return ()
        data = file.read(min(room, header.sections * size))
    if len(data) < min(room, header.sections * size):
        raise BadFile(f"{path.name} ends inside its extended header.", hint="Copy it again.")
    return tuple(_record(data[i : i + size], header.order) for i in range(0, len(data) - size + 1, size))


def _record(data: bytes, order: str) -> FeiRecord:
    masks = [struct.unpack_from(order + "I", data, place)[0] for place in _MASKS]
    # a record that does not say its own size is no record
    if struct.unpack_from(order + "i", data)[0] not in RECORD_BYTES.values():
        return FeiRecord()
    found: dict[str, Any] = {}
    for name, (mask, bit, place, kind, factor) in _FIELDS.items():
        if masks[mask] >> bit & 1:
            value = _value(struct.unpack_from(order + kind, data, place)[0], factor)
            if value is not None:
                found[name] = value
    if (days := found.pop("acquired", None)) is not None and 0 < days < 1e5:
        found["acquired"] = _EPOCH + timedelta(days=days)
    if found.get("pixel_size_angstrom", 1) <= 0:
        del found["pixel_size_angstrom"]
    return FeiRecord(**found)


def _value(raw: Any, factor: float) -> Any:
    """Value of a field in the unit of its name; None where it is no number."""
    if isinstance(raw, bytes):
        return raw.split(b"\0")[0].decode("latin-1").strip()
    if isinstance(raw, float):
        return raw * factor if math.isfinite(raw) else None
    return raw
