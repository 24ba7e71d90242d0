"""Acquisitions of a run, and what an acquisition adapter finds in a session folder."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from athena.contract.base import Wire


class AcquisitionState(StrEnum):
    """Life of an acquisition. ``AWAITING_MOVIE``: its metadata came, its movie has not (or never will).

    ``LEFT_OUT`` : the branch of results that is looked at was not given it; never of the default branch.
    """

    AWAITING_MOVIE = "awaiting_movie"
    REGISTERED = "registered"
    PROCESSING = "processing"
    COMPLETED = "completed"
    ERROR = "error"
    LEFT_OUT = "left_out"


class Doubt(Wire):
    """A value that the microscope's metadata lacks or that cannot be: it is not used, and nothing is guessed."""

    name: str = Field(description="Which value, as ``Optics`` names it.")
    said: str = Field("", description="What the metadata says; empty: nothing.")
    reason: str


class Optics(Wire):
    """What the microscope says of an exposure. ``None``: unknown; nothing is guessed."""

    pixel_size_angstrom: float | None = Field(None, description="Of the movie, unbinned.")
    voltage_kv: float | None = None
    spherical_aberration_mm: float | None = None
    amplitude_contrast: float | None = None
    total_dose_e_per_A2: float | None = None
    frame_count: int | None = None
    exposure_time_s: float | None = None
    target_defocus_um: float | None = Field(None, description="Positive is underfocus.")
    beam_shift_x: float | None = None
    beam_shift_y: float | None = None
    phase_plate: bool = False
    nominal_magnification: float | None = None
    microscope: str = ""
    camera: str = ""
    energy_slit_ev: float | None = Field(None, description="Width; None: unknown, or the slit is out.")
    energy_slit_inserted: bool | None = None
    doubts: tuple[Doubt, ...] = Field((), description="Values that are missing or cannot be, and why.")


class StagePosition(Wire):
    """Stage coordinates in micrometres; alpha in degrees."""

    x_um: float
    y_um: float
    z_um: float = 0.0
    alpha_deg: float = 0.0


class DiscoveredExposure(Wire):
    """One exposure of a session folder: a micrograph-to-be. ``name`` is its stem, unique in the run."""

    name: str
    movie: str | None = Field(None, description="Path of the movie; None while there is none.")
    image: str | None = Field(None, description="Path of the microscope's own summed image (mrc) if there.")
    preview: str | None = Field(None, description="Path of its jpg.")
    xml: str | None = None
    acquired: datetime | None = None
    grid_square_id: int | None = None
    foil_hole_id: int | None = None
    optics: Optics = Optics()
    stage: StagePosition | None = None
    problem: str = Field("", description="Why the metadata could not be read in full; empty when fine.")


class DiscoveredGridSquare(Wire):
    """A grid square of a session, with its place on the atlas (pixels of the stitched canvas) if known."""

    id: int
    atlas_id: str = ""
    image: str | None = None
    width_px: int | None = Field(None, description="Of the image at full size; the jpg is smaller.")
    height_px: int | None = None
    pixel_size_nm: float | None = None
    acquired: datetime | None = None
    stage: StagePosition | None = None
    atlas_x_px: float | None = None
    atlas_y_px: float | None = None
    atlas_width_px: float | None = None
    atlas_height_px: float | None = None
    category: int | None = None


class DiscoveredFoilHole(Wire):
    """A foil hole, with its place on the grid-square image if known."""

    id: int
    grid_square_id: int
    image: str | None = None
    acquired: datetime | None = None
    stage: StagePosition | None = None
    square_x_px: float | None = None
    square_y_px: float | None = None
    diameter_px: float | None = None


class DiscoveredAtlas(Wire):
    """A grid atlas."""

    id: str
    sample: str = ""
    image: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    pixel_size_um: float | None = None
    node_count: int = 0


class SessionMetadatum(Wire):
    """One value of the session as a whole, for the run's metadata panel."""

    group: str
    name: str
    value: str | float | int | bool
    quantity: str = ""
    unit: str = ""


class DiscoveredSession(Wire):
    """All that a session folder holds at one moment. Adapters return it whole; the registrar stores the difference."""

    kind: str = Field(description="Adapter name: epu, tomo5, serialem.")
    path: str
    name: str
    software: str = ""
    started: datetime | None = None
    gain_reference: str | None = None
    gain_corrected: bool | None = Field(None, description="Whether movies are already gain corrected; None: not said.")
    metadata: tuple[SessionMetadatum, ...] = ()
    atlases: tuple[DiscoveredAtlas, ...] = ()
    grid_squares: tuple[DiscoveredGridSquare, ...] = ()
    foil_holes: tuple[DiscoveredFoilHole, ...] = ()
    exposures: tuple[DiscoveredExposure, ...] = ()
    problems: tuple[str, ...] = Field((), description="Files that could not be read: path, reason, what to do.")


class Acquisition(Wire):
    """One acquisition of a run as the API shows it. ``index`` joins it to the run's zarr arrays."""

    run_id: UUID
    index: int
    name: str
    state: AcquisitionState
    error: str = ""
    acquired: datetime | None = None
    registered: datetime
    processed: datetime | None = None
    attempts: int = 0
    movie: str | None = None
    optics: Optics = Optics()
    stage: StagePosition | None = None
    grid_square_id: int | None = None
    foil_hole_id: int | None = None
    flags: tuple[str, ...] = ()


class AcquisitionPage(Wire):
    """A slice of a run's acquisitions by index."""

    items: tuple[Acquisition, ...]
    total: int
