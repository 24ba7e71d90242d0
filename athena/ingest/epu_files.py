"""What lies in an EPU session folder, by name alone.

Names follow EPU 2.6 to 3.8; the suffix of movies varies in case and spelling.
"""

import re
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from athena.ingest.memory import Entry, Folder, FolderMemory

_DISC = re.compile(r"Images-Disc\d+$", re.IGNORECASE)
_SQUARE_FOLDER = re.compile(r"GridSquare_(\d+)$")
_SQUARE_IMAGE = re.compile(r"GridSquare_(\d{8}_\d{6})\.(xml|jpg|mrc)$", re.IGNORECASE)
_SQUARE_METADATA = re.compile(r"GridSquare_(\d+)\.dm$")
_HOLE_IMAGE = re.compile(r"FoilHole_(\d+)_(\d{8}_\d{6})\.(xml|jpg|mrc)$", re.IGNORECASE)
_EXPOSURE = re.compile(
    r"(FoilHole_(\d+)_Data_(\d+)_\d+_(\d{8}_\d{6}))(?:\.(xml|jpg|mrc)|_(?:fractions|eer)\.(tiff?|mrc|eer|xml))$",
    re.IGNORECASE,
)

_FOLDERS = FolderMemory(limit=20_000)


@dataclass
class ImageFiles:
    """XML, jpg and mrc of one image; ``taken`` is the time in its name."""

    taken: str = ""
    xml: Entry | None = None
    jpg: Entry | None = None
    mrc: Entry | None = None


@dataclass
class ExposureFiles(ImageFiles):
    """All files of one exposure."""

    hole_id: int = 0
    area_id: int = 0
    square_id: int | None = None
    movie: Entry | None = None
    fractions: Entry | None = None


@dataclass
class SessionFiles:
    """All files of a session that matter. Of images taken again only the newest is kept.

    Attributes
    ----------
    square_metadata : ``Metadata/GridSquare_<id>.dm`` by square.
    squares, holes : newest image by id. ``hole_square`` says in which square a hole lies.
    exposures : by stem, unique in the session.
    """

    session: Entry | None = None
    square_metadata: dict[int, Entry] = field(default_factory=dict)
    squares: dict[int, ImageFiles] = field(default_factory=dict)
    holes: dict[int, ImageFiles] = field(default_factory=dict)
    hole_square: dict[int, int] = field(default_factory=dict)
    exposures: dict[str, ExposureFiles] = field(default_factory=dict)
    gains: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_session(self) -> bool:
        """Whether there is anything of EPU in the folder."""
        return bool(self.session or self.squares or self.exposures)


def looks_like_session(path: Path) -> bool:
    """Whether the top of a folder has anything of EPU in it."""
    top = _look(str(path), SessionFiles())
    names = (*top.files, *top.folders)
    return any(name == "EpuSession.dm" or _DISC.match(name) or _EXPOSURE.match(name) for name in names)


def list_session(path: Path) -> SessionFiles:
    """List a session folder; also a loose folder of exposures, as offloaded or exported ones are.

    Folders that cannot be listed are named in ``problems``.
    """
    found = SessionFiles()
    top = _look(str(path), found)
    found.session = top.files.get("EpuSession.dm")
    found.gains = sorted(entry.path for name, entry in top.files.items() if _is_gain(name))
    _add_exposures(top, None, found)
    if "Metadata" in top.folders:
        found.square_metadata = _look(top.folders["Metadata"], found).make("squares", _square_metadata)
    for name, disc in sorted(top.folders.items()):
        if _DISC.match(name):
            _list_disc(disc, found)
    return found


def _list_disc(path: str, found: SessionFiles) -> None:
    for name, folder in _look(path, found).folders.items():
        match = _SQUARE_FOLDER.match(name)
        if not match:
            continue
        square_id = int(match.group(1))
        square = _look(folder, found)
        for image in square.make("images", _square_images).values():
            _keep_newest(found.squares, square_id, image)
        if "FoilHoles" in square.folders:
            for hole_id, image in _look(square.folders["FoilHoles"], found).make("images", _hole_images).items():
                found.hole_square[hole_id] = square_id
                _keep_newest(found.holes, hole_id, image)
        if "Data" in square.folders:
            _add_exposures(_look(square.folders["Data"], found), square_id, found)


def _add_exposures(folder: Folder, square_id: int | None, found: SessionFiles) -> None:
    for stem, files in folder.make(("exposures", square_id), partial(_exposures, square_id)).items():
        known = found.exposures.get(stem)
        # the files of one exposure may lie on two discs
        found.exposures[stem] = files if known is None else _merged(known, files)
        if square_id is not None:
            found.hole_square.setdefault(files.hole_id, square_id)


def _square_metadata(folder: Folder) -> dict[int, Entry]:
    matches = ((_SQUARE_METADATA.match(name), entry) for name, entry in folder.files.items())
    return {int(match.group(1)): entry for match, entry in matches if match}


def _square_images(folder: Folder) -> dict[int, ImageFiles]:
    images: dict[int, ImageFiles] = {}
    for name, entry in folder.files.items():
        if match := _SQUARE_IMAGE.match(name):
            _take_newest(images, 0, match.group(1), match.group(2), entry)
    return images


def _hole_images(folder: Folder) -> dict[int, ImageFiles]:
    images: dict[int, ImageFiles] = {}
    for name, entry in folder.files.items():
        if match := _HOLE_IMAGE.match(name):
            _take_newest(images, int(match.group(1)), match.group(2), match.group(3), entry)
    return images


def _exposures(square_id: int | None, folder: Folder) -> dict[str, ExposureFiles]:
    exposures: dict[str, ExposureFiles] = {}
    for name, entry in folder.files.items():
        match = _EXPOSURE.match(name)
        if not match:
            continue
        stem, hole, area, taken, suffix, movie_suffix = match.groups()
        files = exposures.get(stem)
        if files is None:
            files = ExposureFiles(taken=taken, hole_id=int(hole), area_id=int(area), square_id=square_id)
            exposures[stem] = files
        if suffix:
            setattr(files, suffix.lower(), entry)
        elif movie_suffix.lower() == "xml":
            files.fractions = entry
        else:
            files.movie = entry
    return exposures


def _take_newest(images: dict[int, ImageFiles], key: int, taken: str, suffix: str, entry: Entry) -> None:
    known = images.get(key)
    if known is None or taken > known.taken:
        known = images[key] = ImageFiles(taken)
    if taken == known.taken:
        setattr(known, suffix.lower(), entry)


def _keep_newest(images: dict[int, ImageFiles], key: int, image: ImageFiles) -> None:
    known = images.get(key)
    if known is None or image.taken > known.taken:
        images[key] = image


def _merged(first: ExposureFiles, second: ExposureFiles) -> ExposureFiles:
    missing = {
        name: value
        for name in ("xml", "jpg", "mrc", "movie", "fractions", "square_id")
        if getattr(first, name) is None and (value := getattr(second, name)) is not None
    }
    return replace(first, **missing)


def _look(path: str, found: SessionFiles) -> Folder:
    try:
        return _FOLDERS.look(path)
    except OSError as error:
        found.problems.append(f"{path} cannot be listed: {error.strerror or error}. Check the folder and its rights.")
        return Folder({}, {}, 0, 0.0, 0.0)


def _is_gain(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gain") or ("gain" in lower and lower.endswith((".mrc", ".tif", ".tiff", ".dm4", ".dm3")))
