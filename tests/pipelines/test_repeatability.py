"""A movie processed again gives the same: bit for bit on one machine, to rounding where libraries pick other code."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest

from tests.pipelines.conftest import known_movie

pytestmark = pytest.mark.feature("EQ-01")

ROUNDING = 1e-4
"""Largest relative difference of a number between processors: CTF fits may end 0.02 Å apart."""


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("movie") / "movie.mrc"
    with mrcfile.new(path) as file:
        file.set_data(known_movie(size=640, frames=8, counts=4.0, contrast=0.2, local=2.0).counts.astype(np.uint16))
        file.set_image_stack()
    return path


def _process(movie: Path, out: Path, **environment: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Hash of everything written but the report; and the report, without the times."""
    command = [str(Path(sys.executable).parent / "athena"), "process", "movie", str(movie)]
    command += ["--pixel-size", "1", "--voltage", "300", "--dose-per-frame", "4", "--out", str(out)]
    subprocess.run(command, env={**os.environ, **environment}, check=True, stderr=subprocess.DEVNULL)
    report = json.loads((out / "movie.json").read_text())
    del report["seconds"], report["cpu_seconds"]
    hashes = {
        # the header of an MRC file has the time in it
        path.name: hashlib.sha256(path.read_bytes()[1024 if path.suffix == ".mrc" else 0 :]).hexdigest()
        for path in out.iterdir()
        if path.suffix != ".json"
    }
    return hashes, report


def _numbers(value: Any) -> list[float]:
    match value:
        case dict():
            return [number for item in value.values() for number in _numbers(item)]
        case list():
            return [number for item in value for number in _numbers(item)]
        case float():
            return [value]
        case _:
            return []


def test_threads_and_memory_change_nothing(movie: Path, tmp_path: Path) -> None:
    first = _process(movie, tmp_path / "first")
    assert len(first[0]) == 5
    # two threads for what knows threads, and memory that is never zero by chance
    again = _process(movie, tmp_path / "again", OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2", MALLOC_PERTURB_="165")
    assert again == first


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names code that is for this processor")
def test_other_code_of_a_library_changes_no_more_than_rounding_does(movie: Path, tmp_path: Path) -> None:
    _, first = _process(movie, tmp_path / "first")
    _, other = _process(movie, tmp_path / "other", OPENBLAS_CORETYPE="Nehalem")
    assert len(_numbers(first)) > 100
    np.testing.assert_allclose(_numbers(other), _numbers(first), rtol=ROUNDING, atol=ROUNDING)
