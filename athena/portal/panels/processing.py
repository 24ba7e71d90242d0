"""How a run is processed and judged: branches of results, failed ones, criteria, parameters (BY-06, EQ-12)."""

from enum import StrEnum
from typing import Any, get_args

from athena.contract.branches import Branch
from athena.contract.criteria import Criteria, RunCriteria
from athena.contract.elements import Element
from athena.contract.processing import MovieParameters
from athena.contract.runs import ParametersUpdate, Run
from athena.errors import Invalid
from athena.portal.components.processing_editor import ProcessingEditor
from athena.portal.panels.side import Side, may_write
from athena.portal.session import PortalSession
from athena.sdk.client import checked
from athena.zarrio.layout import METRICS

_UNITS = {"_e_per_A2": "e⁻/Å²", "_angstrom": "Å", "_kv": "kV", "_mm": "mm"}
_USUAL = {
    "pixel_size_angstrom": "as the microscope says",
    "voltage_kv": "as the microscope says",
    "dose_per_frame_e_per_A2": "as the microscope says",
    "eer_frames_per_fraction": "by dose, about 1 e⁻/Å²",
}
"""What holds where nobody set a parameter, for those that have no number of their own."""
_FOUND_BY_SERVER = frozenset({"defects_sha256"})


class ProcessingSide(Side[ProcessingEditor]):
    """A run's branches, failed acquisitions, criteria and parameters: shown and changed."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, ProcessingEditor)

    def _read(self, element: Element) -> None:
        catalogue = self._session.catalogue

        def read() -> tuple[Run, list[Branch], RunCriteria]:
            return catalogue.run(element.id), catalogue.branches(element.id), catalogue.criteria(element.id)

        def show(found: tuple[Run, list[Branch], RunCriteria]) -> None:
            run, branches, criteria = found
            self.root.param.update(
                branches=[branch_item(branch) for branch in branches if not branch.deleting],
                failed=run.counts.error,
                criteria=criteria.model_dump(mode="json", include={"rules", "own", "complying", "judged"}),
                metrics=metric_items(run),
                parameters=parameter_items(run),
                may_write=may_write(element),
                waiting=False,
            )

        self._fetch(element, read, show)

    def _answer(self, element: Element, asked: dict[str, Any]) -> None:
        catalogue, run_id = self._session.catalogue, element.id
        try:
            match asked["do"]:
                case "promote":
                    name = str(asked["name"])
                    self._do(element, lambda: catalogue.promote(run_id, name))
                case "retry":
                    self._do(element, lambda: catalogue.retry_failed(run_id))
                case "criteria":
                    rules = checked(Criteria, rules=asked["rules"]).rules
                    self._do(element, lambda: catalogue.set_criteria(run_id, rules))
                case "reset-criteria":
                    self._do(element, lambda: catalogue.reset_criteria(run_id))
                case "parameters":
                    wanted = checked(ParametersUpdate, parameters=asked["parameters"])
                    self._do(element, lambda: catalogue.set_parameters(run_id, wanted))
        except Invalid as error:
            self._refused(error)


def branch_item(branch: Branch) -> dict[str, Any]:
    """A branch as the component takes it."""
    counts = branch.counts
    return {
        "name": branch.name,
        "default": branch.default,
        "parameters": ", ".join(f"{name} = {value}" for name, value in branch.parameters.items()),
        "completed": counts.completed,
        "waiting": counts.registered + counts.processing,
        "error": counts.error,
    }


def metric_items(run: Run) -> list[dict[str, str]]:
    """Metrics that criteria may be on: those of the catalogue, then those that people added."""
    known = [(metric.name, metric.label, metric.unit) for metric in METRICS.values()]
    known += [(metric.name, metric.label, metric.unit) for metric in run.user_metrics]
    return [{"name": name, "label": label or name, "unit": unit} for name, label, unit in known]


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
