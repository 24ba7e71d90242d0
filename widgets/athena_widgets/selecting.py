"""Acquisitions that a person selects in a view, told to functions of the notebook (NB-02)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, overload

import traitlets

from athena_widgets.base import AthenaWidget, RunLike
from athena_widgets.spans import parse_spans


class PickableRun(Protocol):
    """A run, or a branch of its results, that gives its acquisitions one by one."""

    def acquisition(self, key: int) -> Any:
        """One acquisition by index."""
        ...


class Selected(Sequence[Any]):
    """Acquisitions that are selected, in order of index; each is read when it is asked for.

    ``indices`` : their places along ``acquisition`` in the run's results, which need no reading.
    """

    def __init__(self, run: PickableRun, indices: Iterable[int]) -> None:
        self._run = run
        self.indices = tuple(indices)

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> "Selected": ...
    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return Selected(self._run, self.indices[key])
        return self._run.acquisition(self.indices[key])

    def __len__(self) -> int:
        return len(self.indices)

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.indices[:10]))
        return f"<{len(self)} selected: {shown}{', …' if len(self) > 10 else ''}>"


Hear = Callable[[Selected], object]


class SelectingWidget(AthenaWidget):
    """A view of a run in which acquisitions are selected.

    Attributes
    ----------
    chosen : which are selected, as the view says it: ``"3-40,55"``; empty: none.
    problem : why the last thing asked was refused, in words.
    """

    chosen = traitlets.Unicode("").tag(sync=True)
    problem = traitlets.Unicode("").tag(sync=True)

    def __init__(self, run: RunLike | None = None, **traits: Any) -> None:
        super().__init__(run, **traits)
        self._run: Any = run
        self._hearers: list[Hear] = []
        self.observe(self._selected, "chosen")

    @property
    def selection(self) -> Selected:
        """The acquisitions that are selected now, as the branch that is shown has them."""
        if not hasattr(self._run, "acquisition"):
            raise ValueError("this view was made without a run of the SDK, which alone gives acquisitions")
        source = self._run.branch(self.branch) if self.branch else self._run
        return Selected(source, sorted(set(parse_spans(self.chosen) or ())))

    def on_selected(self, callback: Hear, *, remove: bool = False) -> Hear:
        """Call a function with the selected acquisitions whenever others are selected; none left: with an empty one.

        Gives the function back, so that it can stand above one as a decorator. What it raises is told in the view.

        Parameters
        ----------
        remove : call it no more; nothing happens where it never was to be called.
        """
        if remove:
            self._hearers = [one for one in self._hearers if one is not callback]
        else:
            self._hearers.append(callback)
        return callback

    def _selected(self, _change: Any) -> None:
        problems = [problem for callback in tuple(self._hearers) if (problem := self._tell(callback))]
        self.problem = " ".join(problems)

    def _tell(self, callback: Hear) -> str:
        try:
            callback(self.selection)
        except Exception as error:  # noqa: BLE001  the last frame before the kernel's loop, which tells nobody
            return f"{getattr(callback, '__name__', 'on_selected')}: {type(error).__name__}: {error}"
        return ""
