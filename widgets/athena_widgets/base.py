"""What all widgets have in common: which run they show, where their data comes from, theme and height."""

from pathlib import Path
from typing import Any, Literal

import anywidget
import traitlets

from athena_widgets.source import ApiClient, CommSource

STATIC = Path(__file__).parent / "static"


def bundle(name: str) -> Path:
    """Path of a widget's bundled module; says how to make it when it is missing."""
    path = STATIC / f"{name}.js"
    if not path.exists():
        raise ImportError(f"{path.name} is not built: run `make widgets` (or `python widgets/js/build.py`)")
    return path


class AthenaWidget(anywidget.AnyWidget):
    """A view of one run.

    Attributes
    ----------
    run_id : the run, as text.
    source_kind : ``comm`` (through the kernel; works in any notebook) or ``http`` (the browser asks ``base_url``).
    base_url : root of the API for ``http``, relative to the page.
    version : bump it, and the view pulls what changed.
    theme : ``dark`` or ``light``.
    height : px.
    """

    run_id = traitlets.Unicode("").tag(sync=True)
    source_kind = traitlets.Enum(("comm", "http"), default_value="comm").tag(sync=True)
    base_url = traitlets.Unicode("api/").tag(sync=True)
    version = traitlets.Int(0).tag(sync=True)
    theme = traitlets.Enum(("dark", "light"), default_value="dark").tag(sync=True)
    height = traitlets.Int(560).tag(sync=True)

    def __init__(
        self,
        *,
        run_id: str,
        client: ApiClient | None = None,
        base_url: str | None = None,
        theme: Literal["dark", "light"] = "dark",
        **traits: Any,
    ) -> None:
        if (client is None) == (base_url is None):
            raise ValueError("give either a client (notebook) or a base_url (portal)")
        if base_url is not None:
            traits |= {"source_kind": "http", "base_url": base_url}
        super().__init__(run_id=run_id, theme=theme, **traits)
        self._source = None if client is None else CommSource(self, client, run_id=run_id)

    def close(self) -> None:
        """Take the view away and stop answering it."""
        if self._source is not None:
            self._source.close()
        super().close()
