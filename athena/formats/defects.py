"""Defect files: which pixels of a camera are not to be trusted.

Known are the lists that SerialEM writes beside frames (``CameraSizeX 3838 …``), rectangles as RELION and MotionCor take
them (``x y width height`` a line), Thermo Fisher's XML (``<defects><col>2046-2050</col>…``), and images in which what
is not zero is a defect. Sources: IMOD's reader of SerialEM's lists (a list counts y from the top), RELION's manual.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from athena.errors import BadFile
from athena.formats.movies import first_bytes, fitting_memory, open_movie

Mask = npt.NDArray[np.bool_]
Rectangle = tuple[int, int, int, int]
"""x, y, width, height; a size of −1 is that of the whole camera."""

MAX_BYTES = 4 * 2**20
MOST = 0.25
"""Share of pixels; a file that marks more is not a list of defects."""
TOLERANCE = 10
"""By so many pixels a camera may be larger or smaller than its frames, which lie in its middle."""
_WHOLE = -1
_IMAGES = frozenset({".mrc", ".mrcs", ".tif", ".tiff"})
_SINGLE_WORDS = frozenset({"camerasizex", "camerasizey", "wasscaled"})
_LISTS = frozenset({"badpixels", "badcolumns", "badrows", "partialbadcolumn", "partialbadrow"})
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?$")


@dataclass
class DefectList:
    """Rectangles on a camera.

    Attributes
    ----------
    size : (width, height) of the camera they are counted on; None: that of the frames.
    from_top : whether y is counted from the top of the image; else rows are those of an MRC file.
    """

    rectangles: list[Rectangle] = field(default_factory=list)
    size: tuple[int, int] | None = None
    from_top: bool = False


def read_defects(path: str | Path, shape: tuple[int, int]) -> Mask:
    """Mask of the defects in frames of ``shape``, (height, width), MRC row order.

    A list or image of half or twice the frames' size is scaled. Raises BadFile where it cannot be read, is of another
    camera or marks too much.
    """
    path = Path(path)
    if path.suffix.lower() in _IMAGES:
        mask = _of_image(path, shape)
    else:
        text = _text(path)
        found = parse_fei(path, text) if text.lstrip().startswith("<") else parse_list(path, text)
        mask = drawn(path, found, shape)
    share = float(mask.mean())
    if share > MOST:
        raise BadFile(f"{path.name} marks {share:.0%} of all pixels as defects.", hint="It is no list of defects.")
    return mask


def check_defects(path: Path) -> None:
    """Raise BadFile where a file of defects cannot be read, whatever the frames."""
    if path.suffix.lower() in _IMAGES:
        with open_movie(path) as file:
            if file.frames != 1:
                raise _a_stack(path, file.frames)
        return
    text = _text(path)
    if text.lstrip().startswith("<"):
        parse_fei(path, text)
    else:
        parse_list(path, text)


def _a_stack(path: Path, frames: int) -> BadFile:
    return BadFile(f"{path.name} is a stack of {frames} images.", hint="Give a single image of defects.")


def parse_list(path: Path, text: str) -> DefectList:
    """A list of SerialEM's, or rectangles. Raises BadFile."""
    found = DefectList()
    size: dict[str, int] = {}
    pixel = 1
    named = False
    pixels: list[tuple[int, int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        key = words[0].lower()
        if key[0].isalpha():
            if key not in _SINGLE_WORDS | _LISTS:
                continue
            named = True
            values = _integers(path, number, words[1:])
            if key in _SINGLE_WORDS and values:
                size[key] = values[0]
            elif key == "badpixels":
                pixels += list(zip(values[0::2], values[1::2], strict=False))
            elif key == "badcolumns":
                found.rectangles += [(value, 0, 1, _WHOLE) for value in values]
            elif key == "badrows":
                found.rectangles += [(0, value, _WHOLE, 1) for value in values]
            elif key == "partialbadcolumn" and len(values) >= 4:
                column, width, first, last = values[:4]
                found.rectangles.append((column, first, max(width, 0), max(last - first + 1, 0)))
            elif key == "partialbadrow" and len(values) >= 4:
                row, height, first, last = values[:4]
                found.rectangles.append((first, row, max(last - first + 1, 0), max(height, 0)))
            continue
        values = _integers(path, number, words)
        if len(values) != 4 or min(values) < 0:
            raise BadFile(f"{path.name}, line {number}, is no rectangle.", hint="Give x y width height.")
        found.rectangles.append((values[0], values[1], values[2], values[3]))
    # a list that was scaled up for finer frames names the first pixel of each block
    if (scaled := size.get("wasscaled", 0)) > 0:
        pixel = 4 if scaled > 1 else 2
    found.rectangles += [(x, y, pixel, pixel) for x, y in pixels]
    if named and {"camerasizex", "camerasizey"} <= size.keys():
        found.size = (size["camerasizex"], size["camerasizey"])
    found.from_top = named
    if not found.rectangles and not named:
        raise BadFile(f"{path.name} holds no defects.", hint="Give a list of SerialEM's, rectangles, or an image.")
    return found


def parse_fei(path: Path, text: str) -> DefectList:
    """Thermo Fisher's XML; rows are counted as the movie's are stored. Raises BadFile."""
    try:
        root = ElementTree.fromstring(text.encode())
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise BadFile(f"{path.name} holds defects that cannot be read: {error}.", hint="Copy it again.") from error
    if root.tag.rpartition("}")[2] != "defects":
        raise BadFile(f"{path.name} holds {root.tag!r}, not defects.", hint="Check what this file is.")
    found = DefectList()
    for element in root.iter():
        kind, words = str(element.tag).rpartition("}")[2], (element.text or "").replace(",", " ").split()
        if kind not in ("row", "col", "area", "nonmaskingpoint", "nonmaskingarea", "point"):
            continue
        if kind in ("row", "col"):
            for word in words:
                first, last = _range(path, word)
                span = last - first + 1
                found.rectangles.append((0, first, _WHOLE, span) if kind == "row" else (first, 0, span, _WHOLE))
            continue
        values = [_range(path, word)[0] for word in words]
        if len(values) == 4:
            left, top, right, bottom = values
            found.rectangles.append((left, top, max(right - left + 1, 0), max(bottom - top + 1, 0)))
        elif len(values) == 2:
            found.rectangles.append((values[0], values[1], 1, 1))
    return found


def drawn(path: Path, found: DefectList, shape: tuple[int, int]) -> Mask:
    """Mask of a list, (height, width), MRC row order. Raises BadFile where the camera is another."""
    height, width = shape
    size = found.size or (width, height)
    factor = _scale(path, size, shape)
    left, top = round((width - size[0] * factor) / 2), round((height - size[1] * factor) / 2)
    mask = np.zeros(shape, np.bool_)
    for x, y, across, down in found.rectangles:
        if across == 0 or down == 0:
            continue
        columns = slice(0, width) if across < 0 else _span(x, across, factor, left)
        rows = slice(0, height) if down < 0 else _span(y, down, factor, top)
        mask[rows, columns] = True
    return mask[::-1].copy() if found.from_top else mask


def _span(start: int, length: int, factor: float, offset: int) -> slice:
    first, last = int(start * factor), int(-(-(start + length) * factor // 1))
    return slice(max(first + offset, 0), max(last + offset, 0))


def _scale(path: Path, size: tuple[int, int], shape: tuple[int, int]) -> float:
    for factor in (1.0, 2.0, 0.5):
        if abs(size[0] * factor - shape[1]) <= TOLERANCE and abs(size[1] * factor - shape[0]) <= TOLERANCE:
            return factor
    raise BadFile(
        f"{path.name} lists the defects of a camera of {size[1]} × {size[0]} px, the frames are "
        f"{shape[0]} × {shape[1]}.",
        hint="Give the defects of this camera mode.",
    )


def _of_image(path: Path, shape: tuple[int, int]) -> Mask:
    with open_movie(path) as file, fitting_memory(path):
        if file.frames != 1:
            raise _a_stack(path, file.frames)
        marked = file.read(0) != 0
    height, width = shape
    if marked.shape == (2 * height, 2 * width):
        return np.asarray(marked.reshape(height, 2, width, 2).any(axis=(1, 3)))
    if (2 * marked.shape[0], 2 * marked.shape[1]) == shape:
        return np.asarray(marked.repeat(2, axis=0).repeat(2, axis=1))
    if marked.shape != shape:
        raise BadFile(
            f"{path.name} is {marked.shape[0]} × {marked.shape[1]} px, the frames are {height} × {width}.",
            hint="Give the defects of this camera mode.",
        )
    return np.asarray(marked)


def _text(path: Path) -> str:
    first_bytes(path, 1)
    if path.stat().st_size > MAX_BYTES:
        raise BadFile(f"{path.name} is too large for a list of defects.", hint="Check what this file is.")
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _integers(path: Path, line: int, words: list[str]) -> list[int]:
    return list(_each(path, f", line {line}", words))


def _each(path: Path, where: str, words: list[str]) -> Iterator[int]:
    for word in words:
        if not re.fullmatch(r"-?\d{1,6}", word):
            raise BadFile(f"{path.name}{where}: {word[:20]!r} is no whole number.", hint="It is no list of defects.")
        yield int(word)


def _range(path: Path, word: str) -> tuple[int, int]:
    found = _RANGE.match(word)
    if found is None:
        raise BadFile(f"{path.name}: {word[:20]!r} is no place on a camera.", hint="It is no list of defects.")
    first = int(found[1])
    return first, max(int(found[2]), first) if found[2] else first
