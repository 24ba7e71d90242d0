"""The run's group: made once, grown in blocks, never torn."""

import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import zarr

from athena.errors import Invalid, NotFound
from athena.zarrio import layout, reader
from athena.zarrio.stores import PARTIAL, clean_partials
from athena.zarrio.writer import RunWriter
from tests.zarrio.factories import make_result


@pytest.mark.feature("EQ-01")
def test_group_holds_the_catalogue_exactly(store: Path) -> None:
    group = zarr.open_group(store, mode="r")
    paths = {path for path, node in group.members(max_depth=None) if isinstance(node, zarr.Array)}
    assert paths == {layout.metric_path(name) for name in layout.METRICS} | set(layout.ARRAYS)
    for name, metric in layout.METRICS.items():
        array = group[layout.metric_path(name)]
        assert (array.shape, array.chunks) == ((layout.BLOCK,), (layout.METRIC_CHUNK,))
        assert array.dtype == np.float64
        assert np.isnan(array.fill_value)
        assert array.metadata.dimension_names == ("acquisition",)
        assert dict(array.attrs) == {"units": metric.unit, "long_name": metric.label}
    for path, described in layout.ARRAYS.items():
        array = group[path]
        assert array.metadata.dimension_names == described.dims
        assert array.dtype == np.dtype(described.dtype)
        assert array.chunks[0] == 1


def test_create_is_idempotent_and_keeps_results(store: Path) -> None:
    RunWriter.open(store).write_results([make_result(2)])
    writer = RunWriter.create(store, frames=6)
    assert writer.length == layout.BLOCK
    assert reader.read_table(store, ["defocus_um"], 2, 3)["defocus_um"][0] == 3.0


CREATE = """
import sys, numpy as np
from athena.zarrio.writer import RunWriter
sys.stdin.readline()
RunWriter.create(sys.argv[1], frames=6).write_images(int(sys.argv[2]), thumbnail=np.full((256, 256), 7, np.uint8))
"""


def test_create_by_many_at_once_leaves_one_whole_group(tmp_path: Path) -> None:
    path = tmp_path / "run.zarr"
    processes = [
        subprocess.Popen([sys.executable, "-c", CREATE, str(path), str(index)], stdin=subprocess.PIPE, text=True)
        for index in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert [child.name for child in tmp_path.iterdir()] == ["run.zarr"]
    assert [reader.read_thumbnail(path, index)[0, 0] for index in range(2)] == [7, 7]


def test_opening_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        RunWriter.open(tmp_path / "none.zarr")
    assert not list(tmp_path.iterdir())


def test_a_foreign_group_is_refused(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(Invalid, match="not made by Athena"):
        _ = RunWriter.open(tmp_path / "other.zarr").length


def test_growth_by_blocks_never_shrinks(store: Path) -> None:
    writer = RunWriter.open(store)
    writer.write_results([make_result(0)])
    writer.ensure_length(layout.BLOCK + 1)
    assert writer.length == 2 * layout.BLOCK
    writer.ensure_length(3)
    assert writer.length == 2 * layout.BLOCK
    shapes = {array.shape[0] for _, array in zarr.open_group(store, mode="r").arrays()}
    assert shapes == {2 * layout.BLOCK}
    assert reader.read_table(store, ["defocus_um"], 0, 2)["defocus_um"].tolist()[0] == 1.0


def test_a_stale_writer_sees_growth_by_another(store: Path) -> None:
    worker, collector = RunWriter.open(store), RunWriter.open(store)
    picture = np.full((256, 256), 9, np.uint8)
    worker.write_images(0, thumbnail=picture)
    with pytest.raises(Invalid, match="no room"):
        worker.write_images(layout.BLOCK, thumbnail=picture)
    collector.ensure_length(layout.BLOCK + 1)
    worker.write_images(layout.BLOCK, thumbnail=picture)
    assert (reader.read_thumbnail(store, layout.BLOCK) == picture).all()
    worker.ensure_length(10)
    assert RunWriter.open(store).length == 2 * layout.BLOCK


def test_a_stale_writer_growing_less_does_not_shrink(store: Path) -> None:
    late, quick = RunWriter.open(store), RunWriter.open(store)
    quick.ensure_length(3 * layout.BLOCK)
    late.ensure_length(2 * layout.BLOCK)
    assert late.length == RunWriter.open(store).length == 3 * layout.BLOCK


def test_frames_and_patches_widen(store: Path) -> None:
    writer = RunWriter.open(store)
    writer.write_results([make_result(0), make_result(1, frames=9), make_result(2, grid=(7, 3))])
    assert (writer.frames, writer.patches) == (9, (7, 5))
    first, second, third = reader.read_curves(store, [0, 1, 2])
    assert [len(c.global_motion) for c in (first, second, third)] == [6, 9, 6]
    assert [len(c.patch_motion) for c in (first, second, third)] == [25, 25, 21]
    assert third.patch_centres[1] == (0.5, 0.5 / 7)
    assert third.patch_motion[3 * 2 + 1][4] == pytest.approx(
        (2 + 0.4 + 0.02 + 0.001, 102 + 0.4 + 0.02 + 0.001), rel=1e-5
    )


def test_metrics_are_refused_when_unknown_or_uneven(store: Path) -> None:
    writer = RunWriter.open(store)
    with pytest.raises(Invalid, match="not a metric"):
        writer.write_metrics([0], {"beauty": [1.0]})
    with pytest.raises(Invalid, match="2 values for 1"):
        writer.write_metrics([0], {"defocus_um": [1.0, 2.0]})


def test_metrics_not_given_stay(store: Path) -> None:
    writer = RunWriter.open(store)
    writer.write_metrics([4, 1], {"target_defocus_um": [4.0, 1.0]})
    writer.write_results([make_result(4)])
    table = reader.read_table(store, ["target_defocus_um", "defocus_um"], 0, 5)
    np.testing.assert_array_equal(table["target_defocus_um"], [np.nan, 1, np.nan, np.nan, 4])
    np.testing.assert_array_equal(table["defocus_um"], [np.nan] * 4 + [5])


def test_wrong_shapes_are_refused(store: Path) -> None:
    writer = RunWriter.open(store)
    with pytest.raises(Invalid, match="thumbnail"):
        writer.write_images(0, thumbnail=np.zeros((4, 4), np.uint8))
    with pytest.raises(Invalid, match="does not fit"):
        writer.write_results([make_result(0).model_copy(update={"frames": 5})])


WRITE_FOREVER = textwrap.dedent("""
    import sys
    from tests.zarrio.factories import make_result
    from athena.zarrio.writer import RunWriter
    writer = RunWriter.create(sys.argv[1], frames=6)
    print("ready", flush=True)
    for index in range(10**6):
        writer.write_results([make_result(index, defocus_um=float(index))])
        print(index, flush=True)
        writer.ensure_length(writer.length + 1)
""")


@pytest.mark.chaos
@pytest.mark.parametrize("after", [0, 3])
def test_kill_at_any_moment_leaves_no_torn_array(tmp_path: Path, after: int) -> None:
    path = tmp_path / "run.zarr"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(after + 2)]
        process.send_signal(signal.SIGKILL)
    done = int(told[-1])
    writer = RunWriter.open(path)
    group = zarr.open_group(path, mode="r")
    for name, array in group.members(max_depth=None):
        if isinstance(array, zarr.Array):
            assert array.shape[0] >= writer.length, name
            _ = array[...]  # every chunk decodes
    values = reader.read_table(path, ["defocus_um"], 0, done + 1)["defocus_um"]
    np.testing.assert_array_equal(values, np.arange(done + 1))
    # the next writer goes on where it stopped
    writer.write_results([make_result(done + 1, defocus_um=-1.0)])
    assert reader.read_table(path, ["defocus_um"], done + 1, done + 2)["defocus_um"] == [-1.0]


def test_what_killed_writers_left_is_cleaned(store: Path) -> None:
    RunWriter.open(store).write_images(3, thumbnail=np.ones((256, 256), np.uint8))
    before = set(store.parent.rglob("*"))
    chunk = store / "thumbnail" / "c" / "3" / "0" / f"0.abc{PARTIAL}"
    chunk.write_text("half")
    for folder in (store / "images" / f"4.abc{PARTIAL}", store.with_name(f"{store.name}.abc{PARTIAL}")):
        folder.mkdir(parents=True)
        (folder / "zarr.json").write_text("half")
    assert clean_partials(store) == 3
    assert set(store.parent.rglob("*")) - before == {store / "images"}
    assert clean_partials(store.with_name("none.zarr")) == 0
    assert clean_partials("memory://run.zarr") == 0


@pytest.mark.parametrize("length", [3, layout.BLOCK + 1])
def test_metrics_new_in_the_catalogue_are_added_to_older_groups(tmp_path: Path, length: int) -> None:
    url = tmp_path / "run.zarr"
    RunWriter.create(url, frames=4)
    shutil.rmtree(url / "metrics" / "optics_group")
    RunWriter.open(url).write_metrics([length - 1], {"optics_group": [2.0]})
    found = reader.read_table(url, ["optics_group", "defocus_um"], 0, length)
    assert found["optics_group"][-1] == 2
    assert np.isnan(found["optics_group"][:-1]).all()
    assert np.isnan(found["defocus_um"]).all()
