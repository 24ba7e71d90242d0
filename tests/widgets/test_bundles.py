"""What is shipped to the browser: complete in itself, and in step with Python."""

import json
import re
from pathlib import Path

import pytest

import athena_widgets
from athena.zarrio import layout
from athena_widgets import tokens

ROOT = Path(__file__).resolve().parent.parent.parent
STATIC = ROOT / "widgets" / "athena_widgets" / "static"
JS = ROOT / "widgets" / "js"


@pytest.mark.parametrize("name", ["image_viewer", "run_gallery", "motion_traces", "ctf_fit", "volume_viewer"])
def test_bundles_import_nothing(name: str) -> None:
    text = (STATIC / f"{name}.js").read_text()
    assert not re.search(r"""^\s*import\b[^(]*from\s*["']""", text, re.MULTILINE)
    assert "@import" not in text
    assert not re.search(r"url\((?!data:)[\"']?https?:", text)


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((JS / "package-lock.json").read_text())
    assert len(lock["packages"]) > 20
    assert not any("resolved" in package for package in lock["packages"].values())


def test_every_widget_has_its_typescript_twin() -> None:
    for name in athena_widgets.__all__:
        twin = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert (JS / "src" / f"{twin}.ts").exists()
        assert getattr(athena_widgets, name).__module__ == f"athena_widgets.{twin}"


def test_the_catalogue_reaches_typescript() -> None:
    text = (JS / "src" / "catalogue.gen.ts").read_text()
    for name in layout.METRICS:
        assert f'"{name}"' in text


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ground", ["background", "surface", "raised"])
def test_text_and_status_colours_are_readable(theme: str, ground: str) -> None:
    colours = tokens.load()[theme]
    behind = _luminance(colours[ground])
    for name in ("text", "muted", "completed", "in-progress", "error", "warning", "out-of-range"):
        ahead = _luminance(colours[name])
        ratio = (max(ahead, behind) + 0.05) / (min(ahead, behind) + 0.05)
        assert ratio >= 4.5, f"{name} on {ground}: {ratio:.2f}"


def test_css_has_both_themes() -> None:
    css = tokens.css(selector=":root")
    assert "--athena-accent: #2bb8a8;" in css
    assert ':root[data-theme="light"]' in css
    assert "font-face" in tokens.font_css()
