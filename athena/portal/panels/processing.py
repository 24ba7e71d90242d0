"""How a run is processed and judged: failed ones, criteria, parameters (AC-04, EQ-12)."""

from typing import Any

from athena.contract.criteria import Criteria, RunCriteria
from athena.contract.elements import Element
from athena.contract.runs import ParametersUpdate, Run
from athena.errors import Invalid
from athena.portal.components.processing_editor import ProcessingEditor
from athena.portal.panels.parameters import parameter_items
from athena.portal.panels.side import Side, may_write
from athena.portal.session import PortalSession
from athena.sdk.client import checked
from athena.zarrio.layout import METRICS


class ProcessingSide(Side[ProcessingEditor]):
    """A run's failed acquisitions, criteria and parameters: shown and changed."""

    def __init__(self, session: PortalSession) -> None:
        super().__init__(session, ProcessingEditor)

    def _read(self, element: Element) -> None:
        catalogue = self._session.catalogue

        def read() -> tuple[Run, RunCriteria]:
            return catalogue.run(element.id), catalogue.criteria(element.id)

        def show(found: tuple[Run, RunCriteria]) -> None:
            run, criteria = found
            self.root.param.update(
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


def metric_items(run: Run) -> list[dict[str, str]]:
    """Metrics that criteria may be on: those of the catalogue, then those that people added."""
    known = [(metric.name, metric.label, metric.unit) for metric in METRICS.values()]
    known += [(metric.name, metric.label, metric.unit) for metric in run.user_metrics]
    return [{"name": name, "label": label or name, "unit": unit} for name, label, unit in known]
