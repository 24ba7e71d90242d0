"""Results of acquisitions as a group of exposures that cryoSPARC imports, from a run's arrays and what was recorded."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.people import Principal
from athena.contract.processing import NO_DOSE_WEIGHTING
from athena.contract.runs import CryosparcFile
from athena.db.acquisitions import AcquisitionRow
from athena.db.elements import ElementRow
from athena.formats import cryosparc
from athena.formats.relion import optics_numbers
from athena.services.relion import Place, chosen_rows, imaging_of, measured, own_place
from athena.services.results import parameters_of, store_of, visible_results
from athena.settings import Settings
from athena.zarrio.pyramid import image_info

MovieOf = Callable[[AcquisitionRow, tuple[int, int, int]], cryosparc.Movie | None]
"""The movie of an acquisition as it goes along, of (frames, height, width); None: it does not."""


def get_group(
    session: Session,
    principal: Principal,
    run_id: UUID,
    name: CryosparcFile,
    *,
    matching_only: bool,
    settings: Settings,
    branch: str | None = None,
) -> bytes:
    """One of the files of a run's results, without movies; micrographs in it are ``micrographs/<name>.mrc``."""
    results = visible_results(session, principal, run_id, branch)
    rows = chosen_rows(session, results, matching_only=matching_only, settings=settings)
    store = str(store_of(results, settings))
    title = session.get_one(ElementRow, run_id).name
    found = exposures_of(rows, store, parameters_of(session, results), place=own_place)
    return group_file(found, name, title=title, created=last_processed(rows))


def exposures_of(
    rows: Sequence[AcquisitionRow],
    store: str,
    parameters: dict[str, Any],
    *,
    place: Place,
    movie_of: MovieOf | None = None,
) -> list[cryosparc.Exposure]:
    """Those of the acquisitions that are processed, with the groups that RELION's lists give them."""
    found = [
        _exposure(row, values, parameters, f"{place(row)}.mrc", store, movie_of)
        for row, values in measured(rows, store)
        if row.state == AcquisitionState.COMPLETED
    ]
    numbers = optics_numbers([one.imaging for one in found])
    return [replace(one, group=numbers[one.imaging]) for one in found]


def group_file(exposures: Sequence[cryosparc.Exposure], name: CryosparcFile, *, title: str, created: datetime) -> bytes:
    """Content of one of the files, which lie in one folder."""
    with_ctf = name in (CryosparcFile.CTF_TABLE, CryosparcFile.CTF_GROUP)
    chosen = [one for one in exposures if one.fitted] if with_ctf else exposures
    if name in (CryosparcFile.TABLE, CryosparcFile.CTF_TABLE):
        return cryosparc.table(chosen, with_ctf=with_ctf)
    metafile = CryosparcFile.CTF_TABLE if with_ctf else CryosparcFile.TABLE
    text = cryosparc.group(chosen, with_ctf=with_ctf, metafile=metafile.value, title=title, created=created)
    return text.encode()


def last_processed(rows: Sequence[AcquisitionRow]) -> datetime:
    """When the latest of the results was made: the same for the same results."""
    moments = (row.processed for row in rows if row.processed is not None)
    return max(moments, default=datetime.fromtimestamp(0, UTC))


def _exposure(
    row: AcquisitionRow,
    values: dict[str, float],
    parameters: dict[str, Any],
    path: str,
    store: str,
    movie_of: MovieOf | None,
) -> cryosparc.Exposure:
    info = image_info(store, row.index)
    shape = (info.height, info.width)
    frames = values["frame_count"]
    known = movie_of is not None and math.isfinite(frames) and frames >= 1
    imaging = imaging_of(row, values, parameters, store)
    return cryosparc.Exposure(
        origin=f"{row.run_id}/{row.index}",
        path=path,
        shape=shape,
        weighted=NO_DOSE_WEIGHTING not in row.flags,
        imaging=imaging,
        group=imaging.group,
        dose_e_per_A2=values["dose_e_per_A2"],
        defocus=(values["defocus_u_angstrom"], values["defocus_v_angstrom"], values["astigmatism_angle_deg"]),
        phase_shift_deg=values["phase_shift_deg"],
        merit=values["ctf_score"],
        resolution_angstrom=values["ctf_resolution_angstrom"],
        phase_plate=bool(row.optics.get("phase_plate")),
        movie=movie_of(row, (int(frames), *shape)) if movie_of is not None and known else None,
    )
