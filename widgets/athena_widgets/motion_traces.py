"""How the specimen moved while a movie was taken."""

import traitlets

from athena_widgets.base import AcquisitionWidget, bundle


class MotionTraces(AcquisitionWidget):
    """Traces of every patch over a ghost of the micrograph, and the drift from frame to frame.

    Attributes
    ----------
    scale : how much longer than true the traces are drawn: ``auto`` (as large as fits), ``50``, ``100`` or ``200``.
    drift_limit_angstrom : total drift above it is called out of range, Å.
    """

    _esm = bundle("motion_traces")
    scale = traitlets.Enum(("auto", "50", "100", "200"), default_value="auto").tag(sync=True)
    drift_limit_angstrom = traitlets.Float(20.0).tag(sync=True)
