"""EPU's XML of one image: exposure, foil hole, grid square, atlas. Values stay in EPU's units (m, V, rad, e/m²)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from athena.formats.epu_xml import Element, EpuXml, read_epu_xml, to_datetime, to_integer, to_number, type_name

_CAMERA = "microscopeData/acquisition/camera"
_OPTICS = "microscopeData/optics"

Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class EpuImage:
    """What the XML of an image says; None or empty where it says nothing.

    Attributes
    ----------
    pixel_size_m : of this image (binned), which for a super-resolution movie is not the movie's.
    readout : (width, height) px of this image.
    matrix : metres on the stage per unbinned pixel, see ``athena.formats.epu_geometry``.
    stage : (X, Y, Z) m.
    applied_defocus_m : negative is underfocus. (The lens read-back ``optics/Defocus`` means nothing and is not read.)
    dose_e_per_m2 : on the specimen, for the whole exposure.
    dose_on_camera_e_per_px : for the whole exposure, per pixel of this image.
    fractions : frames of the movie; None without a movie and for event data.
    beam_shift : in units of the lens: for telling groups apart only.
    slit_ev : width of the energy slit; None when it is out.
    slit_inserted : None where there is no energy filter.
    hole_centre : where the hole was found, px of this image.
    said : texts of values by the attribute they are read into, also where they are no value.
    """

    path: Path
    acquired: datetime | None = None
    pixel_size_m: float | None = None
    readout: tuple[int, int] | None = None
    binning: int | None = None
    matrix: Matrix | None = None
    stage: tuple[float, float, float] | None = None
    alpha_rad: float | None = None
    applied_defocus_m: float | None = None
    dose_e_per_m2: float | None = None
    dose_on_camera_e_per_px: float | None = None
    exposure_time_s: float | None = None
    fractions: int | None = None
    super_resolution: int | None = None
    electron_counting: bool | None = None
    phase_plate: bool = False
    voltage_v: float | None = None
    magnification: float | None = None
    beam_shift: tuple[float, float] | None = None
    beam_tilt: tuple[float, float] | None = None
    slit_ev: float | None = None
    c2_aperture: str = ""
    instrument: str = ""
    camera: str = ""
    software: str = ""
    hole_centre: tuple[float, float] | None = None
    slit_inserted: bool | None = None
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def total_dose(self) -> float | None:
        """Exposure of the specimen, e/Å²: as said, else from the camera (less by what the specimen stopped)."""
        if self.dose_e_per_m2 is not None:
            return self.dose_e_per_m2 * 1e-20
        if self.dose_on_camera_e_per_px is None or not self.pixel_size_m:
            return None
        return self.dose_on_camera_e_per_px / (self.pixel_size_m * 1e10) ** 2


def read_image(path: Path) -> EpuImage:
    """Read the XML of an image.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "MicroscopeImage")
    custom = dict(xml.pairs(xml.find("CustomData")))
    specific = dict(xml.pairs(xml.find(f"{_CAMERA}/CameraSpecificInput")))
    software = (
        xml.text(f"microscopeData/core/{name}") for name in ("ApplicationSoftware", "ApplicationSoftwareVersion")
    )
    width, height = xml.integer(f"{_CAMERA}/ReadoutArea/width"), xml.integer(f"{_CAMERA}/ReadoutArea/height")
    slit_inserted = xml.flag(f"{_OPTICS}/EnergyFilter/EnergySelectionSlitInserted")
    return EpuImage(
        path=path,
        acquired=to_datetime(xml.text("microscopeData/acquisition/acquisitionDateTime")),
        pixel_size_m=_positive(xml.number("SpatialScale/pixelSize/x/numericValue")),
        readout=(width, height) if width and height else None,
        binning=xml.integer(f"{_CAMERA}/Binning/x"),
        matrix=read_matrix(xml, xml.find("ReferenceTransformation/matrix")),
        stage=_stage(xml, xml.find("microscopeData/stage/Position")),
        alpha_rad=xml.number("microscopeData/stage/Position/A"),
        applied_defocus_m=to_number(_text(custom.get("AppliedDefocus"))),
        dose_e_per_m2=_positive(to_number(_text(custom.get("Dose")))),
        dose_on_camera_e_per_px=_positive(to_number(_text(custom.get("DoseOnCamera")))),
        exposure_time_s=_positive(xml.number(f"{_CAMERA}/ExposureTime")),
        fractions=_fractions(xml, specific.get("FractionationSettings")),
        super_resolution=to_integer(_text(specific.get("SuperResolutionFactor"))),
        electron_counting={"true": True, "false": False}.get(_text(specific.get("ElectronCountingEnabled"))),
        phase_plate=_text(custom.get("PhasePlateUsed")) == "true",
        voltage_v=_positive(xml.number("microscopeData/gun/AccelerationVoltage")),
        magnification=_positive(xml.number(f"{_OPTICS}/TemMagnification/NominalMagnification")),
        beam_shift=_pair(xml, xml.find(f"{_OPTICS}/BeamShift"), "_x", "_y"),
        beam_tilt=_pair(xml, xml.find(f"{_OPTICS}/BeamTilt"), "_x", "_y"),
        slit_ev=xml.number(f"{_OPTICS}/EnergyFilter/EnergySelectionSlitWidth") if slit_inserted else None,
        c2_aperture=_text(custom.get("Aperture[C2].Name")),
        instrument=xml.text("microscopeData/instrument/InstrumentModel"),
        camera=_camera_name(xml, custom),
        software=" ".join(software).strip(),
        hole_centre=_pair(xml, custom.get("FindFoilHoleCenterResults"), "Center/x", "Center/y"),
        slit_inserted=slit_inserted,
        said=_said(xml, custom, specific, slit_inserted=bool(slit_inserted)),
    )


def _said(
    xml: EpuXml, custom: Mapping[str, Element], specific: Mapping[str, Element], *, slit_inserted: bool
) -> dict[str, str]:
    """Texts of values, those that are there."""
    settings = specific.get("FractionationSettings")
    even = settings is not None and type_name(settings) != "VaridistantFractionation"
    stage = [xml.text(f"microscopeData/stage/Position/{axis}") for axis in "XY"]
    shift = [xml.text(f"{_OPTICS}/BeamShift/{axis}") for axis in ("_x", "_y")]
    texts = {
        "pixel_size_m": xml.text("SpatialScale/pixelSize/x/numericValue"),
        "voltage_v": xml.text("microscopeData/gun/AccelerationVoltage"),
        "dose_e_per_m2": _text(custom.get("Dose")),
        "dose_on_camera_e_per_px": _text(custom.get("DoseOnCamera")),
        "exposure_time_s": xml.text(f"{_CAMERA}/ExposureTime"),
        "applied_defocus_m": _text(custom.get("AppliedDefocus")),
        "fractions": xml.text("NumberOffractions", start=settings) if even else "",
        "magnification": xml.text(f"{_OPTICS}/TemMagnification/NominalMagnification"),
        # of a slit that is out the width says nothing
        "slit_ev": xml.text(f"{_OPTICS}/EnergyFilter/EnergySelectionSlitWidth") if slit_inserted else "",
        "stage": ", ".join(stage) if any(stage) else "",
        "beam_shift": ", ".join(shift) if any(shift) else "",
    }
    return {name: text for name, text in texts.items() if text}


def read_matrix(xml: EpuXml, element: Element | None) -> Matrix | None:
    """The linear part of a transformation; None when it is missing or singular."""
    if element is None:
        return None
    values = [xml.number(name, start=element) for name in ("_m11", "_m12", "_m21", "_m22")]
    m11, m12, m21, m22 = values
    if m11 is None or m12 is None or m21 is None or m22 is None or m11 * m22 == m12 * m21:
        return None
    return (m11, m12), (m21, m22)


def _fractions(xml: EpuXml, settings: Element | None) -> int | None:
    if settings is None:
        return None
    if type_name(settings) == "VaridistantFractionation":
        return sum(1 for element in settings.iter() if str(element.tag).endswith("}DoseFractionDefinition")) or None
    return xml.integer("NumberOffractions", start=settings)


def _camera_name(xml: EpuXml, custom: dict[str, Element]) -> str:
    name = xml.text(f"{_CAMERA}/Name")
    detector = _text(custom.get("BinaryResult.Detector")) or name
    commercial = _text(custom.get(f"Detectors[{detector}].CommercialName"))
    return _text(custom.get("DetectorCommercialName")) or commercial or name


def _stage(xml: EpuXml, position: Element | None) -> tuple[float, float, float] | None:
    if position is None:
        return None
    x, y = xml.number("X", start=position), xml.number("Y", start=position)
    return None if x is None or y is None else (x, y, xml.number("Z", start=position) or 0.0)


def _pair(xml: EpuXml, element: Element | None, first: str, second: str) -> tuple[float, float] | None:
    if element is None:
        return None
    x, y = xml.number(first, start=element), xml.number(second, start=element)
    return None if x is None or y is None else (x, y)


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None
