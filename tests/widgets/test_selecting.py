"""What is selected in a view reaches the functions of a notebook."""

import pytest

from athena.errors import NotFound
from athena_widgets import RunDataviz, RunGallery
from athena_widgets.selecting import Selected
from tests.widgets.test_source import RUN_ID, PlayedClient

pytestmark = pytest.mark.feature("NB-02")


class PickedRun:
    """A run with ten acquisitions, which stand for themselves by their names."""

    id = RUN_ID

    def __init__(self, prefix: str = "") -> None:
        self.client = PlayedClient()
        self.prefix = prefix

    def acquisition(self, key: int) -> str:
        """Its name."""
        if key >= 10:
            raise NotFound(f"There is no acquisition {key}.")
        return f"{self.prefix}{key}"

    def branch(self, name: str) -> "PickedRun":
        """The same acquisitions elsewhere."""
        return PickedRun(f"{name} ")


def test_functions_hear_what_is_selected_until_they_are_removed() -> None:
    gallery = RunGallery(PickedRun(), live=False)
    heard: list[list[str]] = []

    @gallery.on_selected
    def keep(selected: Selected) -> None:
        heard.append(list(selected))

    gallery.selected = 3
    gallery.selected = -1
    assert heard == [["3"], []]
    assert (len(gallery.selection), gallery.selection.indices) == (0, ())
    gallery.on_selected(keep, remove=True)
    gallery.selected = 4
    assert len(heard) == 2
    assert gallery.selection.indices == (4,)
    gallery.close()


def test_charts_tell_of_many_in_the_branch_that_is_shown() -> None:
    charts = RunDataviz(PickedRun(), live=False, branch="fine")
    heard: list[Selected] = []
    charts.on_selected(heard.append)
    charts.chosen = "7,2-4"
    (selected,) = heard
    assert selected.indices == (2, 3, 4, 7)
    assert (selected[0], list(selected[1:3])) == ("fine 2", ["fine 3", "fine 4"])
    assert repr(selected) == "<4 selected: 2, 3, 4, 7>"
    charts.chosen = "nonsense"
    assert heard[-1].indices == ()
    charts.close()


def test_what_a_function_raises_stands_in_the_view_and_others_still_hear() -> None:
    gallery = RunGallery(PickedRun(), live=False)
    heard: list[Selected] = []

    def read(selected: Selected) -> None:
        assert [*selected]

    gallery.on_selected(read)
    gallery.on_selected(heard.append)
    gallery.selected = 12
    assert gallery.problem == "read: NotFound: There is no acquisition 12."
    assert len(heard) == 1
    gallery.selected = 2
    assert gallery.problem == ""
    gallery.close()


def test_a_view_without_a_run_says_so() -> None:
    gallery = RunGallery(run_id=RUN_ID, client=PlayedClient(), live=False)
    with pytest.raises(ValueError, match="without a run"):
        _ = gallery.selection
    gallery.close()
