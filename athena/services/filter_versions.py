"""Versions of named filters (BY-09, ADR 0175): what they were, and which one some rules are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from athena.contract.elements import ElementKind
from athena.contract.filters import FilterRule, KeptVersion, RunFilter
from athena.contract.named_filters import FilterVersion
from athena.contract.people import Principal
from athena.db.elements import ElementRow
from athena.db.named_filters import FilterVersionRow, NamedFilterRow
from athena.domain.filters import rules_hash
from athena.domain.tree import path_ids
from athena.errors import Invalid, NotFound
from athena.services.guard import get_visible_run

MAX_PAGE = 1000


def list_versions(
    session: Session,
    principal: Principal,
    run_id: UUID,
    filter_id: UUID,
    *,
    before: int | None = None,
    limit: int = MAX_PAGE,
) -> tuple[FilterVersion, ...]:
    """Versions of a filter that the workflow of a run keeps or kept, newest first; ``before`` a number, if given.

    Raises NotFound (also where the workflow never kept it), Invalid.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"A page has 1 to {MAX_PAGE} versions.")
    get_visible_run(session, principal, run_id)
    of_filter = _of_filter(session, run_id, filter_id)
    query = select(FilterVersionRow).where(*of_filter).order_by(FilterVersionRow.number.desc()).limit(limit)
    if before is not None:
        query = query.where(FilterVersionRow.number < before)
    rows = session.scalars(query).all()
    if not rows and session.scalar(select(FilterVersionRow.number).where(*of_filter).limit(1)) is None:
        raise NotFound(f"The workflow never kept a filter {filter_id}.")
    return tuple(_version(row) for row in rows)


def get_version(session: Session, principal: Principal, run_id: UUID, filter_id: UUID, number: int) -> FilterVersion:
    """One version of a filter; NotFound."""
    get_visible_run(session, principal, run_id)
    of_filter = _of_filter(session, run_id, filter_id)
    row = session.scalar(select(FilterVersionRow).where(*of_filter, FilterVersionRow.number == number))
    if row is None:
        raise NotFound(f"The workflow keeps no version {number} of the filter {filter_id}.")
    return _version(row)


def keep_version(session: Session, principal: Principal, row: NamedFilterRow, *, time: datetime) -> None:
    """Keep what a filter has just become. For services past their guard."""
    rules = RunFilter.model_validate({"rules": row.rules}).rules
    session.add(
        FilterVersionRow(
            filter_id=row.id,
            number=row.revision,
            workflow_id=row.workflow_id,
            name=row.name,
            rules=row.rules,
            rules_hash=rules_hash(rules),
            username=principal.username,
            time=time,
        )
    )


def version_of(session: Session, run_id: UUID, rules: Sequence[FilterRule]) -> KeptVersion | None:
    """The version of a named filter that says what some rules say; None: nobody ever kept these under a name.

    Of several it is the one that still holds, then the newest. For services and jobs past their guard.
    """
    if not rules:
        return None
    holds = and_(NamedFilterRow.id == FilterVersionRow.filter_id, NamedFilterRow.revision == FilterVersionRow.number)
    query = (
        select(FilterVersionRow)
        .outerjoin(NamedFilterRow, holds)
        .where(
            FilterVersionRow.workflow_id == workflow_of(session, run_id).id,
            FilterVersionRow.rules_hash == rules_hash(rules),
        )
        .order_by(NamedFilterRow.id.is_(None), FilterVersionRow.time.desc(), FilterVersionRow.number.desc())
        .limit(1)
    )
    row = session.scalar(query)
    return None if row is None else KeptVersion(id=row.filter_id, name=row.name, version=row.number)


def used_filter(session: Session, run_id: UUID, wanted: RunFilter, *, since: datetime) -> dict[str, Any]:
    """What an export says of the filter it goes by from some time on. For services and jobs past their guard."""
    named = version_of(session, run_id, wanted.rules)
    return {
        "since": since.isoformat(),
        "rules": wanted.model_dump(mode="json")["rules"],
        "named_filter": None if named is None else named.model_dump(mode="json"),
    }


def workflow_of(session: Session, run_id: UUID) -> ElementRow:
    """Workflow that a run lies in, and never leaves. For services past their guard."""
    run = session.get_one(ElementRow, run_id)
    above = ElementRow.id.in_(path_ids(run.path)), ElementRow.kind == ElementKind.WORKFLOW.value
    return session.scalars(select(ElementRow).where(*above)).one()


def _of_filter(session: Session, run_id: UUID, filter_id: UUID) -> tuple[Any, ...]:
    workflow = workflow_of(session, run_id)
    return FilterVersionRow.filter_id == filter_id, FilterVersionRow.workflow_id == workflow.id


def _version(row: FilterVersionRow) -> FilterVersion:
    return FilterVersion(
        filter_id=row.filter_id,
        number=row.number,
        name=row.name,
        rules=RunFilter.model_validate({"rules": row.rules}).rules,
        username=row.username,
        time=row.time,
    )
