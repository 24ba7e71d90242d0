"""A micrograph at any zoom."""

from typing import Any, Protocol

import traitlets

from athena_widgets.base import AthenaWidget, bundle
from athena_widgets.source import ApiClient


class RunLike(Protocol):
    """A run of the SDK, as far as widgets need it."""

    @property
    def id(self) -> object:
        """Identifier of the run."""
        ...

    @property
    def client(self) -> ApiClient:
        """The client the run was read with."""
        ...


class ImageViewer(AthenaWidget):
    """Zoomable micrograph with scale bar, contrast and measuring; keys as in EQ-06.

    Parameters
    ----------
    run : a run of the SDK; leave it out and give ``run_id`` and ``base_url`` in the portal.
    index : acquisition shown.
    content : ``micrograph``, ``spectrum`` (power spectrum) or ``spectrum_fit`` (half of it the fitted CTF).
    """

    _esm = bundle("image_viewer")
    index = traitlets.Int(-1).tag(sync=True)
    content = traitlets.Enum(("micrograph", "spectrum", "spectrum_fit"), default_value="micrograph").tag(sync=True)

    def __init__(self, run: RunLike | None = None, index: int = -1, **traits: Any) -> None:
        if run is not None:
            traits |= {"run_id": str(run.id), "client": run.client}
        super().__init__(index=index, **traits)
