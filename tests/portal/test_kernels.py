"""Notebooks of reports: one at a time for each user, few for all, and none twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from athena.errors import Conflict, Unavailable
from athena.portal.kernels import KEPT, ReportKernels


class Slow:
    """Work that is done when it is told to be."""

    def __init__(self) -> None:
        self.begun, self.end = threading.Event(), threading.Event()

    def __call__(self) -> bytes:
        self.begun.set()
        assert self.end.wait(30)
        return b"made"


def never() -> bytes:
    """What must not be asked for."""
    raise AssertionError("executed once more")


@pytest.mark.feature("NB-04")
def test_a_user_has_one_and_all_together_have_few() -> None:
    kernels = ReportKernels(at_once=2)
    slow = {name: Slow() for name in ("alice", "bob")}
    with ThreadPoolExecutor(2) as pool:
        running = {}
        for name, work in slow.items():
            running[name] = pool.submit(kernels.executed, name, (1,), work)
            assert work.begun.wait(30)
        with pytest.raises(Conflict, match="of yours"):
            kernels.executed("alice", (2,), never)
        with pytest.raises(Unavailable, match="2 notebooks"):
            kernels.executed("carol", (1,), never)
        for work in slow.values():
            work.end.set()
        assert [job.result(30) for job in running.values()] == [b"made", b"made"]
    assert kernels.executed("carol", (1,), lambda: b"hers") == b"hers"


@pytest.mark.feature("NB-04")
def test_one_kernel_serves_all_forms_and_a_failure_frees_the_place() -> None:
    kernels = ReportKernels(at_once=1)

    def fails() -> bytes:
        raise Unavailable("The kernel died.")

    for _ in range(3):
        with pytest.raises(Unavailable, match="died"):
            kernels.executed("alice", (1,), fails)
    assert kernels.executed("alice", (1,), lambda: b"made") == b"made"
    assert kernels.executed("alice", (1,), never) == b"made"
    assert kernels.executed("bob", (1,), lambda: b"his") == b"his", "what one may see another need not"
    given: Callable[[int], bytes] = lambda number: str(number).encode()  # noqa: E731
    for number in range(2, KEPT + 3):
        kernels.executed("alice", (number,), lambda: given(number))  # noqa: B023  called at once
    assert kernels.executed("alice", (1,), lambda: b"anew") == b"anew"
