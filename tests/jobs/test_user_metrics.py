"""User metrics: functions that people add to a run, computed apart from everything by a real runner."""

from pathlib import Path

import numpy as np
import pytest

import athena
from athena.errors import Conflict, Invalid, NotFound
from athena.sandbox.parent import MetricFailed, Sandbox
from athena.sdk.runs import Run
from tests.jobs.test_branches import COUNT, folder, run, write_movie

__all__ = ["folder", "run"]
SCALE = 10.0


@athena.metric(unit="nm", label="Travelled", digits=1, lower_is_better=True)
def travelled(micrograph):
    """Way of the specimen, nm; the third one is refused."""
    if micrograph.index == 2:
        raise ValueError("not this one")
    return float(np.abs(np.diff(micrograph.motion, axis=0)).sum()) / SCALE


@athena.metric(image=True)
def spread(micrograph: Run) -> Path:
    """Standard deviation of the micrograph."""
    return micrograph.image.std()


@pytest.mark.feature("NB-05")
def test_a_function_becomes_a_column_of_old_and_new_movies(run: Run, folder: Path) -> None:
    added = run.add_metric(travelled)
    assert (added.name, added.unit, added.label, added.creator) == (
        "travelled",
        "nm",
        "Travelled",
        run.branches[0].model.creator,
    )
    assert "SCALE = 10.0" in added.source, "constants that it names go with it"
    _until(run, "travelled", COUNT - 1)
    results = run.results
    motion = results["motion_global"].values
    expected = np.nansum(np.abs(np.diff(motion, axis=1)), axis=(1, 2)) / SCALE
    values = results["travelled"].values
    assert np.isnan(values[2])
    others = [0, 1, 3]
    assert np.allclose(values[others], expected[others], rtol=1e-5)
    assert results["travelled"].attrs["units"] == "nm"
    assert run.metric_failures("travelled").loc[2, "reason"] == "ValueError: not this one (line 6)"
    assert run.counts.completed == COUNT, "an error in a metric stops nothing"

    # a column like any other: table, filter, criteria, an acquisition, branches
    assert run.table(["travelled"])["travelled"].notna().sum() == COUNT - 1
    limit = float(np.median(values[others]))
    assert run.save_filter(("travelled", "<", limit)).matching == (values[others] < limit).sum()
    run.set_criteria(("travelled", "<=", limit))
    assert run.criteria.complying == (values[others] <= limit).sum()
    assert run.acquisition(1).metrics["travelled"] == pytest.approx(values[1])
    assert travelled(run.acquisition(1).micrograph()) == values[1], "tried out here it gives the same"

    report = run.quality_report()
    assert report.metrics.loc["travelled", "median"] == pytest.approx(limit)
    assert "Travelled" in [text.get_text() for text in report.figure().texts]

    write_movie(folder, COUNT)
    run.wait(60, finished=COUNT + 1)
    _until(run, "travelled", COUNT)
    assert np.isfinite(run.results["travelled"].values[COUNT])
    run.reprocess("other", pixel_size_angstrom=2.0, indices=[1]).wait(60)
    _until(run, "travelled", 1, branch="other")
    row = run.branch("other").compare().loc["travelled"]
    assert (row["count"], row["unit"]) == (1, "nm")
    assert row["median_this"] == pytest.approx(2 * row["median_other"], rel=0.05)

    run.add_metric(spread)
    _until(run, "spread", COUNT + 1)
    assert run.results["spread"].values[0] == spread(run.acquisition(0).micrograph(image=True))
    assert run.results["spread"].values[0] == pytest.approx(run.image(0).values.std(), rel=1e-3)

    # replaced, it is computed anew; refused: what is Athena's, what is no function, what is in use
    run.add_metric(travelled, source="def travelled(micrograph):\n    return 7\n")
    _until(run, "travelled", COUNT + 1)
    assert set(run.results["travelled"].values) == {7.0}
    with pytest.raises(Invalid, match="Athena's own"):
        run.add_metric(_named("defocus_um"), source="def defocus_um(m): return 1")
    with pytest.raises(Invalid, match="cannot be read"):
        run.add_metric(_named("broken"), source="def broken(:")
    with pytest.raises(Conflict, match="saved filter"):
        run.remove_metric("travelled")
    run.save_filter()
    run.reset_criteria()
    run.remove_metric("travelled")
    assert list(run.user_metrics.index) == ["spread"]
    assert "travelled" not in run.results
    with pytest.raises(NotFound):
        run.remove_metric("travelled")


def _named(name: str):
    def function(micrograph):
        return 1.0

    function.__name__ = name
    return function


def _until(run: Run, name: str, count: int, *, branch: str | None = None) -> None:
    """Wait until so many acquisitions have a value."""
    seen = run.client.events(-1).last_seq
    for _ in range(600):
        table = run.branch(branch).table([name]) if branch else run.table([name])
        if table[name].notna().sum() == count and not (
            name == "travelled" and count == COUNT + 1 and table[name][0] != 7
        ):
            return
        seen = run.client.events(seen, wait=0.2).last_seq
    pytest.fail(
        f"{count} values of {name} did not come: {run.metric_failures(name)}, {run.client.get('/api/jobs', None)}"
    )


ATTACKS = {
    "reads a file": "return len(open('/etc/passwd').read())",
    "lists a folder": "import os; return len(os.listdir('/'))",
    "writes a file": "open('x', 'w').write('y'); return 1",
    "opens its own source to all": f"import os; os.chmod({__file__!r}, 0o644); return 1",
    "takes its limits back": "import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1)); return 1",
    "opens a socket": "import socket; return socket.socket().fileno()",
    "starts a process": "import os; return os.fork()",
    "signals its parent": "import os; os.kill(os.getppid(), 9); return 1",
    "reads another's environment": "return len(open('/proc/1/environ').read())",
}


@pytest.mark.feature("NB-05")
@pytest.mark.skipif("sys.platform != 'linux'", reason="Landlock and seccomp are Linux's")
def test_what_a_metric_may_not_do_fails_in_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHENA_SECRET", "hidden")
    branches = "".join(f"    if m.index == {at}:\n        {line}\n" for at, line in enumerate(ATTACKS.values()))
    source = f"def f(m):\n{branches}    import os\n    return float('ATHENA_SECRET' in os.environ)\n"
    with Sandbox(source, "f", seconds=10, memory_mb=2048) as sandbox:
        for at, attack in enumerate(ATTACKS):
            with pytest.raises(MetricFailed, match=r"PermissionError|not allowed"):
                raise AssertionError(f"it {attack}: {sandbox.evaluate(at, '', {}, {})}")
        assert sandbox.evaluate(99, "", {}, {}) == 0.0, "nothing of our environment is there"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", "longer than 0.5 s"),
        ("return np.ones(1 << 29).sum()", "MemoryError"),
        ("import os; os._exit(0)", "no answer"),
        ("return 'nothing'", "ValueError"),
        ("return float('inf')", "It gave inf"),
        ("m.metrics['defocus_um'] = 1; return 1", "TypeError"),
    ],
)
def test_a_bad_metric_gives_a_reason_and_the_next_micrograph_is_asked(body: str, reason: str) -> None:
    source = f"def f(m):\n    if m.index:\n        return 1.0\n    {body}\n"
    with Sandbox(source, "f", seconds=0.5, memory_mb=1024, unconfined_too=True) as sandbox:
        with pytest.raises(MetricFailed, match=reason):
            sandbox.evaluate(0, "", {"defocus_um": 1.0}, {})
        sandbox._seconds = 10
        assert sandbox.evaluate(1, "", {}, {}) == 1.0
