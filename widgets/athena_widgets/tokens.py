"""Design tokens: colours, sizes and status marks, one file for widgets and portal."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any


@cache
def load() -> dict[str, Any]:
    """All tokens: ``dark``, ``light``, ``shared`` map names to CSS values; ``status`` and ``categorical`` for marks."""
    text = files("athena_widgets").joinpath("tokens.json").read_text(encoding="utf-8")
    tokens: dict[str, Any] = json.loads(text)
    return tokens


def css(*, selector: str = ".athena") -> str:
    """CSS custom properties ``--athena-<name>`` under a selector.

    Dark is the default; the light values apply where the same element has ``data-theme="light"``.
    """
    tokens = load()
    dark = {**tokens["shared"], **tokens["dark"]}
    blocks = ((selector, dark), (f'{selector}[data-theme="light"]', tokens["light"]))
    return "".join(
        f"{where} {{\n" + "".join(f"  --athena-{name}: {value};\n" for name, value in values.items()) + "}\n"
        for where, values in blocks
    )


def font_css() -> str:
    """The bundled Inter as one ``@font-face`` rule with its data inside; needs the built widgets."""
    return files("athena_widgets").joinpath("static", "inter.css").read_text(encoding="utf-8")


def font_files() -> tuple[Path, ...]:
    """The bundled Inter in the weights of printed pages, as TrueType; none where the widgets are not built."""
    static = Path(str(files("athena_widgets").joinpath("static")))
    return tuple(sorted(static.glob("inter-*.ttf")))
