"""The planner: what a movie is processed with, and what stands in the way."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from athena.contract.acquisitions import Optics
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.errors import Invalid
from athena.jobs.plan import MAX_ATTEMPTS, NoPixelSize, NoVoltage, frames_of, make_task
from athena_pipelines.simulate.eer import write_eer


@pytest.fixture
def row(folder) -> Callable[..., AcquisitionRow]:
    """``row(attempts=0, **optics)`` is an acquisition with a movie of three frames."""

    def make(*, attempts: int = 0, voltage_kv: float | None = 300.0, **optics: object) -> AcquisitionRow:
        said = Optics.model_validate({"voltage_kv": voltage_kv, **optics}).model_dump(mode="json")
        movie = str(folder.add_movie("a"))
        return AcquisitionRow(run_id=uuid4(), index=3, name="a", movie=movie, optics=said, attempts=attempts)

    return make


def test_the_microscope_s_word_is_taken(row: Callable[..., AcquisitionRow]) -> None:
    one = row(
        pixel_size_angstrom=0.8,
        voltage_kv=200.0,
        spherical_aberration_mm=1.4,
        amplitude_contrast=0.1,
        total_dose_e_per_A2=40.0,
        frame_count=20,
        phase_plate=True,
    )
    source = SourceRow(gain_reference="/data/gain.mrc")
    task = make_task(one, parameters={}, source=source, store="/data/run.zarr")
    assert (task.index, task.run_id, task.store, task.gain) == (3, str(one.run_id), "/data/run.zarr", "/data/gain.mrc")
    chosen = task.parameters
    assert chosen.gain_orientation == "auto"
    assert (chosen.pixel_size_angstrom, chosen.voltage_kv, chosen.spherical_aberration_mm) == (0.8, 200.0, 1.4)
    assert (chosen.amplitude_contrast, chosen.dose_per_frame_e_per_A2) == (0.1, 2.0)
    assert chosen.search_phase_shift


def test_how_a_gain_lies_is_remembered_until_there_is_another(row: Callable[..., AcquisitionRow]) -> None:
    found = {"gain": "/data/gain.mrc", "orientation": "flip_x", "sense": "divide"}
    source = SourceRow(gain_reference="/data/gain.mrc", gain_found=found)
    one = row(pixel_size_angstrom=0.8)
    chosen = make_task(one, parameters={}, source=source, store="s").parameters
    assert (chosen.gain_orientation, chosen.gain_sense) == ("flip_x", "divide")
    told = make_task(one, parameters={"gain_orientation": "as_is"}, source=source, store="s").parameters
    assert (told.gain_orientation, told.gain_sense) == ("as_is", "divide")
    source.gain_reference = "/data/new.mrc"
    assert make_task(one, parameters={}, source=source, store="s").parameters.gain_orientation == "auto"


def test_the_run_s_parameters_win(row: Callable[..., AcquisitionRow]) -> None:
    parameters = {"pixel_size_angstrom": 1.1, "dose_per_frame_e_per_A2": 0.5, "patches_x": 3}
    task = make_task(
        row(pixel_size_angstrom=0.8, total_dose_e_per_A2=40.0), parameters=parameters, source=None, store="s"
    )
    assert (task.parameters.pixel_size_angstrom, task.parameters.dose_per_frame_e_per_A2) == (1.1, 0.5)
    assert (task.parameters.patches_x, task.parameters.patches_y, task.gain) == (3, 5, None)


def test_frames_are_counted_in_the_movie_when_nothing_says_them(row: Callable[..., AcquisitionRow]) -> None:
    one = row(pixel_size_angstrom=0.8, total_dose_e_per_A2=30.0)
    assert make_task(one, parameters={}, source=None, store="s").parameters.dose_per_frame_e_per_A2 == 10.0
    assert frames_of(one, {}) == 3
    assert frames_of(row(frame_count=7), {}) == 7
    Path(str(one.movie)).write_bytes(b"nonsense")
    assert frames_of(one, {}) == 1


def test_what_stands_in_the_way(row: Callable[..., AcquisitionRow]) -> None:
    with pytest.raises(NoVoltage, match=r"voltage of a is not known: its metadata does not say it. .*voltage_kv=300"):
        make_task(row(pixel_size_angstrom=0.8, voltage_kv=None), parameters={}, source=None, store="s")
    told = make_task(
        row(pixel_size_angstrom=0.8, voltage_kv=None), parameters={"voltage_kv": 200}, source=None, store="s"
    )
    assert (told.parameters.voltage_kv, told.defects) == (200, None)
    with pytest.raises(NoPixelSize, match="pixel size of a is not known"):
        make_task(row(), parameters={}, source=None, store="s")
    with pytest.raises(Invalid, match="patches_x is 0"):
        make_task(row(pixel_size_angstrom=1.0), parameters={"patches_x": 0}, source=None, store="s")
    with pytest.raises(Invalid, match="never ended"):
        make_task(row(pixel_size_angstrom=1.0, attempts=MAX_ATTEMPTS), parameters={}, source=None, store="s")
    with pytest.raises(Invalid, match="no movie"):
        make_task(AcquisitionRow(name="b", movie=None), parameters={}, source=None, store="s")


@pytest.mark.feature("AC-03")
def test_eer_movies_are_grouped_by_dose(row: Callable[..., AcquisitionRow], tmp_path: Path) -> None:
    frames = np.random.default_rng(0).random((42, 16, 32)) < 0.05
    write_eer(tmp_path / "a.eer", frames, metadata={}, seed=1)
    one = row(pixel_size_angstrom=0.8, total_dose_e_per_A2=10.5, frame_count=42)
    one.movie = str(tmp_path / "a.eer")
    chosen = make_task(one, parameters={}, source=None, store="s").parameters
    assert (chosen.eer_frames_per_fraction, chosen.dose_per_frame_e_per_A2) == (4, 1.0)
    assert frames_of(one, {}) == 10
    chosen = make_task(one, parameters={"eer_frames_per_fraction": 7}, source=None, store="s").parameters
    assert (chosen.eer_frames_per_fraction, chosen.dose_per_frame_e_per_A2) == (7, 1.75)
    assert frames_of(one, {"eer_frames_per_fraction": 7}) == 6


def test_the_run_s_copy_of_the_defects_is_named(row: Callable[..., AcquisitionRow]) -> None:
    one = row(pixel_size_angstrom=0.8)
    parameters = {"defects": "/data/scope/Bad Pixels.TXT", "defects_sha256": 64 * "a"}
    task = make_task(one, parameters=parameters, source=None, store="/home/runs/x.branch-2.zarr")
    assert task.defects == f"/home/runs/{one.run_id}.defects/{64 * 'a'}.txt"
    assert task.parameters.defects == "/data/scope/Bad Pixels.TXT"
