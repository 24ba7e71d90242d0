"""Exports: what of a dataset is copied to the export storage."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire
from athena.contract.branches import BranchName
from athena.contract.filters import RunFilter


class ExportPart(StrEnum):
    """How much of one sort of content is copied. Of a free dataset, ``raw`` is not a choice."""

    NONE = "none"
    RAW = "raw"
    ALL = "all"


class ExportParameters(Wire):
    """What to export, and into which folder of the export storage (EX-01, EX-02)."""

    folder: str = Field(
        min_length=1,
        max_length=300,
        description="Name or path of the folder; the moment of the launch is added to it.",
    )
    files: ExportPart = Field(
        ExportPart.ALL, description="Of a run: raw is movies and gain reference, all the whole session folder."
    )
    metadata: ExportPart = Field(ExportPart.ALL, description="Of a run: raw leaves out what processing measured.")
    processed: bool = Field(False, description="With quality monitor: micrographs, thumbnails and the results table.")
    filter: RunFilter | None = Field(None, description="Which acquisitions of a run; left out: its saved filter.")
    branch: BranchName | None = Field(
        None, description="Branch of a run's results; what it was not given is left out. Left out: the default one."
    )


class LiveExportParameters(ExportParameters):
    """As an export; goes on until the run completes (EX-03)."""
