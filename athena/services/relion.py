"""Results of acquisitions as the files of a RELION project: read from the run's arrays and from what was recorded."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from athena.contract.acquisitions import AcquisitionState
from athena.contract.processing import MovieParameters
from athena.db.acquisitions import AcquisitionRow
from athena.formats import relion
from athena.formats.star import star_text
from athena.zarrio.pyramid import image_info
from athena.zarrio.reader import read_motion, read_table

COLUMNS = (
    *("optics_group", "pixel_size_angstrom", "drift_total_angstrom", "drift_early_angstrom", "drift_late_angstrom"),
    *("defocus_u_angstrom", "defocus_v_angstrom", "astigmatism_angle_deg", "phase_shift_deg", "ctf_score"),
    *("ctf_resolution_angstrom", "dose_e_per_A2", "frame_count"),
)
STAR_FILES = ("corrected_micrographs.star", "micrographs_ctf.star")
BLOCK = 1024
"""Acquisitions read at a time."""

Place = Callable[[AcquisitionRow], str]
"""Path of an acquisition's micrograph in the project, without suffix."""


def star_files(
    rows: Sequence[AcquisitionRow], store: str, parameters: dict[str, Any], *, place: Place
) -> dict[str, str]:
    """Texts of ``corrected_micrographs.star`` and ``micrographs_ctf.star`` of those that are processed."""
    micrographs = [
        _micrograph(row, values, parameters, place(row), store)
        for row, values in _measured(rows, store)
        if row.state == AcquisitionState.COMPLETED
    ]
    return {
        name: star_text(blocks)
        for name, blocks in zip(
            STAR_FILES, (relion.corrected_micrographs(micrographs), relion.micrographs_ctf(micrographs)), strict=True
        )
    }


def motion_file(row: AcquisitionRow, store: str, parameters: dict[str, Any], *, movie: str, gain: str | None) -> str:
    """Text of the STAR file of a processed movie's motion; ``movie`` and ``gain`` are paths in the project."""
    (_, values), *_ = _measured([row], store)
    info = image_info(store, row.index)
    whole, patches = read_motion(store, row.index)
    dose = values["dose_e_per_A2"] / values["frame_count"] if values["frame_count"] > 0 else math.nan
    blocks = relion.movie_motion(
        whole,
        patches,
        movie=movie,
        gain=gain,
        shape=(info.height, info.width),
        imaging=_imaging(row, values, parameters, store),
        dose_per_frame_e_per_A2=dose if math.isfinite(dose) else None,
    )
    return star_text(blocks)


def _measured(rows: Sequence[AcquisitionRow], store: str) -> Iterator[tuple[AcquisitionRow, dict[str, float]]]:
    """Acquisitions in order of index, with their metrics."""
    for start in range(0, len(rows), BLOCK):
        some = rows[start : start + BLOCK]
        first = some[0].index
        table = read_table(store, COLUMNS, first, some[-1].index + 1)
        for row in some:
            yield row, {name: float(column[row.index - first]) for name, column in table.items()}


def _micrograph(
    row: AcquisitionRow, values: dict[str, float], parameters: dict[str, Any], path: str, store: str
) -> relion.Micrograph:
    return relion.Micrograph(
        path=f"{path}.mrc",
        motion=f"{path}.star",
        imaging=_imaging(row, values, parameters, store),
        drift=(values["drift_total_angstrom"], values["drift_early_angstrom"], values["drift_late_angstrom"]),
        defocus=(values["defocus_u_angstrom"], values["defocus_v_angstrom"], values["astigmatism_angle_deg"]),
        phase_shift_deg=values["phase_shift_deg"],
        merit=values["ctf_score"],
        resolution_angstrom=values["ctf_resolution_angstrom"],
    )


def _imaging(row: AcquisitionRow, values: dict[str, float], parameters: dict[str, Any], store: str) -> relion.Imaging:
    """Optics an acquisition was processed with: the run's parameters, else the microscope's word, else the defaults."""
    told = {name: value for name, value in row.optics.items() if value is not None} | parameters
    used = {
        name: float(told.get(name, MovieParameters.model_fields[name].default))
        for name in ("voltage_kv", "spherical_aberration_mm", "amplitude_contrast")
    }
    pixel = values["pixel_size_angstrom"]
    if not math.isfinite(pixel):
        pixel = image_info(store, row.index).pixel_size_angstrom
    group = values["optics_group"]
    return relion.Imaging(
        group=int(group) if np.isfinite(group) else 1,
        # what a file can tell: pixel sizes that differ by rounding alone are the same
        pixel_size_angstrom=round(pixel, 6),
        **used,
    )
