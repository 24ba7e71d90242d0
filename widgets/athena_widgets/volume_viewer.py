"""A volume in three planes and in space."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import traitlets

from athena.contract.files import VolumeList
from athena.errors import NotFound
from athena_widgets.base import ViewWidget, bundle
from athena_widgets.source import ApiClient, allowed_volume_path


class _Described(Protocol):
    @property
    def element_id(self) -> object: ...


class FileLike(Protocol):
    """A file of the SDK, as far as the viewer needs it."""

    @property
    def id(self) -> object:
        """Identifier of the file."""
        ...

    @property
    def client(self) -> ApiClient:
        """The client the file was read with."""
        ...

    @property
    def model(self) -> _Described:
        """What the API said of it."""
        ...


class HolderLike(Protocol):
    """A dataset or step of the SDK, as far as the viewer needs it."""

    @property
    def id(self) -> object:
        """Identifier of the element."""
        ...

    @property
    def client(self) -> ApiClient:
        """The client it was read with."""
        ...

    @property
    def files(self) -> Sequence[Any]:
        """Its files."""
        ...


class VolumeViewer(ViewWidget):
    """Three planes with a crosshair that links them, slabs, contrast, playing through; and the volume in space.

    Parameters
    ----------
    shown : a file of the SDK, of a zarr folder any of those at its top; or a dataset or step: the first volume in it.
    stack : of a file, the images of its folder with its ending, on one another by name.

    Attributes
    ----------
    volume : place of the file in the API, ``elements/<id>/files/<id>``.
    shown_as : ``surface`` at the threshold, or ``projection``: the densest voxel along each line of sight.
    threshold : σ from the mean; positive is denser, also where what is dense is dark.
    slab : sections averaged in each plane.
    position : of the crosshair, (x, y, z) px, y upwards; empty until the view has told it.
    """

    _esm = bundle("volume_viewer")
    volume = traitlets.Unicode("").tag(sync=True)
    stack = traitlets.Bool(False).tag(sync=True)
    shown_as = traitlets.Enum(("surface", "projection"), default_value="surface").tag(sync=True)
    threshold = traitlets.Float(2.5).tag(sync=True)
    slab = traitlets.Int(1, min=1, max=99).tag(sync=True)
    position = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self,
        shown: FileLike | HolderLike | None = None,
        *,
        stack: bool = False,
        theme: Literal["dark", "light"] = "dark",
        **traits: Any,
    ) -> None:
        client: ApiClient | None = None
        if shown is not None:
            client = shown.client
            volume, stack = _place_of(shown, stack)
            traits |= {"volume": volume}
        super().__init__(stack=stack, theme=theme, **traits)
        if client is not None:
            self._answer(client, allowed_volume_path(self.volume))


def _place_of(shown: FileLike | HolderLike, stack: bool) -> tuple[str, bool]:
    """Place of the file in the API, and whether it stands for a stack. Raises NotFound where there is no volume."""
    if not hasattr(shown, "files"):
        return f"elements/{shown.model.element_id}/files/{shown.id}", stack
    found = VolumeList.model_validate_json(shown.client.get_bytes(f"elements/{shown.id}/volumes"))
    if not found.items:
        raise NotFound(
            "There is no volume at its top.", hint="Give one of its files, or put images of one size into it."
        )
    first = found.items[0]
    return f"elements/{shown.id}/files/{first.file.id}", first.stack
