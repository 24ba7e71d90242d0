"""Metadata: who may write which, what is refused, names for completion that leak nothing."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from athena.contract.elements import Element, MetadataEntry
from athena.contract.events import EventKind
from athena.contract.metadata import MetadataFile, MetadataWrite
from athena.contract.people import Principal, Role
from athena.db.elements import MetadataRow
from athena.db.engine import Database
from athena.domain.metadata import checked_entry
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import events, metadata

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]

DEFOCUS = MetadataWrite(name="Defocus", type="double", value=1.2, quantity="Length", unit="um")


def bring(session: Session, element: Element, name: str, value: float = 300.0) -> None:
    """What an acquisition brings."""
    row = MetadataRow(element_id=element.id, group="Instrument", name=name)
    row.fill(checked_entry(group="Instrument", name=name, type="double", value=value, quantity="voltage", unit="kV"))
    session.add(row)


@pytest.mark.feature("MD-02", "MD-04")
def test_custom_is_the_users_and_the_rest_is_not(
    database: Database, make_user: MakeUser, make_folder: Make, grant: Callable[..., None]
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    folder = make_folder(alice)
    grant(folder, bob, Role.COLLABORATOR)
    grant(folder, carol)
    with database.session() as session:
        bring(session, folder, "Voltage")
    with database.session() as session:
        added = metadata.add_metadatum(session, bob, folder.id, DEFOCUS)
        assert (added.group, added.quantity, added.unit) == ("Custom", "length", "µm")
        told = [event.kind for event in events.list_events(session, carol, 0).events]
        assert told[-1] is EventKind.METADATA_CHANGED
    with database.session() as session:
        with pytest.raises(Conflict, match="already"):
            metadata.add_metadatum(session, bob, folder.id, DEFOCUS)
        for wrong in (
            lambda: metadata.set_metadatum(session, carol, folder.id, DEFOCUS),
            lambda: metadata.remove_metadatum(session, carol, folder.id, "Defocus"),
            lambda: metadata.import_metadata(session, carol, folder.id, MetadataFile(metadata=())),
        ):
            with pytest.raises(Forbidden):
                wrong()
        with pytest.raises(NotFound, match="acquisition brought"):
            metadata.remove_metadatum(session, alice, folder.id, "Voltage")
        # a name of the acquisition's can be used beside it
        metadata.set_metadatum(session, alice, folder.id, MetadataWrite(name="Voltage", type="integer", value=1))
    with database.session(read_only=True) as session:
        found = metadata.list_metadata(session, carol, folder.id)
        assert [(one.group, one.name, one.value) for one in found if one.group != "General"] == [
            ("Custom", "Defocus", 1.2),
            ("Custom", "Voltage", 1),
            ("Instrument", "Voltage", 300.0),
        ]
        assert [one.name for one in metadata.list_metadata(session, carol, folder.id, filter_text="instr")] == [
            "Voltage"
        ]


@pytest.mark.feature("MD-06")
def test_an_import_is_all_or_nothing(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    with database.session() as session:
        metadata.add_metadatum(session, alice, folder.id, DEFOCUS)
    good = MetadataEntry(group="Custom", name="Defocus", type="double", value=9.0, quantity="length", unit="µm")
    bad = MetadataEntry(group="Custom", name="Bad", type="integer", value="x")
    brought = MetadataEntry(group="Instrument", name="Voltage", type="double", value=1.0)
    for file, reason in ((good, bad), "not an integer"), ((good, good), "twice"):
        with pytest.raises(Invalid, match=reason), database.session() as session:
            metadata.import_metadata(session, alice, folder.id, MetadataFile(metadata=file))
    with database.session() as session:
        assert [one.value for one in metadata.list_metadata(session, alice, folder.id, filter_text="custom")] == [1.2]
        done = metadata.import_metadata(session, alice, folder.id, MetadataFile(metadata=(good, brought)))
        assert (done.imported, done.left_out) == (1, 1)
        assert [one.value for one in metadata.list_metadata(session, alice, folder.id, filter_text="custom")] == [9.0]
        assert metadata.list_metadata(session, alice, folder.id, filter_text="voltage") == ()


@pytest.mark.feature("MD-04", "SH-06")
def test_names_are_completed_from_what_one_sees(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice, bob = make_user(), make_user()
    hers, his = make_folder(alice), make_folder(bob)
    with database.session() as session:
        metadata.add_metadatum(session, alice, hers.id, DEFOCUS)
        metadata.add_metadatum(session, alice, hers.id, MetadataWrite(name="Defect", type="boolean", value=True))
        metadata.add_metadatum(session, bob, his.id, MetadataWrite(name="Deformation", type="string", value="x"))
    with database.session(read_only=True) as session:
        found = metadata.known_names(session, alice, "DEF")
        assert [(one.name, one.type, one.unit) for one in found] == [
            ("Defect", "boolean", ""),
            ("Defocus", "double", "µm"),
        ]
        assert [one.name for one in metadata.known_names(session, bob, "def")] == ["Deformation"]
        assert [one.name for one in metadata.known_names(session, alice, "")] == ["Defect", "Defocus"]
        assert metadata.known_names(session, alice, "x%_") == ()
