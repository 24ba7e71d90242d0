"""``EpuSession.dm``: the settings of a whole session."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from athena.formats.epu_xml import Element, EpuXml, read_epu_xml, to_datetime, to_integer, to_number
from athena.formats.epu_xml_image import Matrix, read_matrix


@dataclass(frozen=True)
class AcquisitionArea:
    """One exposure of the template that is repeated in every hole.

    Attributes
    ----------
    shift_px : (x right, y down) from the hole's centre, px of the template image.
    defocus_m : the list EPU cycles through, negative is underfocus.
    """

    id: int
    shift_px: tuple[float, float] | None
    defocus_m: tuple[float, ...]
    exposure_time_s: float | None


@dataclass(frozen=True)
class EpuSession:
    """What ``EpuSession.dm`` says; None or empty where it says nothing. Units of EPU (m, rad, s).

    Attributes
    ----------
    slot : slot of the autoloader as users count it, from 1 (the file counts from 0).
    atlas_path : where Atlas.dm lay on the microscope's computer, a Windows path.
    square_ids : squares of the atlas, which is also their list in ``Metadata``.
    template_matrix : metres on the stage per unbinned pixel of the template; its pixel is ``template_pixel_m``.
    """

    path: Path
    id: str
    name: str
    version: str
    started: datetime | None
    slot: int | None
    grid_name: str
    grid_type: str
    clustering: str
    movie_format: str
    image_format: str
    phase_plate: bool | None
    atlas_path: str
    hole_size_m: float | None
    hole_spacing_m: float | None
    hole_rotation_rad: float | None
    square_ids: tuple[int, ...]
    areas: tuple[AcquisitionArea, ...]
    template_pixel_m: float | None
    template_matrix: Matrix | None
    storage_paths: tuple[str, ...]

    @property
    def gain_corrected(self) -> bool | None:
        """Whether movies are gain corrected already; None when the format's name does not say."""
        name = self.movie_format.lower()
        if "non-gain" in name or "non gain" in name or "unnormalized" in name or "eer" in name:
            return False
        return True if "normalized" in name or "gain" in name else None


def read_session(path: Path) -> EpuSession:
    """Read ``EpuSession.dm``.

    Raises
    ------
    BadFile : see ``read_epu_xml``.
    """
    xml = read_epu_xml(path, "EpuSessionXml")
    samples = xml.items(xml.find("Samples"))
    sample = samples[0] if samples else xml.root
    template = xml.find("TargetAreaTemplate", start=sample)
    slot = xml.integer("AutoloaderSlot")
    version = re.search(
        r"Version=([\d.]+)", xml.root.get("{http://schemas.microsoft.com/2003/10/Serialization/}Assembly", "")
    )
    squares = (to_integer(key) for key, _ in xml.pairs(xml.find("GridSquares", start=sample)))
    return EpuSession(
        path=path,
        id=xml.text("Id"),
        name=xml.text("Name"),
        version=version.group(1) if version else "",
        started=to_datetime(xml.text("StartDateTime")),
        slot=None if slot is None else slot + 1,
        grid_name=xml.text("AutoloaderDescription"),
        grid_type=xml.text("GridType", start=sample),
        clustering=xml.text("ClusteringMode"),
        movie_format=xml.text("DoseFractionsOutputFormat"),
        image_format=xml.text("ImageFileFormat"),
        phase_plate=xml.flag("PhasePlateEnabled"),
        atlas_path=xml.text("AtlasId", start=sample),
        hole_size_m=xml.number("FilterHolesSettings/HoleSize", start=sample),
        hole_spacing_m=xml.number("FilterHolesSettings/HoleSpacing", start=sample),
        hole_rotation_rad=xml.number("FilterHolesSettings/Rotation", start=sample),
        square_ids=tuple(key for key in squares if key is not None),
        areas=_areas(xml, template),
        template_pixel_m=None if template is None else xml.number("TemplateImagePixelSize/width", start=template),
        template_matrix=None
        if template is None
        else read_matrix(xml, xml.find("PhysicalTransformation/matrix", start=template)),
        storage_paths=tuple(xml.text("Path", start=folder) for folder in xml.items(xml.find("StorageFolders"))),
    )


def _areas(xml: EpuXml, template: Element | None) -> tuple[AcquisitionArea, ...]:
    if template is None:
        return ()
    found = []
    for key, value in xml.pairs(xml.find("DataAcquisitionAreas", start=template)):
        number = to_integer(key)
        if number is None:
            continue
        # "ImageAcquisitionSettings…" may stand between the area and its setting, depending on the version
        setting = next((e for e in value.iter() if str(e.tag).endswith("}ImageAcquisitionSettingXml")), None)
        defocus = None if setting is None else xml.find("Defocus", start=setting)
        listed = [] if defocus is None else [to_number(e.text or "") for e in xml.children(defocus)]
        x, y = xml.number("ShiftInPixels/width", start=value), xml.number("ShiftInPixels/height", start=value)
        found.append(
            AcquisitionArea(
                id=number,
                shift_px=None if x is None or y is None else (x, y),
                defocus_m=tuple(v for v in listed if v is not None),
                exposure_time_s=None if setting is None else xml.number("ExposureTime", start=setting),
            )
        )
    return tuple(found)
