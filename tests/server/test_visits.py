"""Visits: what a page shows in one answer is what the single routes answer."""

from collections.abc import Callable

import pytest

from athena.contract.acquisitions import Acquisition, AcquisitionState
from athena.contract.elements import Crumb, Element, ElementPage, FolderCreate
from athena.contract.neighbours import Neighbours
from athena.contract.people import Principal
from athena.contract.runs import Run
from athena.contract.visits import Visit
from athena.db.acquisitions import AcquisitionRow
from athena.db.engine import Database
from tests.server.conftest import Api

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.feature("EQ-11")
def test_a_visit_to_a_run_holds_what_the_single_routes_give(api: Api, run: Element) -> None:
    client = api.owner
    visit = Visit.model_validate_json(client.get(f"/elements/{run.id}/visit").content)
    assert visit.run == Run.model_validate_json(client.get(f"/runs/{run.id}").content)
    assert visit.element == visit.run.element
    assert visit.breadcrumb == tuple(map(Crumb.model_validate, client.get(f"/elements/{run.id}/breadcrumb").json()))
    assert (visit.children, visit.acquisition) == (None, None)

    for index, newest in ((0, False), (1, True)):
        asked = {"index": index, "newest_first": newest}
        seen = Visit.model_validate_json(client.get(f"/elements/{run.id}/visit", params=asked).content).acquisition
        assert seen is not None
        here = f"/runs/{run.id}/acquisitions/{index}"
        assert seen.acquisition == Acquisition.model_validate_json(client.get(here).content)
        beside = client.get(f"{here}/neighbours", params={"descending": newest})
        assert seen.neighbours == Neighbours.model_validate_json(beside.content)


@pytest.mark.feature("EQ-11")
@only_sqlite
def test_a_visit_to_an_acquisition_tells_what_is_known_of_it(api: Api, run: Element, database: Database) -> None:
    visit = f"/elements/{run.id}/visit"
    before = Visit.model_validate_json(api.owner.get(visit, params={"index": 0}).content).acquisition
    assert before is not None
    assert before.metrics == {}  # its state says that it is not done, whatever the arrays hold
    with database.session() as session:
        session.get_one(AcquisitionRow, (run.id, 0)).state = AcquisitionState.COMPLETED.value
    after = Visit.model_validate_json(api.owner.get(visit, params={"index": 0}).content).acquisition
    assert after is not None
    assert after.metrics["defocus_um"] == pytest.approx(1.25)
    table = api.owner.get(f"/runs/{run.id}/table", params={"columns": ",".join(after.metrics), "limit": 1}).json()
    assert after.metrics == {name: values[0] for name, values in table["columns"].items()}


@only_sqlite
def test_a_visit_is_to_what_one_may_see_and_what_is_there(
    api: Api, run: Element, make_user: Callable[..., Principal]
) -> None:
    stranger = api.client(make_user("bob"))
    assert stranger.get(f"/elements/{run.id}/visit").status_code == 404
    for asked in ({"index": 2}, {"index": 0, "branch": "nowhere"}):
        assert api.owner.get(f"/elements/{run.id}/visit", params=asked).status_code == 404
    assert api.owner.get(f"/elements/{run.id}/visit", params={"index": -1}).status_code == 422


@pytest.mark.feature("WS-08")
@only_sqlite
def test_a_visit_to_a_folder_holds_a_page_of_its_children_and_is_no_run(api: Api) -> None:
    owner = api.owner
    made = owner.post("/elements", json=FolderCreate(name="Top").model_dump(mode="json"))
    top = Element.model_validate_json(made.content)
    for name in "cab":
        wanted = FolderCreate(name=name, parent_id=top.id).model_dump(mode="json")
        assert owner.post("/elements", json=wanted).status_code == 201
    asked = {"sort": "name", "descending": True, "offset": 1, "limit": 1}
    visit = Visit.model_validate_json(owner.get(f"/elements/{top.id}/visit", params=asked | {"index": 0}).content)
    single = owner.get("/elements", params=asked | {"parent_id": str(top.id)})
    assert visit.children == ElementPage.model_validate_json(single.content)
    assert visit.children is not None
    assert [child.name for child in visit.children.items] == ["b"]
    assert (visit.run, visit.acquisition) == (None, None)
