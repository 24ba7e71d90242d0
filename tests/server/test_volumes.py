"""Volumes over a real API: zarr folders, stacks, planes, textures; what is refused, and work that is given up."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

from athena.contract.elements import DatasetType, Element
from athena.contract.files import TextureHead
from athena.contract.people import Principal
from athena.formats import sections, tiff_stacks, volumes
from athena.formats.mrc import write_mrc
from athena.services import file_images
from athena.services.file_images import Wish
from tests.server import tus
from tests.server.conftest import Api
from tests.server.test_file_images import grey

RNG = np.random.default_rng(5)
VOLUME = RNG.normal(10, 2, (20, 30, 40)).astype(np.float32)
"""z, y, x; y upwards."""


@pytest.fixture
def alice(make_user: Callable[..., Principal]) -> Principal:
    return make_user("alice")


@pytest.fixture
def dataset(alice: Principal, make_run: Callable[..., Element]) -> Element:
    return make_run(alice, "Volumes", type=DatasetType.FREE)


@pytest.fixture
def client(api: Api, alice: Principal) -> httpx.Client:
    return api.client(alice)


@pytest.fixture
def bring(client: httpx.Client, dataset: Element) -> Callable[..., str]:
    """Uploads a file, or a folder under its name; gives the place of a named one of its files in the API."""

    def make(path: Path, shown: str = "") -> str:
        files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
        found = {}
        for one in files:
            name = one.relative_to(path.parent).as_posix()
            found[name] = tus.upload(client, dataset.id, name, one.read_bytes())
        return f"/elements/{dataset.id}/files/{found[shown or path.name]}"

    return make


def write_ome(folder: Path, volume: NDArray[Any], *, zarr_format: int) -> Path:
    """OME-Zarr of two levels, 0.5 on zarr v3 or 0.4 on v2, 1.2 nm a pixel; row 0 on top."""
    levels = [volume, volume[::2, ::2, ::2]]
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format)
    for number, level in enumerate(levels):
        array = group.create_array(str(number), shape=level.shape, chunks=(8, 8, 16), dtype=level.dtype)
        array[...] = level
    scales = [{"type": "scale", "scale": [1.2 * 2**number] * 3} for number in range(2)]
    about = {
        "axes": [{"name": axis, "type": "space", "unit": "nanometer"} for axis in "zyx"],
        "datasets": [
            {"path": str(number), "coordinateTransformations": [scale]} for number, scale in enumerate(scales)
        ],
    }
    told = {"multiscales": [about]}
    group.attrs.update({"ome": told | {"version": "0.5"}} if zarr_format == 3 else told)
    return folder


def plane_of(client: httpx.Client, place: str, **asked: Any) -> NDArray[np.uint8]:
    answer = client.get(f"{place}/plane.png", params=asked)
    assert answer.status_code == 200, answer.text
    return grey(answer.content)


def as_bytes(plane: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """A plane (y or z upwards) as its picture shows it: top row first, mean ∓ 6 σ."""
    scaled = (plane[::-1] - plane.mean()) / plane.std()
    return np.clip(np.rint((scaled + 6) * 255 / 12), 0, 255)


@pytest.mark.feature("WS-06", "WS-07")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_folder_is_one_volume(
    client: httpx.Client, dataset: Element, bring: Callable[..., str], tmp_path: Path, zarr_format: int
) -> None:
    # row 0 is on top in zarr
    folder = write_ome(tmp_path / "tomo.zarr", VOLUME[:, ::-1], zarr_format=zarr_format)
    place = bring(folder, f"tomo.zarr/{'zarr.json' if zarr_format == 3 else '.zattrs'}")
    listed = client.get(f"/elements/{dataset.id}/files", params={"folder": ""}).json()["folders"]
    assert [(one["name"], one["volume"]) for one in listed] == [("tomo.zarr", place.rsplit("/", 1)[-1])]
    (item,) = client.get(f"/elements/{dataset.id}/volumes").json()["items"]
    assert (item["name"], item["file"]["id"], item["stack"]) == ("tomo.zarr", place.rsplit("/", 1)[-1], False)

    info = client.get(f"{place}/volume.json").json()
    assert (info["name"], info["shape"]) == ("tomo.zarr", [20, 30, 40])
    assert info["pixel_size_angstrom"] == pytest.approx(12)
    for axis, plane in (("z", VOLUME[7]), ("y", VOLUME[:, 7]), ("x", VOLUME[:, :, 7])):
        assert np.abs(plane_of(client, place, axis=axis, section=7) - as_bytes(plane)).max() <= 1
    slab = VOLUME[:, :, 5:10].mean(axis=2)
    assert np.abs(plane_of(client, place, axis="x", section=7, slab=5) - as_bytes(slab)).max() <= 1
    seen = client.get(f"{place}/image.json", params={"axis": "y"}).json()
    assert (seen["counts"], seen["section"], seen["binning"]) == ([20, 30, 40], 15, 1)


@pytest.mark.feature("WS-06")
def test_images_of_a_folder_are_a_stack(
    api: Api,
    client: httpx.Client,
    dataset: Element,
    bring: Callable[..., str],
    tmp_path: Path,
    make_user: Callable[..., Principal],
) -> None:
    folder = tmp_path / "slices"
    folder.mkdir()
    for number in range(12):  # by name as people order it: slice_2 comes before slice_10
        write_mrc(folder / f"slice_{number}.mrc", VOLUME[number], pixel_size_angstrom=3)
    place = bring(folder, "slices/slice_0.mrc")
    (item,) = client.get(f"/elements/{dataset.id}/volumes", params={"folder": "slices"}).json()["items"]
    assert (item["sections"], item["stack"], item["file"]["id"]) == (12, True, place.rsplit("/", 1)[-1])
    assert client.get(f"/elements/{dataset.id}/volumes").json()["items"] == []
    info = client.get(f"{place}/volume.json", params={"stack": True}).json()
    assert (info["shape"], info["pixel_size_angstrom"]) == ([12, 30, 40], pytest.approx(3))
    for axis, plane in (("z", VOLUME[10]), ("y", VOLUME[:12, 10]), ("x", VOLUME[:12, :, 10])):
        shown = plane_of(client, place, stack=True, axis=axis, section=10)
        assert np.abs(shown - as_bytes(plane)).max() <= 1

    alone = client.get(f"{place}/volume.json")
    assert (alone.status_code, "slice_0.mrc is a single image" in alone.json()["message"]) == (422, True)
    write_mrc(tmp_path / "slices" / "slice_99.mrc", VOLUME[0, :20], pixel_size_angstrom=3)
    bring(folder / "slice_99.mrc")  # elsewhere: it does not disturb
    tus.upload(client, dataset.id, "slices/slice_99.mrc", (folder / "slice_99.mrc").read_bytes())
    refused = client.get(f"{place}/texture.bin", params={"stack": True})
    assert (refused.status_code, "slice_99.mrc has 20 × 40 px" in refused.json()["message"]) == (422, True)
    stranger = api.client(make_user("bob"))
    for path in (f"{place}/volume.json", f"{place}/plane.png", f"{place}/texture.bin"):
        assert stranger.get(path).status_code == 404
    assert stranger.get(f"/elements/{dataset.id}/volumes").status_code == 404


def write_tiff(path: Path, volume: NDArray[Any], **how: Any) -> Path:
    """A TIFF of many images; its row 0 is on top."""
    tifffile.imwrite(path, volume[:, ::-1], photometric="minisblack", **how)
    return path


@pytest.mark.feature("WS-06")
def test_a_tiff_of_sections_is_a_volume(
    client: httpx.Client,
    dataset: Element,
    bring: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sliced = {"imagej": True, "metadata": {"axes": "ZYX", "unit": "nm", "spacing": 1.2}}
    place = bring(write_tiff(tmp_path / "tomo.tif", VOLUME, resolution=(1 / 1.2, 1 / 1.2), **sliced))
    unsaid = bring(write_tiff(tmp_path / "plain.tiff", VOLUME))
    film = bring(write_tiff(tmp_path / "film.tif", VOLUME, imagej=True, metadata={"axes": "TYX"}))
    bring(write_tiff(tmp_path / "single.tif", VOLUME[:1]))
    (tmp_path / "cut.tif").write_bytes((tmp_path / "film.tif").read_bytes()[:3000])
    bring(tmp_path / "cut.tif")
    items = client.get(f"/elements/{dataset.id}/volumes").json()["items"]
    assert [(one["name"], one["sections"], one["stack"]) for one in items] == [
        ("plain.tiff", 20, False),
        ("tomo.tif", 20, False),
    ]
    info = client.get(f"{place}/volume.json").json()
    assert (info["shape"], info["pixel_size_angstrom"]) == ([20, 30, 40], pytest.approx(12, rel=1e-3))
    assert client.get(f"{unsaid}/volume.json").json()["pixel_size_angstrom"] == 0
    for axis, plane in (("z", VOLUME[7]), ("y", VOLUME[:, 7]), ("x", VOLUME[:, :, 7])):
        assert np.abs(plane_of(client, place, axis=axis, section=7) - as_bytes(plane)).max() <= 1
    body = client.get(f"{place}/texture.bin", params={"edge": 40}).content
    size = int.from_bytes(body[:4], "little")
    assert TextureHead.model_validate_json(body[4 : 4 + size]).shape == (20, 30, 40)
    # no more of a large one is held than the copy; a movie that large is refused
    monkeypatch.setattr(
        file_images, "make_copy", lambda volume, *, check: volumes.make_copy(volume, check=check, most=4000)
    )
    large = bring(write_tiff(tmp_path / "large.tif", VOLUME, **sliced))
    averaged = VOLUME.reshape(10, 2, 15, 2, 20, 2).mean(axis=(1, 3, 5))
    assert np.abs(plane_of(client, large, axis="x", section=21) - as_bytes(averaged[:, :, 10])).max() <= 1
    assert client.get(f"{film}/texture.bin").status_code == 200
    monkeypatch.setattr(tiff_stacks, "MOVIE_VOXELS", 20_000)
    for asked in ("volume.json", "texture.bin"):
        refused = client.get(f"{film}/{asked}")
        assert (refused.status_code, "film.tif is a movie rather" in refused.json()["message"]) == (413, True)
    assert client.get(f"{large}/volume.json").status_code == 200


@pytest.mark.feature("WS-06")
def test_a_texture_is_the_volume_in_bytes(client: httpx.Client, bring: Callable[..., str], tmp_path: Path) -> None:
    dark = -VOLUME.copy()
    dark[5:8, 5:8, 5:8] = -80  # dense things are dark
    write_mrc(tmp_path / "t.mrc", dark, pixel_size_angstrom=2)
    body = client.get(f"{bring(tmp_path / 't.mrc')}/texture.bin", params={"edge": 20}).content
    size = int.from_bytes(body[:4], "little")
    head = TextureHead.model_validate_json(body[4 : 4 + size])
    assert (head.shape, head.dark) == ((20, 15, 20), True)
    values = np.frombuffer(body, np.uint8, offset=4 + size).reshape(head.shape)
    averaged = dark.reshape(20, 15, 2, 20, 2).mean(axis=(2, 4))
    assert head.mean == pytest.approx(averaged.mean(), rel=1e-4)
    assert head.sigma == pytest.approx(averaged.std(), rel=1e-4)
    step = (head.high - head.low) / 255
    back = head.low + values * step
    inside = averaged > head.low
    assert np.abs(back - averaged)[inside].max() <= step * 0.51


@pytest.mark.feature("WS-06")
def test_a_texture_tells_how_much_of_it_is_no_number(
    client: httpx.Client, bring: Callable[..., str], tmp_path: Path
) -> None:
    def head(name: str, volume: NDArray[Any]) -> TextureHead:
        write_mrc(tmp_path / name, volume.astype(np.float32), pixel_size_angstrom=2)
        body = client.get(f"{bring(tmp_path / name)}/texture.bin", params={"edge": 40}).content
        return TextureHead.model_validate_json(body[4 : 4 + int.from_bytes(body[:4], "little")])

    part = VOLUME.copy()
    part[:5] = np.nan
    part[5:10] = np.inf
    assert head("part.mrc", part).missing == pytest.approx(0.5)
    assert head("whole.mrc", VOLUME).missing == 0
    none = head("none.mrc", np.full((4, 5, 6), np.nan))
    assert (none.missing, none.low, none.high) == (1, 0, 0)
    flat = head("flat.mrc", np.full((4, 5, 6), 7.5))
    assert (flat.missing, flat.low, flat.high, flat.sigma) == (0, 7.5, 7.5, 0)


@pytest.mark.feature("WS-06")
def test_a_cut_through_a_large_volume_reads_a_copy(
    client: httpx.Client, bring: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "DIRECT_BYTES", 50_000)
    monkeypatch.setattr(
        file_images, "make_copy", lambda volume, *, check: volumes.make_copy(volume, check=check, most=4000)
    )
    write_mrc(tmp_path / "big.mrc", VOLUME, pixel_size_angstrom=2)
    place = bring(tmp_path / "big.mrc")
    info = client.get(f"{place}/image.json", params={"axis": "x"}).json()
    assert (info["binning"], info["width"], info["height"]) == (2, 15, 10)
    assert info["pixel_size_angstrom"] == pytest.approx(4)
    averaged = VOLUME.reshape(10, 2, 15, 2, 20, 2).mean(axis=(1, 3, 5))
    assert np.abs(plane_of(client, place, axis="x", section=21) - as_bytes(averaged[:, :, 10])).max() <= 1
    # the others are read row by row, as they are
    assert client.get(f"{place}/image.json", params={"axis": "y"}).json()["binning"] == 1


@pytest.mark.feature("WS-07")
@pytest.mark.parametrize(
    ("key", "about", "said"),
    [
        (".zarray", {"filters": [{"id": "pickle"}]}, "packed with 'pickle'"),
        (".zarray", {"compressor": {"id": "numcodecs.json2"}}, "packed with 'numcodecs.json2'"),
        (".zarray", {"shape": [2**30, 4, 4]}, "cannot be"),
        (".zarray", {"shape": [4, 2**15, 2**15], "chunks": [1, 64, 64]}, "more than is shown"),
        (".zarray", {"dtype": "|O", "filters": [{"id": "vlen-utf8"}]}, "no image"),
        (".zarray", {"zarr_format": 7}, "cannot be read"),
        (".zattrs", {"nothing": 1}, "neither an array nor multiscales"),
        (".zattrs", {"multiscales": [{"datasets": [{"path": "../../secret"}]}]}, "cannot be read"),
        (".zgroup", {}, "neither an array nor multiscales"),
    ],
)
def test_a_hostile_zarr_is_refused_by_name(
    client: httpx.Client, bring: Callable[..., str], tmp_path: Path, key: str, about: dict[str, Any], said: str
) -> None:
    plain = {"zarr_format": 2, "shape": [4, 4, 4], "chunks": [4, 4, 4], "dtype": "<f4", "order": "C"}
    plain |= {"compressor": None, "filters": None, "fill_value": 0}
    folder = tmp_path / "bad.zarr"
    folder.mkdir()
    (folder / key).write_text(json.dumps((plain if key == ".zarray" else {}) | about))
    (folder / "0.0.0").write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    answer = client.get(f"{bring(folder, f'bad.zarr/{key}')}/plane.png")
    assert answer.status_code in (413, 422), answer.text
    assert "bad.zarr" in answer.json()["message"]
    assert said in answer.json()["message"]


@pytest.mark.feature("WS-07")
def test_work_ends_when_the_client_goes(
    api: Api, client: httpx.Client, bring: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mean that would take minutes is given up with its request, and does not hinder the next one."""
    write_mrc(tmp_path / "movie.mrc", VOLUME, pixel_size_angstrom=1)
    place = bring(tmp_path / "movie.mrc")
    begun, ended = threading.Event(), threading.Event()
    real = sections.FileVolume.section
    slow = True

    def section(self: sections.FileVolume, index: int) -> NDArray[np.float32]:
        begun.set()
        if slow:
            gone.wait(0.05)
        return real(self, index)

    gone = threading.Event()
    check = Wish.check

    def checked(self: Wish) -> None:
        try:
            check(self)
        except file_images.Unwanted:
            ended.set()
            raise

    monkeypatch.setattr(sections.FileVolume, "section", section)
    monkeypatch.setattr(Wish, "check", checked)

    async def leave() -> None:
        async with httpx.AsyncClient(base_url=str(client.base_url), headers=dict(client.headers)) as fast:
            asking = asyncio.create_task(fast.get(f"{place}/image.json", params={"whole": "mean"}))
            await asyncio.to_thread(begun.wait, 20)
            asking.cancel()

    asyncio.run(leave())
    assert ended.wait(20)
    slow = False
    assert client.get(f"{place}/image.json", params={"whole": "mean"}).status_code == 200
