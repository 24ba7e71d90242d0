"""The workspace tree as objects."""

import pytest

from athena.contract.elements import Status, Template
from athena.errors import AthenaError, Conflict, Invalid, NotFound
from athena.sdk.connection import Athena
from athena.sdk.elements import Dataset, Folder, Step, Workflow
from athena.sdk.runs import Run


@pytest.mark.feature("WS-01", "WS-02", "NB-01")
def test_walk_down_and_up(athena: Athena) -> None:
    folder = athena.create_folder("Apoferritin")
    workflow = folder.create_workflow("Day 1", template="spa_quality_monitor")
    assert isinstance(workflow, Workflow)
    assert workflow.template == Template.SPA_QUALITY_MONITOR
    step = workflow["Imaging"]
    assert isinstance(step, Step)
    run = step.create_dataset("Grid 3", type="epu_run")
    assert isinstance(run, Run)
    assert run.path == "Apoferritin/Day 1/Imaging/Grid 3"
    assert (
        athena[run.path]
        == athena.element(run.id)
        == athena.run(run.id)
        == athena.run(str(run.id))
        == folder["Day 1/Imaging/Grid 3"]
        == run
    )
    assert athena.run(run.path) == run
    assert run.parent == step
    assert folder.parent is None
    assert folder in list(athena)
    assert [child.name for child in folder] == ["Day 1"]
    assert len({run, athena[run.path]}) == 1


def test_ensure_makes_what_is_missing(athena: Athena) -> None:
    made = athena.ensure("Made/Whole/Imaging/Grid 1")
    assert athena.ensure("Made/Whole/Imaging/Grid 1") == made
    assert isinstance(athena["Made"], Folder)
    assert isinstance(athena.ensure("Made/Whole/Imaging/Notes", dataset_type="free"), Dataset)


@pytest.mark.feature("WS-03")
def test_update_and_refresh(athena: Athena) -> None:
    folder = athena.create_folder("Old name")
    same = athena.element(folder.id)
    folder.update(name="New name", description="Two grids")
    assert (folder.name, folder.description) == ("New name", "Two grids")
    assert same.name == "Old name"
    assert same.refresh().name == "New name"
    notes = athena.ensure("New name/Day 1/Imaging/Notes", dataset_type="free")
    assert notes.update(status="suspended").status is Status.SUSPENDED
    assert notes.update(description="odd ice").status is Status.SUSPENDED


def test_missing_is_not_found_and_says_what_is_there(athena: Athena) -> None:
    folder = athena.create_folder("Holder")
    folder.create_folder("Inside")
    with pytest.raises(NotFound, match="Inside"):
        folder["Outside"]
    with pytest.raises(NotFound):
        athena["Holder/Outside"]
    with pytest.raises(NotFound):
        athena.element("00000000-0000-0000-0000-000000000000")


def test_runs_of_the_whole_workspace_latest_first(athena: Athena) -> None:
    first = athena.ensure("Runs/Day 1/Imaging/Grid 1")
    second = athena.ensure("Runs/Deeper/Imaging/Grid 2")
    athena.ensure("Runs/Day 1/Imaging/Notes", dataset_type="free")
    assert athena.runs()[:2] == [second, first]
    first.update(description="touched")
    assert athena.runs()[:2] == [first, second]


def test_what_is_not_a_run_is_said(athena: Athena) -> None:
    athena.create_folder("Plain")
    with pytest.raises(Invalid, match="not a run"):
        athena.run("Plain")


def test_errors_of_the_api_are_raised_as_themselves(athena: Athena) -> None:
    workflow = athena.create_folder("Holder of rules").create_workflow("Day 1")
    with pytest.raises(AthenaError) as refused:
        workflow.create_step("Only free workflows take steps")
    assert type(refused.value) in (Conflict, Invalid)
    assert refused.value.message


@pytest.mark.parametrize("name", ["a/b", "", " ", "x" * 201, "a\nb"])
def test_names_the_contract_refuses_are_invalid(athena: Athena, name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        athena.create_folder(name)


def test_unknown_template_is_invalid(athena: Athena) -> None:
    with pytest.raises(Invalid, match="template"):
        athena.create_folder("Templates").create_workflow("Day 1", template="magic")


def test_listing_by_name_position_and_slice(athena: Athena, monkeypatch) -> None:
    monkeypatch.setattr("athena.sdk.elements.PAGE", 2)
    folder = athena.create_folder("Many")
    for name in "abcde":
        folder.create_folder(name)
    children = folder.children()
    assert len(children) == 5
    assert children["c"].name == children[2].name == "c"
    assert [child.name for child in children[1:3]] == ["b", "c"]
    assert folder._ipython_key_completions_() == list("abcde")


def test_who_and_what(athena: Athena) -> None:
    assert athena.me.username
    assert athena.health.status == "ok"
    assert athena.jobs() is not None
    assert athena.ensure("A/B/Imaging/C").metadata == {}
