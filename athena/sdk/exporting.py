"""Starting exports of runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from athena.contract.exports import ExportParameters, ExportPart
from athena.sdk import filters
from athena.sdk.client import checked
from athena.sdk.jobs import Job, start_job

if TYPE_CHECKING:
    from athena.sdk.runs import Run


def start_export(
    run: "Run",
    kind: str,
    folder: str,
    files: ExportPart | str,
    metadata: ExportPart | str,
    processed: bool,
    rules: Sequence[filters.Rule] | None,
    branch: str | None = None,
) -> Job:
    """Start an export of a kind, see ``Run.export``."""
    wanted = None if rules is None else filters.make_filter(rules)
    parts = checked(ExportParameters, folder=folder, files=files, metadata=metadata, processed=processed, branch=branch)
    given = parts.model_copy(update={"filter": wanted}).model_dump(mode="json")
    return start_job(run.client, kind, run.id, **given)
