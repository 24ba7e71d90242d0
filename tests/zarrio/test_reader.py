"""Reading a run's group: lazy, trimmed, honest about what is not there."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from athena.errors import Invalid, NotFound
from athena.zarrio import layout, reader
from athena.zarrio.writer import RunWriter
from tests.zarrio.factories import make_result


@pytest.fixture
def filled(store: Path) -> Path:
    writer = RunWriter.open(store)
    writer.write_results([make_result(index) for index in (0, 1, 3)])
    writer.write_images(1, thumbnail=np.arange(256 * 256, dtype=np.uint32).reshape(256, 256).astype(np.uint8))
    return store


@pytest.mark.feature("NB-02")
def test_dataset_has_every_metric_with_unit_and_label(filled: Path) -> None:
    results = reader.open_results(filled, length=4)
    assert set(results.data_vars) == set(layout.METRICS) | set(layout.ARRAYS)
    assert results.sizes["acquisition"] == 4
    assert results.acquisition.values.tolist() == [0, 1, 2, 3]
    assert results.defocus_um.attrs == {"units": "µm", "long_name": "Defocus"}
    np.testing.assert_array_equal(results.defocus_um, [1.0, 2.0, np.nan, 4.0])
    np.testing.assert_array_equal(results.iciness, [np.nan] * 4)
    assert results.curve.values.tolist() == list(layout.CTF_CURVES)


def test_indexing_counts_from_the_trimmed_end(filled: Path) -> None:
    results = reader.open_results(filled, length=4)
    assert results.defocus_um[-1].item() == 4.0
    np.testing.assert_array_equal(results.drift_total_angstrom[::-1], [1.5, np.nan, 0.5, 0.0])
    np.testing.assert_array_equal(results.motion_global.isel(acquisition=-1, frame=0), [3, 4])
    np.testing.assert_array_equal(results.motion_global[[0, 3], -1, 1], [11, 14])
    assert results.motion[1:3, [0, 2], ::2].shape == (2, 2, 3, 5, 2)
    flipped = results.thumbnail.isel(acquisition=1, y=slice(None, None, -1)).values
    np.testing.assert_array_equal(flipped, results.thumbnail[1].values[::-1])
    good = results.defocus_um > 1.5
    assert results.motion_global.isel(acquisition=np.flatnonzero(good)).shape == (2, 6, 2)
    with pytest.raises(IndexError):
        results.defocus_um[4].load()


def test_dataset_is_lazy_until_asked(filled: Path) -> None:
    results = reader.open_results(filled, length=4)
    RunWriter.open(filled).write_metrics([2], {"defocus_um": [9.0]})
    assert results.defocus_um[2].item() == 9.0


def test_acquisitions_beyond_the_arrays_read_as_not_there_yet(filled: Path) -> None:
    longer = layout.BLOCK + 10
    results = reader.open_results(filled, length=longer)
    assert results.defocus_um.shape == (longer,)
    assert results.defocus_um[3].item() == 4.0
    assert np.isnan(results.defocus_um[-1])
    assert np.isnan(results.motion_global[-1, 0]).all()
    np.testing.assert_array_equal(results.motion_global[[3, longer - 1], 0, 1], [4.0, np.nan])
    assert results.motion[[longer - 2, 3], 2, [0, 1, 2]].shape == (2, 3, 5, 2)
    np.testing.assert_array_equal(results.defocus_um.values[:4], [1.0, 2.0, np.nan, 4.0])


def test_a_run_without_any_result_has_metrics_that_are_nan(tmp_path: Path) -> None:
    results = reader.open_results(tmp_path / "none.zarr", length=3)
    assert set(results.data_vars) == set(layout.METRICS)
    assert np.isnan(results.defocus_um).all()


def test_no_dask_is_needed(filled: Path) -> None:
    code = (
        "import sys\nfrom athena.zarrio import reader\n"
        "print(reader.open_results(sys.argv[1], length=4).thumbnail[1, 0, 5].item())\n"
        "assert 'distributed' not in sys.modules and 'athena_pipelines' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", code, str(filled)], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "5"


def test_no_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no results yet"):
        reader.open_results(tmp_path / "none.zarr")
    assert not list(tmp_path.iterdir())


def test_table_has_a_value_for_every_acquisition_asked(filled: Path) -> None:
    table = reader.read_table(filled, ["defocus_um"], 3, layout.BLOCK + 5)
    assert table["defocus_um"].shape == (layout.BLOCK + 2,)
    assert table["defocus_um"][0] == 4.0
    assert np.isnan(table["defocus_um"][1:]).all()
    assert reader.read_table(filled / "none", ["defocus_um"], 0, 2)["defocus_um"].shape == (2,)
    assert reader.read_table(filled, ["defocus_um"], 5, 5)["defocus_um"].shape == (0,)
    with pytest.raises(Invalid, match="beauty"):
        reader.read_table(filled, ["beauty"], 0, 1)


@pytest.mark.feature("EQ-02")
def test_curves_of_known_and_unknown(filled: Path) -> None:
    first, none, beyond = reader.read_curves(filled, [3, 2, 10**6])
    assert first.global_motion[0] == (3.0, 4.0)
    assert len(first.experimental) == layout.CURVE_LENGTH
    assert first.frequency[0] == 0.0
    assert none.global_motion == beyond.global_motion == none.theory == none.patch_centres == ()
    assert [c.index for c in (first, none, beyond)] == [3, 2, 10**6]


def test_pictures(filled: Path) -> None:
    assert reader.read_thumbnail(filled, 1)[0, 3] == 3
    for missing in (0, 10**6, -1):
        with pytest.raises(NotFound, match="thumbnail"):
            reader.read_thumbnail(filled, missing)
    with pytest.raises(NotFound, match="spectrum_fit"):
        reader.read_spectrum(filled, 1, fit=True)
