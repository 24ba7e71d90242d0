"""Stores other than a healthy local folder: object storage, and a disk that is full."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from athena.errors import NotFound, Unavailable
from athena.zarrio import layout, pyramid, reader
from athena.zarrio.stores import local_path, open_store
from athena.zarrio.writer import RunWriter
from tests.zarrio.factories import make_result

URL = "memory://bucket/run.zarr"


def test_a_run_on_object_storage() -> None:
    for _ in range(2):
        writer = RunWriter.create(URL, frames=6)
    writer.write_results([make_result(3)])
    writer.ensure_length(layout.BLOCK + 1)
    writer.write_images(layout.BLOCK, thumbnail=np.full((256, 256), 4, np.uint8))
    assert RunWriter.open(URL).length == 2 * layout.BLOCK
    assert reader.open_results(URL, length=4).defocus_um[3].item() == 4.0
    assert reader.read_thumbnail(URL, layout.BLOCK).max() == 4
    image = np.arange(600 * 700, dtype=np.float32).reshape(600, 700)
    for _ in range(2):
        pyramid.write_pyramid(URL, 1, image, pixel_size_angstrom=1.0)
    assert pyramid.image_info(URL, 1).levels == 2
    np.testing.assert_array_equal(pyramid.read_tile(URL, 1, 0, 1, 0), image[:-513:-1, 512:])
    for read in (pyramid.image_info, pyramid.read_level):
        with pytest.raises(NotFound):
            read(URL, 2)
    with pytest.raises(NotFound):
        RunWriter.open("memory://bucket/none.zarr")


def test_paths_and_urls(tmp_path: Path) -> None:
    assert local_path(str(tmp_path)) == local_path(tmp_path) == local_path(f"file://{tmp_path}") == tmp_path
    assert local_path("s3://bucket/run.zarr") is None
    with pytest.raises(Unavailable, match=r"nonsense:// cannot be opened.*fsspec"):
        open_store("nonsense://bucket/run.zarr")


WRITE_TOO_MUCH = """
import resource, sys
import numpy as np
from athena.zarrio.pyramid import write_pyramid
noise = np.random.default_rng(1).normal(30, 5, (1500, 1500)).astype(np.float32)
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
try:
    write_pyramid(sys.argv[1], 0, noise, pixel_size_angstrom=1.0)
except OSError as error:
    print(type(error).__name__)
"""


def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    image = np.random.default_rng(2).normal(30, 5, (600, 600)).astype(np.float32)
    pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    before = pyramid.image_info(tmp_path, 0)
    told = subprocess.run(
        [sys.executable, "-c", WRITE_TOO_MUCH, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "OSError"
    assert pyramid.image_info(tmp_path, 0) == before
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["0"]
