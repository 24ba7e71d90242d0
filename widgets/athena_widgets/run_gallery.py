"""The acquisitions of a run as a live gallery."""

from typing import Any

import traitlets

from athena.contract.neighbours import Shown
from athena_widgets.base import RunLike, bundle
from athena_widgets.filtering import FilteredWidget


class RunGallery(FilteredWidget):
    """Every acquisition of a run: cards or extended rows, of which only the visible ones exist in the page.

    Attributes
    ----------
    mode : ``extended`` (a row with thumbnail, motion, spectrum and CTF curve each) or ``cards``.
    order : ``newest`` or ``oldest`` first.
    shown : ``all``, ``filtered``, ``excluded``, ``finished``, ``progress`` or ``error``; empty: what the filter keeps
        of those finished, or all where it has no rules.
    may_filter : whether it offers to change the rules; ``wanted`` is then ``rules``.
    drift_limit_angstrom : total drift above it gets a red mark, Å.
    selected, opened : index of the acquisition that is marked, or was last clicked (or entered); −1 for none.
    """

    _esm = bundle("run_gallery")
    mode = traitlets.Enum(("extended", "cards"), default_value="extended").tag(sync=True)
    order = traitlets.Enum(("newest", "oldest"), default_value="newest").tag(sync=True)
    shown = traitlets.Enum(("", *Shown), default_value="").tag(sync=True)
    may_filter = traitlets.Bool(False).tag(sync=True)
    wanted = traitlets.Unicode("").tag(sync=True)
    drift_limit_angstrom = traitlets.Float(20.0).tag(sync=True)
    selected = traitlets.Int(-1).tag(sync=True)
    opened = traitlets.Int(-1).tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        super().__init__(run, **traits)
        self.observe(self._marked, "selected")

    def _marked(self, change: Any) -> None:
        self.chosen = str(change["new"]) if change["new"] >= 0 else ""
