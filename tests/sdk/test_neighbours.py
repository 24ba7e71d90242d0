"""Which acquisition comes before and after another among those a gallery shows."""

from collections.abc import Callable
from itertools import product

import pytest

from athena.contract.acquisitions import AcquisitionState
from athena.contract.neighbours import Neighbours, Shown
from athena.db.acquisitions import AcquisitionRow
from athena.errors import NotFound
from athena.sdk.runs import Run

NewRun = Callable[[], Run]
Process = Callable[..., None]


def asked(run: Run, index: int, shown: Shown, *, descending: bool = False) -> Neighbours:
    """What the API says."""
    path = f"/api/runs/{run.id}/acquisitions/{index}/neighbours"
    return run.client.get(path, Neighbours, params={"shown": shown.value, "descending": descending})


@pytest.mark.feature("EQ-03")
def test_neighbours_are_those_of_the_list_in_both_orders(new_run: NewRun, process: Process, running) -> None:
    run = new_run()
    process(run, 8)  # defocus 1 to 8 µm
    with running.database.session() as session:
        for index, state in ((2, AcquisitionState.ERROR), (6, AcquisitionState.PROCESSING)):
            session.get_one(AcquisitionRow, (run.id, index)).state = state.value
    run.save_filter(("defocus_um", ">=", 2), ("defocus_um", "<=", 5))
    run.accept(7)
    run.reject(1)
    listed = {
        Shown.ALL: [0, 1, 2, 3, 4, 5, 6, 7],
        Shown.FINISHED: [0, 1, 3, 4, 5, 7],
        Shown.FILTERED: [3, 4, 7],  # 7 by hand
        Shown.EXCLUDED: [0, 1, 5],  # 1 by hand
        Shown.ERROR: [2],
        Shown.PROGRESS: [6],
    }
    for (shown, up), descending, index in product(listed.items(), (False, True), range(8)):
        order = up[::-1] if descending else up
        turned = (lambda one: -one) if descending else (lambda one: one)
        before = [one for one in order if turned(one) < turned(index)]
        after = [one for one in order if turned(one) > turned(index)]
        assert asked(run, index, shown, descending=descending) == Neighbours(
            index=index,
            shown=shown,
            count=len(order),
            position=order.index(index) if index in order else None,
            previous=before[-1] if before else None,
            following=after[0] if after else None,
        )
    with pytest.raises(NotFound, match="no acquisition 8"):
        asked(run, 8, Shown.ALL)


@pytest.mark.feature("BY-09", "EQ-03")
def test_a_table_of_any_part_tells_that_a_verdict_changed(new_run: NewRun, process: Process) -> None:
    run = new_run()
    process(run, 4)

    def mark() -> str:
        path = f"/api/runs/{run.id}/table"
        return str(run.client.get(path, dict, params={"start": 3, "limit": 1})["judged"])

    seen = [mark()]
    for judge in (lambda: run.reject(0), lambda: run.accept(0), lambda: run.accept(1), lambda: run.clear_verdicts(0)):
        judge()
        seen.append(mark())
    assert len(set(seen)) == len(seen)
    assert mark() == seen[-1]
    run.clear_verdicts(1)
    assert mark() == seen[0]
