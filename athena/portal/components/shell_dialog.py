"""The dialog of the shell: whatever page is shown, what needs more than a word is asked here."""

from collections.abc import Callable
from typing import Any

import param

from athena.portal.components.asking import Asking


class ShellDialog(Asking):
    """One dialog at a time, made of a form that Python gives; it asks ``submit`` (values), ``level`` and ``closed``.

    A form is ``{label, action, danger, text, lines, fields, links, links_said, typed, tree, choices, waiting}``:
    ``fields`` as ``inputOf`` of ``dom.js`` takes them, ``typed`` a word that must be typed first, ``tree`` the places
    that can be chosen, ``choices`` things of which one can be (``{name, items}``; without an ``action`` they are only
    shown), ``waiting`` says that what it is about is still being read.
    """

    parts = ("tree",)

    form = param.Dict(default={}, doc="What is asked, and its number; empty: nothing.")
    answer = param.Dict(default={}, doc="{number, problem}: why what was submitted was not done.")
    page = param.Dict(default={}, doc="As TreeFeed gives it.")

    def __init__(self, **params: Any) -> None:
        super().__init__(self._heard, **params)
        self._number = self._answers = 0
        self._submit: Callable[[dict[str, Any]], None] = _nothing
        self._level: Callable[[dict[str, Any]], None] = _nothing

    def ask(
        self,
        form: dict[str, Any],
        submit: Callable[[dict[str, Any]], None],
        *,
        level: Callable[[dict[str, Any]], None] | None = None,
    ) -> int:
        """Open the dialog on a form; returns the number that :meth:`fill` takes.

        Parameters
        ----------
        submit : called with the values; calls :meth:`close` or :meth:`refuse` when that is over.
        level : reads levels of the form's tree.
        """
        self._number += 1
        self._submit, self._level = submit, level or _nothing
        self.form = form | {"number": self._number}
        return self._number

    def fill(self, number: int, form: dict[str, Any]) -> None:
        """Show more of a form that is still open."""
        if self.form.get("number") == number:
            self.form = form | {"number": number}

    def close(self) -> None:
        """It is done."""
        self.form = {}

    def refuse(self, reason: str) -> None:
        """Say why it was not done, and let it be mended."""
        # the same words twice are said twice
        self._answers += 1
        self.answer = {"number": self._answers, "problem": reason}

    def _heard(self, asked: dict[str, Any]) -> None:
        if asked["do"] == "level":
            self._level(asked)
        elif asked.get("number") == self.form.get("number"):
            if asked["do"] == "submit":
                self._submit(asked["values"])
            else:
                self.close()


def _nothing(_: dict[str, Any]) -> None:
    """Nobody asked for anything."""
