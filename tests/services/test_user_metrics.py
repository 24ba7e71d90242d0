"""Who may add metrics to a run, and that the catalogue keeps what they are without running it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from athena.contract.elements import Element
from athena.contract.jobs import JobKind
from athena.contract.people import Principal, Role
from athena.contract.sharing import GrantChange
from athena.contract.user_metrics import UserMetricCreate
from athena.db.engine import Database
from athena.db.jobs import JobRow
from athena.errors import Forbidden, Invalid, NotFound
from athena.services import sharing, user_metrics
from athena.settings import Settings

SOURCE = "raise SystemExit\ndef mine(micrograph):\n    return 1\n"
"""Whoever ran it would end."""


@pytest.mark.feature("NB-05")
def test_writers_add_metrics_unless_the_site_has_them_off(
    database: Database,
    settings: Settings,
    make_user: Callable[..., Principal],
    make_folder: Callable[..., Element],
    make_workflow: Callable[..., Element],
    make_run: Callable[..., Element],
) -> None:
    alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
    folder = make_folder(alice)
    run = make_run(alice, workflow=make_workflow(alice, folder=folder))
    wanted = UserMetricCreate(source=SOURCE, unit="nm")
    with database.session() as session:
        sharing.set_grant(session, alice, folder.id, GrantChange(name="bob", role=Role.VIEWER))
    with database.session() as session:
        for user, refusal in ((bob, Forbidden), (carol, NotFound)):
            with pytest.raises(refusal):
                user_metrics.put_metric(session, user, run.id, "mine", wanted, settings=settings)
        off = settings.model_copy(update={"user_metrics": "off"})
        with pytest.raises(Forbidden, match="switched off"):
            user_metrics.put_metric(session, alice, run.id, "mine", wanted, settings=off)
        for name, source in (("other", SOURCE), ("mine", "def mine(:"), ("mine", "(" * 5000), ("thumbnail", SOURCE)):
            new = wanted.model_copy(update={"source": source})
            with pytest.raises(Invalid):
                user_metrics.put_metric(session, alice, run.id, name, new, settings=settings)
        assert not session.scalars(select(JobRow)).all(), "what is refused starts nothing"
        first = user_metrics.put_metric(session, alice, run.id, "mine", wanted, settings=settings)
        again = user_metrics.put_metric(session, alice, run.id, "mine", wanted, settings=settings)
        assert (again.sha256, again.creator, again.source) == (first.sha256, "alice", SOURCE)
        kinds = session.scalars(select(JobRow.kind)).all()
        assert kinds == [JobKind.USER_METRICS.value], "one job computes all metrics of a run"
        assert [one.name for one in user_metrics.list_metrics(session, bob, run.id)] == ["mine"]
