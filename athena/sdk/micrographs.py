"""Corrected micrographs of a run as MRC files on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from athena.contract.acquisitions import AcquisitionState
from athena.contract.processing import NO_DOSE_WEIGHTING
from athena.contract.runs import CryosparcFile
from athena.domain.filters import columns_of, matches
from athena.errors import Invalid
from athena.formats.relion import UNWEIGHTED_SUFFIX
from athena.formats.writing import write_whole
from athena.sdk.client import Query
from athena.sdk.tables import read_columns
from athena.storages.keys import safe_name

if TYPE_CHECKING:
    from athena.sdk.runs import Run

Chosen = Literal["matching", "all"]


def chosen_indices(run: "Run", only: Chosen, branch: str | None = None) -> list[int]:
    """Indices of acquisitions processed in a branch: all, or those that match the run's saved filter and verdicts."""
    if only not in ("matching", "all"):
        raise Invalid(f"{only!r} chooses nothing.", hint='Give "matching" or "all".')
    wanted = run.saved_filter().filter
    table = read_columns(run.client, run.id, columns_of(wanted), branch=branch)
    kept = np.ones(len(table.names), dtype=bool)
    if only == "matching":
        values = {name: np.array(table.columns[name], dtype=float) for name in columns_of(wanted)}
        kept = matches(wanted, values, len(table.names))
        kept[list(table.accepted)] = True
        kept[list(table.rejected)] = False
    kept &= np.array([state == AcquisitionState.COMPLETED for state in table.states], dtype=bool)
    return [int(index) for index in np.flatnonzero(kept)]


def save_mrcs(
    run: "Run",
    folder: str | Path,
    *,
    only: Chosen,
    mode: int,
    progress: bool,
    weighted: bool | None = None,
    branch: str | None = None,
) -> list[Path]:
    """Save micrographs as ``<name>.mrc`` in a folder; those that are there already in full are left as they are.

    ``weighted=False`` saves plain sums; beside weighted ones they are named ``<name>_noDW.mrc``, as RELION does.
    """
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    saved = []
    shown = run if branch is None else run.branch(branch)
    for index in chosen_indices(run, only, branch):
        acquisition = shown.acquisition(index)
        beside = weighted is False and NO_DOSE_WEIGHTING not in acquisition.flags
        path = target / f"{safe_name(acquisition.name)}{UNWEIGHTED_SUFFIX if beside else ''}.mrc"
        # a file appears under its name only when it is whole
        saved.append(
            path if path.exists() else acquisition.save_mrc(path, mode=mode, weighted=weighted, progress=progress)
        )
    return saved


def save_star(
    run: "Run",
    folder: str | Path,
    *,
    only: Chosen,
    with_micrographs: bool,
    progress: bool,
    branch: str | None = None,
) -> Path:
    """Save a run's results as a small RELION project, see ``Run.save_star``; gives the path of its CTF list."""
    indices = chosen_indices(run, only, branch)
    project = Path(folder).expanduser()
    (project / "micrographs").mkdir(parents=True, exist_ok=True)
    if with_micrographs:
        of = run if branch is None else run.branch(branch)
        both = (None, False) if of.parameters.get("keep_unweighted") else (None,)
        for weighted in both:
            save_mrcs(
                run, project / "micrographs", only=only, mode=2, progress=progress, weighted=weighted, branch=branch
            )
    names = read_columns(run.client, run.id, (), branch=branch).names
    for index in indices:
        text = run.client.get_bytes(f"/api/runs/{run.id}/acquisitions/{index}/motion.star", params={"branch": branch})
        write_whole(project / "micrographs" / f"{safe_name(names[index])}.star", text)
    # the lists last: what they name is there
    params: Query = {"matching": only == "matching", "branch": branch}
    for name in ("corrected_micrographs.star", "micrographs_ctf.star"):
        write_whole(project / name, run.client.get_bytes(f"/api/runs/{run.id}/{name}", params=params))
    return project / "micrographs_ctf.star"


def save_cryosparc(
    run: "Run",
    folder: str | Path,
    *,
    only: Chosen,
    with_micrographs: bool,
    progress: bool,
    branch: str | None = None,
) -> Path:
    """Save a run's results as cryoSPARC imports them, see ``Run.save_cryosparc``; gives the group with the CTF."""
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    if with_micrographs:
        save_mrcs(run, target / "micrographs", only=only, mode=2, progress=progress, branch=branch)
    params: Query = {"matching": only == "matching", "branch": branch}
    # the groups last: what they name is there
    for name in sorted(CryosparcFile, key=lambda name: name.endswith(".csg")):
        write_whole(target / name, run.client.get_bytes(f"/api/runs/{run.id}/cryosparc/{name.value}", params=params))
    return target / CryosparcFile.CTF_GROUP
