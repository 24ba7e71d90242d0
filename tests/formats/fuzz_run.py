"""The fuzz of foreign files: none may crash, hang or bloat the process that reads it; each is read or refused by name.

``make fuzz-formats`` runs it: ``EXAMPLES=20000 SEED=1 JOBS=2``. Files are made from the seed and a number alone, so
that ``SEED=… ONLY=number`` makes one of them again. Readers run in processes of their own, under a limit of memory; one
that does not answer in time is ended, and its file named.
"""

import contextlib
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from athena.errors import AthenaError
from tests.formats.fuzz_mutations import damaged
from tests.formats.fuzz_seeds import KINDS, SHAPE, Seeds, whole_files

HANG_S = 10.0
HEADROOM = 2 * 2**30
"""Bytes of address space that a reader may take beyond what its process has when it starts."""
WHOLE_STEP_EVERY = 40
"""Of movies that can be loaded, one in so many is processed as a whole."""


@dataclass
class Report:
    """What a run found.

    Attributes
    ----------
    outcomes : how many files of a kind were read or refused.
    failures : (number, kind, what happened).
    slowest : (seconds, number, kind).
    peak_mib : largest resident memory of a reading process.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    slowest: tuple[float, int, str] = (0.0, -1, "")
    peak_mib: float = 0.0

    def text(self, seed: int) -> str:
        """The report for a terminal."""
        rows = [f"{'kind':8} {'read':>7} {'refused':>8}"]
        rows += [f"{kind:8} {self.outcomes[kind, 'read']:7} {self.outcomes[kind, 'refused']:8}" for kind in KINDS]
        seconds, number, kind = self.slowest
        rows.append(f"slowest: {seconds:.2f} s (number {number}, {kind}); peak memory {self.peak_mib:.0f} MiB")
        for number, kind, what in self.failures:
            rows.append(f"\nFAILED seed {seed} number {number} ({kind}): SEED={seed} ONLY={number}\n{what}")
        return "\n".join(rows)


def make(seeds: Seeds, seed: int, number: int) -> tuple[str, str, bytes]:
    """Kind, file name and content of a damaged file."""
    rng = random.Random(f"{seed}/{number}")
    kind = KINDS[number % len(KINDS)]
    name, content = rng.choice(seeds[kind])
    _, other = rng.choice(seeds[kind])
    return kind, f"{number}-{name}", damaged(content, kind, other, rng)


def read(kind: str, path: Path, number: int) -> str:
    """Read a file in all the ways there are: "read", or "refused" by an error that names it. Anything else raises."""
    outcome = "refused"
    for way in _ways(kind, number):
        try:
            way(path)
            outcome = "read"
        except AthenaError as error:
            if path.name not in str(error):
                raise RuntimeError(f"an error does not name its file: {error}") from error
    return outcome


def _ways(kind: str, number: int) -> Iterator[Any]:
    if kind in ("xml", "mdoc", "defects"):
        yield from _ways_of_text(kind)
        return
    from athena.formats.gain import read_reference
    from athena.formats.mrc import read_mrc
    from athena.formats.mrc_extended import read_fei_records
    from athena_pipelines.core.ctf_fit import SearchRange
    from athena_pipelines.steps.micrograph import Known, fit_micrograph

    if kind == "dm":
        yield lambda path: read_reference(path)
        return
    yield lambda path: _process(path, whole=number % WHOLE_STEP_EVERY == KINDS.index(kind))
    yield lambda path: read_reference(path, of_eer=bool(number % 2))
    if number % 5 == 1:
        yield _as_gain
        yield lambda path: fit_micrograph(path, Known(300.0, 2.7, 0.07, 1.0), SearchRange())
    if kind == "mrc":
        yield read_fei_records
        yield read_mrc


def _ways_of_text(kind: str) -> Iterator[Any]:
    from athena.formats import epu_xml_atlas, epu_xml_fractions, epu_xml_image, epu_xml_session, epu_xml_square
    from athena.formats.defects import read_defects
    from athena.formats.mdoc import read_mdoc

    if kind == "defects":
        yield lambda path: read_defects(path, (40, 52))
        yield lambda path: read_defects(path, (80, 104))
        return
    if kind == "mdoc":
        yield lambda path: [
            (part.dose(), part.tilt_angle_deg, part.acquired, part.frames_name, found.tilt_axis_deg, found.by_time())
            for found in [read_mdoc(path)]
            for part in found.sections[:50]
        ]
        return
    yield epu_xml_image.read_image
    yield epu_xml_session.read_session
    yield epu_xml_square.read_grid_square
    yield epu_xml_atlas.read_atlas
    yield epu_xml_atlas.read_sample
    yield epu_xml_fractions.read_fractions


def _as_gain(path: Path) -> None:
    """Take a file for the gain of a movie that is in order."""
    from athena.contract.processing import MovieParameters
    from athena_pipelines.steps.load import load_movie

    movie = path.parent / f"{os.getpid()}.tiff"
    if not movie.exists():
        tifffile.imwrite(movie, np.ones(SHAPE, np.uint8), photometric="minisblack", metadata=None)
    load_movie(str(movie), str(path), MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0))


def _process(path: Path, *, whole: bool) -> None:
    from athena.contract.processing import MovieParameters
    from athena.formats.movies import is_whole, open_movie
    from athena_pipelines.steps.compute import Timing, compute_movie
    from athena_pipelines.steps.load import load_movie

    open_movie(path).close()
    if not is_whole(path):
        raise RuntimeError(f"{path.name} can be opened and is not whole")
    parameters = MovieParameters(pixel_size_angstrom=1.0, voltage_kv=300.0, patches_x=1, patches_y=1)
    load_movie(str(path), None, parameters)
    if whole:
        compute_movie(str(path), None, parameters, Timing())


def _reader(pipe: Connection, seed: int, folder: str) -> None:
    """Process that reads files as their numbers come."""
    from athena_pipelines.steps import warm_up

    warm_up()
    logging.disable()  # tifffile's remarks on each tag
    warnings.simplefilter("ignore")  # of numbers that are none; what matters is that it ends
    with tempfile.TemporaryDirectory(dir=folder) as seeds_folder:
        seeds = whole_files(Path(seeds_folder))
    limit = _address_space() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (number := pipe.recv()) is not None:
        kind, name, content = make(seeds, seed, number)
        path = Path(folder) / name
        path.write_bytes(content)
        del content
        begin = time.perf_counter()
        try:
            outcome, what = read(kind, path, number), ""
        except BaseException:  # noqa: BLE001 - whatever it is, it is a finding
            outcome, what = "failed", traceback.format_exc(limit=-9)
        seconds = time.perf_counter() - begin
        path.unlink()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        pipe.send((number, kind, outcome, what, seconds, peak))


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


class _Reader:
    """A reading process and what it is at."""

    def __init__(self, seed: int, folder: str) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_reader, args=(theirs, seed, folder), daemon=True)
        self.process.start()
        theirs.close()
        self.number = -1
        self.since = 0.0

    def give(self, number: int | None) -> None:
        self.number, self.since = -1 if number is None else number, time.perf_counter()
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send(number)

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def run(numbers: range, *, seed: int, jobs: int, hang_s: float = HANG_S) -> Report:
    """Read the files of these numbers."""
    report = Report()
    left = iter(numbers)
    with tempfile.TemporaryDirectory() as folder:
        readers = [_Reader(seed, folder) for _ in range(jobs)]
        started = {id(reader): False for reader in readers}
        for reader in readers:
            reader.give(next(left, None))
        while any(reader.number >= 0 for reader in readers):
            for place, reader in enumerate(readers):
                if reader.number < 0:
                    continue
                if reader.pipe.poll(0.02):
                    try:
                        _record(report, reader.pipe.recv())
                        started[id(reader)] = True
                    except EOFError:
                        reader.process.join()
                        code = reader.process.exitcode or 0
                        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                        report.failures.append((reader.number, KINDS[reader.number % len(KINDS)], f"crash: {cause}"))
                        readers[place] = reader = _Reader(seed, folder)
                        started[id(reader)] = False
                elif time.perf_counter() - reader.since > (hang_s * 1.5 if started[id(reader)] else 180):
                    report.failures.append((reader.number, KINDS[reader.number % len(KINDS)], "hangs"))
                    reader.end()
                    readers[place] = reader = _Reader(seed, folder)
                    started[id(reader)] = False
                else:
                    continue
                reader.give(next(left, None))
        for reader in readers:
            reader.process.join(10)
            reader.end()
    return report


def _record(report: Report, told: tuple[int, str, str, str, float, float]) -> None:
    number, kind, outcome, what, seconds, peak = told
    report.outcomes[kind, outcome] += 1
    report.peak_mib = max(report.peak_mib, peak)
    report.slowest = max(report.slowest, (seconds, number, kind))
    if outcome == "failed":
        report.failures.append((number, kind, what))
    if seconds > HANG_S:
        report.failures.append((number, kind, f"took {seconds:.1f} s"))


def main() -> int:
    """Run as the environment says; how many files failed, 1 at the most."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    only = os.environ.get("ONLY")
    examples = int(os.environ.get("EXAMPLES") or 20_000)
    numbers = range(int(only), int(only) + 1) if only else range(examples)
    begin = time.perf_counter()
    report = run(numbers, seed=seed, jobs=int(os.environ.get("JOBS") or 2))
    sys.stdout.write(f"{len(numbers)} files, seed {seed}, {time.perf_counter() - begin:.0f} s\n{report.text(seed)}\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
