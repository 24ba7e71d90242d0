"""The search index rebuilt by a job, while the platform goes on."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.db.search import SearchEntryRow
from athena.errors import Conflict, Forbidden
from athena.services import search
from athena.services.search import Search
from tests.jobs.conftest import RunsRunner, StartJob


@pytest.mark.feature("SE-03", "JB-01")
def test_what_the_index_had_lost_is_found_again(
    database: Database,
    make_user: Callable[..., Principal],
    make_folder: Callable[..., Element],
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Callable[..., None],
) -> None:
    alice, admin = make_user(), make_user("carol", admin=True)
    folder = make_folder(alice, "Ribosome")

    def found() -> list[str]:
        with database.session(read_only=True) as session:
            return [str(hit.element.id) for hit in search.search(session, alice, Search(text="ribosome")).hits]

    assert found() == [str(folder.id)]
    with database.session() as session:
        session.execute(delete(SearchEntryRow))
    assert found() == []
    with pytest.raises(Forbidden):
        start_job(alice, "reindex", None)
    job = start_job(admin, "reindex", None)
    with pytest.raises(Conflict):
        start_job(admin, "reindex", None)
    with running():
        wait_for(job.ended)
    assert job.state() == "finished", job.now().message
    assert found() == [str(folder.id)]
