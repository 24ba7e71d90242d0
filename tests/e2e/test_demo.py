"""The demonstration's whole path, as a user drives it: the command, a session that grows, results through the SDK."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

import athena
from athena.contract.acquisitions import AcquisitionState
from athena.sdk.instance import find_instance, read_token
from athena.settings import Settings

MOVIES = 3
SIZE = 1024
FRAMES = 8
RUN = "Demonstration/Apoferritin/Imaging/Simulated grid"


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str, log: Path) -> None:
    """Return once the condition holds; fail with the end of the command's output when it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"no {what} within {seconds} s:\n{log.read_text()[-3000:]}")
        pause.wait(0.1)


@contextmanager
def demo(home: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``athena demo`` while the block lasts, ended by Ctrl-C as a person would."""
    argv = [sys.executable, "-m", "athena", "demo", f"--home={home}", f"--movies={MOVIES}", "--interval=0"]
    argv += [f"--size={SIZE}", f"--frames={FRAMES}", "--no-notebook"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ATHENA_")}
    with log.open("ab") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, env=environment | {"ATHENA_WORKERS": "1"})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.timeout(420)
@pytest.mark.feature("AC-01", "AC-04", "AC-05", "EQ-01", "NB-01", "NB-06", "WS-02", "HB-02")
def test_the_demonstration_fills_a_run_stops_cleanly_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, log = tmp_path / "demo", tmp_path / "demo.log"
    monkeypatch.setenv("ATHENA_HOME", str(home))
    settings = Settings(home=home)

    with demo(home, log) as process:
        wait_until(lambda: find_instance(settings) is not None, seconds=120, what="instance", log=log)
        instance = find_instance(settings)
        assert instance is not None
        with athena.connect() as connection:
            wait_until(lambda: _exists(connection), seconds=120, what="run", log=log)
            run = connection[RUN]
            wait_until(lambda: _completed(run) == MOVIES, seconds=240, what=f"{MOVIES} processed movies", log=log)

            results = run.results
            assert results.sizes["acquisition"] == MOVIES
            determined = ["ctf_not_determined" not in a.flags for a in run.acquisitions()]
            assert any(determined)
            assert np.isfinite(results["ctf_resolution_angstrom"].values).tolist() == determined
            assert np.isfinite(results["drift_total_angstrom"].values).all()
            assert results["thumbnail"].isel(acquisition=0).values.std() > 0
            first = {a.name: a.processed for a in run.acquisitions()}
        portal = httpx.get(f"{instance.portal_url}/login", params={"token": read_token(settings)})
        assert portal.status_code in (200, 302, 303)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, log.read_text()[-3000:]
    assert find_instance(settings) is None
    assert read_token(settings) in log.read_text()

    with demo(home, log):
        wait_until(lambda: find_instance(settings) is not None, seconds=120, what="second start", log=log)
        with athena.connect() as connection:
            run = connection[RUN]
            assert _completed(run) == MOVIES
            again = {a.name: a.processed for a in run.acquisitions()}
            assert again == first, "what was processed stays as it was"


def _exists(connection: "athena.sdk.Athena") -> bool:
    try:
        connection[RUN]
    except athena.errors.NotFound:
        return False
    return True


def _completed(run: "athena.sdk.Run") -> int:
    return sum(a.state is AcquisitionState.COMPLETED for a in run.acquisitions())
