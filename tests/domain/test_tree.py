"""What may be made where, names and their order, paths, templates, statuses."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.contract.elements import DatasetType, ElementKind, Status, Template
from athena.contract.runs import SourceState
from athena.domain.lifecycle import run_status, step_status
from athena.domain.templates import RUN_STEPS, TEMPLATES, dataset_types
from athena.domain.tree import checked_name, child_kinds, child_path, parse_run_path, path_ids, sort_key, split_path
from athena.errors import Invalid

letters = st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="/")
names = st.text(letters | st.just(" "), min_size=1, max_size=12).map(lambda name: f"n{name}")


@pytest.mark.feature("WS-03")
def test_templates_have_the_steps_of_the_field() -> None:
    spa = ("Biochemistry", "MassSpec Screening", "Vitrification", "Screening", "Imaging", "Processing")
    for template in (Template.SPA, Template.SPA_QUALITY_MONITOR, Template.SPA_CRYOSPARC_LIVE):
        assert TEMPLATES[template].steps == spa
    assert TEMPLATES[Template.TOMO_LIVE].steps == ("Vitrification", "Milling", "Imaging", "Processing")
    assert set(TEMPLATES) >= set(Template)
    every = {step for spec in TEMPLATES.values() for step in spec.steps}
    assert set().union(*RUN_STEPS.values()) <= every


def test_only_what_may_be_made_is_offered() -> None:
    assert child_kinds(None, "") == (ElementKind.FOLDER,)
    assert child_kinds(ElementKind.FOLDER, "") == (ElementKind.FOLDER, ElementKind.WORKFLOW)
    assert child_kinds(ElementKind.WORKFLOW, Template.FREE) == (ElementKind.STEP,)
    assert child_kinds(ElementKind.WORKFLOW, Template.SPA) == ()
    assert child_kinds(ElementKind.STEP, "Imaging") == (ElementKind.DATASET,)
    assert child_kinds(ElementKind.DATASET, "free") == ()
    assert dataset_types("Imaging") == (DatasetType.FREE, DatasetType.EPU_RUN, DatasetType.TOMO_RUN)
    assert dataset_types("") == (DatasetType.FREE,)


@given(st.lists(st.integers(0, 10**6), min_size=2, unique=True), st.booleans())
def test_numbers_in_names_sort_by_value(numbers: list[int], upper: bool) -> None:
    labels = {number: f"{'GRID' if upper and number % 2 else 'grid'} {number} b" for number in numbers}
    by_name = sorted(numbers, key=lambda number: sort_key(labels[number]))
    assert by_name == sorted(numbers)


@given(names)
def test_names_are_trimmed_and_then_stay(name: str) -> None:
    assert checked_name(f"  {name}\n") == checked_name(checked_name(name)) == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\x00b", "a\nb", "x" * 201])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a name"):
        checked_name(name)


@given(st.lists(names, min_size=4, max_size=6))
def test_run_paths_split_from_the_end(parts: list[str]) -> None:
    found = parse_run_path("/".join(parts))
    assert (*found.folders, found.workflow, found.step, found.run) == tuple(part.strip() for part in parts)
    assert split_path("//" + "//".join(parts) + "/") == tuple(part.strip() for part in parts)


@given(st.lists(st.uuids(), min_size=1, max_size=20))
def test_paths_hold_the_ids_on_the_way(ids: list[UUID]) -> None:
    path = None
    for element_id in ids:
        above, path = path, child_path(path, element_id)
        assert above is None or path.startswith(above)
    assert path is not None
    assert path_ids(path) == tuple(ids)
    assert len(child_path(None, uuid4())) == 34


@pytest.mark.feature("WS-04")
@pytest.mark.parametrize(
    ("source", "begun", "pending", "failed", "status"),
    [
        (None, False, False, False, Status.NOT_STARTED),
        (SourceState.WATCHING, False, False, False, Status.IN_PROGRESS),
        (SourceState.IMPORTING, True, True, True, Status.IN_PROGRESS),
        (SourceState.COMPLETED, True, True, False, Status.IN_PROGRESS),
        (SourceState.COMPLETED, True, False, False, Status.COMPLETED),
        (SourceState.COMPLETED, True, False, True, Status.WARNING),
        (SourceState.ERROR, True, True, False, Status.WARNING),
        (None, True, False, False, Status.COMPLETED),
    ],
)
def test_status_of_a_run(source: SourceState | None, begun: bool, pending: bool, failed: bool, status: Status) -> None:
    assert run_status(source=source, begun=begun, pending=pending, failed=failed) is status


@pytest.mark.feature("WS-04")
def test_status_of_a_step() -> None:
    assert step_status(Status.SUSPENDED, [Status.IN_PROGRESS]) is Status.SUSPENDED
    assert step_status(Status.COMPLETED, [Status.COMPLETED, Status.IN_PROGRESS]) is Status.IN_PROGRESS
    assert step_status(Status.NOT_STARTED, [Status.COMPLETED, Status.WARNING]) is Status.WARNING
    assert step_status(Status.IN_PROGRESS, [Status.COMPLETED]) is Status.COMPLETED
    assert step_status(Status.NOT_STARTED, [Status.COMPLETED, Status.NOT_STARTED]) is Status.IN_PROGRESS
    assert step_status(Status.NOT_STARTED, [Status.NOT_STARTED]) is Status.NOT_STARTED
