"""Parameters of a run's processing that people set: checked, and never mixed within one branch of results."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from athena.contract.acquisitions import AcquisitionState
from athena.contract.processing import MovieParameters
from athena.db.acquisitions import AcquisitionRow, RunRow
from athena.db.branches import BranchRow
from athena.errors import Conflict, Invalid
from athena.formats.defects import check_defects
from athena.formats.writing import write_whole
from athena.services.session_paths import checked_file
from athena.services.storage_access import acquisition_folders
from athena.settings import Settings

_SAID = ("pixel_size_angstrom", "voltage_kv", "spherical_aberration_mm", "amplitude_contrast")
"""Parameters that the microscope may say, under the same names."""
_STAND_INS = {"pixel_size_angstrom": 1.0, "voltage_kv": 300.0}
"""For the check of parameters that come without those that are needed."""
_DEFECTS = ("defects", "defects_sha256")
MAX_DEFECT_BYTES = 256 * 2**20


def checked_parameters(
    session: Session, run_id: UUID, given: Mapping[str, Any], *, settings: Settings
) -> dict[str, Any]:
    """Those parameters as the processing takes them; a file of defects is copied to where the run keeps it. Invalid."""
    if "defects_sha256" in given:
        raise Invalid("defects_sha256 is found by the server.", hint="Give defects, the path of the file.")
    try:
        chosen = MovieParameters.model_validate(_STAND_INS | dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        settable = (name for name in MovieParameters.model_fields if name != "defects_sha256")
        raise Invalid(
            f"Processing does not take {name} = {given.get(name)!r}: {first['msg']}.",
            hint=f"Parameters: {', '.join(settable)}.",
        ) from error
    whole = chosen.model_dump(mode="json")
    checked = {name: whole[name] for name in given}
    if chosen.defects is not None:
        checked["defects_sha256"] = _keep_defects(session, run_id, chosen.defects, settings)
    return checked


def apply_parameters(session: Session, run: RunRow, given: Mapping[str, Any], *, settings: Settings) -> dict[str, Any]:
    """Set parameters of a run's default branch (null: take them back), whose row is locked; those that have changed.

    Raises Invalid, or Conflict where movies of it were processed with other values.
    """
    left_out = {name for name, value in given.items() if value is None}
    if "defects" in left_out:
        left_out |= {*_DEFECTS}
    told = {name: value for name, value in given.items() if name not in left_out}
    checked = checked_parameters(session, run.id, told, settings=settings)
    if unknown := left_out - MovieParameters.model_fields.keys():
        raise Invalid(f"Processing has no parameter {sorted(unknown)[0]!r}.")
    wanted = dict.fromkeys(left_out) | checked
    changed = {name: value for name, value in wanted.items() if value != run.parameters.get(name)}
    _refuse_mixing(session, run, changed)
    if changed:
        kept = {name: value for name, value in (run.parameters | changed).items() if value is not None}
        run.parameters = kept
        if (row := session.get(BranchRow, (run.id, run.branch))) is not None:
            row.parameters = kept
    return changed


def _refuse_mixing(session: Session, run: RunRow, changed: Mapping[str, Any]) -> None:
    """Conflict where something was, or is being, processed with another value."""
    done = (
        AcquisitionRow.run_id == run.id,
        AcquisitionRow.state.in_((AcquisitionState.PROCESSING.value, AcquisitionState.COMPLETED.value)),
    )
    if session.scalar(select(AcquisitionRow.index).where(*done).limit(1)) is None:
        return
    for name, value in changed.items():
        usual = MovieParameters.model_fields[name].get_default()
        used = {run.parameters.get(name, usual)}
        if name in _SAID and name not in run.parameters:
            said = session.scalars(select(AcquisitionRow.optics[name].as_float()).where(*done).distinct())
            used = {usual if one is None else one for one in said}
        if used != {value}:
            raise Conflict(
                f"Movies of this run were processed with another {name} than {value!r}.",
                hint="Process into a branch of results with it, and promote that: nothing is overwritten.",
            )


def _keep_defects(session: Session, run_id: UUID, path: str, settings: Settings) -> str:
    """Copy a file of defects to where the run keeps it, so that every movie gets the same; the SHA-256 of it."""
    file = checked_file(path, settings, acquisition_folders(session, settings))
    if file.stat().st_size > MAX_DEFECT_BYTES:
        raise Invalid(f"{file.name} is too large for a file of defects.", hint="Check what this file is.")
    check_defects(file)
    content = file.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    folder = settings.run_defects(str(run_id))
    folder.mkdir(parents=True, exist_ok=True)
    # under the suffix that was given: it tells how the file is read
    write_whole(folder / f"{digest}{Path(path).suffix.lower()}", content)
    return digest
