"""What all widgets have in common: which run they show, where their data comes from, theme and height."""

import re
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import anywidget
import traitlets

from athena_widgets.live import Follower, follower
from athena_widgets.source import ApiClient, CommSource, allowed_path

STATIC = Path(__file__).parent / "static"


_NOT_BUILT = """export default {{ render({{ el }}) {{
  el.textContent = "{name}.js is not built: run `make widgets`, then start the kernel anew.";
}} }};
"""


def bundle(name: str) -> Path | str:
    """A widget's bundled module; where it is missing, one that says how to make it."""
    path = STATIC / f"{name}.js"
    return path if path.exists() else _NOT_BUILT.format(name=name)


class RunLike(Protocol):
    """A run of the SDK, as far as widgets need it."""

    @property
    def id(self) -> object:
        """Identifier of the run."""
        ...

    @property
    def client(self) -> ApiClient:
        """The client the run was read with."""
        ...


@runtime_checkable
class AcquisitionLike(Protocol):
    """An acquisition of the SDK, as far as widgets need it."""

    @property
    def run(self) -> RunLike:
        """The run it belongs to."""
        ...

    @property
    def index(self) -> int:
        """Its place in the run."""
        ...

    @property
    def branch(self) -> str | None:
        """Branch of results it is shown in; None: the default one."""
        ...


class ViewWidget(anywidget.AnyWidget):
    """What every view has: where its data comes from, its theme and its height.

    Attributes
    ----------
    source_kind : ``comm`` (through the kernel; works in any notebook) or ``http`` (the browser asks ``base_url``).
    base_url : root of the API for ``http``, relative to the page.
    theme : ``dark`` or ``light``.
    height : px.
    """

    source_kind = traitlets.Enum(("comm", "http"), default_value="comm").tag(sync=True)
    base_url = traitlets.Unicode("api/").tag(sync=True)
    theme = traitlets.Enum(("dark", "light"), default_value="dark").tag(sync=True)
    height = traitlets.Int(560).tag(sync=True)

    # here and not in __init__: ipywidgets closes even those whose __init__ raised
    _source: CommSource | None = None

    def _answer(self, client: ApiClient, allowed: re.Pattern[str]) -> None:
        """Answer what the browser asks through the kernel, as far as that is allowed."""
        self._source = CommSource(self, client, allowed=allowed)

    def close(self) -> None:
        """Take the view away and stop answering it."""
        if self._source is not None:
            self._source.close()
        super().close()


class AthenaWidget(ViewWidget):
    """A view of one run.

    Parameters
    ----------
    run : a run of the SDK: all that a notebook gives.
    run_id, base_url : in place of a run where the browser asks the API itself.
    live : in a notebook, follow the instance's events and show what is new by itself.
    branch : of the run's results, by its name; empty: the default one. Chosen once, when the view is made.

    Attributes
    ----------
    run_id : the run, as text.
    version : bump it, and the view pulls what changed.
    """

    run_id = traitlets.Unicode("").tag(sync=True)
    branch = traitlets.Unicode("").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)

    # as ``_source``
    _follower: Follower | None = None

    def __init__(
        self,
        run: RunLike | None = None,
        *,
        run_id: str | None = None,
        client: ApiClient | None = None,
        base_url: str | None = None,
        theme: Literal["dark", "light"] = "dark",
        live: bool = True,
        branch: str | None = None,
        **traits: Any,
    ) -> None:
        if run is not None:
            run_id, client = str(run.id), run.client
        if run_id is None or (client is None) == (base_url is None):
            raise ValueError("give a run, or run_id with either a client or a base_url")
        if base_url is not None:
            traits |= {"source_kind": "http", "base_url": base_url}
        super().__init__(run_id=run_id, theme=theme, branch=branch or "", **traits)
        if client is not None:
            self._answer(client, allowed_path(run_id, self.branch))
        if client is not None and live:
            self._follower = follower(client)
            self._follower.add(self)

    def close(self) -> None:
        """Take the view away and stop answering it."""
        if self._follower is not None:
            self._follower.remove(self)
        super().close()


class AcquisitionWidget(AthenaWidget):
    """A view of one acquisition.

    Parameters
    ----------
    shown : an acquisition of the SDK, or a run (then with ``index``).
    index : acquisition of the run; may be changed later.
    """

    index = traitlets.Int(-1).tag(sync=True)

    def __init__(self, shown: AcquisitionLike | RunLike | None = None, index: int | None = None, **traits: Any) -> None:
        if isinstance(shown, AcquisitionLike):
            index = shown.index if index is None else index
            traits = {"branch": shown.branch} | traits
            shown = shown.run
        super().__init__(shown, index=-1 if index is None else index, **traits)
