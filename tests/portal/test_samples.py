"""Samples without a browser: forms, the page, the side of the data panel (WS-22)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from athena.contract.elements import ElementKind, MetadataEntry
from athena.contract.events import Event, EventKind
from athena.contract.people import PlatformRole, User
from athena.contract.samples import ElementSample, Sample, SampleCreate, SamplePage, SampleUpdate
from athena.errors import Invalid, NotFound
from athena.portal.pages.samples import Samples, changed, read_samples
from athena.portal.panels.data_panel import sides_of
from athena.portal.panels.samples import SamplesSide
from athena.portal.place import Place
from athena.portal.sample_words import wanted
from tests.portal.test_actions import WHEN, made
from tests.portal.test_actions import Tab as Desk

pytestmark = pytest.mark.feature("WS-22")
CONCENTRATION = MetadataEntry(group="Custom", name="Concentration", type="double", value=4.0, unit="")


def sample(name: str, **more: Any) -> Sample:
    """A sample of alice's."""
    given = {"creator": "alice", "created": WHEN, "updated": WHEN, "linked": 0, "editable": True} | more
    return Sample(id=uuid4(), name=name, **given)


class Shelf(Desk):
    """A tab whose catalogue keeps samples."""

    def __init__(self, *kept: Sample, roles: frozenset[PlatformRole] = frozenset()) -> None:
        super().__init__()
        self.kept = list(kept)
        self.links: list[tuple[UUID, UUID]] = []
        self.above = uuid4()
        user = User(id=uuid4(), username="bob", roles=roles, created=WHEN)
        answers: dict[str, Any] = {
            "samples": lambda text="", *, limit: SamplePage(items=tuple(self.kept[:limit]), total=len(self.kept)),
            "sample": lambda of: next(one for one in self.kept if one.id == of),
            "sample_products": lambda _: [],
            "samples_of": self.samples_of,
            "create_sample": self.create,
            "update_sample": self.update,
            "link_sample": lambda one, element: self.links.append((one, element)),
            "unlink_sample": lambda one, element: self.links.remove((one, element)),
            "me": lambda: user,
            "quantities": list,
        }
        for name, answer in answers.items():
            setattr(self.catalogue, name, answer)

    def samples_of(self, element: UUID) -> list[ElementSample]:
        """Those linked to it, or to the step ``above``."""
        given = [(one, (one.id, element) in self.links, (one.id, self.above) in self.links) for one in self.kept]
        return [
            ElementSample(**dict(one), here=here, above=self.above if above else None)
            for one, here, above in given
            if here or above
        ]

    def create(self, new: SampleCreate) -> Sample:
        """Keep it."""
        self.kept.append(sample(new.name, barcode=new.barcode, slot=new.slot))
        return self.kept[-1]

    def update(self, of: UUID, change: SampleUpdate) -> Sample:
        """Remember what was said."""
        self.catalogue.asked.append((of, change.model_dump(exclude_unset=True, mode="json")))
        return self.kept[0]


def test_a_form_says_what_a_sample_is() -> None:
    new = wanted(SampleCreate, {"name": " A ", "barcode": "7", "slot": "0", "type": ""})
    assert (new.name, new.barcode, new.slot) == ("A", "7", 0)
    assert wanted(SampleUpdate, {"name": "A", "slot": ""}).slot is None
    for values in (
        {"name": "A", "slot": "-1"},
        {"name": "A", "slot": "two"},
        {"name": ""},
        {"name": "A", "slot": "99999"},
    ):
        with pytest.raises(Invalid):
            wanted(SampleCreate, values)


def test_one_metadatum_is_changed_and_the_others_stay() -> None:
    other = CONCENTRATION.model_copy(update={"name": "Buffer", "type": "string", "value": "PBS"})
    asked = {"name": "Concentration", "type": "double", "value": "5", "quantity": "", "unit": ""}
    new = changed((CONCENTRATION, other), asked, remove=False)
    assert [(one.name, one.value) for one in new] == [("Buffer", "PBS"), ("Concentration", "5")]
    assert [one.name for one in changed((CONCENTRATION, other), {"name": "Buffer"}, remove=True)] == ["Concentration"]
    with pytest.raises(Invalid):
        changed((), asked | {"name": ""}, remove=False)


def test_the_page_shows_the_list_or_one_and_offers_deletion_to_who_may() -> None:
    one = sample("Apoferritin 12", metadata=(CONCENTRATION,))
    for roles, mine in ((frozenset(), False), (frozenset({PlatformRole.ADMIN}), True)):
        tab: Any = Shelf(one, roles=roles)
        page = read_samples(tab.catalogue, Place(page="samples").having(id=str(one.id)))
        assert (page.title, page.mine) == ("Apoferritin 12", mine)
    view: Any = page.view(tab)
    assert view._board.sample["name"] == "Apoferritin 12"
    assert [entry["name"] for entry in view._metadata.entries] == ["Concentration"]
    view._metadata._handle_msg({"do": "remove", "name": "Concentration"})
    view._board._handle_msg({"do": "change", "values": {"name": "Ferritin", "slot": "3"}})
    assert tab.catalogue.asked[0] == (one.id, {"metadata": []})
    assert tab.catalogue.asked[1][1]["slot"] == 3
    assert (view._metadata.done, view._board.done) == (1, 1)
    view._board._handle_msg({"do": "change", "values": {"name": ""}})
    assert "name" in view._board.problem
    assert view.concerns(Event(seq=1, kind=EventKind.SAMPLE_CHANGED, time=WHEN))

    listed = read_samples(tab.catalogue, Place(page="samples").having(q="apo"))
    assert isinstance(listed, Samples)
    assert not view.update(listed)
    shown: Any = listed.view(tab)
    assert (shown._board.text, [one["name"] for one in shown._board.samples]) == ("apo", ["Apoferritin 12"])
    shown._board._handle_msg({"do": "register", "values": {"name": "New", "slot": ""}})
    assert tab.visited[-1] == Place(page="samples").having(id=str(tab.kept[-1].id))
    with pytest.raises(NotFound):
        read_samples(tab.catalogue, Place(page="samples").having(id="nonsense"))


def test_samples_are_linked_in_the_panel_of_steps_and_datasets() -> None:
    one = sample("Of the step")
    tab: Any = Shelf(one)
    dataset = made(ElementKind.DATASET, type="epu_run", parent_id=tab.above)
    tab.links += [(one.id, tab.above), (one.id, dataset.id)]
    side = SamplesSide(tab)

    def shown() -> list[tuple[str, bool, bool]]:
        step = Place(tab.above).having(panel="samples").search
        return [(item["name"], item["here"], item["above"] == step) for item in side.root.samples]

    side.show(dataset)
    assert shown() == [("Of the step", True, True)]
    side.root._handle_msg({"do": "register", "values": {"name": "Its own", "slot": ""}})
    assert shown() == [("Of the step", True, True), ("Its own", True, False)]
    # its own link goes, that of the step stays and is led to
    for item in tuple(side.root.samples):
        side.root._handle_msg({"do": "unlink", "id": item["id"]})
    assert shown() == [("Of the step", False, True)]
    side.root._handle_msg({"do": "find", "text": ""})
    assert [item["name"] for item in side.root.found] == ["Of the step", "Its own"]
    side.root._handle_msg({"do": "register", "values": {"name": "", "slot": ""}})
    assert side.root.problem
    assert "samples" in sides_of(dataset)
    assert "samples" not in sides_of(made(ElementKind.FOLDER))
