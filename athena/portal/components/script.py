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

    parts: ClassVar[tuple[str, ...]] = ()
    """Scripts and style sheets that stand before its own, beside those that all have: ``("tree",)``."""
    _stylesheets: ClassVar[list[Any]] = []
    __abstract = True

    def __init_subclass__(cls, **options: Any) -> None:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        cls._esm = "".join(_text(f"{part}.js") for part in ("dom", *cls.parts, name))
        cls._stylesheets = ["".join(_text(f"{part}.css") for part in ("base", *cls.parts, name))]
        super().__init_subclass__(**options)
