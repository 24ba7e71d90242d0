"""The Python half of the volume viewer: what it shows, and what its browser may ask for."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from athena.errors import NotFound
from athena_widgets import VolumeViewer
from athena_widgets.source import allowed_volume_path
from tests.widgets.test_source import PlayedClient

pytestmark = pytest.mark.feature("WS-06", "NB-02")
ELEMENT = "3f0b8c4e-1111-4222-8333-944455556666"
FILE = "00000000-1111-4222-8333-944455556666"
PLACE = f"elements/{ELEMENT}/files/{FILE}"


class Listing(PlayedClient):
    """Answers what a dataset holds."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__()
        self.items = items

    def get_bytes(self, path: str) -> bytes:
        assert path == f"elements/{ELEMENT}/volumes"
        return json.dumps({"items": self.items}).encode()


def item(**more: Any) -> dict[str, Any]:
    file = {"id": FILE, "element_id": ELEMENT, "name": "a.mrc", "role": "data", "media_type": "image/x-mrc"}
    return {"file": file | {"size": 1, "storage": "S", "created": "2026-01-01T00:00:00Z"}, "name": "a.mrc"} | more


def test_a_file_and_a_dataset_are_shown() -> None:
    file = SimpleNamespace(id=FILE, client=PlayedClient(), model=SimpleNamespace(element_id=ELEMENT))
    viewer = VolumeViewer(file, stack=True, threshold=3)
    assert (viewer.volume, viewer.stack, viewer.threshold, viewer.source_kind) == (PLACE, True, 3, "comm")
    viewer.close()
    dataset = SimpleNamespace(id=ELEMENT, client=Listing(item(stack=True, sections=4)), files=[])
    viewer = VolumeViewer(dataset)
    assert (viewer.volume, viewer.stack) == (PLACE, True)
    viewer.close()
    with pytest.raises(NotFound, match="no volume"):
        VolumeViewer(SimpleNamespace(id=ELEMENT, client=Listing(), files=[]))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (f"{PLACE}/volume.json", True),
        (f"{PLACE}/volume.json?stack=true", True),
        (f"{PLACE}/texture.bin?edge=160&v=abc12", True),
        (f"{PLACE}/plane.png?axis=x&section=4&slab=3&v=abc&stack=true", True),
        (f"{PLACE}/plane.png?axis=x&section=4&slab=3&v=abc&stack=true&more=1", False),
        (f"{PLACE}/content", False),
        (f"{PLACE.replace('1111', '2222', 1)}/volume.json", False),
        (f"{PLACE}/../volume.json", False),
    ],
)
def test_the_browser_reads_this_volume_and_nothing_else(path: str, allowed: bool) -> None:
    assert bool(allowed_volume_path(PLACE).fullmatch(path)) is allowed
