"""Groups of exposures for cryoSPARC, read back by cryoSPARC's own library."""

import hashlib
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from cryosparc.dataset import Dataset

from athena.formats.cryosparc import Exposure, Movie, group, signature, table
from athena.formats.relion import Imaging

MOVIE = Movie(
    "raw/é movie.tif", (40, 4092, 5760), "/data/é movie.tif", "camera/gain.mrc", (4092, 5760), "camera/bad.txt"
)
FIRST = Exposure(
    origin="run/0",
    path="micrographs/a.mrc",
    shape=(4092, 5760),
    weighted=True,
    imaging=Imaging(1, 0.84, 300.0, 2.7, 0.07),
    group=3,
    dose_e_per_A2=48.5,
    defocus=(12000.0, 11000.0, -45.0),
    phase_shift_deg=90.0,
    merit=0.25,
    resolution_angstrom=3.5,
    movie=MOVIE,
)
UNKNOWN = replace(
    FIRST,
    origin="run/1",
    path="micrographs/a longer name.mrc",
    defocus=(9000.0, 8000.0, 10.0),
    dose_e_per_A2=math.nan,
    phase_shift_deg=math.nan,
    merit=math.nan,
    resolution_angstrom=math.nan,
)


def read_back(folder: Path, exposures: list[Exposure], *, with_ctf: bool = True) -> Dataset:
    (folder / "e.cs").write_bytes(table(exposures, with_ctf=with_ctf))
    return Dataset.load(folder / "e.cs")


@pytest.mark.feature("EX-02")
def test_every_field_comes_back(tmp_path: Path) -> None:
    found = read_back(tmp_path, [FIRST, UNKNOWN])
    assert len(found) == 2
    assert len(set(found["uid"])) == 2
    expected = {
        "movie_blob/path": [">raw/é movie.tif"] * 2,
        "movie_blob/shape": [[40, 4092, 5760]] * 2,
        "movie_blob/psize_A": [0.84] * 2,
        "movie_blob/is_gain_corrected": [0, 0],
        "movie_blob/format": ["TIFF"] * 2,
        "movie_blob/has_defect_file": [1, 1],
        "movie_blob/import_sig": [int(hashlib.sha1("/data/é movie.tif".encode()).hexdigest()[:16], 16)] * 2,
        "gain_ref_blob/path": [">camera/gain.mrc"] * 2,
        "gain_ref_blob/idx": [0, 0],
        "gain_ref_blob/shape": [[4092, 5760]] * 2,
        "gain_ref_blob/flip_x": [0, 0],
        "gain_ref_blob/flip_y": [0, 0],
        "gain_ref_blob/rotate_num": [0, 0],
        "mscope_params/accel_kv": [300.0] * 2,
        "mscope_params/cs_mm": [2.7] * 2,
        "mscope_params/total_dose_e_per_A2": [48.5, 0.0],
        "mscope_params/phase_plate": [0, 0],
        "mscope_params/neg_stain": [0, 0],
        "mscope_params/exp_group_id": [3, 3],
        "mscope_params/defect_path": [">camera/bad.txt"] * 2,
        "micrograph_blob/path": [">micrographs/a.mrc", ">micrographs/a longer name.mrc"],
        "micrograph_blob/idx": [0, 0],
        "micrograph_blob/shape": [[4092, 5760]] * 2,
        "micrograph_blob/psize_A": [0.84] * 2,
        "micrograph_blob/format": ["MRC"] * 2,
        "micrograph_blob/is_background_subtracted": [0, 0],
        "micrograph_blob/vmin": [0, 0],
        "micrograph_blob/vmax": [0, 0],
        "micrograph_blob/import_sig": [signature("run/0 micrograph"), signature("run/1 micrograph")],
        "ctf/type": ["imported"] * 2,
        "ctf/path": ["", ""],
        "ctf/exp_group_id": [3, 3],
        "ctf/accel_kv": [300.0] * 2,
        "ctf/cs_mm": [2.7] * 2,
        "ctf/amp_contrast": [0.07] * 2,
        "ctf/df1_A": [12000.0, 9000.0],
        "ctf/df2_A": [11000.0, 8000.0],
        "ctf/df_angle_rad": [-math.pi / 4, math.pi / 18],
        "ctf/phase_shift_rad": [math.pi / 2, 0.0],
        "ctf/cross_corr_ctffind4": [0.25, 0.0],
        "ctf/ctf_fit_to_A": [3.5, 999.0],
    }
    assert set(found.fields()) == {"uid", *expected}
    for name, values in expected.items():
        if isinstance(values[0], str):
            assert list(found[name]) == values, name
        else:
            np.testing.assert_allclose(np.array(found[name], dtype=np.float64), values, rtol=1e-6, err_msg=name)


@pytest.mark.feature("EX-02")
def test_types_are_those_of_cryosparcs_own_tables(tmp_path: Path) -> None:
    (tmp_path / "e.cs").write_bytes(table([FIRST], with_ctf=True))
    types = np.load(tmp_path / "e.cs", allow_pickle=False).dtype
    for name in types.names:
        field = name.rpartition("/")[2]
        kind = {"uid": "<u8", "import_sig": "<u8", "path": "S", "format": "S", "type": "S", "defect_path": "S"}.get(
            field
        )
        integers = ("idx", "shape", "flip_x", "flip_y", "rotate_num", "phase_plate", "neg_stain", "exp_group_id")
        whole = field in integers or field.startswith(("is_", "has_"))
        kind = kind or ("<u4" if whole else "<f4")
        assert types[name].base.str.startswith("|S" if kind == "S" else kind), name
    assert types["movie_blob/shape"].shape == (3,)
    assert types["micrograph_blob/shape"].shape == types["gain_ref_blob/shape"].shape == (2,)


@pytest.mark.feature("EX-02")
def test_slots_are_what_all_exposures_have(tmp_path: Path) -> None:
    def prefixes(exposures: list[Exposure], *, with_ctf: bool = False) -> set[str]:
        return set(read_back(tmp_path, exposures, with_ctf=with_ctf).prefixes())

    always = {"mscope_params", "micrograph_blob"}
    assert prefixes([FIRST]) == {*always, "movie_blob", "gain_ref_blob"}
    assert prefixes([FIRST, replace(FIRST, movie=None)]) == always
    assert prefixes([replace(FIRST, movie=replace(MOVIE, path="raw/a.eer"))]) == always
    assert prefixes([replace(FIRST, movie=replace(MOVIE, gain=None))]) == {*always, "movie_blob"}
    unweighted = replace(FIRST, weighted=False, movie=None)
    assert prefixes([unweighted], with_ctf=True) == {*always, "micrograph_blob_non_dw", "ctf"}
    assert prefixes([unweighted, replace(FIRST, movie=None)]) == always
    assert list(read_back(tmp_path, [unweighted])["micrograph_blob_non_dw/path"]) == [">micrographs/a.mrc"]
    corrected = read_back(tmp_path, [replace(FIRST, movie=replace(MOVIE, gain=None, defects=""))])
    assert list(corrected["movie_blob/is_gain_corrected"]) == [1]
    assert list(corrected["mscope_params/defect_path"]) == [""]
    assert len(read_back(tmp_path, [])) == 0


@pytest.mark.feature("EX-02")
def test_the_group_names_table_slots_and_types() -> None:
    title = "Grid: 'best' # of\n{two}"
    text = group(
        [FIRST, UNKNOWN], with_ctf=True, metafile="e.cs", title=title, created=datetime(2026, 7, 14, tzinfo=UTC)
    )
    found = yaml.safe_load(text)
    assert set(found) == {"created", "group", "results"}
    assert found["created"] == datetime(2026, 7, 14)
    assert set(found["group"]) == {"description", "name", "title", "type"}
    assert found["group"]["title"] == "Grid: 'best' # of {two}"
    assert found["group"]["type"] == "exposure"
    assert set(found["results"]) == {"movie_blob", "gain_ref_blob", "mscope_params", "micrograph_blob", "ctf"}
    for slot, about in found["results"].items():
        assert about == {"metafile": ">e.cs", "num_items": 2, "type": f"exposure.{slot}"}
    plain = group(
        [replace(FIRST, weighted=False)], with_ctf=False, metafile="e.cs", title="", created=datetime.now(UTC)
    )
    assert yaml.safe_load(plain)["results"]["micrograph_blob_non_dw"]["type"] == "exposure.micrograph_blob"
