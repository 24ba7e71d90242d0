"""Which metrics of a run have charts (EQ-07, NB-05), apart from the widget, which the portal need not load."""

from collections.abc import Iterable
from typing import Any

from athena.contract.user_metrics import UserMetric
from athena.zarrio.layout import METRICS

ALWAYS = ("defocus_um", "ctf_resolution_angstrom", "drift_total_angstrom", "astigmatism_nm")
"""Have charts in every run."""
VARIES = (
    *("phase_shift_deg", "iciness", "ice_relative", "ice_thickness_nm", "ctf_score"),
    *("drift_early_angstrom", "mean_intensity_e_per_px", "tilt_deg"),
)
"""Have charts where they were measured and are not one number only: a phase shift needs a phase plate."""
NO_CHART = ("acquired_unix_s",)
"""Numbers that mean nothing on an axis of values."""


def chart_metrics(added: Iterable[UserMetric] = ()) -> list[dict[str, Any]]:
    """Metrics a chart or a rule may look at, in the order of their charts; those that people added have charts too."""
    first = (*ALWAYS, *VARIES)
    others = [name for name in METRICS if name not in first and name not in NO_CHART]
    kinds = dict.fromkeys(ALWAYS, "always") | dict.fromkeys(VARIES, "varies")
    built_in = [_item(METRICS[name], kinds.get(name, "asked")) for name in (*first, *others)]
    own = [_item(metric, "always") for metric in added]
    return [*built_in[: len(first)], *own, *built_in[len(first) :]]


def _item(metric: Any, standard: str) -> dict[str, Any]:
    about = {"name": metric.name, "label": metric.label, "unit": metric.unit, "digits": metric.digits}
    return {**about, "standard": standard}
