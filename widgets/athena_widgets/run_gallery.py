"""The acquisitions of a run as a live gallery."""

from typing import Any

import traitlets

from athena_widgets.base import AthenaWidget, bundle
from athena_widgets.image_viewer import RunLike


class RunGallery(AthenaWidget):
    """Every acquisition of a run: cards or extended rows, of which only the visible ones exist in the page.

    Parameters
    ----------
    run : a run of the SDK; leave it out and give ``run_id`` and ``base_url`` in the portal.
    """

    _esm = bundle("run_gallery")
    mode = traitlets.Enum(("extended", "cards"), default_value="extended").tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        if run is not None:
            traits |= {"run_id": str(run.id), "client": run.client}
        super().__init__(**traits)
