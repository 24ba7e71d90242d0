"""Parameters of a run's processing as fields of a form (BY-06)."""

from enum import StrEnum
from typing import Any, get_args

from athena.contract.processing import MovieParameters
from athena.contract.runs import Run

_UNITS = {"_e_per_A2": "e⁻/Å²", "_angstrom": "Å", "_kv": "kV", "_mm": "mm"}
_USUAL = {
    "pixel_size_angstrom": "as the microscope says",
    "voltage_kv": "as the microscope says",
    "dose_per_frame_e_per_A2": "as the microscope says",
    "eer_frames_per_fraction": "by dose, about 1 e⁻/Å²",
}
"""What holds where nobody set a parameter, for those that have no number of their own."""
_FOUND_BY_SERVER = frozenset({"defects_sha256"})


def parameter_items(run: Run) -> list[dict[str, Any]]:
    """Parameters of the processing as the component takes them; ``value`` is None where nobody set it."""
    items = []
    for name, field in MovieParameters.model_fields.items():
        if name in _FOUND_BY_SERVER:
            continue
        kinds = {kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)}
        (kind,) = kinds
        choices: list[str] = []
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            choices = [choice.value for choice in kind]
        elif kind is bool:
            choices = ["true", "false"]
        usual = field.get_default() if not field.is_required() else None
        value = run.parameters.get(name)
        items.append(
            {
                "name": name,
                "label": _label(name),
                "about": field.description or "",
                "kind": "choice" if choices else {float: "number", int: "whole"}.get(kind, "text"),
                "choices": choices,
                "value": str(value).lower() if choices and value is not None else value,
                "usual": _USUAL.get(name, "none") if usual is None else str(usual).lower(),
            }
        )
    return items


def _label(name: str) -> str:
    """Name of a parameter as people read it: ``Pixel size (Å)``."""
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{_label(name.removesuffix(ending))} ({unit})"
    words = name.replace("_", " ").replace("eer", "EER")
    return words[0].upper() + words[1:]
