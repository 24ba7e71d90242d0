"""The templates of workflows (WS-02, WS-03): one data file each, beside this module.

``<name>.toml`` makes the template ``<name>``; its keys are the fields of ``TemplateSpec``. There is no other list to
add a new one to.

See docs/how-to-add-template.md.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from athena.contract.base import Wire
from athena.contract.elements import DatasetType, Name, TemplateName
from athena.contract.templates import WorkflowTemplate
from athena.errors import BadFile, Invalid

_FILE_NAME = TypeAdapter[str](TemplateName)


class TemplateSpec(Wire):
    """One template, as its file says."""

    label: str = Field(min_length=1, max_length=100, description="As people name it.")
    order: int = Field(description="Where it stands among those offered, smallest first.")
    steps: tuple[Name, ...] = Field((), description="Steps made with the workflow, in order.")
    own_steps: bool = Field(False, description="Whether users add steps of their own.")
    processes_movies: bool = Field(False, description="Whether movies of its EPU runs are processed as they arrive.")
    runs: dict[str, frozenset[DatasetType]] = Field(
        default_factory=dict, description="Kinds of run users may make, by step."
    )
    needs: frozenset[str] = Field(frozenset(), description="Licence features without which it is not offered.")
    default_for: frozenset[DatasetType] = Field(
        frozenset(), description="Kinds of dataset for which a missing workflow is made from this template."
    )

    @model_validator(mode="after")
    def _steps_agree(self) -> "TemplateSpec":
        if len(set(self.steps)) < len(self.steps):
            raise ValueError("a step is named twice")
        if unknown := set(self.runs) - set(self.steps):
            raise ValueError(f"runs name steps that are not there: {', '.join(sorted(unknown))}")
        if any(DatasetType.FREE in kinds for kinds in self.runs.values()):
            raise ValueError("free datasets go into every step and are not listed under runs")
        return self


def read_templates(folder: Traversable) -> dict[str, TemplateSpec]:
    """Templates of a folder's ``.toml`` files by name, in the order they are offered.

    Raises
    ------
    BadFile : a file is not TOML, misses a key, has one too many, or two files contradict each other.
    """
    found: dict[str, TemplateSpec] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            name = _FILE_NAME.validate_python(file.name.removesuffix(".toml"))
            found[name] = TemplateSpec.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise BadFile(
                f"{file.name} is not a workflow template: {problem}", hint="See docs/how-to-add-template.md."
            ) from problem
    _check_together(found)
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


def _check_together(specs: Mapping[str, TemplateSpec]) -> None:
    """Refuse what only shows between files."""
    takes: dict[str, tuple[str, frozenset[DatasetType]]] = {}
    defaults: dict[DatasetType, str] = {}
    for name, spec in specs.items():
        for step in spec.steps:
            # a step element knows its step name only, so the name alone must tell what it takes
            first, kinds = takes.setdefault(step, (name, spec.runs.get(step, frozenset())))
            if kinds != spec.runs.get(step, frozenset()):
                raise BadFile(f"{name}.toml and {first}.toml let the step “{step}” take different kinds of run.")
        for kind in spec.default_for:
            if kind in defaults:
                raise BadFile(f"{name}.toml and {defaults[kind]}.toml are both the default for {kind.value}.")
            defaults[kind] = name


def run_steps(specs: Iterable[TemplateSpec]) -> dict[DatasetType, frozenset[str]]:
    """Names of the template steps that take each kind of run."""
    found: dict[DatasetType, set[str]] = {}
    for spec in specs:
        for step, kinds in spec.runs.items():
            for kind in kinds:
                found.setdefault(kind, set()).add(step)
    return {kind: frozenset(found[kind]) for kind in DatasetType if kind in found}


TEMPLATES: Mapping[str, TemplateSpec] = MappingProxyType(read_templates(files("athena.domain.templates")))
"""Every template by name, in the order it is offered."""

RUN_STEPS: Mapping[DatasetType, frozenset[str]] = MappingProxyType(run_steps(TEMPLATES.values()))
"""Template steps that take each kind of run. CryoSPARC Live runs are in none: only Athena itself makes them."""

RUN_ADAPTERS: Mapping[DatasetType, frozenset[str]] = MappingProxyType(
    {DatasetType.EPU_RUN: frozenset({"epu", "serialem"}), DatasetType.TOMO_RUN: frozenset({"tomo5", "serialem"})}
)
"""Acquisition adapters whose sessions fill each kind of run."""

DEFAULT_RUN_STEP = "Imaging"
"""Step a run goes into where nothing else is said."""


def dataset_types(step_type: str) -> tuple[DatasetType, ...]:
    """Dataset types a user may make in a step; ``step_type`` is the template's step name, empty for a user's own."""
    return (DatasetType.FREE, *(kind for kind, steps in RUN_STEPS.items() if step_type in steps))


def default_template(dataset_type: DatasetType) -> str:
    """Name of the template for a workflow that is made on the way to a dataset of this type."""
    chosen = [name for name, spec in TEMPLATES.items() if dataset_type in spec.default_for]
    return chosen[0] if chosen else next(iter(TEMPLATES))


def offered(templates: Mapping[str, TemplateSpec], features: Collection[str] | None = None) -> dict[str, TemplateSpec]:
    """Templates that new workflows may be made from, in order.

    Parameters
    ----------
    features : licence features in force; None: the instance is not licensed by feature, and all are offered.
    """
    return {name: spec for name, spec in templates.items() if features is None or spec.needs <= set(features)}


def describe_templates(specs: Mapping[str, TemplateSpec]) -> tuple[WorkflowTemplate, ...]:
    """Templates as the API shows them."""
    return tuple(
        WorkflowTemplate(name=name, label=spec.label, steps=spec.steps, own_steps=spec.own_steps)
        for name, spec in specs.items()
    )


def check_template(name: str, features: Collection[str] | None = None) -> TemplateSpec:
    """Template a new workflow is made from; Invalid if there is none of this name or the licence lacks it."""
    choice = offered(TEMPLATES, features)
    if name in choice:
        return choice[name]
    reason = "is not part of this instance's licence" if name in TEMPLATES else "does not exist"
    raise Invalid(f"The template “{name}” {reason}.", hint=f"There are: {', '.join(choice)}.")
