"""The registrar: whatever order a session's pieces arrive in, the catalogue ends the same."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from athena.contract.acquisitions import (
    DiscoveredAtlas,
    DiscoveredExposure,
    DiscoveredFoilHole,
    DiscoveredGridSquare,
    DiscoveredSession,
    Optics,
    SessionMetadatum,
)
from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.contract.runs import SourceState
from athena.db.acquisitions import AcquisitionRow, FoilHoleRow, GridSquareRow, RunRow, SourceRow
from athena.db.elements import ElementRow, MetadataRow
from athena.db.engine import Database
from athena.db.events import EventRow, last_seq
from athena.errors import NotFound
from athena.ingest.registrar import register

START = datetime(2024, 5, 17, 12, tzinfo=UTC)


def _session(**changes: object) -> DiscoveredSession:
    return DiscoveredSession(kind="epu", path="/data/session", name="session", **changes)  # type: ignore[arg-type]


def _exposure(number: int, *, movie: bool = True, metadata: bool = True) -> DiscoveredExposure:
    name = f"FoilHole_{number}"
    if not metadata:
        return DiscoveredExposure(name=name, movie=f"/data/{name}.tiff" if movie else None)
    return DiscoveredExposure(
        name=name,
        movie=f"/data/{name}.tiff" if movie else None,
        xml=f"/data/{name}.xml",
        acquired=START + timedelta(seconds=number),
        foil_hole_id=number,
        optics=Optics(pixel_size_angstrom=0.8, target_defocus_um=0.0, beam_shift_x=float(number)),
    )


@pytest.fixture
def run_id(make_user: Callable[..., Principal], make_run: Callable[..., Element], database: Database) -> UUID:
    run = make_run(make_user())
    with database.session() as session:
        session.add(SourceRow(run_id=run.id, adapter="epu", path="/data", state=SourceState.WATCHING.value))
    return run.id


def _rows(database: Database, run_id: UUID) -> list[AcquisitionRow]:
    with database.session(read_only=True) as session:
        query = select(AcquisitionRow).where(AcquisitionRow.run_id == run_id).order_by(AcquisitionRow.index)
        return list(session.scalars(query))


@pytest.mark.feature("AC-01", "AC-04")
def test_what_a_session_holds_is_stored_once(database: Database, run_id: UUID) -> None:
    found = _session(
        software="EPU 3.4",
        started=START,
        gain_reference="/data/gain.mrc",
        metadata=(
            SessionMetadatum(group="Instrument", name="Voltage", value=300.0, quantity="voltage", unit="kV"),
            SessionMetadatum(group="Acquisition", name="Faster", value=True),
        ),
        atlases=(DiscoveredAtlas(id="atlas", node_count=3),),
        grid_squares=(DiscoveredGridSquare(id=7, atlas_id="atlas", category=1),),
        foil_holes=(DiscoveredFoilHole(id=1, grid_square_id=7),),
        exposures=(_exposure(2), _exposure(1), _exposure(3, movie=False)),
    )
    whole = {"/data/FoilHole_1.tiff", "/data/FoilHole_2.tiff"}
    with database.session() as session:
        report = register(session, run_id, found, whole)
    assert (report.added, report.registered, report.failed, report.version) == (3, 2, 0, 1)
    states = [(row.index, row.name, row.state) for row in _rows(database, run_id)]
    assert states == [
        (0, "FoilHole_1", "registered"),
        (1, "FoilHole_2", "registered"),
        (2, "FoilHole_3", "awaiting_movie"),
    ]
    with database.session(read_only=True) as session:
        before = last_seq(session)
        entries = session.scalars(select(MetadataRow).where(MetadataRow.element_id == run_id)).all()
        known = {(e.group, e.name): (e.type, json.loads(e.value), e.unit) for e in entries}
        assert session.get_one(SourceRow, run_id).gain_reference == "/data/gain.mrc"
        assert session.get_one(ElementRow, run_id).status == "in_progress"
    assert known["Instrument", "Voltage"] == ("double", 300.0, "kV")
    assert known["Acquisition", "Faster"] == ("boolean", True, "")
    assert known["Core", "Started"][:2] == ("date", START.isoformat())
    assert known["Core", "Acquisition software"][:2] == ("string", "EPU 3.4")

    with database.session() as session:
        again = register(session, run_id, found, whole)
    assert again.version is None
    with database.session(read_only=True) as session:
        assert last_seq(session) == before
        assert session.get_one(RunRow, run_id).version == 1


def test_movies_that_come_late_break_and_mend(database: Database, run_id: UUID) -> None:
    movie = "/data/FoilHole_1.tiff"
    steps = [
        ((), {}, "awaiting_movie"),
        ((), {movie: "it is cut short"}, "error"),
        ((), {movie: "it is cut short"}, "error"),
        ((movie,), {}, "registered"),
        ((), {movie: "it is cut short"}, "registered"),  # a state never goes back
    ]
    for whole, broken, expected in steps:
        with database.session() as session:
            register(session, run_id, _session(exposures=(_exposure(1),)), whole, broken_movies=broken)
        (row,) = _rows(database, run_id)
        assert row.state == expected
        assert row.error == ("The movie FoilHole_1.tiff is not whole: it is cut short" if expected == "error" else "")


def test_grid_details_are_brought_up_to_date(database: Database, run_id: UUID) -> None:
    first = DiscoveredGridSquare(id=7, image="/data/old.jpg", atlas_x_px=10.0)
    second = DiscoveredGridSquare(id=7, atlas_id="atlas", image="/data/new.jpg")
    for square in (first, second):
        with database.session() as session:
            register(session, run_id, _session(grid_squares=(square,)), ())
    with database.session(read_only=True) as session:
        row = session.get_one(GridSquareRow, (run_id, 7))
        assert row.atlas_id == "atlas"
        assert (row.detail["image"], row.detail["atlas_x_px"]) == ("/data/new.jpg", 10.0)
        assert session.scalars(select(FoilHoleRow)).all() == []


def test_a_run_that_is_not_there(database: Database, run_id: UUID) -> None:
    with database.session() as session, pytest.raises(NotFound):
        register(session, UUID(int=1), _session(), ())


_PIECES = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12)


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pieces=_PIECES, order=st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(pieces: list, order, database: Database, run_id: UUID) -> None:
    """Offer glimpses of exposures (with or without movie, metadata, wholeness) in two orders, some of them twice."""
    shuffled = [*pieces, *pieces[: len(pieces) // 2]]
    order.shuffle(shuffled)
    ends = []
    for sequence in (pieces, shuffled):
        _forget(database, run_id)
        for number, has_movie, has_metadata, is_whole in sequence:
            exposure = _exposure(number, movie=has_movie, metadata=has_metadata)
            whole = {exposure.movie} if has_movie and is_whole and exposure.movie else set()
            with database.session() as session:
                register(session, run_id, _session(exposures=(exposure,)), whole)
        rows = _rows(database, run_id)
        assert [row.index for row in rows] == list(range(len(rows)))
        ends.append({r.name: (r.state, r.movie, r.acquired, json.dumps(r.optics, sort_keys=True)) for r in rows})
        with database.session(read_only=True) as session:
            ready = session.scalars(select(EventRow.index).where(EventRow.kind == "acquisition.registered")).all()
            seqs = session.scalars(select(EventRow.seq).order_by(EventRow.seq)).all()
        assert sorted(ready) == sorted(row.index for row in rows if row.state == "registered")
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True
    assert ends[0] == ends[1]


def _forget(database: Database, run_id: UUID) -> None:
    with database.session() as session:
        session.execute(delete(AcquisitionRow))
        session.execute(delete(EventRow))
        session.get_one(RunRow, run_id).acquisition_count = 0
