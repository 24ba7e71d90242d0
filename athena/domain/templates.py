"""The templates of workflows, as data (WS-02, WS-03), and which datasets their steps take (WS-05)."""

from dataclasses import dataclass
from types import MappingProxyType

from athena.contract.elements import DatasetType, Template

VITRIFICATION = "Vitrification"
SCREENING = "Screening"
IMAGING = "Imaging"
PROCESSING = "Processing"

_SPA_STEPS = ("Biochemistry", "MassSpec Screening", VITRIFICATION, SCREENING, IMAGING, PROCESSING)


@dataclass(frozen=True)
class TemplateSpec:
    """One template.

    Attributes
    ----------
    label : as people name it.
    steps : names of the steps made with the workflow, in order.
    own_steps : whether users add steps of their own.
    processes_movies : whether movies of its EPU runs are processed as they arrive.
    """

    label: str
    steps: tuple[str, ...]
    own_steps: bool = False
    processes_movies: bool = False


TEMPLATES: MappingProxyType[Template, TemplateSpec] = MappingProxyType(
    {
        Template.FREE: TemplateSpec("Free", (), own_steps=True),
        Template.SPA: TemplateSpec("Single Particle Analysis", _SPA_STEPS),
        Template.SPA_QUALITY_MONITOR: TemplateSpec("SPA with quality monitor", _SPA_STEPS, processes_movies=True),
        Template.SPA_CRYOSPARC_LIVE: TemplateSpec("SPA with CryoSPARC Live", _SPA_STEPS),
        Template.TOMO_LIVE: TemplateSpec(
            "Cryo-electron tomography with Tomo Live", (VITRIFICATION, "Milling", IMAGING, PROCESSING)
        ),
    }
)
"""Every template, in the order it is offered."""

RUN_STEPS: MappingProxyType[DatasetType, frozenset[str]] = MappingProxyType(
    {DatasetType.EPU_RUN: frozenset({SCREENING, IMAGING}), DatasetType.TOMO_RUN: frozenset({IMAGING})}
)
"""Template steps that take each kind of run. CryoSPARC Live runs are in none: only Athena itself makes them."""

RUN_ADAPTERS: MappingProxyType[DatasetType, frozenset[str]] = MappingProxyType(
    {DatasetType.EPU_RUN: frozenset({"epu", "serialem"}), DatasetType.TOMO_RUN: frozenset({"tomo5", "serialem"})}
)
"""Acquisition adapters whose sessions fill each kind of run."""

DEFAULT_RUN_STEP = IMAGING
"""Step a run goes into where nothing else is said."""


def dataset_types(step_type: str) -> tuple[DatasetType, ...]:
    """Dataset types a user may make in a step; ``step_type`` is the template's step name, empty for a user's own."""
    return (DatasetType.FREE, *(kind for kind, steps in RUN_STEPS.items() if step_type in steps))
