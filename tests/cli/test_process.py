"""``athena process``: the command a script runs, with no server; signs and axes against a known movie."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest
import starfile
import tifffile

from athena.cli import process
from athena.contract.processing import GainOrientation
from tests.pipelines.conftest import KnownMovie, known_movie, local_at, rms

pytestmark = pytest.mark.feature("EQ-01", "NB-06")

FRAMES = 16


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "athena", "process", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def known() -> KnownMovie:
    return known_movie(size=1024, frames=FRAMES, counts=2.0, drift=9.0, local=2.5)


@pytest.fixture(scope="module")
def movie(known: KnownMovie, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("movies") / "movie.tiff"
    tifffile.imwrite(path, known.counts[:, ::-1], compression="lzw", photometric="minisblack", rowsperstrip=64)
    return path


@pytest.fixture(scope="module")
def processed(movie: Path) -> Path:
    out = movie.parent / "out"
    options = ("--pixel-size", 1.0, "--voltage", 300, "--cs", 2.7, "--amplitude-contrast", 0.07)
    bad = movie.with_name("cut.tiff")
    bad.write_bytes(movie.read_bytes()[:20000])
    done = run("movie", bad, movie, *options, "--dose-per-frame", 1.5, "--patches", "5x5", "--threads", 1, "--out", out)
    assert done.returncode == 1, done.stderr  # one of them is cut short; the other is done
    assert "1 of 2  cut.tiff  failed: cut.tiff" in done.stderr
    assert "2 of 2  movie.tiff" in done.stderr
    assert not (out / "cut.json").exists()
    return out


def test_what_was_measured(processed: Path, known: KnownMovie) -> None:
    found = json.loads((processed / "movie.json").read_text())
    assert found["pixel_size_angstrom"] == 1.0
    motion = np.array(found["frame_motion_px"])
    assert motion.shape == (FRAMES, 2)
    assert motion[0].tolist() == [0, 0]
    assert rms(motion, known.motion) < 0.2
    grid = found["motion_grid"]
    field = np.array(grid["motion_px"])
    assert field.shape == (FRAMES, 5, 5, 2)
    y, x = np.meshgrid(grid["y_px"], grid["x_px"], indexing="ij")
    local = local_at(y / 1024 - 0.5, x / 1024 - 0.5, 2.5)[::-1].transpose(1, 2, 0)  # (y, x) → (…, (x, y))
    time = np.linspace(0, 1, FRAMES)
    truth = known.motion[:, None, None] + time[:, None, None, None] * local
    assert rms(field.reshape(FRAMES, -1), truth.reshape(FRAMES, -1)) < 0.3
    assert found["ctf"]["defocus_u_angstrom"] == pytest.approx(15500, abs=60)
    assert found["ctf"]["defocus_v_angstrom"] == pytest.approx(15000, abs=60)
    assert found["ctf"]["astigmatism_angle_deg"] == pytest.approx(30, abs=6)
    assert found["ctf"]["phase_shift_rad"] == 0
    assert found["ctf"]["confidence_range_angstrom"] < 5
    assert {"total_angstrom", "early_angstrom", "noise_px"} <= set(found["drift"])
    assert {"read", "align", "sum", "ctf", "write"} <= set(found["cpu_seconds"]) == set(found["seconds"])
    assert found["software"].startswith("athena ")


def test_the_star_file_is_relions(processed: Path, known: KnownMovie) -> None:
    blocks: dict[str, Any] = starfile.read(processed / "movie.star", always_dict=True)
    general = blocks["general"]
    assert (general["rlnImageSizeX"], general["rlnImageSizeZ"], general["rlnMotionModelVersion"]) == (1024, FRAMES, 1)
    shifts = blocks["global_shift"][["rlnMicrographShiftX", "rlnMicrographShiftY"]].to_numpy()
    # shifts to apply: minus the specimen's motion
    assert rms(-shifts, known.motion) < 0.2
    coefficients = blocks["local_motion_model"]["rlnMotionModelCoeff"].to_numpy().reshape(2, 6, 3)
    z = np.arange(FRAMES, dtype=float)
    x, y = 0.3, -0.2
    space = np.array([1, x, x * x, y, y * y, x * y])
    local = np.einsum("amp,m,pz->za", coefficients, space, np.stack([z, z**2, z**3]))
    truth = np.linspace(0, 1, FRAMES)[:, None] * np.array(local_at(y, x, 2.5))[::-1]
    assert rms(-(shifts + local), known.motion + truth) < 0.35


def test_micrographs_are_sharp_and_tell_their_pixel(processed: Path, known: KnownMovie) -> None:
    for name in ("movie.mrc", "movie_dw.mrc"):
        with mrcfile.open(processed / name) as mrc:
            assert mrc.data.shape == (1024, 1024)
            assert mrc.data.dtype == np.float32
            assert mrc.voxel_size.x == pytest.approx(1.0)
    plain = mrcfile.read(processed / "movie.mrc")
    assert plain.mean() == pytest.approx(known.counts.sum(axis=0).mean(), rel=0.02)
    for picture in ("movie_thumb.png", "movie_ctf.png"):
        assert (processed / picture).read_bytes().startswith(b"\x89PNG")


def test_the_ctf_of_a_micrograph(processed: Path, tmp_path: Path, make_blank: Callable[[Path], Path]) -> None:
    done = run("ctf", processed / "movie.mrc", make_blank(tmp_path / "blank.mrc"), "--voltage", 300, "--json")
    assert done.returncode == 1
    assert "blank.mrc" in done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found["defocus_u_angstrom"] == pytest.approx(15500, abs=60)
    assert found["determined"] is True
    assert "15" in run("ctf", processed / "movie.mrc", "--voltage", 300).stdout.splitlines()[1].split()[0]


def test_no_voltage_is_guessed(processed: Path, movie: Path, tmp_path: Path) -> None:
    done = run("ctf", processed / "movie.mrc")
    assert done.returncode == 1
    assert "does not say its acceleration voltage. Give it: --voltage 300" in done.stderr
    done = run("movie", movie, "--pixel-size", 1.0, "--out", tmp_path)
    assert done.returncode == 2
    assert "--voltage" in done.stderr


@pytest.fixture
def make_blank() -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        with mrcfile.new(path) as mrc:
            mrc.set_data(np.full((256, 256), 3, np.float32))
        return path

    return make


def test_what_cannot_be_meant_is_refused(movie: Path, tmp_path: Path) -> None:
    out = ("--pixel-size", 1, "--voltage", 300, "--out", tmp_path)
    assert "5by5" in run("movie", movie, "--patches", "5by5", *out).stderr
    assert "overwrite" in run("movie", movie, movie.parent / "other" / "movie.tiff", *out).stderr
    missing = run("movie", tmp_path / "missing.tiff", *out)
    assert missing.returncode == 1
    assert "missing.tiff cannot be read" in missing.stderr


def test_the_names_of_orientations_are_those_of_the_contract() -> None:
    assert (
        tuple(name.value for name in GainOrientation if name is not GainOrientation.AUTO) == process.ORIENTATION_NAMES
    )
