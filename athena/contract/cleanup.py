"""Cleanup: which parts of a run's data are taken away when they are not needed any more."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire


class CleanupRule(StrEnum):
    """One sort of data that may go (EX-04)."""

    MOVIES = "movies"
    """Fractions and EER movies."""
    INTEGRATED = "integrated"
    """The microscope's own summed images."""
    PROCESSED = "processed"
    """Motion-corrected micrographs; thumbnails, spectra and numbers stay."""


class CleanupParameters(Wire):
    """What to take away."""

    rules: tuple[CleanupRule, ...] = Field(min_length=1, max_length=len(CleanupRule))


class CleanupSize(Wire):
    """What a rule would take away now."""

    rule: CleanupRule
    label: str
    files: int
    bytes: int
    allowed: bool = Field(description="Whether this instance's settings let a cleanup take it away.")
    reason: str = Field("", description="Why not, in words.")
