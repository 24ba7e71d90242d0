"""A micrograph at any zoom."""

import traitlets

from athena_widgets.base import AcquisitionWidget, bundle


class ImageViewer(AcquisitionWidget):
    """Zoomable micrograph with scale bar, contrast and measuring; keys as in EQ-06.

    Attributes
    ----------
    content : ``micrograph``, ``spectrum`` (power spectrum) or ``spectrum_fit`` (half of it the fitted CTF).
    file : place of a file in the API, ``elements/<id>/files/<id>``, to be shown in place of a micrograph, section by
        section; in the portal only.
    depth : sections of a file that turned out to be a volume; 0: it is none, or is not looked into yet.
    """

    _esm = bundle("image_viewer")
    content = traitlets.Enum(("micrograph", "spectrum", "spectrum_fit"), default_value="micrograph").tag(sync=True)
    file = traitlets.Unicode("").tag(sync=True)
    depth = traitlets.Int(0).tag(sync=True)
