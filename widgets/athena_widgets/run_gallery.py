"""The acquisitions of a run as a live gallery."""

import traitlets

from athena_widgets.base import AthenaWidget, bundle


class RunGallery(AthenaWidget):
    """Every acquisition of a run: cards or extended rows, of which only the visible ones exist in the page.

    Attributes
    ----------
    mode : ``extended`` (a row with thumbnail, motion, spectrum and CTF curve each) or ``cards``.
    order : ``newest`` or ``oldest`` first.
    drift_limit_angstrom : total drift above it gets a red mark, Å.
    selected, opened : index of the acquisition that is marked, or was last clicked (or entered); −1 for none.
    """

    _esm = bundle("run_gallery")
    mode = traitlets.Enum(("extended", "cards"), default_value="extended").tag(sync=True)
    order = traitlets.Enum(("newest", "oldest"), default_value="newest").tag(sync=True)
    drift_limit_angstrom = traitlets.Float(20.0).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)
