"""XML of one image: square, hole, exposure or atlas."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from athena_pipelines.simulate.epu.grid import ImageGeometry
from athena_pipelines.simulate.templates import Xml, fill

INSTRUMENT = "ATHENA-SIMULATOR"
CAMERA = "Simulated counting camera"


@dataclass(frozen=True)
class ImageRecord:
    """What the XML of an image says, in EPU's units (metres, volts, electrons per m²).

    Attributes
    ----------
    frames : number of fractions; 0 for an image without a movie.
    applied_defocus_m : negative is underfocus.
    stage_tilt_rad : of the axis α.
    custom : further values (key, type, value) of the image.
    more_custom : further values that are XML.
    software : name and version of the program that took the image.
    """

    identity: str
    geometry: ImageGeometry
    acquired: datetime
    stage: tuple[float, float]
    magnification: int
    applied_defocus_m: float
    exposure_time_s: float
    voltage_kv: float
    lens_mode: str = "LM"
    frames: int = 0
    counts_per_px: float = 0.0
    beam_shift: tuple[float, float] = (0.0, 0.0)
    gain_corrected: bool = True
    instrument: str = INSTRUMENT
    camera: str = CAMERA
    found_hole: bool = False
    phase_plate: bool = False
    stage_tilt_rad: float = 0.0
    custom: tuple[tuple[str, str, object], ...] = ()
    more_custom: str = ""
    software: tuple[str, str] = ("EPU", "3.4.0.5704")


def image_xml(record: ImageRecord) -> str:
    """Text of the image's XML."""
    geometry = record.geometry
    matrix = geometry.matrix
    guid = uuid.uuid5(uuid.NAMESPACE_OID, record.identity)
    fractions = "EquidistantFractionation"
    fractionation = (
        f'<a:Value xmlns:b="http://schemas.datacontract.org/2004/07/Fei.Applications.Common.Omp.Interface" '
        f'i:type="b:{fractions}"><b:NumberOffractions>{record.frames}</b:NumberOffractions></a:Value>'
    )
    return fill(
        "microscope_image",
        guid=str(guid),
        custom_data=Xml(
            "".join(_entry(*entry) for entry in _custom_data(record)) + _found_hole(record) + record.more_custom
        ),
        m11=float(matrix[0, 0]),
        m12=float(matrix[0, 1]),
        m21=float(matrix[1, 0]),
        m22=float(matrix[1, 1]),
        pixel_size_m=geometry.pixel_m,
        acquired=timestamp(record.acquired),
        binning=1,
        fractionation=Xml(fractionation if record.frames else '<a:Value i:nil="true"/>'),
        gain_correction="DarkGain" if record.gain_corrected else "None",
        exposure_time=record.exposure_time_s,
        width=geometry.width,
        height=geometry.height,
        voltage_v=round(record.voltage_kv * 1000),
        instrument=record.instrument,
        beam_shift_x=record.beam_shift[0],
        beam_shift_y=record.beam_shift[1],
        defocus_m=record.applied_defocus_m,
        lens_mode=record.lens_mode,
        magnification=record.magnification,
        stage_x=record.stage[0],
        stage_y=record.stage[1],
        stage_z=0.0,
        stage_tilt=record.stage_tilt_rad,
        software=record.software[0],
        software_version=record.software[1],
    )


def timestamp(moment: datetime) -> str:
    """ISO 8601 with the seven digits of .NET and the offset."""
    text = moment.isoformat(timespec="microseconds")
    return f"{text[:26]}0{text[26:]}"


def _custom_data(record: ImageRecord) -> list[tuple[str, str, object]]:
    entries: list[tuple[str, str, object]] = [
        ("AppliedDefocus", "double", record.applied_defocus_m),
        ("DetectorCommercialName", "string", record.camera),
        ("Detectors[SIM].CommercialName", "string", record.camera),
        ("Detectors[SIM].ElectronCounted", "boolean", True),
        ("BinaryResult.Detector", "string", "SIM"),
        ("PhasePlateUsed", "boolean", record.phase_plate),
        ("StemMagnification", "boolean", False),
    ]
    if record.frames:
        total = record.counts_per_px * record.frames
        entries += [
            ("DoseOnCamera", "double", total),
            ("Dose", "double", total / record.geometry.pixel_m**2),
            ("DoseRate", "double", total / record.exposure_time_s),
        ]
    return [*entries, *record.custom]


def _entry(key: str, kind: str, value: object) -> str:
    return fill("custom_entry", key=key, kind=kind, value=value)


def _found_hole(record: ImageRecord) -> str:
    if not record.found_hole:
        return ""
    geometry = record.geometry
    return fill("found_hole", x=geometry.width / 2, y=geometry.height / 2, size=2e-6 / geometry.pixel_m)
