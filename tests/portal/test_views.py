"""Every page, built and updated without a browser: what it shows, what it offers, which events concern it."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from bokeh.document import Document

import athena_pipelines
from athena.contract.acquisitions import Acquisition, AcquisitionState, Doubt, Optics
from athena.contract.elements import Crumb, Element, ElementKind, ElementPage, State, Status, StepStatus
from athena.contract.events import Event, EventKind
from athena.contract.neighbours import Neighbours, Shown
from athena.contract.people import Role
from athena.contract.processing import GainOrientation, GainSense
from athena.contract.report import QualityReport
from athena.contract.runs import Run, RunCounts, Source, SourceState
from athena.contract.user_metrics import UserMetric
from athena.domain.permissions import actions_on
from athena.errors import AthenaError
from athena.portal.components.element_list import item_of
from athena.portal.flags import FLAG_WORDS
from athena.portal.pages.dataset import Dataset
from athena.portal.pages.folder import Folder
from athena.portal.pages.listing import crumb_items
from athena.portal.pages.micrograph import MicrographPage, fact_items
from athena.portal.pages.run import RunPage, source_item
from athena.portal.pages.step import Step
from athena.portal.pages.workflow import Workflow
from athena.portal.pages.workspace import Workspace
from athena.portal.place import RUN_TABS, Place
from athena.portal.plots.report import draw_report
from athena.portal.shell import Shell
from tests.portal.about import About

WHEN = datetime(2024, 5, 17, 9, tzinfo=UTC)


class Tab:
    """What views need of a session: a shell, and work done at once."""

    base_url = "api/"

    def __init__(self) -> None:
        self.catalogue = About()
        self.shell = Shell(search="", scheme="dark", user="alice", log_out="logout")
        self.doc = Document()
        self.visited: list[Place] = []
        self.place = Place()
        self.refreshed = 0

    def run(self, work: Callable[[], Any], then: Callable[[Any], None], *, failed: Any = None) -> None:
        """Do the work now."""
        try:
            result = work()
        except AthenaError as error:
            failed(error)
        else:
            then(result)

    def go(self, place: Place) -> None:
        """Remember where it went."""
        self.visited.append(place)

    def say(self, place: Place) -> None:
        """Remember what the address says."""
        self.visited.append(place)

    def refresh(self) -> None:
        """Count."""
        self.refreshed += 1


@pytest.fixture
def tab() -> Tab:
    """A browser tab without a browser."""
    return Tab()


def beside(index: int, *, count: int = 3) -> Neighbours:
    """The neighbours of an acquisition among all of a run."""
    before, after = index - 1 if index else None, index + 1 if index + 1 < count else None
    return Neighbours(index=index, shown=Shown.ALL, count=count, position=index, previous=before, following=after)


def element(kind: ElementKind, *, type: str = "", role: Role = Role.OWNER, **more: Any) -> Element:
    """An element as the API gives it."""
    given = {"name": "Thing", "creator": "alice", "created": WHEN, "updated": WHEN, "parent_id": None} | more
    may = tuple(sorted(actions_on(role, kind, type, creator=role is Role.OWNER, admin=False)))
    return Element(id=uuid4(), kind=kind, type=type, my_role=role, may=may, **given)


def run_page(*, counts: RunCounts, source: Source | None = None, tab: str = "", role: Role = Role.OWNER) -> RunPage:
    """A run as it was read."""
    dataset = element(ElementKind.DATASET, type="epu_run", role=role, name="Grid 3")
    run = Run(element=dataset, version=3, counts=counts, source=source)
    crumbs = crumb_items([Crumb(id=dataset.id, kind=ElementKind.DATASET, name="Grid 3")])
    return RunPage(Place(dataset.id, tab), run, crumbs)


def source(*, age_s: float, state: SourceState = SourceState.WATCHING) -> Source:
    """A source whose folder was looked at some time ago."""
    last_scan = datetime.now(UTC) - timedelta(seconds=age_s)
    return Source(run_id=uuid4(), adapter="epu", path="/data/s", follow=True, state=state, last_scan=last_scan)


def elements(*children: Element) -> ElementPage:
    """All children on one page."""
    return ElementPage(items=children, total=len(children))


@pytest.mark.feature("WS-01", "WS-02", "WS-05")
@pytest.mark.parametrize(
    ("page", "kind", "type", "offered"),
    [
        (Workspace, None, "", 1),
        (Folder, ElementKind.FOLDER, "", 2),
        (Workflow, ElementKind.WORKFLOW, "free", 1),
        (Workflow, ElementKind.WORKFLOW, "spa_quality_monitor", 0),
        (Step, ElementKind.STEP, "Imaging", 1),
        (Dataset, ElementKind.DATASET, "free", 0),
    ],
)
def test_a_listing_offers_what_may_be_made_there(tab: Tab, page: Any, kind: Any, type: str, offered: int) -> None:
    for role, expected in ((Role.OWNER, offered), (Role.VIEWER, 0)):
        if kind is None and role is Role.VIEWER:
            continue
        inside = element(kind, type=type, role=role) if kind else None
        child = element(ElementKind.FOLDER, name="Inner")
        loaded = page(Place(inside.id if inside else None), inside, [], elements(child))
        view = loaded.view(tab)
        assert len(view._title.adds) == expected
        assert ("Add" in loaded.empty) is bool(expected)
        assert view.root.get_root(Document()) is not None
        assert view.update(page(loaded.place, inside, [], elements(child, child)))
        assert len(view._list.items) == 2


@pytest.mark.feature("WS-08")
def test_a_listing_is_read_again_for_what_it_shows_and_for_nothing_else(tab: Tab) -> None:
    above, here, child = uuid4(), element(ElementKind.FOLDER), element(ElementKind.WORKFLOW)
    crumbs = crumb_items([Crumb(id=one, kind=ElementKind.FOLDER, name="F") for one in (above, here.id)])
    view = Folder(Place(here.id), here, crumbs, elements(child)).view(tab)  # type: ignore[arg-type]

    def heard(kind: EventKind, element_id: UUID, parent_id: UUID | None = None) -> bool:
        return view.concerns(Event(seq=1, kind=kind, time=WHEN, element_id=element_id, parent_id=parent_id))

    for kind in (EventKind.ELEMENT_CREATED, EventKind.ELEMENT_UPDATED):
        assert heard(kind, uuid4(), here.id)
        assert heard(kind, uuid4(), child.id)
        assert not heard(kind, uuid4(), uuid4())
        assert not heard(kind, uuid4())
    # moved away; renamed; renamed above
    assert heard(EventKind.ELEMENT_UPDATED, child.id, uuid4())
    assert heard(EventKind.ELEMENT_UPDATED, here.id, above)
    assert heard(EventKind.ELEMENT_UPDATED, above)
    assert heard(EventKind.ELEMENT_DELETED, child.id)
    assert not heard(EventKind.ELEMENT_DELETED, uuid4())
    assert heard(EventKind.ACCESS_CHANGED, uuid4())
    assert heard(EventKind.NOTE_CHANGED, here.id)
    assert not heard(EventKind.NOTE_CHANGED, child.id)
    assert not heard(EventKind.RUN_CHANGED, uuid4())
    roots = Workspace(Place(), None, [], elements(here)).view(tab)  # type: ignore[arg-type]
    assert roots.concerns(Event(seq=1, kind=EventKind.ELEMENT_CREATED, time=WHEN, element_id=uuid4()))
    made = Event(seq=1, kind=EventKind.ELEMENT_CREATED, time=WHEN, element_id=uuid4(), parent_id=uuid4())
    assert not roots.concerns(made)


@pytest.mark.feature("WS-04")
def test_a_workflow_card_carries_the_status_of_its_steps() -> None:
    steps = (StepStatus(id=uuid4(), name="Imaging", status=Status.IN_PROGRESS),)
    item = item_of(element(ElementKind.WORKFLOW, type="spa_quality_monitor", steps=steps))
    assert item["steps"] == [{"name": "Imaging", "status": "in_progress"}]
    assert item["type"] == "SPA with quality monitor"


@pytest.mark.parametrize("name", RUN_TABS)
@pytest.mark.parametrize("total", [0, 5])
def test_every_tab_of_a_run_is_built_empty_and_full(tab: Tab, name: str, total: int) -> None:
    page = run_page(counts=RunCounts(total=total, completed=total), tab=name, source=source(age_s=1))
    view: Any = page.view(tab)  # type: ignore[arg-type]
    assert view.root.get_root(Document()) is not None
    assert view.update(page)
    view.scheme("light")
    view.tick()
    assert tab.refreshed == 1
    heard = view.concerns(Event(seq=1, kind=EventKind.RUN_CHANGED, time=WHEN, element_id=page.run.element.id))
    assert heard is (name != "report")
    assert not view.concerns(Event(seq=1, kind=EventKind.RUN_CHANGED, time=WHEN, element_id=uuid4()))


def test_only_a_watched_folder_grows_stale() -> None:
    now = datetime.now(UTC)
    assert source_item(source(age_s=5), now=now)["quiet"] == ""
    assert source_item(source(age_s=125), now=now)["quiet"] == "2\u2009min"
    assert source_item(source(age_s=90, state=SourceState.COMPLETED), now=now)["quiet"] == ""
    assert source_item(None, now=now) == {}


def test_a_run_without_a_source_says_how_to_start_and_a_viewer_gets_no_button(tab: Tab) -> None:
    for role, label in ((Role.OWNER, "Attach a session folder…"), (Role.VIEWER, "")):
        view: Any = run_page(counts=RunCounts(), role=role).view(tab)  # type: ignore[arg-type]
        texts = [part.command for part in view.root.select() if hasattr(part, "command")]
        assert texts == ['athena watch SESSION_FOLDER --into "Grid 3"']
        assert [part.action for part in view.root.select() if hasattr(part, "command")] == [label]


@pytest.mark.feature("WS-14", "AC-04")
@pytest.mark.parametrize("name", ["", "dataviz", "report"])
def test_an_archived_run_without_data_offers_no_folder_but_says_what_to_do(tab: Tab, name: str) -> None:
    for role, words in ((Role.OWNER, "Restore it from its menu first"), (Role.VIEWER, "Its owner can restore it")):
        page = run_page(counts=RunCounts(), role=role, tab=name)
        archived = page.run.element.model_copy(update={"state": State.ARCHIVED})
        page = replace(page, run=page.run.model_copy(update={"element": archived}))
        view: Any = page.view(tab)  # type: ignore[arg-type]
        (empty,) = [part for part in view.root.select() if hasattr(part, "command")]
        assert (empty.action, empty.command) == ("", "")
        assert words in empty.sentence


@pytest.mark.feature("EQ-11")
def test_a_micrograph_shows_what_is_known_and_leads_to_its_neighbours(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=3, completed=3))
    run_id: UUID = page.run.element.id

    def micrograph(index: int) -> MicrographPage:
        acquisition = Acquisition(
            run_id=run_id, index=index, name=f"m{index}", state=AcquisitionState.COMPLETED, registered=WHEN
        )
        place = Place(run_id, "motion", index)
        return MicrographPage(
            place,
            page.run,
            acquisition,
            {"defocus_um": 1.2345, "acquired_unix_s": 1.0, "defocus_u_angstrom": 12345.6, "tilt_deg": -3.04},
            [],
            beside(index),
        )

    facts = {fact["name"]: (fact["value"], fact["unit"]) for fact in fact_items(micrograph(1))}
    assert facts["Defocus"] == ("1.23", "µm")
    assert facts["Defocus U"] == ("12\u2009346", "Å")
    assert facts["Tilt"] == ("−3.0", "°")
    assert "Acquired" not in facts
    view: Any = micrograph(0).view(tab)  # type: ignore[arg-type]
    header = view._header
    assert header.previous == ""
    assert Place.parse(header.following) == Place(run_id, "motion", 1)
    assert view.update(micrograph(2))
    assert header.following == ""
    assert view._viewers["micrograph"].traits["index"] == 2
    assert view.root.get_root(Document()) is not None
    assert not view.update(page)


@pytest.mark.feature("EQ-07", "NB-05")
def test_a_metric_that_people_added_has_charts_until_it_is_taken_away(tab: Tab) -> None:
    bare = run_page(counts=RunCounts(total=5, completed=5), tab="dataviz")
    added = UserMetric(
        run_id=bare.run.element.id,
        name="contrast_percent",
        label="Contrast",
        unit="%",
        digits=1,
        image=True,
        source="def contrast_percent(micrograph): return 1.0",
        sha256="0" * 64,
        creator="alice",
        created=WHEN,
    )
    full = replace(bare, run=bare.run.model_copy(update={"user_metrics": (added,)}))
    view: Any = bare.view(tab)  # type: ignore[arg-type]
    charts = view.tabs["dataviz"].charts
    before = charts.traits["metrics"]
    assert view.update(full)
    (own,) = (one for one in charts.traits["metrics"] if one not in before)
    assert own == {"name": added.name, "label": "Contrast", "unit": "%", "digits": 1, "standard": "always"}
    assert view.update(bare)
    assert charts.traits["metrics"] == before
    assert len(view._body.objects) == 1

    run_id = full.run.element.id
    shot = Acquisition(run_id=run_id, index=0, name="m0", state=AcquisitionState.COMPLETED, registered=WHEN)
    micrograph = MicrographPage(Place(run_id, index=0), full.run, shot, {"contrast_percent": 2.345}, [], beside(0))
    assert {"group": "Own metrics", "name": "Contrast", "value": "2.3", "unit": "%", "type": "string"} in fact_items(
        micrograph
    )


@pytest.mark.feature("EQ-10")
def test_a_report_is_shown_as_a_page_and_drawn_again_only_when_its_numbers_change(tab: Tab) -> None:
    bare = run_page(counts=RunCounts(total=5, completed=5), tab="report", source=source(age_s=1))
    told = QualityReport(
        run_id=bare.run.element.id,
        name="Grid 3",
        version=3,
        made=WHEN,
        software="0.1.0",
        data_hash="0" * 64,
        images=5,
        processed=5,
        failed=0,
        complying=4,
    )
    drawn = draw_report(told)
    assert draw_report(told.model_copy(update={"made": WHEN + timedelta(minutes=1)})) is drawn
    assert draw_report(told.model_copy(update={"complying": 3})).svg != drawn.svg
    view: Any = replace(bare, report=drawn).view(tab)  # type: ignore[arg-type]
    assert base64.b64decode(view.tabs["report"]._page.pdf).startswith(b"%PDF")
    assert b"<svg" in base64.b64decode(view.tabs["report"]._page.svg)
    assert view.tabs["report"]._page.file == "Grid 3 quality report.pdf"
    # not with every movie, but at every tick
    assert not view.concerns(Event(seq=1, kind=EventKind.RUN_CHANGED, time=WHEN, element_id=bare.run.element.id))
    view.tick()
    assert tab.refreshed == 1


@pytest.mark.feature("WS-12", "WS-17", "MD-01", "SH-05")
def test_a_run_has_its_menu_and_the_sides_of_the_data_panel(tab: Tab) -> None:
    page = run_page(counts=RunCounts(total=2, completed=2), tab="notes")
    view: Any = page.view(tab)  # type: ignore[arg-type]
    assert [one["name"] for one in view._header.tabs] == list(RUN_TABS)
    assert "delete" in view._header.item["actions"]
    asked = {"id": str(page.run.element.id), "value": "Taken"}
    view._header._handle_msg({"do": "rename", **asked})
    assert "Taken" in view._header.problem
    view._header._handle_msg({"do": "archive", **asked})
    assert (view._header.problem, tab.refreshed) == ("", 1)
    notes = view.tabs["notes"].side
    notes.root._handle_msg({"do": "add", "text": "Grid 3 is dry", "links": []})
    assert [note.text for note in tab.catalogue.said] == ["Grid 3 is dry"]
    other = replace(page, place=Place(page.run.element.id, "metadata"))
    assert view.update(other)
    (shown,) = [part for part in view._body if part.visible]
    assert shown is view.tabs["metadata"]._sheet


@pytest.mark.feature("EQ-11")
def test_a_micrograph_says_what_is_doubtful_and_how_its_gain_was_applied(tab: Tab) -> None:
    given = source(age_s=1).model_copy(
        update={
            "gain_reference": "/data/gain.mrc",
            "gain_orientation": GainOrientation.FLIP_Y,
            "gain_sense": GainSense.DIVIDE,
        }
    )
    page = run_page(counts=RunCounts(total=1, completed=1), source=given)
    doubt = Doubt(name="voltage_kv", said="0", reason="The voltage cannot be 0.")
    shot = Acquisition(
        run_id=page.run.element.id,
        index=0,
        name="m0",
        state=AcquisitionState.COMPLETED,
        registered=WHEN,
        optics=Optics(doubts=(doubt,)),
        flags=("few_frames", "of_a_package"),
    )
    shown = MicrographPage(Place(page.run.element.id, index=0), page.run, shot, {}, [], beside(0))
    view: Any = shown.view(tab)  # type: ignore[arg-type]
    told = [one["text"] for one in view._header.warnings]
    assert told == [FLAG_WORDS["few_frames"], "of a package", "The voltage cannot be 0."]
    facts = {(fact["group"], fact["name"]): fact["value"] for fact in fact_items(shown)}
    assert facts["In doubt", "Voltage kv"] == "The voltage cannot be 0. The metadata says “0”."
    assert facts["Gain reference", "Applied"] is True
    assert facts["Gain reference", "Lies"] == "flip y"
    assert facts["Gain reference", "Counts are"] == "divided by it"
    unfit = replace(shown, acquisition=shot.model_copy(update={"flags": ("gain_does_not_fit",)}))
    facts = {(fact["group"], fact["name"]): fact["value"] for fact in fact_items(unfit)}
    assert facts["Gain reference", "Applied"] is False
    assert ("Gain reference", "Lies") not in facts


@pytest.mark.feature("EQ-11")
def test_every_flag_of_the_pipeline_has_words() -> None:
    root = Path(athena_pipelines.__file__).parent
    texts = "".join(path.read_text() for path in root.rglob("*.py"))
    known = set(re.findall(r'flags\.append\("(\w+)"\)', texts)) | set(re.findall(r'return \["(\w+)"\] if', texts))
    assert len(known) >= 10
    assert known <= FLAG_WORDS.keys()
