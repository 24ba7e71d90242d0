"""What belongs to the camera of an exported run: its gain reference and its file of defects, beside the movies."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.orm import Session

from athena.contract.processing import GainOrientation, GainSense
from athena.db.acquisitions import AcquisitionRow, SourceRow
from athena.errors import BadFile
from athena.formats import cryosparc
from athena.formats.gain import oriented, read_reference
from athena.formats.mrc import Statistics, mrc_header
from athena.jobs import content
from athena.jobs.transfer import Item
from athena.settings import Settings

log = logging.getLogger(__name__)

GAIN = "camera/gain.mrc"


@dataclass(frozen=True)
class Camera:
    """Gain and defects of an export, by their places in it.

    Attributes
    ----------
    gain : for programs that read one as it lies; None without one.
    shape : (height, width) of the gain; None where it cannot be read.
    items : to copy.
    defects : empty without them.
    """

    gain: str | None
    shape: tuple[int, int] | None
    defects: str
    items: tuple[Item, ...]

    def movie(self, row: AcquisitionRow, place: str, shape: tuple[int, int, int]) -> cryosparc.Movie | None:
        """A movie at its place in the export, as cryoSPARC is told of it; None where that cannot be done."""
        if row.movie is None or (self.gain is not None and self.shape is None):
            return None
        # other forms than lists are not read by cryoSPARC
        defects = self.defects if self.defects.lower().endswith(".txt") else ""
        return cryosparc.Movie(
            path=place,
            shape=shape,
            origin=row.movie,
            gain=self.gain,
            gain_shape=self.shape or (0, 0),
            defects=defects,
        )


def camera_of(
    session: Session, run_id: UUID, parameters: dict[str, Any], settings: Settings, *, of_eer: bool
) -> Camera:
    """Camera of a run as its movies were processed.

    A gain reference that lies otherwise than the movies, or by which counts are divided, goes along also as it is
    applied: turned, and as the factor (``GAIN``, MRC). Programs that are not told how it lies use that one.
    """
    defects = content.kept_defects(parameters, run_id, settings)
    items = [defects] if defects is not None else []
    place = defects.name if defects is not None else ""
    source = session.get(SourceRow, run_id)
    if source is None or not source.gain_reference:
        return Camera(None, None, place, tuple(items))
    path, folder = Path(source.gain_reference), Path(source.path)
    raw = content.raw_item(path, folder)
    items.append(raw)
    found = source.gain_found if source.gain_found and source.gain_found["gain"] == source.gain_reference else {}
    told = {name: found.get(name, "auto") for name in ("orientation", "sense")}
    told |= {name: value for name in told if (value := parameters.get(f"gain_{name}", "auto")) != "auto"}
    try:
        reference = read_reference(path, of_eer=of_eer)
    except (BadFile, OSError) as problem:
        # what is wrong with it stands at every movie; here it goes along as it is
        log.warning("gain reference %s of run %s cannot be read: %s", path, run_id, problem)
        return Camera(raw.name, None, place, tuple(items))
    turn = GainOrientation.AS_IS if told["orientation"] == "auto" else GainOrientation(told["orientation"])
    sense = reference.usual_sense if told["sense"] == "auto" else GainSense(told["sense"])
    lying = oriented(reference.image, turn)
    shape = (lying.shape[0], lying.shape[1])
    if turn is GainOrientation.AS_IS and sense is GainSense.MULTIPLY and (of_eer or path.suffix.lower() == ".mrc"):
        return Camera(raw.name, shape, place, tuple(items))
    items.append(Item(GAIN, partial(_applied, path, of_eer, turn, sense)))
    return Camera(GAIN, shape, place, tuple(items))


def _applied(path: Path, of_eer: bool, turn: GainOrientation, sense: GainSense) -> Iterator[bytes]:
    reference = read_reference(path, of_eer=of_eer)
    lying = oriented(reference.image, turn)
    gain = reference.gain((lying.shape[0], lying.shape[1]), turn, sense).astype("<f4")
    statistics = Statistics(float(gain.min()), float(gain.max()), float(gain.mean()), float(np.std(gain)))
    yield mrc_header((gain.shape[0], gain.shape[1]), mode=2, pixel_size_angstrom=0.0, statistics=statistics)
    yield gain.tobytes()
