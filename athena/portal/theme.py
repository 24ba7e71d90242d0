"""The tokens of the look, handed to Material UI and to the page's style sheet.

The tokens themselves belong to ``athena_widgets.tokens``: one file for widgets, portal and plots.
"""

from typing import Any, Literal

from athena_widgets import tokens

Scheme = Literal["dark", "light"]
THEME_COOKIE = "athena-theme"
"""Readable by the page's script: the choice of dark or light, nothing else."""


def _material(scheme: Scheme) -> dict[str, Any]:
    """Material UI theme options of one colour scheme."""
    colour, shared = tokens.load()[scheme], tokens.load()["shared"]
    radius = int(shared["radius"].removesuffix("px"))
    return {
        "palette": {
            "mode": scheme,
            "primary": {"main": colour["accent"], "contrastText": colour["on-accent"]},
            "secondary": {"main": colour["in-progress"]},
            "success": {"main": colour["completed"]},
            "info": {"main": colour["in-progress"]},
            "warning": {"main": colour["warning"]},
            "error": {"main": colour["out-of-range"]},
            "background": {"default": colour["background"], "paper": colour["surface"]},
            "text": {"primary": colour["text"], "secondary": colour["muted"]},
            "divider": colour["line"],
        },
        "shape": {"borderRadius": radius},
        "typography": {
            "fontFamily": shared["font"],
            "fontSize": 13,
            "button": {"textTransform": "none", "fontWeight": 500},
        },
        "components": {
            "MuiPaper": {"styleOverrides": {"root": {"backgroundImage": "none"}}},
            "MuiButton": {
                "defaultProps": {"disableElevation": True},
                "styleOverrides": {"root": {"fontSize": 13, "lineHeight": "20px", "padding": "5px 12px"}},
            },
            "MuiTab": {"styleOverrides": {"root": {"minHeight": 40, "padding": "8px 16px"}}},
            "MuiTabs": {"styleOverrides": {"root": {"minHeight": 40}}},
        },
    }


def material_theme() -> dict[str, Any]:
    """Theme options for both schemes, as panel-material-ui takes them."""
    return {"dark": _material("dark"), "light": _material("light")}


def page_css() -> str:
    """Style sheet of the document: tokens as ``--athena-*`` properties, and what frames the whole page."""
    return (
        tokens.css(selector=":root")
        + """
html, body { background: var(--athena-background) !important; color: var(--athena-text); }
html { color-scheme: dark; } html[data-theme="light"] { color-scheme: light; }
body, button, input, select, textarea { font-family: var(--athena-font); font-feature-settings: "tnum"; }
#loader:not(.error) { display: none !important; }
*:focus-visible { outline: 2px solid var(--athena-accent); outline-offset: 2px; }
::-webkit-scrollbar { width: 10px; height: 10px; }
::-webkit-scrollbar-thumb { background: var(--athena-line); border-radius: 5px; border: 2px solid transparent;
  background-clip: padding-box; }
::-webkit-scrollbar-track { background: transparent; }
@supports not selector(::-webkit-scrollbar) { * { scrollbar-color: var(--athena-line) transparent; } }
"""
    )
