"""Results of acquisitions as the files of a RELION project: read from the run's arrays and from what was recorded."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.people import Principal
from athena.contract.processing import MovieParameters
from athena.db.acquisitions import AcquisitionRow
from athena.db.branches import Results
from athena.errors import NotFound
from athena.formats import relion
from athena.formats.star import star_text
from athena.services.results import parameters_of, standing_rows, store_of, visible_results
from athena.services.run_filters import matching, saved_filter
from athena.settings import Settings
from athena.storages.keys import safe_name
from athena.zarrio.pyramid import has_plain, image_info
from athena.zarrio.reader import read_motion, read_table

COLUMNS = (
    *("optics_group", "pixel_size_angstrom", "drift_total_angstrom", "drift_early_angstrom", "drift_late_angstrom"),
    *("defocus_u_angstrom", "defocus_v_angstrom", "astigmatism_angle_deg", "phase_shift_deg", "ctf_score"),
    *("ctf_resolution_angstrom", "dose_e_per_A2", "frame_count"),
)
STAR_FILES = ("corrected_micrographs.star", "micrographs_ctf.star")
_USUAL = {
    # of movies processed when a voltage that nothing said was still taken for this one; now they are refused
    "voltage_kv": 300.0,
    **{name: MovieParameters.model_fields[name].default for name in ("spherical_aberration_mm", "amplitude_contrast")},
}
BLOCK = 1024
"""Acquisitions read at a time."""

Place = Callable[[AcquisitionRow], str]
"""Path of an acquisition's micrograph in the project, without suffix."""


def get_star(
    session: Session,
    principal: Principal,
    run_id: UUID,
    name: str,
    *,
    matching_only: bool,
    settings: Settings,
    branch: str | None = None,
) -> str:
    """One of ``STAR_FILES`` of a run's results; paths in it are ``micrographs/<name>``. None: the default branch."""
    results = visible_results(session, principal, run_id, branch)
    rows = chosen_rows(session, results, matching_only=matching_only, settings=settings)
    store = str(store_of(results, settings))
    return star_files(rows, store, parameters_of(session, results), place=own_place)[name]


def chosen_rows(session: Session, results: Results, *, matching_only: bool, settings: Settings) -> list[AcquisitionRow]:
    """Acquisitions of a run in order, as they stand in its results: all, or those that match filter and verdicts."""
    run_id = results.run_id
    rows = standing_rows(session, results)
    if matching_only:
        wanted = saved_filter(session, run_id)
        kept = matching(session, run_id, wanted, settings=settings, branch=results.number)
        rows = [row for row in rows if kept[row.index]]
    return rows


def get_motion_star(
    session: Session, principal: Principal, run_id: UUID, index: int, *, settings: Settings, branch: str | None = None
) -> str:
    """Motion of a movie in a run's results; the movie is named ``movies/<its file>``. NotFound."""
    results = visible_results(session, principal, run_id, branch)
    row = session.get(AcquisitionRow, (run_id, index))
    if row is None:
        raise NotFound(f"Run {run_id} has no acquisition {index}.")
    store = str(store_of(results, settings))
    movie = f"movies/{PurePath(row.movie or row.name).name}"
    return motion_file(row, store, parameters_of(session, results), movie=movie, gain=None)


def own_place(row: AcquisitionRow) -> str:
    """Place of a micrograph in a project that is read through the API."""
    return f"micrographs/{safe_name(row.name)}"


def star_files(
    rows: Sequence[AcquisitionRow], store: str, parameters: dict[str, Any], *, place: Place
) -> dict[str, str]:
    """Texts of ``corrected_micrographs.star`` and ``micrographs_ctf.star`` of those that are processed."""
    micrographs = [
        _micrograph(row, values, parameters, place(row), store)
        for row, values in measured(rows, store)
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
    (_, values), *_ = measured([row], store)
    info = image_info(store, row.index)
    whole, patches = read_motion(store, row.index)
    dose = values["dose_e_per_A2"] / values["frame_count"] if values["frame_count"] > 0 else math.nan
    blocks = relion.movie_motion(
        whole,
        patches,
        movie=movie,
        gain=gain,
        shape=(info.height, info.width),
        imaging=imaging_of(row, values, parameters, store),
        dose_per_frame_e_per_A2=dose if math.isfinite(dose) else None,
    )
    return star_text(blocks)


def measured(rows: Sequence[AcquisitionRow], store: str) -> Iterator[tuple[AcquisitionRow, dict[str, float]]]:
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
    drift = (values["drift_total_angstrom"], values["drift_early_angstrom"], values["drift_late_angstrom"])
    if not math.isfinite(drift[0]):
        drift = (0.0, 0.0, 0.0)  # no motion was measured, and none is in the motion file
    return relion.Micrograph(
        path=f"{path}.mrc",
        motion=f"{path}.star",
        imaging=imaging_of(row, values, parameters, store),
        drift=drift,
        defocus=(values["defocus_u_angstrom"], values["defocus_v_angstrom"], values["astigmatism_angle_deg"]),
        phase_shift_deg=values["phase_shift_deg"],
        merit=values["ctf_score"],
        resolution_angstrom=values["ctf_resolution_angstrom"],
        unweighted=f"{path}{relion.UNWEIGHTED_SUFFIX}.mrc" if keeps_unweighted(row, store, parameters) else None,
    )


def keeps_unweighted(row: AcquisitionRow, store: str, parameters: dict[str, Any]) -> bool:
    """Whether a processed acquisition has its unweighted sum beside the weighted one."""
    return bool(parameters.get("keep_unweighted")) and has_plain(store, row.index)


def imaging_of(row: AcquisitionRow, values: dict[str, float], parameters: dict[str, Any], store: str) -> relion.Imaging:
    """Optics an acquisition was processed with: the run's parameters, else the microscope's word, else the defaults."""
    told = {name: value for name, value in row.optics.items() if value is not None} | parameters
    used = {name: float(told.get(name, _USUAL[name])) for name in _USUAL}
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
