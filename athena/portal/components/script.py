"""The base of the portal's own components: a small script and style sheet beside the Python file of the same name."""

import re
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import panel as pn

_HERE = Path(__file__).parent


@cache
def _text(name: str) -> str:
    path = _HERE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Script(pn.custom.JSComponent):
    """A component whose class ``ElementList`` is drawn by ``element_list.js`` and styled by ``element_list.css``."""

    _parts: ClassVar[tuple[str, ...]] = ()
    """Scripts and style sheets that it shares with others, by name; they come before its own."""
    _stylesheets: ClassVar[list[Any]] = []
    __abstract = True

    def __init_subclass__(cls, **options: Any) -> None:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        names = (*cls._parts, name)
        cls._esm = _text("dom.js") + "".join(_text(f"{one}.js") for one in names)
        cls._stylesheets = [_text("base.css") + "".join(_text(f"{one}.css") for one in names)]
        super().__init_subclass__(**options)
