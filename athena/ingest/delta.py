"""What of a session is new since the last registration, so that a long session is not offered to the database again."""

from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from athena.contract.acquisitions import (
    DiscoveredAtlas,
    DiscoveredExposure,
    DiscoveredFoilHole,
    DiscoveredGridSquare,
    DiscoveredSession,
)
from athena.ingest.watcher import Verdict

METADATA_PATIENCE = 5
"""A whole movie without readable metadata is registered after METADATA_PATIENCE × stable_seconds all the same."""

_GridItem = DiscoveredAtlas | DiscoveredGridSquare | DiscoveredFoilHole


@dataclass(frozen=True)
class Batch:
    """A part of a session to register in one transaction."""

    session: DiscoveredSession
    whole: frozenset[str] = frozenset()
    broken: dict[str, str] = field(default_factory=dict)


class SessionDelta:
    """Remembers what has been registered, and cuts what has not into batches.

    It is a cache of the registrar's idempotence: losing it (a restart) costs time, never correctness.
    """

    def __init__(self, *, stable_seconds: float, batch_size: int = 200) -> None:
        self._patience = METADATA_PATIENCE * stable_seconds
        self._batch_size = batch_size
        self._head: DiscoveredSession | None = None
        self._grid: dict[tuple[type, int | str], _GridItem] = {}
        self._exposures: dict[str, tuple[DiscoveredExposure, str]] = {}
        self._finished: set[str] = set()

    def movies_to_judge(self, session: DiscoveredSession) -> list[str]:
        """Movies whose exposures have not been registered as ready yet."""
        return [e.movie for e in session.exposures if e.movie is not None and e.movie not in self._finished]

    def without_metadata(self, session: DiscoveredSession, verdict: Verdict) -> frozenset[str]:
        """Whole movies whose metadata is not readable yet but may still come."""
        return frozenset(
            e.movie
            for e in session.exposures
            if e.movie is not None
            and (e.xml is None or e.problem)
            and verdict.whole.get(e.movie, self._patience) < self._patience
        )

    def batches(self, session: DiscoveredSession, verdict: Verdict) -> Iterator[Batch]:
        """What to register now; call :meth:`done` for each batch that was committed."""
        whole = verdict.whole.keys() - self.without_metadata(session, verdict)
        news = sorted((e for e in session.exposures if self._is_news(e, whole, verdict)), key=_acquired)
        head = _head(session)
        grid = session.model_copy(
            update={
                "exposures": (),
                "atlases": tuple(a for a in session.atlases if self._is_new(a)),
                "grid_squares": tuple(s for s in session.grid_squares if self._is_new(s)),
                "foil_holes": tuple(h for h in session.foil_holes if self._is_new(h)),
            }
        )
        if head != self._head or grid.atlases or grid.grid_squares or grid.foil_holes:
            yield Batch(grid)
        bare = head.model_copy(update={"metadata": ()})
        for start in range(0, len(news), self._batch_size):
            some = tuple(news[start : start + self._batch_size])
            movies = {e.movie for e in some if e.movie is not None}
            yield Batch(
                session=bare.model_copy(update={"exposures": some}),
                whole=frozenset(movies & whole),
                broken={movie: verdict.broken[movie] for movie in movies & verdict.broken.keys()},
            )

    def done(self, batch: Batch) -> None:
        """The batch is in the catalogue."""
        if not batch.session.exposures:
            self._head = _head(batch.session)
        items: tuple[_GridItem, ...] = (
            *batch.session.atlases,
            *batch.session.grid_squares,
            *batch.session.foil_holes,
        )
        for item in items:
            self._grid[type(item), item.id] = item
        for exposure in batch.session.exposures:
            self._exposures[exposure.name] = (exposure, batch.broken.get(exposure.movie or "", ""))
        self._finished |= batch.whole

    def _is_new(self, item: _GridItem) -> bool:
        return self._grid.get((type(item), item.id)) != item

    def _is_news(self, exposure: DiscoveredExposure, whole: Set[str], verdict: Verdict) -> bool:
        if exposure.movie in whole and exposure.movie not in self._finished:
            return True
        known = self._exposures.get(exposure.name)
        return known != (exposure, verdict.broken.get(exposure.movie or "", ""))


def _acquired(exposure: DiscoveredExposure) -> tuple[bool, float, str]:
    acquired = exposure.acquired
    return acquired is None, acquired.timestamp() if acquired else 0.0, exposure.name


def _head(session: DiscoveredSession) -> DiscoveredSession:
    """The session without its parts and without its problems, which the source's row shows."""
    nothing = {"atlases": (), "grid_squares": (), "foil_holes": (), "exposures": (), "problems": ()}
    return session.model_copy(update=nothing)
