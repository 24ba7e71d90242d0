"""EPU: reads the session folders of Thermo Fisher's single-particle software."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar, TypeVar

from athena.contract.acquisitions import (
    DiscoveredAtlas,
    DiscoveredExposure,
    DiscoveredFoilHole,
    DiscoveredGridSquare,
    DiscoveredSession,
    StagePosition,
)
from athena.errors import BadFile
from athena.formats.epu_geometry import StageMap, fit_map, map_of_image
from athena.formats.epu_xml_atlas import Atlas, read_atlas, read_sample
from athena.formats.epu_xml_image import read_image
from athena.formats.epu_xml_session import read_session
from athena.formats.epu_xml_square import HoleTarget, read_grid_square
from athena.ingest.epu_exposure import describe_exposure
from athena.ingest.epu_files import ImageFiles, SessionFiles, list_session, looks_like_session
from athena.ingest.epu_metadata import session_metadata
from athena.ingest.memory import Entry, ReadMemory

T = TypeVar("T")

_MEMORY = ReadMemory(limit=400_000)
"""Shared by all adapters of the process: a watched session is scanned every second, and hardly anything changes."""

MAX_PROBLEMS = 200
"""More are counted, not listed."""


class EpuAdapter:
    """Reads EPU sessions (seen: 2.6, 3.4, 3.8), whole, growing or in part."""

    name: ClassVar[str] = "epu"

    def recognises(self, path: Path) -> bool:
        """Whether the folder holds an ``EpuSession.dm``, an ``Images-Disc…``, or exposures named as EPU names them."""
        return path.is_dir() and looks_like_session(path)

    def scan(self, path: Path) -> DiscoveredSession:
        """All that the session folder, and the atlas session it names, hold now.

        Raises
        ------
        BadFile : ``path`` is not a folder.
        """
        if not path.is_dir():
            raise BadFile(
                f"{path} is not a folder.", hint="Give the session's folder, the one with EpuSession.dm in it."
            )
        return _Scan(path).result()


class _Scan:
    """One look at a session."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: SessionFiles = list_session(path)
        self.problems: list[str] = list(self.files.problems)
        if not self.files.is_session:
            inside = sorted(found.parent.name for found in path.glob("*/EpuSession.dm"))
            hint = f"Give a folder in it: {', '.join(inside[:5])}." if inside else "Give the folder with EpuSession.dm."
            self.problems.append(f"{path} holds no EPU session. {hint}")
        self.session = self._read(self.files.session, read_session)
        self.atlas = self._find_atlas()
        self.squares = {key: self._read(entry, read_grid_square) for key, entry in self.files.square_metadata.items()}
        self.square_images = {key: self._read(files.xml, read_image) for key, files in self.files.squares.items()}
        self.square_maps: dict[int, StageMap | None] = {}
        self.areas = {area.id: area for area in self.session.areas} if self.session else {}
        self.targets = {
            target.id: target for square in self.squares.values() if square is not None for target in square.targets
        }

    def result(self) -> DiscoveredSession:
        """The session in Athena's words."""
        session = self.session
        exposures = tuple(
            self._exposure(stem)
            for stem in sorted(self.files.exposures, key=lambda stem: (self.files.exposures[stem].taken, stem))
        )
        return DiscoveredSession(
            kind=EpuAdapter.name,
            path=str(self.path),
            name=(session.name if session else "") or self.path.name,
            software=f"EPU {session.version}".strip() if session else "EPU",
            started=session.started if session else None,
            gain_reference=self.files.gains[0] if len(self.files.gains) == 1 else None,
            gain_corrected=session.gain_corrected if session else None,
            metadata=session_metadata(session, exposures),
            atlases=self._atlases(),
            grid_squares=self._grid_squares(),
            foil_holes=self._foil_holes(),
            exposures=exposures,
            problems=self._listed_problems(),
        )

    def _exposure(self, stem: str) -> DiscoveredExposure:
        files = self.files.exposures[stem]
        target = self.targets.get(files.hole_id)
        session = self.session
        area = self.areas.get(files.area_id)
        own = (files.xml, files.movie, files.fractions, files.jpg is None, files.mrc is None)
        state = (own, target, area, self.files.session)
        entry = next(e for e in (files.xml, files.movie, files.jpg, files.mrc, files.fractions) if e is not None)
        folder = entry.path.rpartition("/")[0]
        exposure, problems = _MEMORY.get(
            f"exposure:{folder}/{stem}",
            state,
            partial(describe_exposure, stem, files, target=target, area=area, session=session),
        )
        self.problems += problems
        return exposure

    def _find_atlas(self) -> Atlas | None:
        """The atlas that the session names by the path it had on the microscope, looked for around the session."""
        if self.session is None or not self.session.atlas_path:
            return None
        parts = [part for part in self.session.atlas_path.replace("\\", "/").split("/") if part]
        if ".." in parts or len(parts) < 3:
            self.problems.append(f"{self.session.path} names no usable atlas path ({self.session.atlas_path}).")
            return None
        found = _locate(self.path, parts)
        if found is None:
            self.problems.append(
                f"{self.session.atlas_path} was not found near {self.path}. "
                "Copy the atlas session beside the session to see its squares on the grid."
            )
            return None
        return self._read(_known(found), read_atlas)

    def _atlases(self) -> tuple[DiscoveredAtlas, ...]:
        atlas = self.atlas
        if atlas is None:
            return ()
        stem = atlas.path.parent / atlas.image_name
        image = self._read(_known(stem.with_suffix(".xml")), read_image) if atlas.image_name else None
        sample = self._read(_known(atlas.path.parent.parent / "Sample.dm"), read_sample)
        pixel = image.pixel_size_m if image else None
        return (
            DiscoveredAtlas(
                id=atlas.id,
                sample=sample.name if sample else "",
                image=_existing(stem.with_suffix(".jpg")) if atlas.image_name else None,
                width_px=atlas.canvas[0] if atlas.canvas else None,
                height_px=atlas.canvas[1] if atlas.canvas else None,
                pixel_size_um=pixel * 1e6 if pixel else None,
                node_count=len(atlas.nodes),
            ),
        )

    def _grid_squares(self) -> tuple[DiscoveredGridSquare, ...]:
        """Squares of the atlas, of the session and of its folders."""
        nodes = {node.square_id: node for node in self.atlas.nodes} if self.atlas else {}
        listed = self.session.square_ids if self.session else ()
        found = []
        for square_id in sorted({*nodes, *listed, *self.squares, *self.files.squares}):
            node, record = nodes.get(square_id), self.squares.get(square_id)
            files = self.files.squares.get(square_id)
            image = self.square_images.get(square_id)
            stage = (
                (image.stage if image else None) or (record.stage if record else None) or (node.stage if node else None)
            )
            found.append(
                DiscoveredGridSquare(
                    id=square_id,
                    atlas_id=self.atlas.id if self.atlas and node else "",
                    image=_path(files.jpg if files else None),
                    width_px=image.readout[0] if image and image.readout else None,
                    height_px=image.readout[1] if image and image.readout else None,
                    pixel_size_nm=image.pixel_size_m * 1e9 if image and image.pixel_size_m else None,
                    acquired=image.acquired if image else None,
                    stage=_stage(stage),
                    atlas_x_px=node.centre[0] if node and node.centre else None,
                    atlas_y_px=node.centre[1] if node and node.centre else None,
                    atlas_width_px=node.size[0] if node and node.size else None,
                    atlas_height_px=node.size[1] if node and node.size else None,
                    category=node.category if node else None,
                )
            )
        return tuple(found)

    def _foil_holes(self) -> tuple[DiscoveredFoilHole, ...]:
        """Holes that were imaged or exposed; of targets that were only planned there are hundreds a square."""
        found = []
        exposed = {files.hole_id for files in self.files.exposures.values() if files.square_id is not None}
        for hole_id in sorted(exposed.union(self.files.holes)):
            square_id = self.files.hole_square[hole_id]
            files, square = self.files.holes.get(hole_id), self.files.squares.get(square_id)
            sources = (files.xml if files else None, files.jpg if files else None, square.xml if square else None)
            state = (*sources, self.targets.get(hole_id), self.files.square_metadata.get(square_id), self.files.session)
            made = partial(self._foil_hole, hole_id, square_id, files)
            hole, problems = _MEMORY.get(f"hole:{self.path}/{square_id}/{hole_id}", state, made)
            self.problems += problems
            found.append(hole)
        return tuple(found)

    def _foil_hole(
        self, hole_id: int, square_id: int, files: ImageFiles | None
    ) -> tuple[DiscoveredFoilHole, tuple[str, ...]]:
        """A hole, placed on its square's image by its target, else through the square's map."""
        target = self.targets.get(hole_id)
        problems: list[str] = []
        image = self._read(files.xml, read_image, problems) if files else None
        stage = (*target.stage, 0.0) if target and target.stage else (image.stage if image else None)
        pixel = target.pixel if target else None
        if pixel is None and stage is not None and (square_map := self._square_map(square_id)) is not None:
            pixel = square_map.to_pixel(stage[:2])
        hole = DiscoveredFoilHole(
            id=hole_id,
            grid_square_id=square_id,
            image=_path(files.jpg if files else None),
            acquired=image.acquired if image else None,
            stage=_stage(stage),
            square_x_px=pixel[0] if pixel else None,
            square_y_px=pixel[1] if pixel else None,
            diameter_px=self._diameter(target, square_id),
        )
        return hole, tuple(problems)

    def _square_map(self, square_id: int) -> StageMap | None:
        """From the square image's pixels to the stage: through its targets, else through its own matrix."""
        if square_id not in self.square_maps:
            record, image = self.squares.get(square_id), self.square_images.get(square_id)
            both = [(t.pixel, t.stage) for t in (record.targets if record else ()) if t.pixel and t.stage]
            fitted = fit_map([pixel for pixel, _ in both], [stage for _, stage in both])
            self.square_maps[square_id] = fitted or (map_of_image(image) if image else None)
        return self.square_maps[square_id]

    def _diameter(self, target: HoleTarget | None, square_id: int) -> float | None:
        if target is not None and target.diameter_px:
            return target.diameter_px
        image = self.square_images.get(square_id)
        size = self.session.hole_size_m if self.session else None
        return size / image.pixel_size_m if size and image and image.pixel_size_m else None

    def _read(self, entry: Entry | None, reader: Callable[[Path], T], problems: list[str] | None = None) -> T | None:
        """What a file holds, from memory when it has not changed; None, and a problem, when it cannot be read."""
        if entry is None:
            return None
        try:
            return _MEMORY.get(f"{reader.__name__}:{entry.path}", entry, lambda: reader(Path(entry.path)))
        except BadFile as error:
            (self.problems if problems is None else problems).append(str(error))
            return None

    def _listed_problems(self) -> tuple[str, ...]:
        unique = list(dict.fromkeys(self.problems))
        if len(unique) > MAX_PROBLEMS:
            unique[MAX_PROBLEMS:] = [f"… and {len(unique) - MAX_PROBLEMS} more."]
        return tuple(unique)


def _locate(session: Path, parts: list[str]) -> Path | None:
    """A file whose path ends in ``parts`` or in a tail of them, next to the session or up to three folders above.

    The longest tail wins. ``Sample2/Atlas/Atlas.dm`` alone would fit any atlas session, so a tail has the name of the
    atlas session in it at least; that session may also lie in a folder of another name beside ours.
    """
    for ancestor in (session, *list(session.parents)[:3]):
        for start in range(len(parts) - 3):
            candidate = ancestor.joinpath(*parts[start:])
            if candidate.is_file():
                return candidate
        try:
            beside = sorted(entry for entry in ancestor.iterdir() if entry.is_dir()) if ancestor != session else []
        except OSError:
            beside = []
        for folder in beside:
            candidate = folder.joinpath(*parts[-4:])
            if candidate.is_file():
                return candidate
    return None


def _known(path: Path) -> Entry | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return Entry(str(path), status.st_mtime_ns, status.st_size)


def _existing(path: Path) -> str | None:
    return str(path) if path.is_file() else None


def _path(entry: Entry | None) -> str | None:
    return entry.path if entry is not None else None


def _stage(stage: tuple[float, float, float] | None) -> StagePosition | None:
    if stage is None:
        return None
    return StagePosition(x_um=stage[0] * 1e6, y_um=stage[1] * 1e6, z_um=stage[2] * 1e6)
