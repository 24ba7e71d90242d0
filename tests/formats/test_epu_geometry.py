"""Pixels of EPU's images and the stage agree with a real session's atlas and with exact maps."""

import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from athena.formats.epu_geometry import StageMap, fit_map, map_of_image, shifted
from athena.formats.epu_xml_atlas import read_atlas
from athena.formats.epu_xml_image import EpuImage, read_image

pytestmark = pytest.mark.feature("AC-01")

TRUE_MAP = StageMap(1e-8 * np.array([[-1.0, 0.1], [0.1, 1.0]]), np.array([2e-4, -3e-4]))


def test_atlas_matrix_predicts_where_squares_lie(krios: Path) -> None:
    atlas = read_atlas(next(krios.glob("atlas/*/Sample2/Atlas/Atlas.dm")))
    image = read_image(atlas.path.parent / f"{atlas.image_name}.xml")
    by_matrix = map_of_image(image)
    known = [(node.centre, node.stage[:2]) for node in atlas.nodes if node.centre and node.stage]
    by_nodes = fit_map([pixel for pixel, _ in known], [stage for _, stage in known])
    assert by_matrix is not None
    assert by_nodes is not None
    off = [math.dist(by_nodes.to_pixel(stage), pixel) for pixel, stage in known]
    assert np.sqrt(np.mean(np.square(off))) < 4
    # x is mirrored, y is not, and a metre has about 2.1 million pixels: in both
    for known_map in (by_matrix, by_nodes):
        assert known_map.linear[0, 0] < 0 < known_map.linear[1, 1]
        assert 1 / np.linalg.norm(known_map.linear[1]) == pytest.approx(2.1e6, rel=0.03)


def test_a_fit_leaves_outliers_out_and_needs_three_points() -> None:
    rng = np.random.default_rng(4)
    pixels = [(float(x), float(y)) for x, y in rng.uniform(0, 2000, (40, 2))]
    stages = [TRUE_MAP.to_stage(pixel) for pixel in pixels]
    stages[5] = (0.0, 0.0)
    fitted = fit_map(pixels, stages)
    assert fitted is not None
    assert fitted.to_pixel(TRUE_MAP.to_stage((700.0, 900.0))) == pytest.approx((700, 900), abs=1e-3)
    assert fit_map(pixels[:2], stages[:2]) is None
    line = [(float(k), 2.0 * k) for k in range(9)]
    assert fit_map(line, [TRUE_MAP.to_stage(pixel) for pixel in line]) is None
    assert fit_map(line[:3], [(0.0, 0.0)] * 3) is None


def test_an_image_without_a_place_has_no_map() -> None:
    image = EpuImage(Path("x.xml"), acquired=datetime(2023, 1, 1), readout=(10, 10), matrix=((1, 0), (0, -1)))
    assert map_of_image(image) is None


def test_an_exposure_off_the_hole_centre_is_moved_the_way_its_image_says() -> None:
    image = EpuImage(
        Path("x.xml"), readout=(100, 80), matrix=((2e-9, 1e-9), (1e-9, -2e-9)), stage=(1e-5, 2e-5, 0), binning=2
    )
    by_image = map_of_image(image)
    assert by_image is not None
    assert image.matrix is not None
    pixel = 2 * math.hypot(2e-9, 1e-9)
    assert shifted((1e-5, 2e-5), (30, -12), matrix=image.matrix, pixel_m=pixel) == pytest.approx(
        by_image.to_stage((80, 28))
    )
