"""What is asked in the shell's dialog, without a browser: where elements go, what is exported, what is cleaned up."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from athena.contract.cleanup import CleanupRule, CleanupSize
from athena.contract.elements import Crumb, Element, ElementKind
from athena.contract.jobs import JobKind
from athena.contract.runs import Run, RunCounts, SourceCreate
from athena.errors import Conflict, Forbidden, Invalid
from athena.portal.acting import act, act_on_many
from athena.portal.actions import ElementAction
from athena.portal.components.shell_dialog import ShellDialog
from athena.portal.dialogs.attach import ask_attach
from athena.portal.dialogs.export import ask_export, ask_filtered_export
from athena.portal.pages.listing import crumb_items
from athena.portal.place import Place
from tests.portal.test_actions import Tab as Desk
from tests.portal.test_actions import made


class Tab(Desk):
    """A tab with a dialog, whose catalogue moves and measures."""

    def __init__(self, *crumbs: Crumb) -> None:
        super().__init__()
        self.dialog = ShellDialog()
        self.place = Place()
        way = SimpleNamespace(crumbs=crumb_items(crumbs))
        self.shell = SimpleNamespace(dialog=self.dialog, crumbs=way)
        self.moved: list[tuple[str, UUID | None]] = []
        self.refusal: dict[str, str] = {}
        self.catalogue.move = self.move  # type: ignore[attr-defined]
        self.catalogue.cleanup_sizes = self.sizes  # type: ignore[attr-defined]

    def move(self, element: Element, parent: UUID | None) -> None:
        """Remember it, or refuse."""
        if element.name in self.refusal:
            raise Forbidden(self.refusal[element.name])
        self.moved.append((element.name, parent))

    def sizes(self, _run: UUID) -> list[CleanupSize]:
        """Movies may not go; micrographs may."""
        movies = CleanupSize(
            rule=CleanupRule.MOVIES, label="Movies", files=3, bytes=3_000_000, allowed=False, reason="Only read."
        )
        return [movies, CleanupSize(rule=CleanupRule.PROCESSED, label="Micrographs", files=2, bytes=1500, allowed=True)]

    def has_branches(self, run: Element, *names: str) -> None:
        """Let the catalogue tell of a run's branches; the first is the default one."""
        told = Run(element=run, version=1, counts=RunCounts(), branch=names[0], branches=names)
        self.catalogue.run = lambda _: told  # type: ignore[assignment]

    def ask(self, element: Element, action: ElementAction) -> dict[str, Any]:
        """Choose something in a menu; what the dialog asks then."""
        act(self, element, {"do": action.value, "value": ""}, done=_never, failed=_never)  # type: ignore[arg-type]
        return self.dialog.form

    def submit(self, **values: Any) -> None:
        """Press the dialog's button."""
        self.dialog._handle_msg({"do": "submit", "number": self.dialog.form["number"], "values": values})


def _never(_: Any) -> None:
    raise AssertionError("the dialog says how it ended")


def crumb(kind: ElementKind, name: str = "C") -> Crumb:
    """A level of the way."""
    return Crumb(id=uuid4(), kind=kind, name=name)


@pytest.mark.feature("WS-12")
def test_an_element_is_moved_where_it_can_lie() -> None:
    top, target = crumb(ElementKind.FOLDER), uuid4()
    tab = Tab(top)
    folder = made(ElementKind.FOLDER, name="Mine", parent_id=top.id)
    tree = tab.ask(folder, ElementAction.MOVE)["tree"]
    assert (tree["kinds"], tree["root"], tree["way"]) == (["folder"], True, [str(top.id)])
    assert set(tree["not"]) == {str(folder.id), str(top.id)}
    assert tree["shut"] == [str(folder.id)]
    tab.submit(target=str(target))
    assert tab.moved == [("Mine", target)]
    assert (tab.dialog.form, tab.refreshed) == ({}, 1)
    tab.ask(folder, ElementAction.MOVE)
    tab.submit(target="")
    assert tab.moved[-1] == ("Mine", None)


@pytest.mark.feature("WS-12")
def test_a_run_moves_within_its_workflow_and_a_free_dataset_anywhere() -> None:
    workflow, step = crumb(ElementKind.WORKFLOW), crumb(ElementKind.STEP)
    tab = Tab(crumb(ElementKind.FOLDER), workflow, step)
    run = made(ElementKind.DATASET, type="epu_run", parent_id=step.id)
    tree = tab.ask(run, ElementAction.MOVE)["tree"]
    assert (tree["kinds"], tree["types"], tree["within"], tree["root"]) == (
        ["step"],
        ["Imaging", "Screening"],
        str(workflow.id),
        False,
    )
    free = tab.ask(made(ElementKind.DATASET, type="free", parent_id=step.id), ElementAction.MOVE)["tree"]
    assert (free["types"], free["within"]) == ([], "")


@pytest.mark.feature("WS-11", "WS-12")
def test_what_cannot_be_moved_is_named_and_only_that_is_tried_again() -> None:
    tab = Tab(crumb(ElementKind.FOLDER))
    several = [made(ElementKind.WORKFLOW, name=name) for name in ("One", "Two", "Three")]
    tab.refusal = {"Two": "You may only look at that folder."}
    act_on_many(tab, several, ElementAction.MOVE, done=_never)  # type: ignore[arg-type]
    assert tab.dialog.form["label"] == "Move 3 elements"
    target = str(uuid4())
    tab.submit(target=target)
    assert [name for name, _ in tab.moved] == ["One", "Three"]
    assert tab.dialog.answer["problem"] == "1 of 3 could not be moved. Two: You may only look at that folder."
    assert tab.dialog.form != {}
    tab.refusal = {}
    tab.submit(target=target)
    assert [name for name, _ in tab.moved] == ["One", "Three", "Two"]
    assert tab.dialog.form == {}


@pytest.mark.feature("WS-12", "EX-01", "EX-03")
def test_an_export_is_a_job_with_what_was_chosen() -> None:
    tab = Tab(crumb(ElementKind.STEP))
    run = made(ElementKind.DATASET, type="epu_run", name="Grid 3")
    form = tab.ask(run, ElementAction.EXPORT)
    assert [field["name"] for field in form["fields"]] == ["folder", "files", "metadata", "processed", "kind"]
    assert [link["href"].rsplit("/", 1)[1] for link in form["links"]] == [
        "corrected_micrographs.star",
        "micrographs_ctf.star",
        "exposures.csg",
        "exposures.cs",
    ]
    chosen = {"files": "raw", "metadata": "all", "processed": True, "kind": "live"}
    tab.submit(folder=" / ", **chosen)
    assert "Name the folder" in tab.dialog.answer["problem"]
    assert tab.catalogue.started == []
    tab.submit(folder="out", **chosen)
    assert tab.catalogue.started == [
        {"kind": "live_export", "parameters": {"folder": "out", "files": "raw", "metadata": "all", "processed": True}}
    ]
    assert tab.dialog.form == {}
    free = [made(ElementKind.DATASET, type="free", name=name) for name in ("A", "B")]
    act_on_many(tab, free, ElementAction.EXPORT, done=_never)  # type: ignore[arg-type]
    assert [field["name"] for field in tab.dialog.form["fields"]] == ["folder", "files", "metadata"]
    tab.catalogue.locked = free[0].id
    tab.submit(folder="both", files="all", metadata="none")
    assert tab.catalogue.started[-1]["parameters"]["folder"] == "both/B"
    assert tab.dialog.answer["problem"] == "1 of 2 could not be exported. A: Somebody works on it."


@pytest.mark.feature("WS-12", "EX-04")
def test_a_cleanup_says_what_would_go_before_it_asks() -> None:
    tab = Tab(crumb(ElementKind.STEP))
    runs = [made(ElementKind.DATASET, type="epu_run", name=name) for name in ("Grid 1", "Grid 2")]
    form = tab.ask(runs[0], ElementAction.CLEANUP)
    movies, micrographs = form["fields"]
    assert (movies["disabled"], movies["hint"]) == (True, "Only read.")
    assert (micrographs["disabled"], micrographs["label"]) == (False, "Micrographs: 2 files, 1.5 kB")
    assert (form["danger"], form["typed"]) == (True, "Grid 1")
    tab.submit(processed=False)
    assert "Choose" in tab.dialog.answer["problem"]
    tab.submit(processed=True)
    assert tab.catalogue.started == [{"kind": "cleanup", "parameters": {"rules": ["processed"]}}]
    act_on_many(tab, runs, ElementAction.CLEANUP, done=_never)  # type: ignore[arg-type]
    assert tab.dialog.form["typed"] == "2"
    assert tab.dialog.form["fields"][1]["label"] == "Micrographs: 4 files, 3.0 kB"


def test_an_older_dialog_does_nothing_any_more() -> None:
    dialog, heard = ShellDialog(), []
    first = dialog.ask({"label": "One"}, heard.append)
    second = dialog.ask({"label": "Two"}, heard.append)
    dialog._handle_msg({"do": "submit", "number": first, "values": {"a": 1}})
    dialog.fill(first, {"label": "Late"})
    assert (heard, dialog.form["label"]) == ([], "Two")
    dialog._handle_msg({"do": "closed", "number": second})
    dialog.fill(second, {"label": "Late"})
    assert dialog.form == {}
    problems = []
    dialog.param.watch(lambda change: problems.append(change.new["problem"]), "answer")
    for _ in range(2):
        dialog.refuse("No.")
    assert problems == ["No.", "No."]


@pytest.mark.feature("EX-04")
def test_what_cannot_be_measured_is_said() -> None:
    tab = Tab()

    def refuse(_run: UUID) -> list[CleanupSize]:
        raise Conflict("It is still being acquired.")

    tab.catalogue.cleanup_sizes = refuse  # type: ignore[attr-defined]
    form = tab.ask(made(ElementKind.DATASET, type="epu_run"), ElementAction.CLEANUP)
    assert form["waiting"]
    assert tab.dialog.answer["problem"] == "It is still being acquired."


@pytest.mark.feature("AC-01")
def test_a_session_folder_is_attached_with_what_its_metadata_lack() -> None:
    tab = Tab()
    sources: list[SourceCreate] = []

    def attach(_run: UUID, source: SourceCreate) -> None:
        if source.path == "/nowhere":
            raise Invalid("There is no folder /nowhere.")
        sources.append(source)

    tab.catalogue.attach = attach  # type: ignore[attr-defined]
    ask_attach(tab, made(ElementKind.DATASET, type="epu_run"))  # type: ignore[arg-type]
    given: dict[str, Any] = {field["name"]: field.get("value", "") for field in tab.dialog.form["fields"]}
    assert given["follow"] is True
    tab.submit(**given)
    assert tab.dialog.answer["problem"] == "Give the folder as the runner's machine sees it."
    tab.submit(**given | {"path": "/nowhere"})
    assert tab.dialog.answer["problem"] == "There is no folder /nowhere."
    tab.submit(**given | {"path": " /data/s ", "voltage_kv": "300", "follow": False})
    assert sources == [SourceCreate(path="/data/s", follow=False, parameters={"voltage_kv": "300"})]
    assert (tab.dialog.form, tab.refreshed) == ({}, 1)


@pytest.mark.feature("EX-02", "BY-06")
def test_an_export_goes_by_the_branch_that_is_looked_at_and_says_so() -> None:
    tab = Tab(crumb(ElementKind.STEP))
    run = made(ElementKind.DATASET, type="epu_run", name="Grid 3")
    tab.place = Place(run.id).having(branch="fine (2)")
    tab.has_branches(run, "original", "fine (2)")
    form = tab.ask(run, ElementAction.EXPORT)
    assert "branch of results “fine (2)”" in form["text"]
    assert "kind" not in {field["name"] for field in form["fields"]}, "nothing arrives in it"
    assert all(link["href"].endswith("?branch=fine+%282%29") for link in form["links"])
    given: dict[str, Any] = {field["name"]: field.get("value", "") for field in form["fields"]}
    tab.submit(**given | {"folder": "out"})
    assert tab.catalogue.started[-1] == {
        "kind": "export",
        "parameters": {"folder": "out", "files": "all", "metadata": "all", "processed": False, "branch": "fine (2)"},
    }
    # a live export has the default one only
    ask_filtered_export(tab, run, JobKind.LIVE_EXPORT, rules=(), matching="3 of 7 match.")  # type: ignore[arg-type]
    assert "by the default branch of results, not by “fine (2)”" in tab.dialog.form["text"]
    tab.submit(**given | {"folder": "live"})
    assert "branch" not in tab.catalogue.started[-1]["parameters"]
    ask_filtered_export(tab, run, JobKind.EXPORT, rules=(), matching="3 of 7 match.")  # type: ignore[arg-type]
    assert tab.dialog.form["text"].startswith("3 of 7 match. It goes by the branch of results “fine (2)”")
    # of several, or of another run, the default ones
    for elements in ([run, run], [made(ElementKind.DATASET, type="epu_run")]):
        ask_export(tab, elements)  # type: ignore[arg-type]
        assert "branch" not in tab.dialog.form["text"]


@pytest.mark.feature("EX-02", "EX-03", "BY-06")
def test_the_default_branch_is_told_as_such_also_where_the_address_names_it() -> None:
    tab = Tab(crumb(ElementKind.STEP))
    run = made(ElementKind.DATASET, type="epu_run", name="Grid 3")
    tab.place = Place(run.id).having(branch="fine (2)")
    tab.has_branches(run, "fine (2)", "original")  # it was promoted since the address was made
    form = tab.ask(run, ElementAction.EXPORT)
    assert "It goes by the branch of results “fine (2)”, the default one." in form["text"]
    assert "not the default" not in form["text"]
    assert "kind" in {field["name"] for field in form["fields"]}, "what arrives is processed in it"
    given: dict[str, Any] = {field["name"]: field.get("value", "") for field in form["fields"]}
    tab.submit(**given | {"folder": "out"})
    assert "branch" not in tab.catalogue.started[-1]["parameters"]
    ask_filtered_export(tab, run, JobKind.LIVE_EXPORT, rules=(), matching="3 of 7 match.")  # type: ignore[arg-type]
    assert tab.dialog.form["text"].startswith("3 of 7 match. It goes by the branch of results “fine (2)”, the default")


@pytest.mark.feature("EX-02", "BY-06")
def test_where_the_branches_cannot_be_read_nothing_is_exported_and_a_closed_dialog_stays_closed() -> None:
    tab = Tab(crumb(ElementKind.STEP))
    run = made(ElementKind.DATASET, type="epu_run", name="Grid 3")
    tab.place = Place(run.id).having(branch="fine (2)")
    assert tab.ask(run, ElementAction.EXPORT)["waiting"]
    assert tab.dialog.answer["problem"] == "Athena does not answer."
    tab.has_branches(run, "original", "fine (2)")

    def closed_meanwhile(work: Any, then: Any, *, failed: Any) -> None:
        tab.dialog.close()
        then(work())

    tab.run = closed_meanwhile  # type: ignore[assignment]
    assert tab.ask(run, ElementAction.EXPORT) == {}
