"""The fitted contrast transfer function of a micrograph."""

from typing import Any

import traitlets

from athena_widgets.base import AthenaWidget, RunLike, bundle


class CtfFit(AthenaWidget):
    """Experimental and theoretical curve over spatial frequency, and the zoomable power spectrum with its fit.

    Parameters
    ----------
    run : a run of the SDK; leave it out and give ``run_id`` and ``base_url`` in the portal.
    index : acquisition shown.
    """

    _esm = bundle("ctf_fit")
    index = traitlets.Int(-1).tag(sync=True)

    def __init__(self, run: RunLike | None = None, index: int = -1, **traits: Any) -> None:
        super().__init__(run, index=index, **traits)
