"""Corrected micrographs as MRC files, made while they are read."""

from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.zarrio.pyramid import read_level, write_pyramid
from tests.server.conftest import Api


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.feature("AC-03")
def test_a_micrograph_comes_as_mrc(
    api: Api,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    write_arrays: Callable[[Api, Element], None],
    tmp_path: Path,
) -> None:
    run = make_run(make_user("alice"), acquisitions=2)
    write_arrays(api, run)
    store = api.settings.run_store(str(run.id))
    image = np.random.default_rng(0).normal(20, 3, (700, 1100)).astype(np.float32)
    image[0] = 0  # the bottom row
    write_pyramid(store, 0, image, pixel_size_angstrom=0.84)
    client, place = api.owner, f"/runs/{run.id}/acquisitions/0/micrograph.mrc"
    for mode, dtype in ((2, np.float32), (12, np.float16)):
        answer = client.get(place, params={"mode": mode})
        path = tmp_path / f"{mode}.mrc"
        path.write_bytes(answer.content)
        assert mode == 12 or mrcfile.validate(path)  # which sums float16 in float16, and overflows
        with mrcfile.open(path) as mrc:
            assert (mrc.data.dtype, int(mrc.header.mode)) == (dtype, mode)
            np.testing.assert_array_equal(mrc.data, read_level(store, 0))  # first row of the file is the bottom one
            assert float(mrc.voxel_size.x) == pytest.approx(0.84, rel=1e-6)
            assert float(mrc.header.dmin) == mrc.data.min()
            assert float(mrc.header.dmax) == mrc.data.max()
        tag, whole = answer.headers["etag"], answer.content
        assert int(answer.headers["content-length"]) == len(whole)
        assert client.get(place, params={"mode": mode}, headers={"If-None-Match": tag}).status_code == 304
        # ranges over the header's end and over a band's
        for start, stop in ((0, 10), (1000, 1100), (1024 + 511 * 1100 * 2, 1024 + 513 * 1100 * 2), (1024, len(whole))):
            part = client.get(place, params={"mode": mode}, headers={"Range": f"bytes={start}-{stop - 1}"})
            assert (part.status_code, part.content) == (206, whole[start:stop])
    assert client.get(place, params={"weighted": True}).status_code == 200
    assert client.get(place, params={"weighted": False}).status_code == 404  # it is not kept
    write_pyramid(store, 0, image, pixel_size_angstrom=0.84, plain=image[::-1])
    answer = client.get(place, params={"weighted": False})
    assert "_noDW.mrc" in answer.headers["content-disposition"]
    (tmp_path / "plain.mrc").write_bytes(answer.content)
    with mrcfile.open(tmp_path / "plain.mrc") as mrc:
        np.testing.assert_array_equal(mrc.data, read_level(store, 0)[::-1])
    assert client.get(place, params={"weighted": True}).headers["etag"] != answer.headers["etag"]
    assert client.get(place, params={"mode": 1}).status_code == 422
    assert client.get(place.replace("/0/", "/1/")).status_code == 404
    # grey values that half precision cannot hold are never rounded in passing
    write_pyramid(store, 0, image + 5000, pixel_size_angstrom=0.84)
    assert client.get(place, params={"mode": 12}).status_code == 422
    assert client.get(place, headers={"If-None-Match": tag}).status_code == 200
