"""The table of a run, put together from the parts the API gives it in."""

from typing import Any
from uuid import UUID

from athena.contract.runs import Run, RunTable
from athena.sdk.client import Client, Query
from athena.zarrio import layout


def read_columns(client: Client, run_id: UUID, names: tuple[str, ...], *, branch: str | None = None) -> RunTable:
    """Whole table of a run, of the default branch or of another; Invalid for what is no metric of it."""
    path = f"/api/runs/{run_id}/table"
    parts: list[RunTable] = []
    start = 0
    while not parts or start < parts[-1].total:
        params: Query = {"columns": ",".join(names), "start": start, "branch": branch}
        part = client.get(path, RunTable, params=params)
        parts.append(part)
        if not part.names:
            break
        start += len(part.names)
    first = parts[0]
    if len(parts) == 1:
        return first
    return first.model_copy(
        update={
            "names": _joined([part.names for part in parts]),
            "states": _joined([part.states for part in parts]),
            "errors": _joined([part.errors for part in parts]),
            "accepted": _joined([part.accepted for part in parts]),
            "rejected": _joined([part.rejected for part in parts]),
            "columns": {name: _joined([part.columns[name] for part in parts]) for name in names},
        }
    )


def own_metrics(state: Run) -> tuple[layout.Metric, ...]:
    """Metrics that people added to a run."""
    return tuple(
        layout.Metric(one.name, one.label, one.unit, one.digits, one.lower_is_better) for one in state.user_metrics
    )


def all_metrics(state: Run) -> tuple[str, ...]:
    """Names of all metrics of a run, its own last."""
    return (*layout.METRICS, *(one.name for one in state.user_metrics))


def _joined(parts: list[Any]) -> tuple[Any, ...]:
    return tuple(value for part in parts for value in part)
