"""How the specimen moved while a movie was taken."""

from typing import Any

import traitlets

from athena_widgets.base import AthenaWidget, RunLike, bundle


class MotionTraces(AthenaWidget):
    """Traces of every patch over a ghost of the micrograph, and the drift from frame to frame.

    Parameters
    ----------
    run : a run of the SDK; leave it out and give ``run_id`` and ``base_url`` in the portal.
    index : acquisition shown.
    scale : how much longer than true the traces are drawn: ``auto`` (as large as fits), ``50``, ``100`` or ``200``.
    drift_limit_angstrom : total drift above it is called out of range, Å.
    """

    _esm = bundle("motion_traces")
    index = traitlets.Int(-1).tag(sync=True)
    scale = traitlets.Enum(("auto", "50", "100", "200"), default_value="auto").tag(sync=True)
    drift_limit_angstrom = traitlets.Float(20.0).tag(sync=True)

    def __init__(self, run: RunLike | None = None, index: int = -1, **traits: Any) -> None:
        super().__init__(run, index=index, **traits)
