"""The audit trail of an element."""

from uuid import UUID

from fastapi import APIRouter

from athena.contract.audit import AuditPage
from athena.server.caller import CallerDep
from athena.server.limits import Limit, Offset
from athena.services import audit

router = APIRouter(prefix="/elements/{element_id}/audit", tags=["elements"])


@router.get("")
def list_audit(caller: CallerDep, element_id: UUID, *, offset: Offset = 0, limit: Limit = 100) -> AuditPage:
    """Give what was done to an element, newest first."""
    with caller.reading() as session:
        return audit.list_audit(session, caller.principal, element_id, offset=offset, limit=limit)
