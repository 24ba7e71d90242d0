"""Grey values and their encoding."""

import imagecodecs
import numpy as np
import pytest

from athena.server.pictures import encode_png, to_grey


def test_window_is_linear_and_clipped() -> None:
    grey = to_grey(np.array([[-9.0, 0.0, 1.0, 2.0, 9.0, np.nan, np.inf]], np.float32), low=0.0, high=2.0)
    assert grey.tolist() == [[0, 0, 128, 255, 255, 0, 255]]


def test_window_turned_round_inverts() -> None:
    assert to_grey(np.array([[0.0, 2.0]], np.float32), low=2.0, high=0.0).tolist() == [[255, 0]]


def test_window_without_width_is_a_threshold() -> None:
    assert to_grey(np.array([[0.9, 1.0]], np.float32), low=1.0, high=1.0).tolist() == [[0, 255]]


def test_the_input_is_left_alone() -> None:
    image = np.ones((4, 4), np.float32)
    image.flags.writeable = False
    to_grey(image, low=0.0, high=4.0)
    assert (image == 1).all()


@pytest.mark.parametrize("compress", [True, False])
def test_png_is_lossless(compress: bool) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (37, 53), dtype=np.uint8)
    encoded = encode_png(picture[::-1], compress=compress)
    np.testing.assert_array_equal(imagecodecs.png_decode(encoded), picture[::-1])
