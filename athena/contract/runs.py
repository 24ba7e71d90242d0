"""Runs: datasets filled by an acquisition."""

from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from pydantic import Field, JsonValue

from athena.contract.acquisitions import DiscoveredAtlas, DiscoveredFoilHole, DiscoveredGridSquare
from athena.contract.base import Wire
from athena.contract.elements import Element
from athena.contract.filters import FilterRule
from athena.contract.processing import GainOrientation, GainSense
from athena.contract.user_metrics import UserMetric


class RunCounts(Wire):
    """How many acquisitions stand where (header of the run view, AC-04)."""

    total: int = 0
    awaiting_movie: int = 0
    registered: int = 0
    processing: int = 0
    completed: int = 0
    error: int = 0


class SourceState(StrEnum):
    """Life of a run's acquisition source."""

    WATCHING = "watching"
    IMPORTING = "importing"
    COMPLETED = "completed"
    ERROR = "error"


class SourceCreate(Wire):
    """Attach a session folder to a run. ``follow``: keep watching it as it grows."""

    adapter: str = "epu"
    path: str
    follow: bool = True
    parameters: dict[str, JsonValue] = Field(
        {}, description="Of the processing, as ``ParametersUpdate`` takes them: what the microscope does not say."
    )


class ParametersUpdate(Wire):
    """Parameters of a run's processing to set, by name, as ``athena.contract.processing.MovieParameters`` has them.

    What a run's parameters say wins over what the microscope says; null takes a parameter back.
    """

    parameters: dict[str, JsonValue] = Field(min_length=1)


class Source(Wire):
    """A session folder that fills a run."""

    run_id: UUID
    adapter: str
    path: str
    follow: bool
    state: SourceState
    session_name: str = ""
    gain_reference: str | None = Field(None, description="Path of the gain reference of its movies.")
    gain_orientation: GainOrientation | None = Field(
        None, description="How the gain reference is turned to lie as the movies do; None: not measured (yet)."
    )
    gain_sense: GainSense | None = Field(None, description="Whether counts are multiplied by it or divided.")
    last_scan: datetime | None = None
    movies_missing: int = Field(0, description="Exposures whose metadata is there but whose movie is not.")
    problems: tuple[str, ...] = ()
    message: str = Field("", description="What the last scan found, in words; says so when there are no movies.")


class Run(Wire):
    """A run as a whole. ``version`` grows by one with every change of its acquisitions or results."""

    element: Element
    version: int
    counts: RunCounts
    source: Source | None = None
    pixel_size_angstrom: float | None = None
    metrics: tuple[str, ...] = ()
    user_metrics: tuple[UserMetric, ...] = Field((), description="Metrics that people added, without their source.")
    branch: str = Field("original", description="Name of the default branch of its results.")
    branches: tuple[str, ...] = Field(("original",), description="Names of all its branches, the oldest first.")
    parameters: dict[str, JsonValue] = Field(
        {}, description="Of its processing, set by people; the rest is as the microscope says."
    )
    criteria: tuple[FilterRule, ...] = Field((), description="Quality criteria in force.")
    filter: tuple[FilterRule, ...] = Field((), description="Rules of the saved filter; none: it keeps all.")


class RunGrid(Wire):
    """Where a run's acquisitions were taken: its grid's atlases, squares and foil holes."""

    atlases: tuple[DiscoveredAtlas, ...] = ()
    grid_squares: tuple[DiscoveredGridSquare, ...] = ()
    foil_holes: tuple[DiscoveredFoilHole, ...] = ()


class RunTable(Wire):
    """Columns of a run, one value an acquisition from ``start`` on: the compact form galleries and charts pull.

    ``columns`` holds metrics by catalogue name; NaN travels as null. ``accepted`` and ``rejected`` are the
    acquisitions of the table, by index, that people judged by hand.
    """

    run_id: UUID
    version: int
    start: int
    total: int
    names: tuple[str, ...]
    states: tuple[str, ...]
    errors: tuple[str, ...]
    accepted: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    judged: str = Field("", description="Differs whenever any verdict on the run differs, be it of this table or not.")
    results: int = Field(0, description="Number of the branch that the states and columns are of.")
    columns: dict[str, tuple[float | None, ...]]


class ColumnsHead(Wire):
    """What begins the binary form of a run's columns (:mod:`athena.contract.binary_columns`).

    ``accepted`` and ``rejected`` are all acquisitions of the run that people judged by hand, by index; ``left_out``
    those that the branch was not given.
    """

    run_id: UUID
    version: int
    branch: int = Field(description="Number of the branch whose results these are.")
    start: int
    rows: int
    total: int
    columns: tuple[str, ...]
    accepted: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()


class AcquisitionCurves(Wire):
    """What a gallery row or the side panels draw for one acquisition. Lengths in Å, frequency in Å⁻¹."""

    index: int
    frequency: tuple[float, ...] = ()
    experimental: tuple[float | None, ...] = ()
    theory: tuple[float | None, ...] = ()
    quality: tuple[float | None, ...] = ()
    global_motion: tuple[tuple[float, float], ...] = Field((), description="(frame, x|y): global trajectory.")
    patch_motion: tuple[tuple[tuple[float, float], ...], ...] = Field(
        (), description="(patch, frame, x|y), global plus local."
    )
    patch_centres: tuple[tuple[float, float], ...] = Field(
        (), description="(patch, x|y) as fraction of the image, y up."
    )


class ImageInfo(Wire):
    """What a tiled viewer needs to know of a micrograph. Tiles are square, level 0 is full size."""

    width: int
    height: int
    tile: int
    levels: int
    pixel_size_angstrom: float
    low: float = Field(description="Grey value shown black by default (mean − 3 σ).")
    high: float = Field(description="Grey value shown white by default (mean + 3 σ).")
    content_hash: str


class CryosparcFile(StrEnum):
    """Files of a run for cryoSPARC: all that is processed, and what has a CTF with it; groups name their tables."""

    GROUP = "exposures.csg"
    TABLE = "exposures.cs"
    CTF_GROUP = "exposures_ctf.csg"
    CTF_TABLE = "exposures_ctf.cs"


class MrcMode(IntEnum):
    """How grey values are kept in an MRC file: 32 bits each, which every program reads, or 16 (IMOD's mode 12)."""

    FLOAT32 = 2
    HALF = 12


class Retried(Wire):
    """How many failed acquisitions were made ready to process again."""

    count: int
