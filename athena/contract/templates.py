"""Workflow templates, as they are offered to whoever makes a workflow."""

from athena.contract.base import Wire
from athena.contract.elements import TemplateName


class WorkflowTemplate(Wire):
    """What a new workflow can be made from (WS-02)."""

    name: TemplateName
    label: str
    steps: tuple[str, ...]
    own_steps: bool
