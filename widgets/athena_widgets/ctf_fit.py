"""The fitted contrast transfer function of a micrograph."""

from athena_widgets.base import AcquisitionWidget, bundle


class CtfFit(AcquisitionWidget):
    """Experimental and theoretical curve over spatial frequency, and the zoomable power spectrum with its fit."""

    _esm = bundle("ctf_fit")
