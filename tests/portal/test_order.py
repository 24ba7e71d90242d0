"""Order and pages of a list of elements, as addresses say them."""

from uuid import uuid4

import pytest

from athena.contract.elements import ElementSort
from athena.portal.order import PAGE, Order
from athena.portal.place import Place


@pytest.mark.feature("WS-08", "WS-10")
def test_the_address_says_the_order_and_what_cannot_be_read_is_left_out() -> None:
    place = Place(uuid4()).having(sort="name", order="down", **{"from": "200"})
    assert Order.of(Place.parse(place.search)) == Order(ElementSort.NAME, descending=True, first=200)
    for odd in ("-1", "x", "²", "9" * 30):
        assert Order.of(Place(uuid4()).having(sort="colour", order="up", **{"from": odd})) == Order()


@pytest.mark.feature("WS-08")
def test_another_order_begins_at_the_front_and_keeps_the_side_of_the_data_panel() -> None:
    place = Place(uuid4()).having(panel="notes", sort="name", **{"from": "400"})
    choices = Order.of(place).choices(place, at_root=False)
    (chosen,) = [sort for sort in choices["sorts"] if sort["chosen"]]
    assert chosen["label"] == "Name"
    turned = Place.parse(choices["turn"])
    assert Order.of(turned) == Order(ElementSort.NAME, descending=True)
    assert turned.option("panel") == "notes"
    roots = Order().choices(Place(), at_root=True)["sorts"]
    assert [sort["label"] for sort in roots if sort["chosen"]] == ["Name"]
    assert "Own order" not in [sort["label"] for sort in roots]


@pytest.mark.feature("WS-10")
def test_pages_lead_to_all_elements_and_no_further() -> None:
    place, seen = Place(uuid4()), []
    while True:
        order = Order.of(place)
        pages = order.pages(place, shown=min(PAGE, 450 - order.first), total=450)
        seen.append((pages["first"], pages["last"]))
        if not pages["after"]:
            break
        place = Place.parse(pages["after"])
    assert seen == [(1, 200), (201, 400), (401, 450)]
    assert Order.of(Place.parse(pages["before"])).first == 200
    assert Order().pages(Place(), shown=0, total=0)["first"] == 0
