"""One acquisition of a run: its state, numbers, curves and pictures."""

from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from athena.contract import acquisitions as wire
from athena.contract.acquisitions import AcquisitionState
from athena.contract.runs import AcquisitionCurves, ImageInfo, RunTable
from athena.errors import AthenaError
from athena.sdk import html
from athena.sdk.arrays import ctf_dataset, motion_dataset, read_image, run_store
from athena.sdk.client import Query
from athena.sdk.saving import place_in, save_stream, save_zip
from athena.sdk.tables import all_metrics
from athena.storages.keys import safe_name
from athena.zarrio import layout

if TYPE_CHECKING:
    import xarray as xr
    from PIL.Image import Image

    from athena.sandbox.micrograph import Micrograph
    from athena.sdk.runs import Run
    from athena.zarrio.stores import ApiStore

SHOWN = ("defocus_um", "astigmatism_nm", "ctf_resolution_angstrom", "drift_total_angstrom", "dose_e_per_A2")
"""Metrics on an acquisition's card."""
PAGE = 200
"""Acquisitions asked for at once."""


class Acquisition:
    """An acquisition as it was when last read. Numbers and pictures are read when asked for.

    ``branch`` : of results that it is shown in; None: the default one.
    """

    def __init__(self, run: "Run", model: wire.Acquisition, branch: str | None = None) -> None:
        self._run = run
        self._branch = branch
        self._of: Query = {"branch": branch} if branch else {}
        self._model = model
        self._client = run.client
        self._base = f"/api/runs/{run.id}/acquisitions/{model.index}"

    @property
    def run(self) -> "Run":
        """The run it belongs to."""
        return self._run

    @property
    def branch(self) -> str | None:
        """Branch of results it is shown in; None: the default one."""
        return self._branch

    @property
    def model(self) -> wire.Acquisition:
        """All that the API said of it: optics, stage, times, flags, …"""
        return self._model

    @property
    def index(self) -> int:
        """Place along ``acquisition`` in the run's results."""
        return self._model.index

    @property
    def name(self) -> str:
        """Name, from the microscope."""
        return self._model.name

    @property
    def state(self) -> AcquisitionState:
        """How far it is."""
        return self._model.state

    @property
    def error(self) -> str:
        """Why it could not be processed; empty when nothing is wrong."""
        return self._model.error

    @property
    def flags(self) -> tuple[str, ...]:
        """What its processing warns of, such as ``ctf_not_determined``; empty when all is well."""
        return self._model.flags

    @property
    def doubts(self) -> dict[str, str]:
        """Values that the microscope's metadata lacks or that cannot be, with the reason; they are not used."""
        return {doubt.name: doubt.reason for doubt in self._model.optics.doubts}

    @property
    def acquired(self) -> datetime | None:
        """When the microscope took it."""
        return self._model.acquired

    @property
    def processed(self) -> datetime | None:
        """When its results were recorded; None before."""
        return self._model.processed

    @property
    def metrics(self) -> dict[str, float]:
        """What was measured, by catalogue name; only what is known."""
        params: Query = {"columns": ",".join(all_metrics(self._run.state)), "start": self.index, "limit": 1, **self._of}
        table = self._client.get(f"/api/runs/{self._run.id}/table", RunTable, params=params)
        return {name: column[0] for name, column in table.columns.items() if column and column[0] is not None}

    @property
    def ctf(self) -> "xr.Dataset":
        """Radial CTF curves over frequency; the fitted values are its attributes."""
        dataset = ctf_dataset(self._curves())
        fitted = ("defocus_um", "astigmatism_nm", "astigmatism_angle_deg", "phase_shift_deg", "ctf_resolution_angstrom")
        metrics = self.metrics
        return dataset.assign_attrs({name: metrics[name] for name in fitted if name in metrics})

    @property
    def motion(self) -> "xr.Dataset":
        """Global and patch motion, Å; the totals are its attributes."""
        metrics = self.metrics
        totals = {name: value for name, value in metrics.items() if name.startswith("drift_")}
        return motion_dataset(self._curves()).assign_attrs(totals)

    @property
    def image_info(self) -> ImageInfo:
        """Size, levels, pixel size and grey window of the micrograph."""
        return self._client.get(f"{self._base}/image.json", ImageInfo, params=self._of)

    def download(self, to: str | Path = ".", *, progress: bool = True) -> Path:
        """Save its movie and what the microscope wrote beside it as ``<name>.zip`` in a folder; gives the path."""
        picked = {"run_id": str(self._run.id), "acquisitions": self.index}
        return save_zip(self._client, picked, self.name, Path(to), progress=progress)

    def download_movie(self, to: str | Path = ".", *, progress: bool = True) -> Path:
        """Save its movie alone, as it is, in a folder; gives the path."""
        name = PurePath(self._model.movie or self.name).name
        return save_stream(self._client, f"{self._base}/movie", place_in(Path(to), name), progress=progress)

    def save_mrc(
        self, path: str | Path, *, mode: int = 2, weighted: bool | None = None, progress: bool = False
    ) -> Path:
        """Save its corrected micrograph as an MRC file at ``path`` (in a folder: under its own name); gives the path.

        Parameters
        ----------
        mode : 2 for 32 bits a pixel; 12 for 16, where it is kept so (RELION reads it from 4.0 on).
        weighted : by exposure, or not; None: whichever is kept.
        """
        target = Path(path).expanduser()
        if target.is_dir():
            target = place_in(target, f"{safe_name(self.name)}.mrc")
        params = {"mode": mode, **self._of} | ({} if weighted is None else {"weighted": weighted})
        return save_stream(self._client, f"{self._base}/micrograph.mrc", target, params=params, progress=progress)

    def refresh(self) -> "Acquisition":
        """Read it again."""
        self._model = self._client.get(self._base, wire.Acquisition, params=self._of)
        return self

    def thumbnail(self) -> "Image":
        """Small picture, as shown (top row first)."""
        return _decoded(self._client.get_bytes(f"{self._base}/thumbnail.png", params=self._of))

    def spectrum(self, *, fit: bool = False) -> "Image":
        """Power spectrum as shown; with ``fit``, one half of it is the fitted CTF."""
        return _decoded(self._client.get_bytes(f"{self._base}/spectrum.png", params={"fit": int(fit), **self._of}))

    def micrograph(self, *, image: bool = False) -> "Micrograph":
        """What a metric of your own gets of it, to try one out: ``doming(run.acquisition(3).micrograph())``."""
        from athena.sandbox.micrograph import make_micrograph
        from athena.zarrio.reader import read_micrograph

        metrics, arrays = read_micrograph(self._store, self.index)
        if image:
            arrays["image"] = self.image().values
        return make_micrograph(self.index, self.name, metrics, arrays)

    def image(self, level: int = 0) -> "xr.DataArray":
        """Motion-corrected micrograph with coordinates in Å, row 0 at the bottom.

        Each level halves it; negative ones count from the smallest, -1.
        """
        info = self.image_info
        return read_image(self._store, self.index, info, level=level + info.levels if level < 0 else level)

    @property
    def _store(self) -> "ApiStore":
        return run_store(self._client, self._run.id, branch=self._branch)

    def _curves(self) -> AcquisitionCurves:
        params: Query = {"indices": str(self.index), **self._of}
        return self._client.get(f"/api/runs/{self._run.id}/curves", list[AcquisitionCurves], params=params)[0]

    def __repr__(self) -> str:
        return f"<Acquisition {self.index} {self.name!r} {self.state.value}>"

    def _repr_html_(self) -> str:
        state = self.state
        lines = [html.mark(state, label=True)]
        if self.error:
            lines.append(html.text(self.error, "bad"))
        metrics = self.metrics
        shown = [layout.METRICS[name] for name in SHOWN if name in metrics]
        numbers = [html.measured(metric, metrics[metric.name]) for metric in shown]
        pictures = [self._picture("thumbnail.png", "thumbnail"), self._picture("spectrum.png", "CTF fit", fit=1)]
        parts = (html.row(*lines), html.row(*numbers), html.row(*pictures))
        return html.page(html.card(self.name, f"Acquisition {self.index} of {self._run.name}", *parts))

    def _picture(self, path: str, words: str, **asked: int) -> str:
        try:
            return html.picture(self._client.get_bytes(f"{self._base}/{path}", params={**asked, **self._of}), words)
        except AthenaError:  # there is none yet, or it cannot be read now: the card is still of use without it
            return html.text(f"no {words} yet", "mute")


def list_acquisitions(
    run: "Run", state: AcquisitionState | str | None = None, branch: str | None = None
) -> list[Acquisition]:
    """Acquisitions of a run in order of index, all or those in a state, as they stand in a branch."""
    found: list[Acquisition] = []
    total = 1
    asked: Query = {"state": AcquisitionState(state).value if state else None, "branch": branch}
    while len(found) < total:
        params: Query = {**asked, "offset": len(found), "limit": PAGE}
        page = run.client.get(f"/api/runs/{run.id}/acquisitions", wire.AcquisitionPage, params=params)
        found += [Acquisition(run, model, branch) for model in page.items]
        total = page.total if page.items else 0
    return found


def _decoded(png: bytes) -> "Image":
    from PIL import Image

    with Image.open(BytesIO(png)) as image:
        image.load()
        return image
