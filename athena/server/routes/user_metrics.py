"""User metrics of a run."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from athena.contract.user_metrics import MetricFailure, MetricName, UserMetric, UserMetricCreate
from athena.server.caller import CallerDep
from athena.server.routes.acquisitions import OfBranch
from athena.services import user_metrics

router = APIRouter(prefix="/runs/{run_id}/metrics", tags=["runs"])

Name = Annotated[MetricName, Path(description="Name of the metric.")]


@router.get("")
def list_user_metrics(caller: CallerDep, run_id: UUID) -> tuple[UserMetric, ...]:
    """List the metrics that people added to a run."""
    with caller.reading() as session:
        return user_metrics.list_metrics(session, caller.principal, run_id)


@router.put("/{metric}")
def put_user_metric(caller: CallerDep, run_id: UUID, metric: Name, new: UserMetricCreate) -> UserMetric:
    """Add a metric to a run, or replace its function."""
    with caller.writing() as session:
        return user_metrics.put_metric(session, caller.principal, run_id, metric, new, settings=caller.settings)


@router.delete("/{metric}", status_code=204)
def remove_user_metric(caller: CallerDep, run_id: UUID, metric: Name) -> None:
    """Take a metric off a run."""
    with caller.writing() as session:
        user_metrics.remove_metric(session, caller.principal, run_id, metric)


@router.get("/{metric}/failures")
def list_metric_failures(
    caller: CallerDep, run_id: UUID, metric: Name, *, branch: OfBranch = None
) -> tuple[MetricFailure, ...]:
    """List why a metric has no value for acquisitions, the first thousand."""
    with caller.reading() as session:
        return user_metrics.list_failures(session, caller.principal, run_id, metric, branch=branch)
