"""A button and the dialog it opens: some fields, a plain word when what was asked is refused."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import panel_material_ui as pmui

from athena.errors import AthenaError

FIELD: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (8, 0)}
"""How every field of a dialog is laid out."""


class FormDialog(ABC):
    """Base of the portal's dialogs. A kind of dialog gives the fields and overrides :meth:`submit`.

    Parameters
    ----------
    label : of the button; also the dialog's title.
    action : word on the button that does it.
    """

    def __init__(self, label: str, *, action: str, icon: str, fields: Sequence[Any]) -> None:
        self.button = pmui.Button(label=label, icon=icon, variant="contained", size="small", margin=(0, 0, 0, 16))
        self._problem = pmui.Alert(severity="warning", visible=False, **FIELD)
        self._action = pmui.Button(label=action, variant="contained", size="small", margin=(0, 0, 0, 8))
        cancel = pmui.Button(label="Cancel", variant="text", size="small", margin=0)
        self.dialog = pmui.Dialog(
            pmui.Column(
                *fields,
                self._problem,
                pmui.Row(cancel, self._action, margin=(8, 0, 0, 0), sx={"justifyContent": "flex-end"}),
                width=420,
                margin=0,
            ),
            title=label,
            open=False,
            close_on_click=True,
        )
        self.button.on_click(lambda _: self.open())
        cancel.on_click(lambda _: self.done())
        self._action.on_click(lambda _: self.try_it())

    def open(self) -> None:
        """Show it, empty."""
        self._problem.visible = False
        self.clear()
        self.dialog.open = True

    def try_it(self) -> None:
        """Do what was asked, or say what is missing."""
        problem = self.submit()
        if problem:
            self._problem.param.update(object=problem, visible=True)
        else:
            self._action.disabled = True

    @abstractmethod
    def clear(self) -> None:
        """Empty the fields."""

    @abstractmethod
    def submit(self) -> str:
        """Start what was asked and return nothing, or return what is missing."""

    def done(self) -> None:
        """Close: it is done, or given up."""
        self._action.disabled = False
        self.dialog.open = False

    def refused(self, error: AthenaError) -> None:
        """Say why it was not done, and let it be mended."""
        self._action.disabled = False
        self._problem.param.update(object=str(error), visible=True)
