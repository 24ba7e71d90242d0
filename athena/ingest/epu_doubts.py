"""Values of an exposure's XML that cannot be: they are named with what is wrong, and not used nor guessed at."""

import math
from dataclasses import dataclass, replace
from typing import Any

from athena.contract.acquisitions import Doubt
from athena.formats.epu_xml_image import EpuImage


@dataclass(frozen=True)
class _Range:
    """What a value may be, in EPU's unit.

    Attributes
    ----------
    field : of ``EpuImage``; ``name`` and ``label`` are Athena's.
    needed : whether processing or a reader misses it.
    shown : factor to, and name of, the unit that people read.
    """

    field: str
    name: str
    label: str
    low: float
    high: float
    shown: tuple[float, str] = (1.0, "")
    needed: bool = False


_RANGES = (
    _Range("pixel_size_m", "pixel_size_angstrom", "pixel size", 5e-12, 1e-8, (1e10, "Å"), needed=True),
    _Range("voltage_v", "voltage_kv", "voltage", 2e4, 1.5e6, (1e-3, "kV"), needed=True),
    _Range("dose_e_per_m2", "total_dose_e_per_A2", "dose", 1e18, 1e23, (1e-20, "e⁻/Å²")),
    _Range("dose_on_camera_e_per_px", "dose_on_camera_e_per_px", "dose on the camera", 0.01, 1e6, (1.0, "e⁻/px")),
    _Range("exposure_time_s", "exposure_time_s", "exposure time", 1e-3, 1e3, (1.0, "s"), needed=True),
    _Range("applied_defocus_m", "target_defocus_um", "applied defocus", -2e-5, 2e-5, (1e6, "µm")),
    _Range("fractions", "frame_count", "number of fractions", 1, 1e5),
    _Range("magnification", "nominal_magnification", "magnification", 10, 1e8),
    _Range("slit_ev", "energy_slit_ev", "width of the energy slit", 0.1, 500, (1.0, "eV")),
)
MOST_DOSE_RATIO = 2.0
"""The dose on the specimen and that on the camera agree at least so far: the specimen stops some of it."""


def doubts_of(image: EpuImage) -> tuple[EpuImage, tuple[Doubt, ...]]:
    """The image without the values that cannot be, and what is wrong with each."""
    doubts: list[Doubt] = []
    for known in _RANGES:
        doubt = _doubt(known, image)
        if doubt is not None:
            doubts.append(doubt)
            without: dict[str, Any] = {known.field: None}
            image = replace(image, **without)
    doubts += _dose_doubts(image)
    for field, name, label in (("stage", "stage", "stage position"), ("beam_shift", "beam_shift", "beam shift")):
        said = image.said.get(field, "")
        if said and getattr(image, field) is None:
            doubts.append(Doubt(name=name, said=said, reason=f"The {label} is not two numbers."))
    return image, tuple(doubts)


def _doubt(known: _Range, image: EpuImage) -> Doubt | None:
    said = image.said.get(known.field, "")
    if not said:
        reason = f"The XML does not say the {known.label}."
        return Doubt(name=known.name, said="", reason=reason) if known.needed else None
    try:
        value = float(said)
    except ValueError:
        return Doubt(name=known.name, said=said, reason=f"The {known.label} is no number.")
    if not math.isfinite(value):
        return Doubt(name=known.name, said=said, reason=f"The {known.label} is no finite number.")
    if known.low <= value <= known.high:
        return None
    factor, unit = known.shown
    low, high, found = (f"{number * factor:.6g}" for number in (known.low, known.high, value))
    reason = f"A {known.label} of {found} {unit}".rstrip() + f" cannot be: {low} to {high} {unit}".rstrip() + " can."
    return Doubt(name=known.name, said=said, reason=reason)


def _dose_doubts(image: EpuImage) -> list[Doubt]:
    """What is wrong with the dose as a whole."""
    total = image.total_dose
    if total is None:
        return [Doubt(name="total_dose_e_per_A2", said="", reason="No usable dose: there is no dose weighting.")]
    camera = replace(image, dose_e_per_m2=None).total_dose
    if image.dose_e_per_m2 is None or camera is None or 1 / MOST_DOSE_RATIO < camera / total < MOST_DOSE_RATIO:
        return []
    reason = f"The dose is {total:.4g} e⁻/Å², and by the camera {camera:.4g} e⁻/Å²: one of them is wrong."
    return [Doubt(name="total_dose_e_per_A2", said=image.said.get("dose_e_per_m2", ""), reason=reason)]
