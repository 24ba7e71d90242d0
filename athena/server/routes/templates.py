"""Workflow templates."""

from fastapi import APIRouter

from athena.contract.templates import WorkflowTemplate
from athena.server.caller import CallerDep
from athena.services import licences, templates

router = APIRouter(prefix="/templates", tags=["elements"])


@router.get("")
def list_templates(caller: CallerDep) -> tuple[WorkflowTemplate, ...]:
    """List what new workflows can be made from, in the order to offer it."""
    with caller.reading() as session:
        features = licences.licensed_features(session, settings=caller.settings)
    return templates.list_templates(features=features)
