"""Athena: live cryo-EM from the microscope's folder to the notebook.

``athena.connect()`` is where to begin. Everything else is imported on first use, so that ``import athena`` stays
quick and pulls in none of the numerical or graphical libraries.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "connect", "metric", "register_metric", "ureg"]

_LAZY = {"connect": "athena.sdk.connect", "ureg": "athena.domain.registry"} | dict.fromkeys(
    ("metric", "register_metric"), "athena.sdk.user_metrics"
)


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'athena' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
