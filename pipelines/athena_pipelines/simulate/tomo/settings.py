"""Settings of a simulated tilt series: microscope, camera and specimen."""

from dataclasses import dataclass

from athena.errors import Invalid
from athena_pipelines.simulate.microscope import ICE_MEAN_FREE_PATH
from athena_pipelines.simulate.possible import require_possible
from athena_pipelines.simulate.tomo.scheme import Scheme


@dataclass(frozen=True, kw_only=True)
class Tomography:
    """Settings of tilt series; every random value is drawn from these ranges. Names are those of ``Microscope``.

    Attributes
    ----------
    scheme, angles_deg, step_deg, start_deg : see ``tilt_angles``.
    tilts : a series breaks off after so many; 0 is none of that.
    shots : series that are taken from one place of the stage by image shift, in turn at each angle.
    dose_e_per_A2 : exposure of each tilt.
    target_defocus_um : the list that the positions cycle through, positive is underfocus.
    defocus_error_um : standard deviation of a position's true against its target defocus.
    refocus_error_um : the same of each tilt against its position's.
    hand : 1 or −1; the defocus of a place is that of the specimen's middle and hand · its height, see ``View``.
    tilt_axis_deg : as IMOD counts it: from +y to the axis, counter-clockwise with y up.
    axis_error_deg, angle_error_deg : standard deviations of each tilt's axis and of its angle, against what is said.
    magnification_error : standard deviation of each tilt's magnification from 1.
    tracking_angstrom : by how much the specimen has strayed from one tilt to the next, standard deviation along x and
        along y; the tracking brings it back by half.
    thickness_angstrom : of the slab.
    x_tilt_deg, y_tilt_deg : how the slab lies in the holder when the stage is level; as milled lamellae do, and all
        others a little. The tilt of the stage adds to ``y_tilt_deg``.
    concentration : share of the slab that spheres around the molecules fill; 0 is bare ice.
    beads : gold beads in the image when it is seen from above.
    bead_diameter_angstrom : (smallest, largest).
    mean_free_path_angstrom : ice after which 1/e of the electrons are left; 0 lets all of them through.
    failures : chance that a tilt but the first is dark, for something is in the way of the beam.

    A setting added later is off by default, and what it draws comes from a random stream of its own: sessions that were
    begun before go on as they began.
    """

    scheme: Scheme = "dose-symmetric"
    angles_deg: tuple[float, float] = (-60.0, 60.0)
    step_deg: float = 3.0
    start_deg: float = 0.0
    tilts: int = 0
    pixel_size_angstrom: float = 2.0
    voltage_kv: float = 300.0
    spherical_aberration_mm: float = 2.7
    amplitude_contrast: float = 0.07
    dose_e_per_A2: float = 3.0
    seconds_per_frame: float = 0.12
    target_defocus_um: tuple[float, ...] = (3.0, 4.0, 5.0)
    defocus_error_um: float = 0.2
    refocus_error_um: float = 0.03
    hand: int = -1
    astigmatism_angstrom: tuple[float, float] = (50.0, 400.0)
    tilt_axis_deg: float = 85.0
    axis_error_deg: float = 0.05
    angle_error_deg: float = 0.02
    magnification_error: float = 3e-4
    tracking_angstrom: float = 60.0
    drift_px: tuple[float, float] = (0.5, 4.0)
    local_px: tuple[float, float] = (0.1, 0.8)
    jitter_px: float = 0.05
    thickness_angstrom: tuple[float, float] = (800.0, 2000.0)
    x_tilt_deg: tuple[float, float] = (-2.0, 2.0)
    y_tilt_deg: tuple[float, float] = (-3.0, 3.0)
    concentration: float = 0.04
    beads: int = 0
    bead_diameter_angstrom: tuple[float, float] = (90.0, 110.0)
    b_factor: float = 60.0
    gain_spread: float = 0.0
    hot_pixels: float = 0.0
    mtf_nyquist: float = 1.0
    dqe_zero: float = 1.0
    mean_free_path_angstrom: float = ICE_MEAN_FREE_PATH
    failures: float = 0.0
    shots: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        Invalid : a setting is out of its range; it is named.
        """
        require_possible(self, "session", limits=_POSSIBLE, ordered=_RANGES)
        if self.hand not in (-1, 1):
            raise Invalid(f"The session's hand is {self.hand}.", hint="Give 1 or -1.")
        low, high = self.angles_deg
        if not low <= self.start_deg <= high:
            raise Invalid(
                f"A tilt series from {low:g}° to {high:g}° cannot begin at {self.start_deg:g}°.",
                hint="Give a first angle within the range.",
            )
        slab = max(map(abs, self.angles_deg)) + max(map(abs, self.y_tilt_deg))
        if slab > STEEPEST_DEG:
            raise Invalid(
                f"At {max(map(abs, self.angles_deg)):g}° a slab that lies up to {max(map(abs, self.y_tilt_deg)):g}° "
                f"askew would be seen at {slab:g}°, nearly from its edge.",
                hint=f"Give angles that come to {STEEPEST_DEG:g}° together at most.",
            )


STEEPEST_DEG = 80.0
"""Tilt of the slab against the beam beyond which nothing would be seen of it."""
_RANGES = (
    "angles_deg",
    "astigmatism_angstrom",
    "drift_px",
    "local_px",
    "thickness_angstrom",
    "x_tilt_deg",
    "y_tilt_deg",
    "bead_diameter_angstrom",
)
_POSSIBLE: dict[str, tuple[float, float]] = {
    "angles_deg": (-80, 80),
    "step_deg": (0.1, 60),
    "tilts": (0, 2000),
    "pixel_size_angstrom": (0.1, 50),
    "voltage_kv": (60, 400),
    "dose_e_per_A2": (0.01, 200),
    "target_defocus_um": (-20, 20),
    "refocus_error_um": (0, 2),
    "tilt_axis_deg": (-180, 180),
    "axis_error_deg": (0, 5),
    "angle_error_deg": (0, 5),
    "magnification_error": (0, 0.05),
    "tracking_angstrom": (0, 5000),
    "drift_px": (0, 200),
    "local_px": (0, 50),
    "thickness_angstrom": (10, 10000),
    "x_tilt_deg": (-30, 30),
    "y_tilt_deg": (-30, 30),
    "concentration": (0, 0.25),
    "beads": (0, 10000),
    "bead_diameter_angstrom": (10, 1000),
    "gain_spread": (0, 0.5),
    "hot_pixels": (0, 0.1),
    "mtf_nyquist": (0.01, 1),
    "dqe_zero": (0.05, 1),
    "mean_free_path_angstrom": (0, 1e5),
    "failures": (0, 1),
    "shots": (1, 19),
}

REALISTIC = Tomography(gain_spread=0.03, hot_pixels=1e-5, mtf_nyquist=0.5, dqe_zero=0.85, failures=0.04)
"""A session on a camera that is not ideal, in which a tilt is dark now and then; the rest goes wrong by itself."""
