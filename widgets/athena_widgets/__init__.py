"""Notebook and portal widgets of Athena."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from athena_widgets.image_viewer import ImageViewer
    from athena_widgets.run_gallery import RunGallery

__all__ = ["ImageViewer", "RunGallery"]

_HOME = {"ImageViewer": "image_viewer", "RunGallery": "run_gallery"}


def __getattr__(name: str) -> Any:
    # widgets load on first use: tokens can then be read where the bundles are not built
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
