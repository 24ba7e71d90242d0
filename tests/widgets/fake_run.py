"""A made-up run of any length, with pictures and curves that look like a microscope's, to test widgets on."""

import io
from functools import cache, lru_cache
from uuid import UUID

import numpy as np
from PIL import Image

from athena.contract.acquisitions import Acquisition, AcquisitionPage, AcquisitionState, Optics
from athena.contract.binary_columns import encode
from athena.contract.elements import Element, ElementKind
from athena.contract.people import Role
from athena.contract.runs import AcquisitionCurves, ColumnsHead, ImageInfo, Run, RunCounts, RunTable
from athena.contract.verdicts import RunVerdicts, Verdict, VerdictKind
from athena.zarrio import layout

RUN_ID = UUID("3f0b8c4e-1111-4222-8333-944455556666")
NYQUIST = 0.25
START = 1_763_800_000
PIXEL_SIZE = 1.06
SHAPE = (1536, 2048)
FRAMES = 40


def png(image: np.ndarray) -> bytes:
    """8-bit grey PNG of an (h, w) array, row 0 at the top."""
    buffer = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


def grey(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Linear contrast to 0…255."""
    return np.clip((image - low) / (high - low) * 255, 0, 255)


def halve(image: np.ndarray) -> np.ndarray:
    """Mean over blocks of two by two."""
    h, w = (n // 2 * 2 for n in image.shape)
    return image[:h, :w].reshape(h // 2, 2, w // 2, 2).mean((1, 3))


@cache
def micrograph() -> np.ndarray:
    """Particles as dark rings in noise, with a bright mark in the top left corner (the tests look for it)."""
    rng = np.random.default_rng(7)
    h, w = SHAPE
    y, x = np.mgrid[-60:60, -60:60]
    ring = 1.5 * np.exp(-(((np.hypot(y, x) - 26) / 9) ** 2)).astype(np.float32)
    noise = rng.normal(size=SHAPE).astype(np.float32)
    for _ in range(2):
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 1.8
    image = noise * 1.1 + 0.4 * np.arange(w, dtype=np.float32) / w
    for cy, cx in rng.integers((60, 60), (h - 60, w - 60), (90, 2)):
        image[cy - 60 : cy + 60, cx - 60 : cx + 60] -= ring
    image[:120, :120] = 12
    return image


@cache
def pyramid() -> list[np.ndarray]:
    """Level 0 is full size."""
    levels = [micrograph()]
    while max(levels[-1].shape) > layout.PYRAMID_MIN:
        levels.append(halve(levels[-1]))
    return levels


class FakeRun:
    """Everything the API would say of a run of ``total`` acquisitions, of which the last few are not done."""

    def __init__(self, total: int = 60, *, unfinished: int = 4) -> None:
        self.total = total
        self.finished = max(0, total - unfinished)
        self.version = 1
        self.verdicts: dict[int, VerdictKind] = {}

    def judged(self) -> RunVerdicts:
        """As ``GET /runs/{id}/verdicts``."""
        said = tuple(
            Verdict(index=index, verdict=verdict, username="bob", time="2026-01-01T00:00:00Z")
            for index, verdict in self.verdicts.items()
        )
        return RunVerdicts(run_id=RUN_ID, verdicts=said)

    def hand(self, verdict: VerdictKind) -> tuple[int, ...]:
        """Acquisitions of which this was said."""
        return tuple(index for index, said in self.verdicts.items() if said is verdict)

    def state(self, index: int) -> AcquisitionState:
        """The last ones still run; a few failed."""
        if index >= self.finished:
            return AcquisitionState.PROCESSING if index < self.finished + 2 else AcquisitionState.REGISTERED
        return AcquisitionState.ERROR if index % 17 == 5 else AcquisitionState.COMPLETED

    @lru_cache(maxsize=8)  # noqa: B019  (one object a test run)
    def columns(self, total: int) -> dict[str, np.ndarray]:
        """Metric columns, NaN where nothing is known."""
        rng = np.random.default_rng(11)
        bad = np.array([self.state(i) is not AcquisitionState.COMPLETED for i in range(total)], bool)
        drift = rng.gamma(4, 0.9, total)
        values = {
            "ctf_resolution_angstrom": rng.gamma(8, 0.2, total) + 2.6,
            "defocus_um": rng.uniform(0.8, 2.4, total),
            "astigmatism_nm": rng.gamma(3, 8, total),
            "astigmatism_angle_deg": rng.uniform(0, 180, total),
            "drift_total_angstrom": drift,
            "drift_mean_angstrom": drift / FRAMES,
            "drift_direction_deg": rng.uniform(-180, 180, total),
            "spectrum_nyquist_per_angstrom": np.full(total, NYQUIST),
            "pixel_size_angstrom": np.full(total, PIXEL_SIZE),
        }
        for column in values.values():
            column[bad] = np.nan
        values["acquired_unix_s"] = START + 9.0 * np.arange(total)
        return values

    def run(self) -> Run:
        """As ``GET /runs/{id}``."""
        states = [self.state(i) for i in range(self.total)]
        element = Element(
            id=RUN_ID,
            kind=ElementKind.DATASET,
            parent_id=None,
            name="Grid 3",
            creator="alice",
            created="2026-01-01T00:00:00Z",
            updated="2026-01-01T00:00:00Z",
            my_role=Role.OWNER,
        )
        counts = {
            state.value: states.count(state) for state in AcquisitionState if state is not AcquisitionState.LEFT_OUT
        }
        return Run(element=element, version=self.version, counts=RunCounts(total=self.total, **counts))

    def table(self, names: list[str], start: int, limit: int) -> RunTable:
        """As ``GET /runs/{id}/table``."""
        rows = range(start, min(self.total, start + limit))
        columns = self.columns(self.total)
        return RunTable(
            run_id=RUN_ID,
            version=self.version,
            start=start,
            total=self.total,
            names=tuple(f"FoilHole_{7_000_000 + i // 4}_Data_{i % 4 + 1:04d}" for i in rows),
            states=tuple(self.state(i).value for i in rows),
            accepted=tuple(i for i in rows if self.verdicts.get(i) is VerdictKind.ACCEPTED),
            rejected=tuple(i for i in rows if self.verdicts.get(i) is VerdictKind.REJECTED),
            judged=str(sorted(self.verdicts.items())),
            errors=tuple("The movie ends early." if self.state(i) is AcquisitionState.ERROR else "" for i in rows),
            columns={
                n: tuple(None if np.isnan(v) else round(float(v), 5) for v in columns[n][rows.start : rows.stop])
                for n in names
                if n in columns
            },
        )

    def binary(self, names: list[str], start: int, limit: int) -> bytes:
        """As ``GET /runs/{id}/columns``."""
        stop = max(start, min(self.total, start + limit))
        columns = self.columns(self.total)
        head = ColumnsHead(
            run_id=RUN_ID,
            version=self.version,
            branch=0,
            start=start,
            rows=stop - start,
            total=self.total,
            columns=tuple(names),
            accepted=self.hand(VerdictKind.ACCEPTED),
            rejected=self.hand(VerdictKind.REJECTED),
        )
        unknown = np.full(self.total, np.nan)
        return encode(head, {name: columns.get(name, unknown)[start:stop] for name in names})

    def curves(self, index: int) -> AcquisitionCurves:
        """Thon rings and a drifting specimen; empty where not completed."""
        if self.state(index) is not AcquisitionState.COMPLETED:
            return AcquisitionCurves(index=index)
        rng = np.random.default_rng(index)
        metric = {name: float(column[index]) for name, column in self.columns(self.total).items()}
        k = np.linspace(0, NYQUIST, layout.CURVE_LENGTH)
        chi = np.pi * 0.0197 * metric["defocus_um"] * 1e4 * k**2 - np.pi / 2 * 2.7e7 * 0.0197**3 * k**4
        theory = np.abs(np.sin(chi + 0.07))
        fall = np.exp(-((k * metric["ctf_resolution_angstrom"]) ** 2) * 0.9)
        experimental = 0.5 + (theory - 0.5) * fall + rng.normal(0, 0.02, k.size)
        quality = 1.0 / (1 + np.exp((k - 1 / metric["ctf_resolution_angstrom"]) * 90))
        t = np.linspace(0, 1, FRAMES)
        angle = np.deg2rad(metric["drift_direction_deg"])
        reach = metric["drift_total_angstrom"] * (1 - np.exp(-4 * t))
        path = np.stack([reach * np.cos(angle), reach * np.sin(angle)], 1)
        path += np.cumsum(rng.normal(0, 0.05, path.shape), 0) * (t[:, None] > 0)
        grid = [(x, y) for y in np.linspace(0.1, 0.9, 5) for x in np.linspace(0.1, 0.9, 5)]
        patches = [path + t[:, None] * ((np.array(c) - 0.5) * 2 + rng.normal(0, 0.3, 2)) for c in grid]
        return AcquisitionCurves(
            index=index,
            frequency=tuple(k),
            experimental=tuple(experimental),
            theory=tuple(theory),
            quality=tuple(quality),
            global_motion=tuple(map(tuple, path)),
            patch_motion=tuple(tuple(map(tuple, p)) for p in patches),
            patch_centres=tuple(grid),
        )

    def thumbnail(self, index: int) -> bytes:
        """A different part of the micrograph for each index, so that rows can be told apart."""
        level = pyramid()[1]
        size = layout.THUMBNAIL_SIZE
        rng = np.random.default_rng(index)
        y, x = rng.integers(0, (level.shape[0] - size, level.shape[1] - size))
        part = level[y : y + size, x : x + size]
        return png(grey(part, part.mean() - 3 * part.std(), part.mean() + 3 * part.std()))

    def spectrum(self, index: int) -> bytes:
        """Rings of this acquisition's CTF."""
        curves = self.curves(index)
        half = layout.SPECTRUM_SIZE // 2
        y, x = np.mgrid[-half:half, -half:half] / half * NYQUIST
        ring = np.interp(np.hypot(y, x), curves.frequency or (0, 1), curves.experimental or (0, 0))
        noise = np.random.default_rng(index).normal(0, 0.1, ring.shape)
        return png(grey(ring + noise, -0.1, 1.1))

    def acquisition(self, index: int) -> Acquisition:
        """As ``GET /runs/{id}/acquisitions/{index}``."""
        return Acquisition(
            run_id=RUN_ID,
            index=index,
            name=self.table([], index, 1).names[0],
            state=self.state(index),
            error="The movie ends early." if self.state(index) is AcquisitionState.ERROR else "",
            registered="2026-01-01T00:00:00Z",
            optics=Optics(pixel_size_angstrom=PIXEL_SIZE, voltage_kv=300.0, spherical_aberration_mm=2.7),
            grid_square_id=9_000_000 + index // 40,
            foil_hole_id=7_000_000 + index // 4,
        )

    def acquisitions(self, offset: int, limit: int) -> AcquisitionPage:
        """As ``GET /runs/{id}/acquisitions``."""
        stop = min(self.total, offset + limit)
        return AcquisitionPage(items=tuple(self.acquisition(i) for i in range(offset, stop)), total=self.total)

    def image_info(self) -> ImageInfo:
        """As ``…/image.json``."""
        image = micrograph()
        mean, sigma = float(image.mean()), float(image.std())
        return ImageInfo(
            width=SHAPE[1],
            height=SHAPE[0],
            tile=layout.TILE,
            levels=len(pyramid()),
            pixel_size_angstrom=PIXEL_SIZE,
            low=mean - 3 * sigma,
            high=mean + 3 * sigma,
            content_hash="1",
        )

    def tile(self, level: int, x: int, y: int, low: float, high: float) -> bytes:
        """As ``…/tiles/{level}/{x}_{y}.png``."""
        edge = layout.TILE
        return png(grey(pyramid()[level][y * edge : (y + 1) * edge, x * edge : (x + 1) * edge], low, high))
