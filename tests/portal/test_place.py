"""Addresses: what is written is read back, and nonsense is refused as a place that is not there."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena.errors import NotFound
from athena.portal.place import MICROGRAPH_TABS, RUN_TABS, Place

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
names = text.filter(lambda name: name not in ("", "p", "e", "tab", "i"))
places = st.builds(
    Place,
    element=st.none() | st.uuids(),
    tab=st.sampled_from(("", *RUN_TABS, *MICROGRAPH_TABS)),
    index=st.none() | st.integers(0, 10**9),
    page=st.sampled_from(("", "search", "admin-users")),
    options=st.dictionaries(names, text, max_size=3).map(lambda options: tuple(options.items())),
)


@settings(deadline=None)  # a shared machine pauses
@given(places)
def test_an_address_leads_back_to_its_place(place: Place) -> None:
    assert Place.parse(place.search) == place


@pytest.mark.parametrize("search", ["?e=1", "?e=../../etc", "?i=x", "?i=-1", "?e=%00"])
def test_nonsense_is_not_found(search: str) -> None:
    with pytest.raises(NotFound, match="address"):
        Place.parse(search)


def test_elsewhere_in_the_same_element() -> None:
    place = Place(UUID(int=7), "dataviz", 3)
    assert place.at(tab="ctf", index=4) == Place(UUID(int=7), "ctf", 4)
    assert place.at() == Place(UUID(int=7))


@pytest.mark.feature("EQ-03", "EQ-08")
def test_what_is_listed_goes_along_in_a_run_and_what_is_tried_between_its_tabs() -> None:
    listed = {"branch": "fine", "show": "error", "order": "oldest"}
    place = Place(UUID(int=7), "dataviz").having(**listed, rules="none", charts="iciness", panel="notes")
    assert dict(place.at(tab="report").options) == {**listed, "rules": "none", "charts": "iciness"}
    assert dict(place.at(tab="ctf", index=3).options) == listed
    assert dict(place.at(tab="ctf", index=3).having(rules="none", view="fft").at().options) == listed


def test_options_are_changed_one_by_one_and_dropped_when_empty() -> None:
    place = Place(page="search").having(q="grid 3", kind="dataset")
    assert place.search == "?p=search&q=grid+3&kind=dataset"
    assert place.having(kind="") == Place(page="search", options=(("q", "grid 3"),))
    assert (place.option("q"), place.option("sort", "name")) == ("grid 3", "name")
