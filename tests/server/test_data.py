"""Arrays and pictures of a run, as browsers and array clients get them."""

import http.client
import io
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from athena.contract.binary_columns import decode
from athena.contract.elements import Element
from athena.contract.runs import AcquisitionCurves, ImageInfo, RunTable
from athena.server.routes.zarr import resolve_key
from athena.zarrio import layout
from athena.zarrio.pyramid import read_level, write_pyramid
from tests.server.conftest import IMAGE_SHAPE, Api, grey_image


def decoded(answer: httpx.Response) -> np.ndarray[Any, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(answer.content)))


# one database is enough where only the guard asks it
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@only_sqlite
@pytest.mark.feature("NB-01")
def test_zarr_keys_come_as_http_says(api: Api, run: Element) -> None:
    client = api.owner
    store = api.settings.run_store(str(run.id))
    whole = (store / "zarr.json").read_bytes()
    place = f"/zarr/{run.id}/zarr.json"

    answer = client.get(place, headers={"Accept-Encoding": "gzip, br"})
    assert answer.content == whole
    assert "content-encoding" not in answer.headers
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, no-cache"
    tag = answer.headers["etag"]

    head = client.head(place)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole)
    assert head.headers["etag"] == tag

    for asked, part in {"bytes=2-5": whole[2:6], "bytes=7-": whole[7:], "bytes=-9": whole[-9:]}.items():
        answer = client.get(place, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, part)
        first, last = whole.index(part), whole.index(part) + len(part) - 1
        if asked != "bytes=2-5":
            assert answer.headers["content-range"] == f"bytes {len(whole) - len(part)}-{len(whole) - 1}/{len(whole)}"
        else:
            assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"

    answer = client.get(place, headers={"Range": f"bytes={len(whole)}-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    answer = client.get(place, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    # a range of a file that has changed since is answered with the whole new one
    assert client.get(place, headers={"Range": "bytes=0-1", "If-Range": '"old"'}).status_code == 200
    assert client.get(place, headers={"Range": "bytes=0-1", "If-Range": tag}).status_code == 206


@only_sqlite
def test_a_large_shard_is_streamed_whole(api: Api, run: Element) -> None:
    content = np.random.default_rng(0).bytes((6 << 20) + 5)
    (api.settings.run_store(str(run.id)) / "large").write_bytes(content)
    client = api.owner
    assert client.get(f"/zarr/{run.id}/large").content == content
    answer = client.get(f"/zarr/{run.id}/large", headers={"Range": f"bytes={1 << 20}-{(6 << 20) - 1}"})
    assert answer.content == content[1 << 20 : 6 << 20]
    assert answer.headers["content-length"] == str(5 << 20)


@only_sqlite
def test_keys_stay_inside_the_store(api: Api, run: Element) -> None:
    client = api.owner
    store = api.settings.run_store(str(run.id))
    (store.parent / "secret").write_text("never shown")
    (store / "link").symlink_to(store.parent / "secret")
    (store / "half.partial").write_text("never shown")
    (store / ".hidden").write_text("never shown")
    (store / "images" / "7.partial").mkdir()
    (store / "images" / "7.partial" / "zarr.json").write_text("{}")
    for key in (
        "../secret",
        "%2e%2e/secret",
        "images/..%2f..%2fsecret",
        "%2fetc%2fpasswd",
        "link",
        "half.partial",
        ".hidden",
        "images/7.partial/zarr.json",
        "images",
        "zarr.json/x",
        "nothing",
        "a" * 300,
        "%00",
        "",
    ):
        # httpx would tidy the path before sending it
        connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=30)
        connection.request(
            "GET", f"/api/zarr/{run.id}/{key}", headers={"Authorization": client.headers["authorization"]}
        )
        answer = connection.getresponse()
        assert answer.status == 404, key
        assert b"never shown" not in answer.read()
        connection.close()


def test_keys_are_refused_before_the_file_system_is_asked(tmp_path: Any) -> None:
    from athena.errors import NotFound

    for key in ("../x", "a/../../x", "/etc/passwd", "//x", "", ".", "a\x00b", "a\nb"):
        with pytest.raises(NotFound):
            resolve_key(tmp_path, key)
    assert resolve_key(tmp_path, "metrics/defocus_um/c/0") == tmp_path / "metrics/defocus_um/c/0"


@only_sqlite
@pytest.mark.feature("EQ-01", "EQ-02")
def test_pictures_are_shown_top_row_first(api: Api, run: Element) -> None:
    client, base = api.owner, f"/runs/{run.id}/acquisitions/0"
    for name, bright in (("thumbnail.png", 200), ("spectrum.png", 200), ("spectrum.png?fit=1", 100)):
        picture = decoded(client.get(f"{base}/{name}"))
        assert picture.shape == (layout.THUMBNAIL_SIZE, layout.THUMBNAIL_SIZE)
        assert (picture[-16:] == bright).all(), name
        assert not picture[:-16].any(), name
    assert client.get(f"/runs/{run.id}/acquisitions/1/thumbnail.png").status_code == 404


@only_sqlite
@pytest.mark.feature("EQ-06")
def test_tiles_make_up_the_micrograph(api: Api, run: Element) -> None:
    client, base = api.owner, f"/runs/{run.id}/acquisitions/0"
    info = ImageInfo.model_validate_json(client.get(f"{base}/image.json").content)
    assert (info.height, info.width) == IMAGE_SHAPE
    window = {"low": 0, "high": 700}
    rows = []
    for y in range(-(-info.height // info.tile)):
        columns = range(-(-info.width // info.tile))
        rows.append(np.hstack([decoded(client.get(f"{base}/tiles/0/{x}_{y}.png", params=window)) for x in columns]))
    shown = np.vstack(rows)
    expected = np.clip(np.rint(grey_image()[::-1] * (255 / 700)), 0, 255)
    assert shown.shape == IMAGE_SHAPE
    assert np.abs(shown.astype(int) - expected).max() <= 1  # float16 storage
    # the top of what is shown is the last stored row
    assert shown[0].mean() > shown[-1].mean()
    for outside in (f"{base}/tiles/0/9_0.png", f"{base}/tiles/9/0_0.png", f"{base}/tiles/0/0_2.png"):
        assert client.get(outside).status_code == 404
    assert client.get(f"{base}/tiles/0/-1_0.png").status_code == 422


@only_sqlite
@pytest.mark.feature("EQ-06")
def test_caches_keep_what_is_named_by_its_content(api: Api, run: Element) -> None:
    client = api.owner
    tile = f"/runs/{run.id}/acquisitions/0/tiles/0/0_0.png"
    live = client.get(tile)
    assert live.headers["cache-control"] == "private, no-cache"
    assert "authorization" in live.headers["vary"].lower()
    assert client.get(tile, params={"v": "abc"}).headers["cache-control"].endswith("immutable")
    again = client.get(tile, headers={"If-None-Match": live.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    # a micrograph that was made again shows at once
    write_pyramid(api.settings.run_store(str(run.id)), 0, -grey_image(), pixel_size_angstrom=0.84)
    new = client.get(tile, headers={"If-None-Match": live.headers["etag"]})
    assert new.status_code == 200
    assert decoded(new).mean() != decoded(live).mean()


@only_sqlite
@pytest.mark.feature("EQ-06")
def test_a_tile_costs_a_fraction_of_its_micrograph(api: Api, run: Element) -> None:
    image = np.random.default_rng(0).normal(100, 10, (4096, 4096)).astype(np.float32)
    store = api.settings.run_store(str(run.id))
    write_pyramid(store, 1, image, pixel_size_angstrom=0.84)
    client, base = api.owner, f"/runs/{run.id}/acquisitions/1"

    # CPU time of this process, which serves and asks: other work on the machine does not count
    def cost(of: Callable[[], object]) -> float:
        started = time.process_time()
        of()
        return time.process_time() - started

    tiles = [cost(lambda x=x: client.get(f"{base}/tiles/0/{x}_3.png").raise_for_status()) for x in range(8)]
    again = [cost(lambda x=x: client.get(f"{base}/tiles/0/{x}_3.png?low=80").raise_for_status()) for x in range(8)]
    whole = min(cost(lambda: read_level(store, 1)) for _ in range(2))
    print(f"tile of 4096 x 4096: {min(tiles) * 1e3:.0f} ms, at another contrast {min(again) * 1e3:.0f} ms of CPU")
    assert min(tiles) < whole / 3, f"{min(tiles)} s against {whole} s"


@only_sqlite
@pytest.mark.feature("EQ-01", "EQ-07")
def test_tables_and_curves(api: Api, run: Element) -> None:
    client = api.owner
    table = RunTable.model_validate_json(
        client.get(f"/runs/{run.id}/table", params={"columns": "defocus_um,iciness"}).content
    )
    assert table.total == 2
    assert table.columns == {"defocus_um": (1.25, None), "iciness": (None, None)}
    assert len(table.names) == len(table.states) == 2
    page = client.get(f"/runs/{run.id}/table", params={"start": 1, "limit": 1}).json()
    assert page["names"] == list(table.names[1:])
    assert client.get(f"/runs/{run.id}/table", params={"columns": "beauty"}).status_code == 422

    answer = client.get(f"/runs/{run.id}/columns", params={"columns": "defocus_um,iciness,defocus_um"})
    head, columns = decode(answer.content)
    assert (head.version, head.branch, head.rows, head.total) == (table.version, 0, 2, 2)
    assert head.columns == ("defocus_um", "iciness")
    assert columns["defocus_um"][0] == 1.25
    assert np.isnan([columns["defocus_um"][1], *columns["iciness"]]).all()
    asked = {"columns": "defocus_um,iciness,defocus_um"}
    known = {"If-None-Match": answer.headers["etag"]}
    same = client.get(f"/runs/{run.id}/columns", params=asked, headers=known)
    assert same.status_code == 304
    client.put(f"/runs/{run.id}/verdicts", json={"indices": [0], "verdict": "rejected"}).raise_for_status()
    late = client.get(f"/runs/{run.id}/columns", params={"columns": "iciness", "start": 1, "limit": 5})
    head, columns = decode(late.content)
    assert (head.start, head.rows, head.rejected, columns["iciness"].shape) == (1, 1, (0,), (1,))
    assert decode(client.get(f"/runs/{run.id}/columns", params={"start": 7}).content)[0].rows == 0
    assert client.get(f"/runs/{run.id}/columns", params={"columns": "beauty"}).status_code == 422

    curves = client.get(f"/runs/{run.id}/curves", params={"indices": "1, 0"}).json()
    assert [AcquisitionCurves.model_validate(one).index for one in curves] == [1, 0]
    for bad in ("x", "-1", "1.5", ",".join(["1"] * 201)):
        assert client.get(f"/runs/{run.id}/curves", params={"indices": bad}).status_code == 422
