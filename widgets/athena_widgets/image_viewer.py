"""A micrograph at any zoom."""

from typing import Any

import traitlets

from athena_widgets.base import AthenaWidget, RunLike, bundle


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
        super().__init__(run, index=index, **traits)
