"""Search: finds what is there now, ranked, and nothing that the caller may not see."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from athena.contract.elements import Element, ElementKind, ElementUpdate, Status
from athena.contract.metadata import MetadataWrite
from athena.contract.notes import NoteWrite
from athena.contract.people import Principal, Role
from athena.contract.search import SearchIn, SearchKind
from athena.db.base import now
from athena.db.elements import ElementRow, FileRow
from athena.db.engine import Database
from athena.db.groups import GroupGrantRow, GroupMemberRow, GroupRow
from athena.db.search import ReindexRow, SearchEntryRow
from athena.db.storages import StorageRow
from athena.errors import Invalid
from athena.services import elements, metadata, notes, placed
from athena.services import search as searching
from athena.services.search import Search, reindex, search

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


def names(database: Database, who: Principal, text: str = "", **filters: object) -> list[str]:
    """Names of the hits, by both ways to find them, which must agree."""
    wanted = Search(text=text, **filters)  # type: ignore[arg-type]
    found = []
    for few in (searching.READ_THROUGH, -1):
        with pytest.MonkeyPatch.context() as patch, database.session(read_only=True) as session:
            patch.setattr(searching, "READ_THROUGH", few)
            page = search(session, who, wanted)
            assert page.total == len(page.hits)
            found.append([hit.file or hit.element.name for hit in page.hits])
    assert found[0] == found[1]
    return found[0]


def add_file(session: Session, element: Element, name: str, **values: object) -> FileRow:
    """A file as its upload leaves it: under a key that says nothing."""
    storage = session.scalar(select(StorageRow)) or StorageRow(name="Primary", url="home:files", role="primary")
    session.add(storage)
    session.flush()
    row = FileRow(element_id=element.id, storage_id=storage.id, key=uuid4().hex, name=name, **values)
    session.add(row)
    session.flush()
    return row


@pytest.mark.feature("SE-01", "SE-02")
def test_files_are_found_by_their_name_until_they_are_deleted(
    database: Database, make_user: MakeUser, make_folder: Make
) -> None:
    alice = make_user()
    folder = make_folder(alice)
    with database.session() as session:
        row = add_file(session, folder, "maps/ribosome.mrc")
    assert names(database, alice, "ribo") == names(database, alice, "maps mrc") == ["maps/ribosome.mrc"]
    with database.session() as session:
        session.get_one(FileRow, row.id).name = "maps/spike.mrc"
    assert names(database, alice, "ribo") == []
    assert names(database, alice, "spike") == ["maps/spike.mrc"]
    with database.session() as session:
        session.get_one(FileRow, row.id).deleted = now()
    assert names(database, alice, "spike") == names(database, alice, "deleted") == []


@pytest.mark.feature("SE-01")
def test_it_follows_every_change(database: Database, make_user: MakeUser, make_run: Make) -> None:
    alice = make_user()
    run = make_run(alice, "Apoferritin Grid 12")
    assert names(database, alice, "apof gri") == ["Apoferritin Grid 12"]
    with database.session() as session:
        elements.update_element(session, alice, run.id, ElementUpdate(name="Ångström_01", description="blotted twice"))
        metadata.set_metadatum(session, alice, run.id, MetadataWrite(name="Camera", type="string", value="Falcon 4i"))
        note = notes.add_note(session, alice, run.id, NoteWrite(text="**vitreous** ice"))
    for text in ("angstrom", "ÅNGSTRÖM 01", "blotted", "falcon 4i", "camera falc", "vitre ice", "01 falcon vitreous"):
        assert names(database, alice, text) == ["Ångström_01"], text
    for text in ("apoferritin", "ngstrom", "falcon 5", "%", "*", "'; --", '"', "ice OR nothing", "name:ice"):
        assert names(database, alice, text) == [], text
    with database.session() as session:
        notes.delete_note(session, alice, run.id, note.id)
        metadata.remove_metadatum(session, alice, run.id, "Camera")
    assert names(database, alice, "vitreous") == names(database, alice, "falcon") == []
    with database.session() as session:
        session.execute(delete(ElementRow).where(ElementRow.id == run.id))
        assert session.scalar(select(SearchEntryRow.id).where(SearchEntryRow.element_id == run.id)) is None
    assert names(database, alice, "angstrom") == []


@pytest.mark.feature("SE-01", "SH-06")
def test_strangers_find_nothing_and_nothing_is_counted(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob, admin = make_user(), make_user(), make_user(admin=True)
    hers = make_folder(alice, "Ribosome hers")
    make_folder(bob, "Ribosome his")
    inner = make_folder(alice, "Ribosome inner", parent=hers)
    assert names(database, bob, "ribosome") == ["Ribosome his"]
    assert sorted(names(database, admin, "ribosome")) == ["Ribosome hers", "Ribosome his", "Ribosome inner"]
    with database.session() as session:
        metadata.set_metadatum(session, alice, inner.id, MetadataWrite(name="Secret", type="integer", value=1))
    assert names(database, bob, where="secret = 1") == []
    with database.session() as session:
        shared = session.get_one(ElementRow, hers.id).permission_set_id
        group = GroupRow(name="Ribosome people")
        session.add(group)
        session.flush()
        session.add(GroupMemberRow(group_id=group.id, user_id=bob.user_id))
        session.add(GroupGrantRow(group_id=group.id, permission_set_id=shared, role="viewer"))
    assert len(names(database, bob, "ribosome")) == 3
    with database.session() as session:
        session.execute(delete(GroupMemberRow))
    assert names(database, bob, "ribosome") == ["Ribosome his"]
    grant(hers, bob)
    assert sorted(names(database, bob, "ribosome")) == ["Ribosome hers", "Ribosome his", "Ribosome inner"]
    assert names(database, bob, where="secret = 1") == ["Ribosome inner"]


@pytest.mark.feature("SE-01", "SE-02")
def test_ranking_fields_filters_and_pages(
    database: Database, make_user: MakeUser, make_workflow: Make, make_folder: Make, make_run: Make
) -> None:
    alice, bob = make_user(), make_user()
    folder = make_folder(alice, "Grid")
    workflow = make_workflow(alice, "Old grid workflow", folder=folder)
    run = make_run(alice, "Gridded", workflow=workflow)
    noted = make_run(alice, "Plain", workflow=workflow)
    with database.session() as session:
        notes.add_note(session, alice, noted.id, NoteWrite(text="the grid was bent"))
        metadata.set_metadatum(
            session, alice, run.id, MetadataWrite(name="Grid type", type="string", value="Quantifoil")
        )
        add_file(session, run, "grid_map.png")
        add_file(session, run, "grid.eer", acquisition_index=0)
    assert names(database, alice, "grid") == ["Grid", "grid_map.png", "Old grid workflow", "Gridded", "Plain"]
    assert names(database, alice, "grid", within=frozenset({SearchIn.NOTES})) == ["Plain"]
    assert names(database, alice, "grid", within=frozenset({SearchIn.METADATA})) == ["Gridded"]
    assert names(database, alice, "grid", kinds=frozenset({SearchKind.FILE})) == ["grid_map.png"]
    assert names(database, alice, "grid", kinds=frozenset({SearchKind.FOLDER, SearchKind.WORKFLOW})) == [
        "Grid",
        "Old grid workflow",
    ]
    assert names(database, alice, "imaging", statuses=frozenset({Status.NOT_STARTED})) == ["Imaging"]
    assert names(database, alice, "imaging", statuses=frozenset({Status.COMPLETED})) == []
    assert names(database, alice, "grid", owner=bob.username) == []
    assert len(names(database, alice, "grid", owner=alice.username)) == 5
    tomorrow = now() + timedelta(days=1)
    assert names(database, alice, "grid", since=tomorrow) == []
    assert len(names(database, alice, "grid", until=tomorrow)) == 5
    with database.session(read_only=True) as session:
        page = search(session, alice, Search(text="grid"), offset=1, limit=2)
        assert [hit.file or hit.element.name for hit in page.hits] == ["grid_map.png", "Old grid workflow"]
        assert (page.total, page.more) == (5, False)
        assert [crumb.name for crumb in page.hits[1].breadcrumb] == ["Grid", "Old grid workflow"]
        with pytest.raises(Invalid):
            search(session, alice, Search(text="grid"), limit=0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(searching, "MAX_RANKED", 2)
            page = search(session, alice, Search(text="grid"))
            assert (page.total, page.more, page.hits[0].element.name) == (2, True, "Grid")


@pytest.mark.feature("SE-04")
def test_conditions_compare_across_units_and_types(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    a, b = make_folder(alice, "A"), make_folder(alice, "B")
    for folder, entries in {
        a: [
            MetadataWrite(name="Defocus", type="double", value=1200, quantity="length", unit="nm"),
            MetadataWrite(name="Microscope", type="string", value="Krios G4"),
            MetadataWrite(name="Cold", type="boolean", value=True),
            MetadataWrite(name="Stage temperature", type="double", value=-180, quantity="temperature", unit="°C"),
            MetadataWrite(name="Made", type="date", value="2025-01-31T12:00:00Z"),
        ],
        b: [
            MetadataWrite(name="defocus", type="double", value=0.8, quantity="length", unit="µm"),
            MetadataWrite(name="Microscope", type="string", value="Glacios_2 100%"),
            MetadataWrite(name="Slot", type="integer", value=4),
        ],
    }.items():
        for entry in entries:
            with database.session() as session:
                metadata.set_metadatum(session, alice, folder.id, entry)
    for where, expected in {
        "defocus > 1 um and microscope = 'Krios G4'": "A",
        "defocus = 1.2 um": "A",
        "defocus >= 12000 Å": "A",
        "defocus != 1.2 µm": "B",
        "defocus < 1 um or cold = true": "BA",
        "defocus > 1 K": "",
        "defocus > 1": "A",
        "microscope contains 'GLACIOS'": "B",
        "microscope contains '0%'": "B",
        "microscope contains 's_g'": "",
        "microscope in ('krios g4', 'talos')": "A",
        "not microscope = 'krios g4'": "B",
        "microscope > 'h'": "A",
        "cold = true": "A",
        "cold != true": "",
        "cold = 1": "",
        "stage_temperature < 100 K": "A",
        "'Stage temperature' = -292 °F": "A",
        "made = 2025-01-31": "A",
        "made > 2025-01-31": "",
        "made >= 2025-01-31 and made < 2025-02-01": "A",
        "made = 2025-01-31T13:00:00+01:00": "A",
        "slot in (1, 4) and custom.slot <= 4": "B",
        "instrument.slot = 4": "",
        "nothing = 1": "",
    }.items():
        assert names(database, alice, where=where) == list(expected), where
    assert names(database, alice, "a", where="defocus > 1 um") == ["A"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=40),
    st.lists(st.sampled_from(["and", "or", "not", "(", ")", "a", "=", "1", "um", "'x'", "<", "in", "contains"])).map(
        " ".join
    ),
)
def test_nothing_typed_breaks_it(database: Database, text: str, where: str) -> None:
    who = Principal(user_id=uuid4(), username="nobody")
    with database.session(read_only=True) as session:
        try:
            search(session, who, Search(text=text, where=where))
        except Invalid:
            assert where


@pytest.mark.feature("SE-03")
def test_a_reindex_mends_what_is_wrong_and_resumes(
    database: Database, make_user: MakeUser, make_folder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "BATCH", 2)
    alice = make_user()
    folders = [make_folder(alice, f"Spike {number}") for number in range(5)]
    with database.session() as session:
        add_file(session, folders[0], "spike_map.mrc")
    with database.session() as session:
        session.execute(delete(SearchEntryRow).where(SearchEntryRow.element_id.in_([f.id for f in folders[:3]])))
        session.execute(update(SearchEntryRow).values(name=" wrong", name_key=" wrong"))
    assert names(database, alice, "spike") == []
    told: list[tuple[int, int]] = []
    assert not reindex(database, progress=lambda *done: told.append(done), stop=lambda: len(told) == 2)
    assert told == [(2, 5), (4, 5)]
    with database.session(read_only=True) as session:
        assert session.get_one(ReindexRow, 1).done == 4
    make_folder(alice, "Spike new")  # the platform goes on meanwhile
    assert reindex(database, progress=lambda *done: told.append(done))
    assert told[-1][0] == told[-1][1]
    assert sorted(names(database, alice, "spike")) == [*(f"Spike {n}" for n in range(5)), "Spike new", "spike_map.mrc"]
    assert names(database, alice, "wrong") == []
    with database.session(read_only=True) as session:
        assert session.get(ReindexRow, 1) is None


@pytest.mark.feature("WS-19")
def test_recently_used_is_ones_own_and_visible(
    database: Database,
    make_user: MakeUser,
    make_workflow: Make,
    make_folder: Make,
    own_permissions: Callable[..., None],
) -> None:
    alice, bob = make_user(), make_user()
    folder, other = make_folder(alice, "One"), make_folder(alice, "Two")
    workflow = make_workflow(alice, folder=folder)
    own_permissions(other, {alice: Role.OWNER, bob: Role.VIEWER})
    for who, element in ((alice, folder), (alice, workflow), (bob, other), (alice, other), (alice, folder)):
        with database.session() as session:
            elements.mark_opened(session, who, element.id)
    own_permissions(other, {alice: Role.OWNER})
    with database.session(read_only=True) as session:
        recent = placed.list_recent(session, alice)
        assert [one.element.name for one in recent] == ["One", "Two", "Workflow"]
        assert [crumb.name for crumb in recent[2].breadcrumb] == ["One", "Workflow"]
        assert [one.element.name for one in placed.list_recent(session, alice, kind=ElementKind.WORKFLOW)] == [
            "Workflow"
        ]
        assert placed.list_recent(session, bob) == ()
