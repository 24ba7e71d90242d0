"""Notebook and portal widgets of Athena."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from athena_widgets.ctf_fit import CtfFit
    from athena_widgets.image_viewer import ImageViewer
    from athena_widgets.motion_traces import MotionTraces
    from athena_widgets.run_dataviz import RunDataviz
    from athena_widgets.run_gallery import RunGallery
    from athena_widgets.volume_viewer import VolumeViewer

__all__ = ["CtfFit", "ImageViewer", "MotionTraces", "RunDataviz", "RunGallery", "VolumeViewer"]

_HOME = {
    "CtfFit": "ctf_fit",
    "ImageViewer": "image_viewer",
    "MotionTraces": "motion_traces",
    "RunDataviz": "run_dataviz",
    "RunGallery": "run_gallery",
    "VolumeViewer": "volume_viewer",
}


def __getattr__(name: str) -> Any:
    # widgets load on first use: whoever only wants the tokens does not wait for ipywidgets
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
