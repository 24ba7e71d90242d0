"""Files that hold images, as tiles over a real API: any format, any section, and what is refused."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from athena.contract.elements import DatasetType, Element
from athena.contract.people import Principal
from athena.formats.mrc import write_mrc
from tests.server import tus
from tests.server.conftest import Api


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def dataset(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice, "Screens", type=DatasetType.FREE)


@pytest.fixture
def place(api: Api, alice: Principal, dataset: Element, tmp_path: Path) -> Callable[..., str]:
    """Uploads what a function writes to a path; gives its place in the API."""

    def make(name: str, write: Callable[[Path], Any]) -> str:
        write(tmp_path / name)
        file = tus.upload(api.client(alice), dataset.id, name, (tmp_path / name).read_bytes())
        return f"/elements/{dataset.id}/files/{file}"

    return make


def grey(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.feature("WS-06", "WS-07")
def test_a_volume_is_cut_along_three_axes(api: Api, alice: Principal, place: Callable[..., str]) -> None:
    z, y, x = np.meshgrid(np.arange(20), np.arange(30), np.arange(40), indexing="ij")
    volume = (z * 10000 + y * 100 + x).astype(np.float32)
    client = api.client(alice)
    here = place("v.mrc", lambda path: write_mrc(path, volume, pixel_size_angstrom=2.5))
    for axis, plane, middle in (("z", volume[10], 10), ("y", volume[:, 15], 15), ("x", volume[:, :, 20], 20)):
        info = client.get(f"{here}/image.json", params={"axis": axis}).json()
        assert (info["axes"], info["counts"], info["section"]) == (["z", "y", "x"], [20, 30, 40], middle)
        assert (info["height"], info["width"]) == plane.shape
        assert info["pixel_size_angstrom"] == pytest.approx(2.5)
        assert info["low"] == pytest.approx(plane.mean() - 3 * plane.std(), rel=1e-3)
        low, high = float(plane.min()), float(plane.max())
        asked = {"axis": axis, "section": middle, "low": low, "high": high, "v": info["content_hash"]}
        tile = client.get(f"{here}/tiles/0/0_0.png", params=asked)
        assert "immutable" in tile.headers["cache-control"]
        wanted = np.rint((plane[::-1] - low) * 255 / (high - low))
        assert np.abs(grey(tile.content).astype(int) - wanted).max() <= 1
    assert client.get(f"{here}/image.json", params={"section": 20}).status_code == 422
    assert client.get(f"{here}/tiles/0/1_0.png").status_code == 404
    assert client.get(f"{here}/tiles/1/0_0.png").status_code == 404


@pytest.mark.feature("WS-06")
def test_all_sections_as_one_image(api: Api, alice: Principal, place: Callable[..., str]) -> None:
    volume = np.random.default_rng(3).normal(100, 20, (20, 30, 40)).astype(np.float32)
    volume[3, 4, 5] = np.nan
    known = np.nan_to_num(volume)
    client = api.client(alice)
    here = place("v.mrc", lambda path: write_mrc(path, volume, pixel_size_angstrom=2.5))
    for at, axis in enumerate(("z", "y", "x")):
        for whole, joined in (("mean", known.mean(axis=at)), ("max", known.max(axis=at))):
            asked = {"axis": axis, "whole": whole}
            info = client.get(f"{here}/image.json", params=asked).json()
            assert (info["whole"], info["width"], info["height"]) == (whole, *joined.shape[::-1])
            low, high = float(joined.min()), float(joined.max())
            tile = client.get(f"{here}/tiles/0/0_0.png", params=asked | {"low": low, "high": high})
            wanted = np.rint((joined[::-1] - low) * 255 / (high - low))
            assert np.abs(grey(tile.content).astype(int) - wanted).max() <= 1
    frames = np.random.default_rng(4).poisson(1.0, (12, 32, 48)).astype(np.uint8)
    movie = place("movie.tif", lambda path: tifffile.imwrite(path, frames, photometric="minisblack"))
    tile = client.get(f"{movie}/tiles/0/0_0.png", params={"whole": "mean", "low": 0, "high": 3})
    assert np.abs(grey(tile.content).astype(int) - np.clip(frames.mean(0) * 85, 0, 255)).max() <= 1
    assert client.get(f"{movie}/image.json", params={"whole": "median"}).status_code == 422


@pytest.mark.feature("WS-07")
def test_large_images_movies_and_colours(api: Api, alice: Principal, place: Callable[..., str]) -> None:
    client = api.client(alice)
    image = np.random.default_rng(1).poisson(5, (700, 1300)).astype(np.uint16)
    here = place("image.tif", lambda path: tifffile.imwrite(path, image))
    info = client.get(f"{here}/image.json").json()
    assert (info["width"], info["height"], info["levels"], info["axes"]) == (1300, 700, 3, ["z"])
    corner = client.get(f"{here}/tiles/0/2_1.png", params={"low": 0, "high": 255})
    assert np.array_equal(grey(corner.content), image[512:, 1024:].astype(np.uint8))  # top row first, as TIFF has it
    assert grey(client.get(f"{here}/tiles/2/0_0.png").content).shape == (175, 325)
    assert client.get(f"{here}/image.json", params={"axis": "y"}).status_code == 422

    movie = place(
        "movie.tif", lambda path: tifffile.imwrite(path, np.zeros((7, 16, 16), np.uint8), photometric="minisblack")
    )
    assert client.get(f"{movie}/image.json").json()["counts"] == [7]
    colours = np.zeros((20, 30, 3), np.uint8)
    colours[:5] = 255
    picture = place("rgb.tif", lambda path: tifffile.imwrite(path, colours, photometric="rgb"))
    shown = grey(client.get(f"{picture}/tiles/0/0_0.png", params={"low": 0, "high": 255}).content)
    assert (shown[:5].min(), shown[5:].max()) == (255, 0)


@pytest.mark.feature("WS-07")
def test_what_is_no_image_is_refused_by_name(
    api: Api, alice: Principal, place: Callable[..., str], make_user: Callable[..., Principal]
) -> None:
    client = api.client(alice)
    whole = place("whole.mrc", lambda path: write_mrc(path, np.ones((8, 8), np.float32), pixel_size_angstrom=1))
    assert client.get(f"{whole}/image.json").json()["counts"] == [1]
    cut = place("cut.mrc", lambda path: path.write_bytes((path.parent / "whole.mrc").read_bytes()[:-10]))
    text = place("text.tif", lambda path: path.write_text("no image"))
    for here, name in ((cut, "cut.mrc"), (text, "text.tif")):
        answer = client.get(f"{here}/image.json")
        assert (answer.status_code, name in answer.json()["message"]) == (422, True)
    assert api.client(make_user("bob")).get(f"{whole}/image.json").status_code == 404
