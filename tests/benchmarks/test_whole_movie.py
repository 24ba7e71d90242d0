"""A whole movie at full size by the command line, against only decoding it; writes the table of docs/performance.md.

Minutes long, so only ``make bench`` runs it: ``pytest tests/benchmarks/test_whole_movie.py --benchmark-only -m ''``.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import ducc0
import numpy as np
import pytest
import tifffile

from athena_pipelines.simulate.motion import Motion, draw_motion
from athena_pipelines.simulate.movie import MovieModel, SimulatedMovie
from athena_pipelines.simulate.optics import Ctf
from athena_pipelines.simulate.structure import load_molecule
from tests.benchmarks.report import machine, write_section

pytestmark = pytest.mark.slow

PIXEL, COUNTS, FRAMES, SIZE = 0.8, 0.72, 40, 4096
DECODE = "import sys, tifffile\nfor page in tifffile.TiffFile(sys.argv[1]).pages: page.asarray(maxworkers=1)"


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU and clock, s; largest memory, bytes."""

    cpu: float
    clock: float
    memory: float


def write_movies(truth: Motion, movies: list[Path]) -> None:
    ctf = Ctf(15500, 15200, 30)
    model = MovieModel(3, (SIZE, SIZE), PIXEL, COUNTS, ctf, truth, b_factor=80)
    # rows of a TIFF run from the top
    stack = np.stack([frame[::-1] for frame in SimulatedMovie(model, load_molecule()).frames()])
    for movie in movies:
        tifffile.imwrite(movie, stack, compression="lzw", photometric="minisblack")


def start(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})


def wait(process: subprocess.Popen[bytes], since: float) -> Cost:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - since, 1024 * usage.ru_maxrss)


def cost(*command: str) -> Cost:
    since = time.perf_counter()
    return wait(start(*command), since)


def athena(movie: Path, out: Path) -> list[str]:
    options = {"--pixel-size": PIXEL, "--voltage": 300, "--dose-per-frame": COUNTS / PIXEL**2, "--out": out}
    flat = [str(part) for option in options.items() for part in option]
    return [str(Path(sys.executable).parent / "athena"), "process", "movie", str(movie), *flat]


def both(movies: list[Path], folder: Path) -> float:
    """CPU time of each of two movies processed at once, s: on a shared machine clocks tell of others' work too."""
    since = time.perf_counter()
    running = [start(*athena(movie, folder / f"pair_{movie.stem}")) for movie in movies]
    return sum(wait(process, since).cpu for process in running) / len(running)


def reference_transforms() -> float:
    """CPU seconds of one real transform a frame, s."""
    image = np.random.default_rng(0).standard_normal((SIZE, SIZE), dtype=np.float32)
    out = np.empty((SIZE, SIZE // 2 + 1), np.complex64)
    since = time.process_time()
    for _ in range(FRAMES):
        ducc0.fft.r2c(image, axes=(0, 1), nthreads=1, out=out)
    return time.process_time() - since


def errors(found: dict[str, Any], truth: Motion) -> tuple[float, float]:
    """RMS an axis of the global trajectory and of the whole field, px, after the best constant offset."""
    trajectory = np.array(found["frame_motion_px"]) - truth.trajectory
    grid = found["motion_grid"]
    y, x = np.meshgrid(np.ravel(grid["y_px"]), np.ravel(grid["x_px"]), indexing="ij")
    local = truth.local_at(2 * x.ravel() / SIZE - 1, 2 * y.ravel() / SIZE - 1)
    field = np.array(grid["motion_px"]).reshape(local.shape) - local - truth.trajectory[:, None, :]
    return float(np.std(trajectory - trajectory.mean(axis=0))), float(np.std(field - field.mean(axis=(0, 1))))


@pytest.mark.timeout(1800)
@pytest.mark.feature("EQ-01")
def test_whole_movie_against_decoding_it(request: pytest.FixtureRequest, benchmark: Any, tmp_path: Path) -> None:
    if not request.config.getoption("--benchmark-only"):
        pytest.skip("takes minutes: run it with --benchmark-only")
    truth = draw_motion(np.random.default_rng(3), FRAMES, drift_px=15, local_px=3, jitter_px=0.1)
    movies = [tmp_path / "one.tif", tmp_path / "two.tif"]
    # a process is said to have been as large as the one it was forked from: this one must stay small
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(write_movies, truth, movies).result()
    cost(*athena(movies[0], tmp_path / "warm"))
    decode = min((cost(sys.executable, "-c", DECODE, str(movies[0])) for _ in range(2)), key=lambda c: c.cpu)
    # the cheaper of two everywhere: what else runs on a machine only ever adds
    alone = [benchmark.pedantic(lambda: cost(*athena(movies[0], tmp_path / "first")), rounds=1)]
    alone.append(cost(*athena(movies[0], tmp_path / "second")))
    one, out = min(zip(alone, ("first", "second"), strict=True), key=lambda pair: pair[0].cpu)
    pairs = [both(movies, tmp_path) for _ in range(2)]
    found = json.loads((tmp_path / out / "one.json").read_text())
    shift, field = errors(found, truth)
    rows = [
        ("whole movie, process start included", one.cpu / decode.cpu, "3"),
        *((f"— {stage}", seconds / decode.cpu, "") for stage, seconds in found["cpu_seconds"].items()),
        ("one real transform of every frame, for comparison", reference_transforms() / decode.cpu, ""),
    ]
    throughput = 2 * one.cpu / min(pairs)
    write_table(rows, one, decode, throughput, (shift, field))
    assert one.cpu <= 3.5 * decode.cpu
    assert one.memory <= 1.5e9
    assert shift <= 0.11
    assert field <= 0.15


def write_table(
    rows: list[tuple[str, float, str]], one: Cost, decode: Cost, throughput: float, error: tuple[float, float]
) -> None:
    lines = [
        f"Movie of {SIZE}² px and {FRAMES} frames, uint8 LZW TIFF, {COUNTS} e/px a frame at {PIXEL} Å, 15 px of drift",
        "and 3 px of local motion: global and 5 × 5 patch motion, plain and exposure-weighted sum, CTF, pictures,",
        "all outputs written; one process, one thread. Decoding is tifffile reading the movie in its own process.",
        "",
        f"{machine()}; decoding took {decode.cpu:.1f} core-s.",
        "",
        "| what | CPU time, in decodings of the movie | bar |",
        "|---|---|---|",
        *(f"| {name} | {ratio:.2f} | {bar} |" for name, ratio, bar in rows),
        "",
        "| what | measured | bar |",
        "|---|---|---|",
        f"| largest memory | {one.memory / 1e9:.2f} GB | 1.5 GB |",
        f"| throughput of two at once, over one, from CPU time | {throughput:.2f} | 1.85 |",
        f"| error of the global trajectory, RMS an axis | {error[0]:.3f} px | 0.11 px |",
        f"| error of the whole field, RMS an axis | {error[1]:.3f} px | 0.15 px |",
        "",
        "Every figure is the cheaper of two runs; on a shared machine, runs differ by a tenth. Throughput is what two",
        "cores with nothing else to do would reach, from the CPU time that two movies at once take; where other work",
        "fills the machine, one runs beside that too, and a figure above 2 says only that a second slows neither.",
        "The bars for errors are of movies of another simulator, on which RELION's own motion correction is off by",
        "0.120 and 0.166 px; how large an error is depends on the specimen as much as on the program.",
        "",
        "Errors differ from movie to movie. On 2026-11-27, four movies as above but for seed and defocus (0.9 to 2.2",
        "µm) gave 0.071 to 0.092 px (global) and 0.100 to 0.127 px (field); two at 1.05 Å up to 0.072 and 0.101 px.",
        "Movies of 2048² px and 24 frames at 1.19 e/px a frame, RMS (largest) field: 0.173 (0.204) px of three at",
        "0.8 Å, 0.271 (0.308) px of six at 0.65 Å, where dose and area are smallest; the global trajectory of the",
        "latter is off by 0.148 px RMS, 0.174 px at most.",
    ]
    write_section("A movie", lines)
