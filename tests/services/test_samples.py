"""Samples: seen through what was made of them."""

from collections.abc import Callable

import pytest

from athena.contract.elements import DatasetCreate, DatasetType, Element
from athena.contract.metadata import MetadataWrite
from athena.contract.people import Principal, Role
from athena.contract.samples import SampleCreate, SampleUpdate
from athena.db.engine import Database
from athena.errors import Conflict, Forbidden, Invalid, NotFound
from athena.services import elements, samples
from athena.services.search import Search, search

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]


@pytest.mark.feature("WS-22", "SH-06")
def test_a_sample_is_seen_through_what_was_made_of_it(
    database: Database, make_user: MakeUser, make_workflow: Make, make_run: Make, own_permissions: Callable[..., None]
) -> None:
    alice, bob, carol = make_user(), make_user(), make_user()
    workflow = make_workflow(alice)
    run = make_run(alice, workflow=workflow)
    (step,) = [one for one in workflow.steps if one.name == "Vitrification"]
    with database.session() as session:
        new = SampleCreate(name="Spike 12", barcode="B-7", slot=3)
        sample = samples.create_sample(session, alice, new)
        with pytest.raises(NotFound):
            samples.get_sample(session, bob, sample.id)
        samples.link_sample(session, alice, sample.id, run.id)
        linked = samples.link_sample(session, alice, sample.id, step.id)
        assert linked == samples.link_sample(session, alice, sample.id, step.id)
        grid = elements.create_element(
            session, alice, DatasetCreate(name="Grid box", parent_id=step.id, type=DatasetType.FREE)
        )
    own_permissions(run, {alice: Role.OWNER, bob: Role.VIEWER, carol: Role.COLLABORATOR})
    with database.session() as session:
        assert {one.element.name for one in samples.products_of(session, alice, sample.id)} == {
            "Vitrification",
            "Grid box",
            "Run",
        }
        # bob sees the sample, and of what was made of it only the run
        (placed,) = samples.products_of(session, bob, sample.id)
        assert [crumb.name for crumb in placed.breadcrumb] == ["Run"]
        seen = samples.get_sample(session, bob, sample.id)
        assert (seen.linked, seen.editable) == (1, False)
        assert samples.list_samples(session, bob, text="b-7").total == 1
        # by which link it is known: the step's, its own, or both
        (of_grid,) = samples.samples_of(session, alice, grid.id)
        assert (of_grid.id, of_grid.here, of_grid.above) == (sample.id, False, step.id)
        samples.link_sample(session, alice, sample.id, grid.id)
        (of_grid,) = samples.samples_of(session, alice, grid.id)
        assert (of_grid.here, of_grid.above) == (True, step.id)
        samples.unlink_sample(session, alice, sample.id, grid.id)
        assert [(one.here, one.above) for one in samples.samples_of(session, alice, step.id)] == [(True, None)]
        assert [(one.here, one.above) for one in samples.samples_of(session, bob, run.id)] == [(True, None)]
        assert [hit.element.name for hit in search(session, bob, Search(text="spike b 7")).hits] == ["Run"]
        for wrong in (
            lambda: samples.update_sample(session, bob, sample.id, SampleUpdate(name="x")),
            lambda: samples.link_sample(session, bob, sample.id, run.id),
            lambda: samples.unlink_sample(session, bob, sample.id, run.id),
            lambda: samples.delete_sample(session, carol, sample.id),
        ):
            with pytest.raises(Forbidden):
                wrong()
        with pytest.raises(NotFound):
            samples.link_sample(session, carol, sample.id, step.id)
        assert samples.update_sample(session, carol, sample.id, SampleUpdate(slot=None)).slot is None
        with pytest.raises(Conflict, match="Unlink"):
            samples.delete_sample(session, alice, sample.id)
        samples.unlink_sample(session, alice, sample.id, run.id)
        with pytest.raises(NotFound):
            samples.get_sample(session, bob, sample.id)
        assert search(session, bob, Search(text="spike")).total == 0
        samples.unlink_sample(session, alice, sample.id, step.id)
        samples.delete_sample(session, alice, sample.id)
        assert samples.list_samples(session, alice).total == 0


@pytest.mark.feature("WS-22")
def test_what_a_sample_refuses(database: Database, make_user: MakeUser, make_folder: Make) -> None:
    alice = make_user()
    folder = make_folder(alice)
    slot = MetadataWrite(name="pH", type="double", value="7.4", quantity="acidity", unit="pH")
    with database.session() as session:
        sample = samples.create_sample(session, alice, SampleCreate(name="A", metadata=(slot,)))
        assert (sample.metadata[0].value, sample.metadata[0].unit) == (7.4, "pH")
        with pytest.raises(Invalid, match="folder: samples are linked"):
            samples.link_sample(session, alice, sample.id, folder.id)
        with pytest.raises(Invalid, match="twice"):
            samples.update_sample(session, alice, sample.id, SampleUpdate(metadata=(slot, slot)))
        wrong = MetadataWrite(name="pH", type="double", value="sour")
        with pytest.raises(Invalid, match="not a number"):
            samples.update_sample(session, alice, sample.id, SampleUpdate(metadata=(wrong,)))
        with pytest.raises(NotFound):
            samples.unlink_sample(session, alice, sample.id, folder.id)
        assert samples.get_sample(session, alice, sample.id) == sample
