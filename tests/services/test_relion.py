"""Results as RELION's files, read back by readers of others."""

import uuid
from pathlib import Path

import gemmi
import numpy as np
import pytest
import starfile

from athena.db.acquisitions import AcquisitionRow
from athena.services.relion import motion_file, star_files
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from tests.zarrio.factories import make_result

COLUMNS = {
    "optics_group": [1, 2, 1, 2],
    "pixel_size_angstrom": [0.84, 0.84, 0.84, 0.42],  # the last one has another, which makes it a group of its own
    "defocus_u_angstrom": [10100.5, 20200.25, np.nan, 9000.0],
    "defocus_v_angstrom": [9900.0, 20000.0, np.nan, 8000.0],
    "astigmatism_angle_deg": [-45.5, 12.25, np.nan, 3.0],
    "phase_shift_deg": [0.0, 35.5, np.nan, 0.0],
    "ctf_score": [0.2, 0.15, 0.01, 0.1],
    "ctf_resolution_angstrom": [3.5, 4.25, np.nan, 6.0],
    "drift_total_angstrom": [5.0, 6.0, np.nan, 9.0],
    "dose_e_per_A2": [48.0] * 4,
    "frame_count": [6.0] * 4,
}
FITTED = [0, 1, 3]


@pytest.fixture
def rows(tmp_path: Path) -> list[AcquisitionRow]:
    """Processed acquisitions, and their results in ``tmp_path / "run.zarr"``."""
    store = tmp_path / "run.zarr"
    RunWriter.create(store, frames=6).write_results([make_result(index) for index in range(4)])
    RunWriter.open(store).write_metrics(range(4), COLUMNS)
    write_pyramid(store, 1, np.zeros((30, 40), np.float32), pixel_size_angstrom=0.84)
    return [
        AcquisitionRow(
            run_id=uuid.uuid4(), index=index, name=f"shot {index}", state="completed", optics={"voltage_kv": 200.0}
        )
        for index in range(4)
    ]


@pytest.mark.feature("EX-02", "BY-10")
def test_lists_of_micrographs_hold_the_results(rows: list[AcquisitionRow], tmp_path: Path) -> None:
    texts = star_files(
        rows, str(tmp_path / "run.zarr"), {"spherical_aberration_mm": 1.4}, place=lambda row: f"mics/{row.index}"
    )
    tables = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        tables[name] = starfile.read(tmp_path / name)
        optics, micrographs = tables[name]["optics"], tables[name]["micrographs"]
        # RELION refuses a micrograph whose group the table of optics lacks, or a group that is there twice
        assert optics["rlnOpticsGroup"].tolist() == [1, 2, 3]
        assert optics["rlnMicrographPixelSize"].tolist() == [0.84, 0.84, 0.42]
        assert optics["rlnMicrographOriginalPixelSize"].tolist() == [0.84, 0.84, 0.42]
        assert set(optics["rlnVoltage"]) == {200.0}  # as the microscope says
        assert set(optics["rlnSphericalAberration"]) == {1.4}  # as the run's parameters say
        assert set(optics["rlnAmplitudeContrast"]) == {0.07}
        assert set(micrographs["rlnOpticsGroup"]) <= {1, 2, 3}
    corrected = tables["corrected_micrographs.star"]["micrographs"]
    assert corrected["rlnMicrographName"].tolist() == [f"mics/{index}.mrc" for index in range(4)]
    assert corrected["rlnMicrographMetadata"].tolist() == [f"mics/{index}.star" for index in range(4)]
    assert corrected["rlnOpticsGroup"].tolist() == [1, 2, 1, 3]
    assert corrected["rlnAccumMotionTotal"].tolist() == [5.0, 6.0, 0.0, 9.0]  # nothing measured, nothing applied
    assert "rlnAccumMotionEarly" not in corrected  # not known
    known = tables["micrographs_ctf.star"]["micrographs"]
    assert known["rlnOpticsGroup"].tolist() == [1, 2, 3]
    for label, name in {
        "rlnDefocusU": "defocus_u_angstrom",
        "rlnDefocusV": "defocus_v_angstrom",
        "rlnDefocusAngle": "astigmatism_angle_deg",
        "rlnPhaseShift": "phase_shift_deg",
        "rlnCtfFigureOfMerit": "ctf_score",
        "rlnCtfMaxResolution": "ctf_resolution_angstrom",
    }.items():
        np.testing.assert_allclose(known[label], [COLUMNS[name][index] for index in FITTED], atol=1e-6)
    np.testing.assert_allclose(known["rlnCtfAstigmatism"], known["rlnDefocusU"] - known["rlnDefocusV"], atol=1e-6)


@pytest.mark.feature("EX-02")
def test_unweighted_sums_are_told_where_all_have_them(rows: list[AcquisitionRow], tmp_path: Path) -> None:
    store, kept = str(tmp_path / "run.zarr"), {"keep_unweighted": True}

    def corrected() -> object:
        text = star_files(rows, store, kept, place=lambda row: f"mics/{row.index}")["corrected_micrographs.star"]
        (tmp_path / "c.star").write_text(text)
        return starfile.read(tmp_path / "c.star")["micrographs"]

    image = np.zeros((30, 40), np.float32)
    for index in range(4):
        write_pyramid(store, index, image, pixel_size_angstrom=0.84, plain=image if index else None)
    assert "rlnMicrographNameNoDW" not in corrected()
    write_pyramid(store, 0, image, pixel_size_angstrom=0.84, plain=image)
    assert corrected()["rlnMicrographNameNoDW"].tolist() == [f"mics/{index}_noDW.mrc" for index in range(4)]


@pytest.mark.feature("EX-02")
def test_motion_of_a_movie_is_told_in_shifts_to_apply(rows: list[AcquisitionRow], tmp_path: Path) -> None:
    text = motion_file(rows[1], str(tmp_path / "run.zarr"), {}, movie="raw/a b.tiff", gain=None)
    document = gemmi.cif.read_string(text)
    assert [block.name for block in document] == ["general", "global_shift", "local_motion_model"]
    general = document[0]
    assert gemmi.cif.as_string(general.find_value("_rlnMicrographMovieName")) == "raw/a b.tiff"
    assert float(general.find_value("_rlnMicrographDoseRate")) == 8.0
    assert [general.find_value(f"_rlnImageSize{axis}") for axis in "XYZ"] == ["40", "30", "6"]
    expected = -np.array(make_result(1).global_motion).reshape(6, 2) / 0.84
    for axis, values in zip("XY", expected.T, strict=True):
        found = [float(value) for value in document[1].find_values(f"_rlnMicrographShift{axis}")]
        np.testing.assert_allclose(found, values, atol=1e-5)
    assert len(document[2].find_values("_rlnMotionModelCoeff")) == 36
