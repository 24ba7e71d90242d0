"""The base of the portal's own components: a small script and style sheet beside the Python file of the same name.

Browsers get all of them as one module, which they keep: neither travels with a session's document again (ADR 0180).
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar

import panel as pn

ADDRESS = "scripts/components.js"
"""Where the portal serves the module, below its own address."""
_HERE = Path(__file__).parent
_DRESS = """
// a style sheet is parsed once, whatever the number of components on the page
const sheetOf = (css) => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}
const dressed = (css, render) => {
  const sheet = sheetOf(css)
  return { render: (context) => {
    const worn = context.el.getRootNode().adoptedStyleSheets
    if (!worn.includes(sheet)) worn.push(base, sheet)
    return render(context)
  } }
}
"""


@cache
def _text(name: str) -> str:
    path = _HERE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Script(pn.custom.JSComponent):
    """A component whose class ``ElementList`` is drawn by ``element_list.js`` and styled by ``element_list.css``."""

    parts: ClassVar[tuple[str, ...]] = ()
    """Scripts and style sheets that stand before its own, beside those that all have: ``("tree",)``."""
    _stylesheets: ClassVar[list[Any]] = []
    # Panel would look for a bundle on the disk each time one is made
    _bundle_path: ClassVar[None] = None
    __abstract = True

    @classmethod
    def files(cls) -> tuple[str, ...]:
        """Names, without ending, of its files, its own last; before them stand ``dom.js`` and ``base.css``."""
        return (*cls.parts, re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower())

    @classmethod
    def _render_esm(cls, compiled: Any = True, server: bool = False) -> str:
        return address()

    def _get_properties(self, doc: Any) -> dict[str, Any]:
        properties: dict[str, Any] = super()._get_properties(doc)
        return properties | {"bundle": "url"}


def kinds() -> Iterator[type[Script]]:
    """Every component that has a script, by name."""
    for found in iter_modules([str(_HERE)]):
        import_module(f"{__package__}.{found.name}")
    waiting: list[type[Script]] = [Script]
    known: dict[str, type[Script]] = {}
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(f"{__package__}.") and _text(f"{kind.files()[-1]}.js"):
            known[kind.__name__] = kind
    yield from (known[name] for name in sorted(known))


@cache
def module() -> bytes:
    """The module: an object of components by their class names, each with a ``render``."""
    drawn = list(kinds())
    parts = [_text("dom.js"), _DRESS, f"const base = sheetOf({json.dumps(_text('base.css'))})\n"]
    for kind in drawn:
        css = "".join(_text(f"{name}.css") for name in kind.files())
        script = "".join(_text(f"{name}.js") for name in kind.files())
        script = script.replace("export function render", "function render")
        parts.append(f"const {kind.__name__} = (() => {{\n{script}\nreturn dressed({json.dumps(css)}, render)\n}})()\n")
    parts.append(f"export default {{ {', '.join(kind.__name__ for kind in drawn)} }}\n")
    return "".join(parts).encode()


@cache
def zipped() -> bytes:
    """The module, compressed by gzip."""
    return gzip.compress(module(), mtime=0)


@cache
def version() -> str:
    """Differs with the module's content."""
    return hashlib.blake2b(module(), digest_size=8).hexdigest()


@cache
def address() -> str:
    """Address of the module as it is now, from any page of the portal."""
    return f"./{ADDRESS}?v={version()}"
