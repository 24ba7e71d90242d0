"""What the runner hands to a movie step, and what it gets back."""

from enum import StrEnum

from pydantic import Field

from athena.contract.base import Wire

NO_DOSE_WEIGHTING = "no_dose_weighting"
"""Flag of an acquisition whose micrograph is the plain sum of its frames, because its dose is not known."""


class GainOrientation(StrEnum):
    """How a gain reference is turned before it is applied: quarter turns counter-clockwise, then perhaps a mirror.

    As seen with y up, the first row of an MRC file at the bottom. In order, without AUTO, they are numbers 0 to 7.
    """

    AUTO = "auto"
    AS_IS = "as_is"
    ROTATE_90 = "rotate_90"
    ROTATE_180 = "rotate_180"
    ROTATE_270 = "rotate_270"
    FLIP_Y = "flip_y"
    ANTITRANSPOSE = "antitranspose"
    FLIP_X = "flip_x"
    TRANSPOSE = "transpose"


class GainSense(StrEnum):
    """Whether counts are multiplied by a gain reference or divided by it."""

    AUTO = "auto"
    MULTIPLY = "multiply"
    DIVIDE = "divide"


class GainFit(Wire):
    """How a gain reference fits a movie, as measured on the average of its frames."""

    orientation: GainOrientation = Field(description="As applied.")
    sense: GainSense = Field(description="As applied.")
    determined: bool = Field(
        description="Whether the measurement tells them; else they are those of the file as it is."
    )
    fits: bool = Field(description="False where it tells that the reference is not of this movie, and it was left out.")
    correlation: float = Field(description="Of the average's fine structure with that of the inverse gain.")
    significance: float = Field(description="How far the orientation found exceeds the next best, in σ.")
    flatness: float = Field(description="Spread of the corrected average's fine structure, of that before.")


class MovieParameters(Wire):
    """Parameters of motion correction and CTF fit. Pixel size and voltage have no usual values: nothing is guessed."""

    pixel_size_angstrom: float = Field(gt=0)
    voltage_kv: float = Field(gt=0, le=2000, description="Acceleration voltage.")
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = Field(0.07, ge=0, lt=1)
    dose_per_frame_e_per_A2: float | None = Field(None, ge=0, description="None: unknown, so no dose weighting.")
    pre_exposure_e_per_A2: float = 0.0
    patches_y: int = Field(5, ge=1)
    patches_x: int = Field(5, ge=1)
    eer_frames_per_fraction: int | None = Field(
        None, ge=1, le=255, description="Raw frames of an EER movie rendered together; None: about 1 e/Å² of them."
    )
    eer_upsampling: int = Field(1, ge=1, le=2, description="2 renders EER on half pixels of the sensor.")
    gain_orientation: GainOrientation = Field(
        GainOrientation.AUTO, description="How the gain reference is turned; auto: measured on the movie."
    )
    gain_sense: GainSense = Field(
        GainSense.AUTO, description="Whether counts are multiplied by the gain reference; auto: measured on the movie."
    )
    defects: str | None = Field(
        None, description="File of the camera's defects that was given, as the server sees it; its content is kept."
    )
    defects_sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="Of the content of the file of defects; set by the server."
    )
    keep_unweighted: bool = Field(
        False, description="Keep the sum that is not weighted by exposure too, where the dose is known."
    )
    search_phase_shift: bool = False
    min_resolution_angstrom: float = 30.0
    max_resolution_angstrom: float = 5.0
    min_defocus_angstrom: float = 3000.0
    max_defocus_angstrom: float = 50000.0


class MovieTask(Wire):
    """One movie to process. Paths are as the worker sees them; ``store`` is the run's zarr group."""

    run_id: str
    branch: int = Field(0, description="Number of the branch of results it is for.")
    index: int
    movie: str
    store: str
    gain: str | None = None
    defects: str | None = Field(None, description="Copy of the file of defects that the run keeps.")
    parameters: MovieParameters


class MovieResult(Wire):
    """What the collector records. The step itself has already written the acquisition's images.

    ``metrics`` are keyed by catalogue names (``athena.zarrio.layout.METRICS``).
    ``global_motion`` (frames × 2) and ``patch_motion`` (frames × patches_y × patches_x × 2): motion of the specimen
    against frame 0 in Å, (x, y), MRC axes (y up); patch motion is global plus local. Flattened row-major lists.
    """

    run_id: str
    index: int
    frames: int
    metrics: dict[str, float]
    global_motion: list[float]
    patch_motion: list[float]
    patch_grid: tuple[int, int] = Field(description="(patches_y, patches_x)")
    ctf_curves: list[list[float]] = Field(description="Rows as in layout.CTF_CURVES, layout.CURVE_LENGTH values each.")
    flags: list[str] = Field(
        default_factory=list, description="What a reader should know: e.g. 'local_motion_rejected'."
    )
    gain: str | None = Field(None, description="Path of the gain reference that was asked for.")
    gain_fit: GainFit | None = Field(None, description="How the gain reference fits, where that was measured.")
    software: str
    seconds: dict[str, float] = Field(default_factory=dict, description="Wall time per stage.")
