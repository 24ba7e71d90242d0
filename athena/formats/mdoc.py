"""``.mdoc``: what SerialEM and Tomography 5 write beside a tilt series, a stack of frames or a montage.

A file is global values, titles (``[T = …]``) and sections (``[ZValue = 0]``, ``[FrameSet = 0]``,
``[MontSection = 0]``), each of lines ``key = value``. Values are read when they are asked for, so that one that makes
no sense costs nothing but itself; what is no line of such a file is left out and counted. Source: SerialEM's help,
“About formats”.
"""

import codecs
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PureWindowsPath

from athena.errors import BadFile

MAX_BYTES = 64 * 2**20
MAX_LINE = 20_000
"""Characters; a longer line is none of SerialEM's."""
_KINDS = frozenset({"ZValue", "FrameSet", "MontSection", "Image"})
_HEAD = re.compile(r"\[\s*(\w{1,40})\s*=\s*(.*?)\s*\]$")
_LINE = re.compile(r"([A-Za-z][\w.\-]{0,79})\s*=\s?(.*)$")
_AXIS = re.compile(r"Tilt\s*axis\s*angle\s*=\s*(-?\d+(?:\.\d*)?)", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4}|\d{2})\s+(\d{1,2}):(\d{2}):(\d{2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Values:
    """Values by key, as written; of a key that comes twice, the later."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, key: str) -> str:
        """Value as it stands; empty where there is none."""
        return self.values.get(key, "")

    def numbers(self, key: str) -> tuple[float, ...]:
        """Finite numbers of a value; empty where one of its words is none."""
        words = self.text(key).split()
        try:
            found = tuple(float(word) for word in words)
        except ValueError:
            return ()
        return found if all(map(math.isfinite, found)) else ()

    def number(self, key: str) -> float | None:
        """First number of a value; None where it is none."""
        found = self.numbers(key)
        return found[0] if found else None

    def integer(self, key: str) -> int | None:
        """Whole number; None where it is none."""
        value = self.number(key)
        return int(value) if value is not None and value == int(value) and abs(value) < 2**53 else None

    def pair(self, key: str) -> tuple[float, float] | None:
        """First two numbers; None where there are fewer."""
        found = self.numbers(key)
        return (found[0], found[1]) if len(found) >= 2 else None

    @property
    def pixel_size_angstrom(self) -> float | None:
        """Of the image, Å; None where it is not said or not positive."""
        value = self.number("PixelSpacing")
        return value if value is not None and value > 0 else None


class MdocSection(Values):
    """One image, set of frames or montage.

    Attributes
    ----------
    kind : ZValue, FrameSet or MontSection.
    index : of the slice in the stack; −1 where it says none.
    """

    def __init__(self, kind: str, index: int, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.kind = kind
        self.index = index

    @property
    def tilt_angle_deg(self) -> float | None:
        """Stage tilt as reported."""
        return self.number("TiltAngle")

    @property
    def acquired(self) -> datetime | None:
        """Local time of the microscope, without a zone; month names are English whatever the locale."""
        return to_time(self.text("DateTime"))

    @property
    def frames_name(self) -> str:
        """Name of the movie, without the folders of the acquisition computer; empty where there is none."""
        return PureWindowsPath(self.text("SubFramePath")).name

    @property
    def frame_doses(self) -> tuple[tuple[float, int], ...]:
        """(e/Å² a frame, number of frames), in order."""
        found = self.numbers("FrameDosesAndNumber") or self.numbers("FrameDosesAndNumbers")
        pairs = zip(found[0::2], found[1::2], strict=False)
        return tuple((dose, int(count)) for dose, count in pairs if dose >= 0 and 0 < count < 1e6)

    @property
    def prior_dose(self) -> float | None:
        """Exposure before this image, e/Å²; None where the file does not say it."""
        value = self.number("PriorRecordDose")
        return value if value is not None and value >= 0 else None

    def dose(self) -> float | None:
        """Exposure of this image, e/Å²: as calibrated, of its frames, by rate and time, or by mean counts; or None."""
        said = self.number("ExposureDose")
        if said is not None and said > 0:
            return said
        if (summed := sum(dose * count for dose, count in self.frame_doses)) > 0:
            return summed
        pixel = self.pixel_size_angstrom
        if pixel is None:
            return None
        rate, seconds = self.number("DoseRate") or 0.0, self.number("ExposureTime") or 0.0
        # the rate is of a pixel of the camera, the spacing of a binned one
        physical = pixel / (self.number("Binning") or 1.0)
        if rate > 0 and seconds > 0 and physical > 0:
            return _per_area(rate * seconds, physical)
        return self._dose_of_counts(pixel)

    def _dose_of_counts(self, pixel: float) -> float | None:
        statistics, per_electron = self.numbers("MinMaxMean"), self.number("CountsPerElectron")
        if len(statistics) < 3 or not per_electron or per_electron <= 0 or statistics[2] <= 0:
            return None
        halved = 2.0 if self.integer("DividedBy2") else 1.0
        return _per_area(halved * statistics[2] / per_electron, pixel)


@dataclass(frozen=True)
class Mdoc:
    """A file.

    Attributes
    ----------
    header : values before the first section.
    titles : texts of ``[T = …]`` lines.
    sections : in the order of the file, which is that of acquisition.
    problems : lines that are none of such a file.
    """

    path: Path
    header: Values
    titles: tuple[str, ...]
    sections: tuple[MdocSection, ...]
    problems: int

    @property
    def of_tomography5(self) -> bool:
        """Whether Tomography 5 wrote it, which means something else by some angles."""
        return any(title.startswith(("Tomography:", "Tomography_")) for title in self.titles)

    @cached_property
    def tilt_axis_deg(self) -> float | None:
        """Tilt axis as IMOD counts it: counter-clockwise from y, seen with y up. None where it is not said.

        Of SerialEM it is the title's angle, else RotationAngle − 90°; of Tomography 5 the title's is −angle − 90°, and
        RotationAngle is it already.
        """
        title = next((found for text in self.titles if (found := _AXIS.search(text))), None)
        if title is not None:
            angle = float(title[1])
            return _within_a_turn(-angle - 90 if self.of_tomography5 else angle)
        rotation = next((a for section in self.sections if (a := section.number("RotationAngle")) is not None), None)
        if rotation is None:
            return None
        return _within_a_turn(rotation if self.of_tomography5 else rotation - 90)

    def by_time(self) -> tuple[MdocSection, ...]:
        """Images by the time they were taken; those of one time, or of a file that does not say all, as they stand."""
        images = [section for section in self.sections if section.kind == "ZValue"]
        timed = [(moment, section) for section in images if (moment := section.acquired) is not None]
        if len(timed) < len(images):
            return tuple(images)
        return tuple(section for _, section in sorted(timed, key=lambda pair: pair[0]))


def read_mdoc(path: str | Path) -> Mdoc:
    """Read an mdoc.

    Raises
    ------
    BadFile : it cannot be read, is too large, or holds neither section nor value of an mdoc.
    """
    path = Path(path)
    header: dict[str, str] = {}
    titles: list[str] = []
    sections: list[MdocSection] = []
    problems = 0
    values = header
    for line in _lines(path):
        if (head := _HEAD.match(line)) is not None:
            if head[1] == "T":
                titles.append(head[2])
            elif head[1] in _KINDS:
                values = {}
                sections.append(MdocSection(head[1], _number(head[2]), values))
            else:
                problems += 1
        elif (pair := _LINE.match(line)) is not None:
            if pair[1] == "T":
                titles.append(pair[2].strip())
            else:
                values[pair[1]] = pair[2].strip()
        else:
            problems += 1
    if not sections and not (header and problems <= len(header)):
        raise BadFile(f"{path.name} is no mdoc: it holds no section.", hint="Check what this file is.")
    return Mdoc(path, Values(header), tuple(titles), tuple(sections), problems)


def to_time(text: str) -> datetime | None:
    """Moment of ``dd-Mon-yy  HH:MM:SS`` with two or four digits of the year; None where it is none."""
    found = _TIME.search(text)
    if found is None or found[2].lower() not in _MONTHS:
        return None
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
    try:
        return datetime(  # the microscope's clock, of no known zone
            year, _MONTHS.index(found[2].lower()) + 1, int(found[1]), int(found[4]), int(found[5]), int(found[6])
        )
    except ValueError:
        return None


def _per_area(electrons: float, pixel_angstrom: float) -> float | None:
    """Electrons of a pixel by its area; None where that is out of all reason."""
    area = pixel_angstrom * pixel_angstrom
    value = electrons / area if area else math.inf
    return value if math.isfinite(value) else None


def _lines(path: Path) -> Iterator[str]:
    """Lines that are not empty, without their ends, whatever these and the encoding are."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise BadFile(f"{path.name} is too large for an mdoc ({size} bytes).", hint="Check what this file is.")
        data = path.read_bytes()
    except OSError as error:
        raise BadFile(
            f"{path.name} cannot be read: {error.strerror or error}.", hint="Check the file and its rights."
        ) from error
    for line in _decoded(data).replace("\0", "").splitlines():
        text = line.strip()
        if len(text) > MAX_LINE:
            raise BadFile(f"{path.name} has a line of {len(text)} characters.", hint="It is damaged; copy it again.")
        if text:
            yield text


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # microscopes of older Windows; every byte stands for something
        return data.decode("latin-1")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else -1


def _within_a_turn(angle: float) -> float:
    """An angle from −180° (excluded) to 180°; half a turn is kept, for it decides the hand of a tomogram."""
    return round(180 - (180 - angle) % 360, 6)
