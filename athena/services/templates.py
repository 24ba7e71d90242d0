"""Workflow templates that are offered. Open to everybody who is logged in, so there is no guard."""

from athena.contract.templates import WorkflowTemplate
from athena.domain.templates import TEMPLATES, describe_templates, offered


def list_templates(*, features: frozenset[str] | None = None) -> tuple[WorkflowTemplate, ...]:
    """Templates for new workflows, in order; ``features`` of the licence limit them (None: all)."""
    return describe_templates(offered(TEMPLATES, features))
