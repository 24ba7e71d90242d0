"""Write what TypeScript and Python must agree on: the metric catalogue, states, message kinds and tokens."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parent)]

from athena.contract.acquisitions import AcquisitionState  # noqa: E402
from athena.zarrio import layout  # noqa: E402
from athena_widgets import (  # noqa: E402
    base,
    ctf_fit,
    image_viewer,
    messages,
    motion_traces,
    run_dataviz,
    run_gallery,
    tokens,
    volume_viewer,
)

WIDGETS: dict[str, type[base.ViewWidget]] = {
    "image_viewer": image_viewer.ImageViewer,
    "run_gallery": run_gallery.RunGallery,
    "run_dataviz": run_dataviz.RunDataviz,
    "motion_traces": motion_traces.MotionTraces,
    "ctf_fit": ctf_fit.CtfFit,
    "volume_viewer": volume_viewer.VolumeViewer,
}

HEADER = "// Written by widgets/js/generate.py from the Python side; edit that, then run build.py --client.\n"


def _constant(name: str, value: object) -> str:
    return f"export const {name} = {json.dumps(value, ensure_ascii=False, indent=2)} as const;\n"


def defaults(widget: type[base.ViewWidget]) -> dict[str, object]:
    """Names and defaults of the traits a widget shares with the browser."""
    foreign = set(base.ViewWidget.__mro__[1].class_trait_names())
    traits = widget.class_traits(sync=True)
    return {name: traits[name].default() for name in sorted(traits) if name not in foreign}


def catalogue() -> str:
    """The TypeScript twin of the metric catalogue and the message kinds."""
    parts = {
        "METRICS": {name: asdict(metric) for name, metric in layout.METRICS.items()},
        "ACQUISITION_STATES": [state.value for state in AcquisitionState],
        "MESSAGES": {name: value for name, value in vars(messages).items() if name.isupper()},
        "DEFAULTS": {name: defaults(widget) for name, widget in WIDGETS.items()},
        "CATEGORICAL": tokens.load()["categorical"],
        "TILE": layout.TILE,
        "THUMBNAIL_SIZE": layout.THUMBNAIL_SIZE,
        "SPECTRUM_SIZE": layout.SPECTRUM_SIZE,
    }
    body = "\n".join(_constant(name, value) for name, value in parts.items())
    return f"{HEADER}\n{body}\nexport type MetricName = keyof typeof METRICS;\n"


def outputs() -> dict[Path, str]:
    """Every generated file and its text."""
    return {
        HERE / "src" / "catalogue.gen.ts": catalogue(),
        HERE / "src" / "tokens.gen.css": tokens.css(),
    }


def stale() -> list[str]:
    """Generated files that differ from what would be written now."""
    return [
        f"{path.name} is out of date: run widgets/js/build.py --client"
        for path, text in outputs().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def write() -> None:
    """Write the files that changed."""
    for path, text in outputs().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
