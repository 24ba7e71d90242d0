"""Rebuilding the search index from the catalogue, while the platform goes on (SE-03)."""

from athena.contract.jobs import JobKind
from athena.domain.job_kinds import JobSpec
from athena.jobs.context import JobCancelled, JobContext, JobStopped
from athena.services.search import reindex

KIND = JobSpec(
    name=JobKind.REINDEX.value,
    label="Reindexing",
    action=None,
    elements=(),
    run="athena.jobs.reindex:run",
    slot="reindex",
    unit="elements",
)


def run(context: JobContext) -> None:
    """Go through all elements; the index itself keeps how far that is."""

    def stop() -> bool:
        try:
            context.check()
        except (JobStopped, JobCancelled):
            return True
        return False

    def progress(done: int, total: int) -> None:
        if done < total:  # the last word comes from within a transaction of the index's own
            context.progress(done, total)

    reindex(context.database, progress=progress, stop=stop)
    context.check()
    context.progress(message="The search index is as the catalogue says.", save=True)
