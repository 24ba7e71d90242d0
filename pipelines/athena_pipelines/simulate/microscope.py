"""Settings of the simulated microscope, its camera and its specimen."""

from dataclasses import dataclass

from athena_pipelines.simulate.possible import require_possible

ICE_MEAN_FREE_PATH = 3950.0
"""Ice in which the image loses 1 − 1/e of its electrons at 300 kV with an energy filter, Å. Source: Rice et al. 2018,
J. Struct. Biol. 204:38."""


@dataclass(frozen=True, kw_only=True)
class Microscope:
    """Settings of the simulated microscope; every random value is drawn from these ranges.

    A field added later is off by default, and what it draws comes from a random stream of its own: sessions that were
    begun before go on as they began.

    Attributes
    ----------
    counts_per_px : electrons a pixel and frame that reach the camera where nothing is in the beam.
    target_defocus_um : the list EPU cycles through, positive is underfocus.
    defocus_error_um : standard deviation of true against target defocus.
    astigmatism_angstrom, drift_px, local_px : (smallest, largest) of U − V, of the trajectory, of the local field.
    gain_spread : standard deviation of the pixels' gain; 0 writes gain-corrected movies, else raw ones and a reference.
    hot_pixels : share of hot pixels.
    failures : chance that an exposure is an empty hole or has no movie.
    mtf_nyquist : MTF of the camera at Nyquist along an axis; 1 takes the image at points, see ``Sensor``.
    dqe_zero : DQE at frequency 0: the share of electrons that are counted.
    phase_shift_deg : (smallest, largest) of a phase plate; (0, 0) is none.
    stage_tilt_deg : turn of the stage about its axis α.
    hole_slope_deg : standard deviation of the slope of a hole's ice, along x and along y.
    hole_height_um : standard deviation of the height of a hole's ice.
    afis : whether the beam goes to the holes of a cluster while the stage stays, as with aberration-free image shift;
        otherwise the stage goes to every hole, and the beam only around its middle.
    mean_free_path_angstrom : ice after which 1/e of the electrons are left; 0 lets all of them through.
    carbon : chance that the film at a hole's edge lies in the image, or fills it.
    crystalline_ice : chance that the ice is crystalline.
    contamination : chance that ice crystals lie on the specimen.
    """

    pixel_size_angstrom: float = 1.0
    voltage_kv: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07
    counts_per_px: float = 0.8
    seconds_per_frame: float = 0.06
    target_defocus_um: tuple[float, ...] = (0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
    defocus_error_um: float = 0.12
    astigmatism_angstrom: tuple[float, float] = (50.0, 500.0)
    drift_px: tuple[float, float] = (3.0, 15.0)
    local_px: tuple[float, float] = (0.5, 3.0)
    jitter_px: float = 0.08
    ice_angstrom: tuple[float, float] = (200.0, 600.0)
    coverage: tuple[float, float] = (0.1, 0.3)
    b_factor: float = 60.0
    gain_spread: float = 0.0
    hot_pixels: float = 0.0
    failures: float = 0.0
    mtf_nyquist: float = 1.0
    dqe_zero: float = 1.0
    phase_shift_deg: tuple[float, float] = (0.0, 0.0)
    stage_tilt_deg: float = 0.0
    hole_slope_deg: float = 0.0
    hole_height_um: float = 0.0
    afis: bool = False
    mean_free_path_angstrom: float = 0.0
    carbon: float = 0.0
    crystalline_ice: float = 0.0
    contamination: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        Invalid : a setting is out of its range; it is named.
        """
        require_possible(self, "microscope", limits=_POSSIBLE, ordered=_RANGES)


_RANGES = ("astigmatism_angstrom", "drift_px", "local_px", "ice_angstrom", "coverage", "phase_shift_deg")
_POSSIBLE: dict[str, tuple[float, float]] = {
    "pixel_size_angstrom": (0.1, 20),
    "voltage_kv": (60, 400),
    "counts_per_px": (1e-3, 100),
    "target_defocus_um": (-20, 20),
    "drift_px": (0, 200),
    "local_px": (0, 50),
    "ice_angstrom": (1, 10000),
    "coverage": (0, 0.6),
    "gain_spread": (0, 0.5),
    "hot_pixels": (0, 0.1),
    "mtf_nyquist": (0.01, 1),
    "dqe_zero": (0.05, 1),
    "phase_shift_deg": (0, 180),
    "stage_tilt_deg": (-70, 70),
    "hole_slope_deg": (0, 20),
    "hole_height_um": (0, 5),
    "mean_free_path_angstrom": (0, 1e5),
    **dict.fromkeys(("failures", "carbon", "crystalline_ice", "contamination"), (0.0, 1.0)),
}

REALISTIC = Microscope(
    gain_spread=0.03,
    hot_pixels=1e-5,
    failures=0.05,
    mtf_nyquist=0.5,
    dqe_zero=0.85,
    hole_slope_deg=1.5,
    hole_height_um=0.1,
    afis=True,
    mean_free_path_angstrom=ICE_MEAN_FREE_PATH,
    carbon=0.08,
    crystalline_ice=0.04,
    contamination=0.08,
)
"""A session in which everything goes wrong now and then; without a phase plate and tilt, which are modes of work."""
