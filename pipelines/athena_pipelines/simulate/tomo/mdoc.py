"""The mdoc that Tomography 5 writes when a tilt series is complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True)
class TiltRecord:
    """What the microscope says of one tilt.

    Attributes
    ----------
    tilt_deg : as the stage reports it.
    rotation_deg : tilt axis as IMOD counts it.
    target_defocus_um : positive is underfocus.
    """

    movie: str
    acquired: datetime
    tilt_deg: float
    stage_um: tuple[float, float]
    image_shift_um: tuple[float, float]
    magnification: int
    pixel_size_angstrom: float
    rotation_deg: float
    target_defocus_um: float
    exposure_time_s: float
    dose_e_per_A2: float
    prior_dose_e_per_A2: float
    frames: int
    lowest: int
    highest: int
    mean: float


def mdoc_text(
    tilts: Sequence[TiltRecord],
    *,
    stack: str,
    shape: tuple[int, int],
    voltage_kv: float,
    instrument: str,
    movie_folder: str,
) -> str:
    """Text of a series' mdoc, tilts in the order in which they were taken.

    Numbers have the digits that Tomography 5 gives them: the pixel size is rounded to hundredths of an Å. RotationAngle
    is the tilt axis as IMOD counts it, the title's TiltAxisAngle is −RotationAngle − 90°.

    Parameters
    ----------
    stack : name of the file with the images.
    movie_folder : where the camera's computer has put the movies.
    """
    first = tilts[0]
    axis = 180 - (180 + first.rotation_deg + 90) % 360
    height, width = shape
    head = [
        "DataMode = 6",
        f"ImageSize = {width} {height}",
        f"ImageFile = {stack}",
        f"PixelSpacing = {first.pixel_size_angstrom:.2f}",
        f"Voltage = {voltage_kv:.2f}",
        "",
        f"[T = Tomography: {instrument}    {_moment(first.acquired)}]",
        "",
        f"[T =   TiltAxisAngle = {axis:.2f}  Binning = 1  SpotSize = 6]",
        "",
    ]
    return "\r\n".join(
        (*head, *(line for number, tilt in enumerate(tilts) for line in _section(number, tilt, movie_folder)))
    )


def _section(number: int, tilt: TiltRecord, movie_folder: str) -> tuple[str, ...]:
    return (
        f"[ZValue = {number}]",
        f"TiltAngle = {tilt.tilt_deg:.2f}",
        f"StagePosition = {tilt.stage_um[0]:.2f} {tilt.stage_um[1]:.2f}",
        "StageZ = 0.00",
        f"Magnification = {tilt.magnification}",
        "Intensity = 0.10",
        f"ExposureDose = {tilt.dose_e_per_A2:.2f}",
        f"PixelSpacing = {tilt.pixel_size_angstrom:.2f}",
        "SpotSize = 6",
        f"Defocus = {-tilt.target_defocus_um:.2f}",
        f"ImageShift = {tilt.image_shift_um[0]:.2f} {tilt.image_shift_um[1]:.2f}",
        f"RotationAngle = {tilt.rotation_deg:.2f}",
        f"ExposureTime = {tilt.exposure_time_s:.2f}",
        "Binning = 1",
        f"MinMaxMean = {tilt.lowest} {tilt.highest} {tilt.mean:.2f}",
        f"TargetDefocus = {-tilt.target_defocus_um:.2f}",
        f"PriorRecordDose = {tilt.prior_dose_e_per_A2:.2f}",
        f"SubFramePath = {movie_folder}\\{tilt.movie}",
        f"NumSubFrames = {tilt.frames}",
        f"FrameDosesAndNumber = {tilt.dose_e_per_A2 / tilt.frames:.5g} {tilt.frames}",
        f"DateTime = {_moment(tilt.acquired)}",
        "FilterSlitAndLoss = 10.00 0.00",
        "",
    )


def _moment(moment: datetime) -> str:
    """English months whatever the locale."""
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment.year:04d}  {moment:%H:%M:%S}"
