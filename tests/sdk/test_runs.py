"""Runs as users see them: live results, tables, acquisitions, events."""

import pickle
import threading
from collections.abc import Callable

import mrcfile
import numpy as np
import pytest
import starfile
import zarr
from cryosparc.dataset import Dataset

from athena.contract.acquisitions import AcquisitionState
from athena.contract.events import EventKind
from athena.db.acquisitions import AcquisitionRow
from athena.errors import Invalid, NotFound, Unavailable
from athena.sdk.connection import Athena
from athena.sdk.runs import Run
from athena.zarrio import layout
from athena.zarrio.pyramid import read_level
from tests.conftest import add_acquisitions

NewRun = Callable[[], Run]
Process = Callable[[Run, int], None]


@pytest.mark.feature("NB-02")
def test_results_follow_the_run(new_run: NewRun, process: Process) -> None:
    run = new_run()
    assert run.results.sizes["acquisition"] == 0
    process(run, 2)
    first = run.results
    np.testing.assert_array_equal(first.defocus_um, [1.0, 2.0])
    assert run.results is first
    process(run, 1)
    second = run.results
    np.testing.assert_array_equal(second.defocus_um, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(first.defocus_um, [1.0, 2.0])
    assert second.attrs["version"] == run.version > first.attrs["version"]
    assert second.name.values.tolist() == ["FoilHole_00000", "FoilHole_00001", "FoilHole_00002"]
    assert second.state.values.tolist() == ["completed"] * 3
    assert second.defocus_um.attrs["units"] == "µm"
    assert second.thumbnail[2].values.max() == 12
    np.testing.assert_array_equal(second.motion_global[2, 0], [2.0, 3.0])
    assert second.motion.sel(axis="x")[0, 1, 2, 3].item() == pytest.approx(0.123)


def test_results_before_anything_is_processed(new_run: NewRun, running) -> None:
    run = new_run()
    add_acquisitions(running.database, run.model, count=2)
    assert np.isnan(run.results.defocus_um).all()
    assert run.results.state.values.tolist() == ["registered", "registered"]
    waiting = run.acquisition(1)
    assert waiting.metrics == {}
    assert waiting.motion.sizes == {"frame": 0, "axis": 2, "patch": 0}
    assert waiting.ctf.sizes == {"frequency": 0}
    for read in (waiting.thumbnail, waiting.spectrum, waiting.image):
        with pytest.raises(NotFound):
            read()


@pytest.mark.feature("NB-02")
def test_table_is_a_data_frame(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 2)
    add_acquisitions(running.database, run.model, state=AcquisitionState.ERROR, error="truncated")
    table = run.table()
    assert table.index.name == "acquisition"
    assert list(table.columns) == ["name", "state", "error", "verdict", *layout.METRICS]
    assert table.error.tolist() == ["", "", "truncated"]
    np.testing.assert_array_equal(table.defocus_um, [1.0, 2.0, np.nan])
    assert list(run.table(["iciness"]).columns) == ["name", "state", "error", "verdict", "iciness"]
    with pytest.raises(Invalid, match="beauty"):
        run.table(["beauty"])


@pytest.mark.feature("EQ-01", "EQ-02")
def test_an_acquisition_has_numbers_curves_and_pictures(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 2)
    acquisition = run.acquisition("FoilHole_00001")
    assert (acquisition.index, acquisition.state, acquisition.error) == (1, AcquisitionState.COMPLETED, "")
    assert acquisition.flags == acquisition.model.flags
    assert acquisition.processed == acquisition.model.processed
    assert acquisition.acquired == acquisition.model.acquired
    assert acquisition.metrics == {"defocus_um": 2.0, "drift_total_angstrom": 0.5}
    assert acquisition.model.optics.pixel_size_angstrom == 0.84
    assert acquisition.ctf.sizes == {"frequency": layout.CURVE_LENGTH}
    assert acquisition.ctf.attrs == {"defocus_um": 2.0}
    motion = acquisition.motion
    assert motion.patches.dims == ("patch", "frame", "axis")
    assert motion.patches.shape == (25, 6, 2)
    np.testing.assert_allclose(motion.trajectory[0], [1.0, 2.0])
    assert motion.attrs == {"drift_total_angstrom": 0.5}
    assert acquisition.thumbnail().size == (256, 256)
    assert np.asarray(acquisition.thumbnail()).max() == 11
    assert np.asarray(acquisition.spectrum(fit=True)).max() == 60
    assert run.acquisition(-1).index == 1
    assert run.acquisition(0).refresh().name == "FoilHole_00000"
    with pytest.raises(NotFound):
        run.acquisition(2)
    with pytest.raises(NotFound, match="FoilHole_9"):
        run.acquisition("FoilHole_9")


@pytest.mark.feature("EQ-06")
def test_image_has_coordinates_in_angstrom(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 1)
    image = run.image(0)
    assert image.dims == ("y", "x")
    assert image.shape == (600, 700)
    np.testing.assert_array_equal(image, read_level(running.settings.run_store(str(run.id)), 0))
    assert image.y[1].item() == pytest.approx(0.8)
    half = run.image(0, level=1)
    assert half.shape == (300, 350)
    np.testing.assert_array_equal(half, run.image(0, level=-1))
    assert half.x[:2].values == pytest.approx([0.4, 2.0])
    assert half.attrs["low"] < image.mean() < half.attrs["high"]
    assert np.asarray(run.thumbnail(0)).max() == 10


def test_acquisitions_by_state_and_page(new_run: NewRun, process: Process, running, monkeypatch) -> None:
    run = new_run()
    process(run, 2)
    add_acquisitions(running.database, run.model, count=3)
    monkeypatch.setattr("athena.sdk.acquisitions.PAGE", 2)
    assert [a.index for a in run.acquisitions()] == [0, 1, 2, 3, 4]
    assert [a.index for a in run.acquisitions(state="registered")] == [2, 3, 4]
    assert run.counts.registered == 3


def test_store_is_any_zarr_readers(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 1)
    store = pickle.loads(pickle.dumps(run.store))
    assert store == run.store
    array = zarr.open_array(store, path="metrics/defocus_um", mode="r")
    assert array[0] == 1.0


@pytest.mark.feature("AC-04")
def test_watch_yields_only_this_runs_events(new_run: NewRun, process: Process) -> None:
    run, other = new_run(), new_run()
    events = run.watch(timeout=20)
    process(other, 1)
    process(run, 2)
    seen = [next(events), next(events)]
    assert [event.index for event in seen] == [0, 1]
    assert {event.kind for event in seen} == {EventKind.ACQUISITION_REGISTERED}
    assert {event.element_id for event in seen} == {run.id}


def test_watch_wakes_up_while_it_waits(new_run: NewRun, process: Process) -> None:
    run = new_run()
    events = run.watch(timeout=30)
    appended = threading.Thread(target=process, args=(run, 1))
    appended.start()
    assert next(events).index == 0
    appended.join()


def test_watch_ends_when_nothing_comes(new_run: NewRun) -> None:
    assert list(new_run().watch(timeout=0.1)) == []


def test_all_events_from_a_number(athena: Athena, new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 1)
    numbers = [event.seq for event in athena.events(after=0, timeout=0.1)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == athena.client.events(-1).last_seq


def test_wait(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 2)
    assert run.wait(timeout=5).completed == 2
    add_acquisitions(running.database, run.model)
    with pytest.raises(Unavailable, match="2 of 3"):
        run.wait(timeout=0.1)
    assert run.wait(timeout=5, finished=2).total == 3


@pytest.mark.feature("AC-01")
def test_attach_a_source(new_run: NewRun, tmp_path) -> None:
    run = new_run()
    assert run.source is None
    run.attach(tmp_path, follow=False)
    assert run.source is not None
    assert (run.source.path, run.source.follow) == (str(tmp_path), False)
    assert run.grid().atlases == ()


@pytest.mark.feature("JB-04")
def test_failed_movies_are_tried_again_on_request(new_run: NewRun, running) -> None:
    run = new_run()
    add_acquisitions(running.database, run.model, count=1)
    with running.database.session() as session:
        session.query(AcquisitionRow).filter_by(run_id=run.id, index=0).update({"state": "error", "movie": "/m.tiff"})
    assert run.retry_failed() == 1
    assert run.acquisition(0).state is AcquisitionState.REGISTERED
    assert run.retry_failed() == 0


@pytest.mark.feature("EX-02")
def test_micrographs_that_match_are_saved_as_mrc(new_run: NewRun, process: Process, running, tmp_path) -> None:
    run = new_run()
    process(run, 3)  # defocus 1, 2, 3 µm
    run.save_filter(("defocus_um", "<", 2.5))
    run.reject(0)
    (path,) = run.save_mrcs(tmp_path / "mrc")
    assert path == tmp_path / "mrc" / f"{run.acquisition(1).name}.mrc"
    with mrcfile.open(path) as mrc:
        np.testing.assert_array_equal(mrc.data, read_level(running.settings.run_store(str(run.id)), 1))
    assert len(run.save_mrcs(tmp_path / "mrc", only="all")) == 3
    with pytest.raises(NotFound, match="processed without keep_unweighted"):
        run.save_mrcs(tmp_path / "plain", weighted=False)


@pytest.mark.feature("EX-02")
def test_results_are_saved_as_star_without_a_job(new_run: NewRun, process: Process, tmp_path) -> None:
    run = new_run()
    process(run, 3)
    run.reject(1)
    shot = {"defocus_u_angstrom": 12000.0, "defocus_v_angstrom": 11000.0, "astigmatism_angle_deg": 30.0}
    process(run, 1, **shot)
    path = run.save_star(tmp_path, with_micrographs=True)
    ctf, corrected = starfile.read(path), starfile.read(tmp_path / "corrected_micrographs.star")
    assert ctf["micrographs"]["rlnDefocusU"].tolist() == [12000.0]
    names = [f"micrographs/{run.acquisition(index).name}.mrc" for index in (0, 2, 3)]
    assert corrected["micrographs"]["rlnMicrographName"].tolist() == names
    for name in (*names, *corrected["micrographs"]["rlnMicrographMetadata"]):
        assert (tmp_path / name).is_file()
    run.save_star(tmp_path / "all", only="all")
    assert len(list((tmp_path / "all" / "micrographs").glob("*.star"))) == 4


@pytest.mark.feature("EX-02")
def test_results_are_saved_for_cryosparc_without_a_job(new_run: NewRun, process: Process, tmp_path) -> None:
    run = new_run()
    process(run, 3)
    run.reject(1)
    shot = {"defocus_u_angstrom": 12000.0, "defocus_v_angstrom": 11000.0, "astigmatism_angle_deg": 30.0}
    process(run, 1, **shot)
    path = run.save_cryosparc(tmp_path)
    assert path.name == "exposures_ctf.csg"
    fitted, table = (Dataset.load(tmp_path / f"{name}.cs") for name in ("exposures_ctf", "exposures"))
    np.testing.assert_allclose(fitted["ctf/df_angle_rad"], [np.pi / 6], rtol=1e-6)
    names = [f">micrographs/{run.acquisition(index).name}.mrc" for index in (0, 2, 3)]
    assert list(table["micrograph_blob/path"]) == names
    for name in names:
        with mrcfile.open(tmp_path / name.removeprefix(">")) as mrc:
            assert mrc.data.shape == tuple(table["micrograph_blob/shape"][0])
    run.save_cryosparc(tmp_path / "all", only="all", with_micrographs=False)
    assert len(Dataset.load(tmp_path / "all" / "exposures.cs")) == 4
    assert not (tmp_path / "all" / "micrographs").exists()
