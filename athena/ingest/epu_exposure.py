"""One exposure of an EPU session: its files put together and its units made Athena's."""

import math
import struct
from pathlib import Path

import tifffile

from athena.contract.acquisitions import DiscoveredExposure, Doubt, Optics, StagePosition
from athena.errors import BadFile
from athena.formats.epu_geometry import shifted
from athena.formats.epu_xml_fractions import read_fractions
from athena.formats.epu_xml_image import EpuImage, read_image
from athena.formats.epu_xml_session import AcquisitionArea, EpuSession
from athena.formats.epu_xml_square import HoleTarget
from athena.ingest.epu_doubts import doubts_of
from athena.ingest.epu_files import ExposureFiles
from athena.ingest.memory import Entry


def describe_exposure(
    stem: str,
    files: ExposureFiles,
    *,
    target: HoleTarget | None,
    area: AcquisitionArea | None,
    session: EpuSession | None,
) -> tuple[DiscoveredExposure, tuple[str, ...]]:
    """The exposure in Athena's words, and what could not be read of it."""
    problems: list[str] = []
    image = EpuImage(Path(stem))
    if files.xml is not None:
        try:
            image = read_image(Path(files.xml.path))
        except BadFile as error:
            problems.append(str(error))
    recorded = None
    if files.fractions is not None:
        try:
            recorded = read_fractions(Path(files.fractions.path)).recorded
        except BadFile as error:
            problems.append(str(error))
    doubts: tuple[Doubt, ...] = ()
    if image.said or (files.xml is not None and not problems):
        image, doubts = doubts_of(image)
    pixel, doubt = _movie_pixel_size(image, files.movie)
    if doubt:
        problems.append(doubt)
        doubts += (Doubt(name="pixel_size_angstrom", said=image.said.get("pixel_size_m", ""), reason=doubt),)
    exposure = DiscoveredExposure(
        name=stem,
        movie=_path(files.movie),
        image=_path(files.mrc),
        preview=_path(files.jpg),
        xml=_path(files.xml),
        acquired=image.acquired,
        grid_square_id=files.square_id,
        foil_hole_id=files.hole_id,
        optics=_optics(image, pixel_m=pixel, frames=recorded or image.fractions, doubts=doubts),
        stage=_stage(image, target=target, area=area, session=session),
        problem=" ".join(problems) or ("" if files.xml else "Its XML is not there (yet): optics and dose are unknown."),
    )
    return exposure, tuple(problems)


def _optics(image: EpuImage, *, pixel_m: float | None, frames: int | None, doubts: tuple[Doubt, ...]) -> Optics:
    defocus = image.applied_defocus_m
    return Optics(
        pixel_size_angstrom=pixel_m * 1e10 if pixel_m else None,
        voltage_kv=image.voltage_v / 1e3 if image.voltage_v else None,
        total_dose_e_per_A2=image.total_dose,
        frame_count=frames,
        exposure_time_s=image.exposure_time_s,
        # EPU counts underfocus negative
        target_defocus_um=None if defocus is None else round(-defocus * 1e6, 6),
        beam_shift_x=image.beam_shift[0] if image.beam_shift else None,
        beam_shift_y=image.beam_shift[1] if image.beam_shift else None,
        phase_plate=image.phase_plate,
        nominal_magnification=image.magnification,
        microscope=image.instrument,
        camera=image.camera,
        energy_slit_ev=image.slit_ev,
        energy_slit_inserted=image.slit_inserted,
        doubts=doubts,
    )


def _stage(
    image: EpuImage, *, target: HoleTarget | None, area: AcquisitionArea | None, session: EpuSession | None
) -> StagePosition | None:
    """Where the beam was.

    With image shift the stage stands at the middle of a cluster of holes and the XML says that; the place on the
    specimen is the hole's, plus the exposure's offset from its centre.
    """
    z = image.stage[2] if image.stage else 0.0
    place = image.stage[:2] if image.stage else None
    if target is not None and target.stage is not None:
        place = target.stage
        if session and session.template_matrix and session.template_pixel_m and area and area.shift_px:
            place = shifted(place, area.shift_px, matrix=session.template_matrix, pixel_m=session.template_pixel_m)
    if place is None:
        return None
    alpha = math.degrees(image.alpha_rad) if image.alpha_rad is not None else 0.0
    return StagePosition(x_um=place[0] * 1e6, y_um=place[1] * 1e6, z_um=z * 1e6, alpha_deg=alpha)


def _movie_pixel_size(image: EpuImage, movie: Entry | None) -> tuple[float | None, str]:
    """Pixel size of the movie, m: the XML's is that of the summed image, which a super-resolution movie divides.

    Returns the size, and a doubt when image and movie do not have the same shape. While the movie cannot be measured
    (none there, or its head not written yet) the XML's value stands.
    """
    if movie is None or image.pixel_size_m is None or image.readout is None:
        return image.pixel_size_m, ""
    shape = movie_shape(Path(movie.path))
    if shape is None:
        return image.pixel_size_m, ""
    # a camera may stand turned by 90°, so long edge goes with long edge
    long, short = max(shape) / max(image.readout), min(shape) / min(image.readout)
    if abs(long / short - 1) > 0.03:
        height, width = shape
        return image.pixel_size_m, (
            f"{movie.path} has {width} × {height} px where its XML says {image.readout[0]} × {image.readout[1]}: "
            "the pixel size of the XML is used as it is. Check the pixel size."
        )
    # within 3 % it is the same sampling with a trimmed edge; sizes double, they do not grow by a hundredth
    return (image.pixel_size_m if abs(long - 1) <= 0.03 else image.pixel_size_m / long), ""


def movie_shape(path: Path) -> tuple[int, int] | None:
    """(h, w) of a movie's frames from its head; None when the head cannot be read (yet)."""
    try:
        if path.suffix.lower() == ".mrc":
            with path.open("rb") as stream:
                width, height = struct.unpack("<2i", stream.read(8))
        else:
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages.first
                height, width = int(page.imagelength), int(page.imagewidth)
    except (OSError, struct.error, ValueError, IndexError, tifffile.TiffFileError):
        return None
    # a head of which only a part has been written says zero
    return (height, width) if 0 < width < 2**17 and 0 < height < 2**17 else None


def _path(entry: Entry | None) -> str | None:
    return entry.path if entry is not None else None
