"""Micrograph pyramids: valid OME-Zarr, right numbers, quick tiles."""

import time
from pathlib import Path

import numpy as np
import ome_zarr_models.v05
import pytest
import zarr

from athena.errors import Invalid, NotFound
from athena.zarrio import layout, pyramid


def counts(height: int, width: int, *, rate: float = 32.0) -> np.ndarray:
    """Poisson counts with a ramp, so that every corner differs."""
    ramp = np.linspace(0, rate / 2, height)[:, None] + np.linspace(0, rate / 4, width)[None, :]
    return np.random.default_rng(5).poisson(rate + ramp).astype(np.float32)


@pytest.mark.feature("EQ-01")
def test_the_unweighted_sum_lies_beside_the_micrograph_and_goes_with_it(tmp_path: Path) -> None:
    image, plain = counts(600, 700), counts(600, 700)[::-1]
    pyramid.write_pyramid(tmp_path, 2, image, pixel_size_angstrom=0.83, plain=plain)
    assert pyramid.has_plain(tmp_path, 2)
    np.testing.assert_array_equal(pyramid.read_level(tmp_path, 2), image)
    np.testing.assert_array_equal(pyramid.open_level(tmp_path, 2, plain=True)[...], plain)
    for path in ("images/2", "images/2/plain"):
        group = zarr.open_group(tmp_path / path, mode="r", zarr_format=3)
        assert ome_zarr_models.v05.Image.from_zarr(group).ome_attributes.multiscales[0].name == "micrograph"
    assert not (tmp_path / "images" / "2" / "plain" / "1").exists()  # full size only
    of_plain = pyramid.image_statistics(tmp_path, 2, plain=True)
    assert (of_plain.mean, of_plain.pixel_size_angstrom) == (pytest.approx(plain.mean()), 0.83)
    assert of_plain.content_hash != pyramid.image_statistics(tmp_path, 2).content_hash
    pyramid.write_pyramid(tmp_path, 2, image, pixel_size_angstrom=0.83)
    assert not pyramid.has_plain(tmp_path, 2)
    with pytest.raises(NotFound, match="unweighted sum of micrograph 2 is not kept"):
        pyramid.image_statistics(tmp_path, 2, plain=True)


@pytest.mark.feature("EQ-06")
@pytest.mark.parametrize("shape", [(1100, 1301), (512, 512), (100, 700)])
def test_is_valid_ome_zarr(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = counts(*shape)
    pyramid.write_pyramid(tmp_path, 4, image, pixel_size_angstrom=0.83)
    group = zarr.open_group(tmp_path / "images" / "4", mode="r", zarr_format=3)
    described = ome_zarr_models.v05.Image.from_zarr(group)
    multiscale = described.ome_attributes.multiscales[0]
    assert [axis.unit for axis in multiscale.axes] == ["angstrom", "angstrom"]
    sizes = [group[dataset.path].shape for dataset in multiscale.datasets]
    assert sizes[0] == shape
    assert max(sizes[-1]) <= layout.PYRAMID_MIN
    assert len(sizes) == 1 or max(sizes[-2]) > layout.PYRAMID_MIN
    for level, dataset in enumerate(multiscale.datasets):
        array = group[dataset.path]
        assert array.metadata.dimension_names == ("y", "x")
        assert array.chunks == (layout.TILE, layout.TILE)
        files = [path for path in (tmp_path / "images" / "4" / dataset.path).rglob("*") if path.is_file()]
        assert len(files) == 2  # metadata and one shard
        scale, translation = dataset.coordinateTransformations
        assert scale.scale == pytest.approx([0.83 * 2**level] * 2)
        assert translation.translation == pytest.approx([0.83 * (2**level - 1) / 2] * 2)


def test_levels_are_block_means_with_no_edge_lost(tmp_path: Path) -> None:
    image = counts(1025, 1027)
    pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    half = pyramid.read_level(tmp_path, 0, 1)
    assert half.shape == (513, 514)
    np.testing.assert_allclose(half[:512, :513], image[:1024, :1026].reshape(512, 2, 513, 2).mean((1, 3)), atol=0.02)
    np.testing.assert_allclose(half[512, :513], image[1024, :1026].reshape(513, 2).mean(1), atol=0.02)
    assert half[512, 513] == pytest.approx(image[1024, 1026], abs=0.02)
    assert pyramid.read_level(tmp_path, 0, 2).shape == (257, 257)


def test_info_is_in_the_attributes(tmp_path: Path) -> None:
    image = counts(700, 600)
    pyramid.write_pyramid(tmp_path, 1, image, pixel_size_angstrom=1.2)
    info = pyramid.image_info(tmp_path, 1)
    assert (info.width, info.height, info.levels, info.tile) == (600, 700, 2, layout.TILE)
    assert info.low == pytest.approx(image.mean() - 3 * image.std(), rel=1e-5)
    assert info.high == pytest.approx(image.mean() + 3 * image.std(), rel=1e-5)
    assert info.pixel_size_angstrom == 1.2


def test_tiles_cover_the_displayed_image(tmp_path: Path) -> None:
    image = counts(1100, 1301).round()
    pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    rows = [np.hstack([pyramid.read_tile(tmp_path, 0, 0, tx, ty) for tx in range(3)]) for ty in range(3)]
    np.testing.assert_array_equal(np.vstack(rows), image[::-1])
    for outside in ((3, 0), (0, 3), (-1, 0), (0, -1)):
        with pytest.raises(NotFound):
            pyramid.read_tile(tmp_path, 0, 0, *outside)
    with pytest.raises(NotFound):
        pyramid.read_tile(tmp_path, 0, 9, 0, 0)


def test_missing_image_is_not_found(tmp_path: Path) -> None:
    for read in (pyramid.image_info, pyramid.read_level):
        with pytest.raises(NotFound):
            read(tmp_path, 3)


def test_writing_again_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    first, second = counts(600, 600), counts(600, 600, rate=20)
    for image in (first, first, second):
        pyramid.write_pyramid(tmp_path, 2, image, pixel_size_angstrom=1.0)
    np.testing.assert_allclose(pyramid.read_level(tmp_path, 2), second)
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["2"]


def test_content_hash_tells_images_apart(tmp_path: Path) -> None:
    image = counts(300, 300)
    pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    pyramid.write_pyramid(tmp_path, 1, image, pixel_size_angstrom=1.0)
    image[5, 5] += 1
    pyramid.write_pyramid(tmp_path, 2, image, pixel_size_angstrom=1.0)
    hashes = [pyramid.image_info(tmp_path, index).content_hash for index in range(3)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_bad_images_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    image = counts(300, 300)
    image[3, 3] = np.nan
    with pytest.raises(Invalid, match="not numbers"):
        pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    with pytest.raises(Invalid, match="two dimensions"):
        pyramid.write_pyramid(tmp_path, 0, image[None], pixel_size_angstrom=1.0)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("offset", "factor", "expected"),
    [(0.0, 1.0, np.float16), (0.0, 0.01, np.float16), (5000.0, 1.0, np.float32), (0.0, 1e5, np.float32)],
)
def test_half_precision_only_where_the_noise_hides_it(
    tmp_path: Path, offset: float, factor: float, expected: type
) -> None:
    image = counts(600, 600) * np.float32(factor) + np.float32(offset)
    pyramid.write_pyramid(tmp_path, 0, image, pixel_size_angstrom=1.0)
    array = zarr.open_array(tmp_path / "images" / "0" / "0", mode="r")
    assert array.dtype == expected
    stored = pyramid.read_level(tmp_path, 0)
    assert np.var(stored - image) <= 0.0014 * np.var(image)


def test_a_tile_of_a_full_micrograph_takes_under_50_ms(tmp_path: Path) -> None:
    pyramid.write_pyramid(tmp_path, 0, counts(4096, 4096), pixel_size_angstrom=1.0)
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        pyramid.read_tile(tmp_path, 0, 0, 3, 4)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.05
