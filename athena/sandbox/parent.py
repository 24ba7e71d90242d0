"""Holding the process of a user metric: starting it, asking it, and ending it when it takes too long."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from athena.errors import AthenaError, Unavailable
from athena.sandbox.confine import CALLS, FILES

STARTING_SECONDS = 60.0
_CHILD = "athena.sandbox.child"
_ENVIRONMENT = {"LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class MetricFailed(AthenaError):
    """The function gave no number for this micrograph; the message is the reason."""


class Sandbox:
    """One user metric in a process of its own, started when it is first asked, and anew after it was ended.

    Parameters
    ----------
    source, name : text that defines the function, and its name.
    seconds : time for one micrograph; the process is killed after that.
    memory_mb : address space of the process.
    unconfined_too : whether to go on where the system cannot keep the process from files and network.
    """

    def __init__(self, source: str, name: str, *, seconds: float, memory_mb: int, unconfined_too: bool = False) -> None:
        self._about = {"source": source, "name": name, "memory_bytes": memory_mb * 2**20}
        self._seconds = seconds
        self._unconfined_too = unconfined_too
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._folder = None
        self._left = b""

    def evaluate(
        self, index: int, name: str, metrics: Mapping[str, float], arrays: Mapping[str, NDArray[Any]]
    ) -> float:
        """Value of the metric for one micrograph.

        Raises
        ------
        MetricFailed : it gave none: an error in it, not a number, too slow, too much memory.
        Unavailable : the process cannot be confined here, or does not start.
        """
        process = self._start()
        assert process.stdin is not None
        whole = {key: np.ascontiguousarray(array) for key, array in arrays.items()}
        head = {
            "index": index,
            "name": name,
            "metrics": dict(metrics),
            "arrays": [(key, array.dtype.str, array.shape) for key, array in whole.items()],
        }
        try:
            process.stdin.write(json.dumps(head).encode() + b"\n")
            for array in whole.values():
                process.stdin.write(array.tobytes())
            process.stdin.flush()
        except BrokenPipeError:
            self.close()
            raise MetricFailed("Its process ended (out of memory?).") from None
        said = self._answer(self._seconds)
        if said is None or said.get("index") != index:
            self.close()
            raise MetricFailed("Its process gave no answer, or a wrong one.")
        if "error" in said:
            raise MetricFailed(str(said["error"]))
        return float(said["value"])

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        self._folder = tempfile.TemporaryDirectory(prefix="athena-metric-")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env=_ENVIRONMENT,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._about).encode() + b"\n")
        self._process.stdin.flush()
        said = self._answer(STARTING_SECONDS)
        if said is None:
            self.close()
            raise Unavailable("The process for user metrics does not start.", hint="Look into the runner's log.")
        if not self._unconfined_too and not {FILES, CALLS} <= set(said.get("confined", ())):
            self.close()
            raise Unavailable(
                "This machine cannot keep user metrics from files and network (Landlock and seccomp are missing).",
                hint="Where everybody is trusted, an administrator sets ATHENA_USER_METRICS=unconfined.",
            )
        return self._process

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """Next line of the process; None when it ended. Raises MetricFailed when it took too long."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._left:
                if len(self._left) > 100_000 or not selector.select(max(0.0, deadline - time.monotonic())):
                    self.close()
                    raise MetricFailed(f"It took longer than {seconds:g} s, and was ended.")
                more = os.read(process.stdout.fileno(), 65536)
                if not more:
                    return None
                self._left += more
        line, _, self._left = self._left.partition(b"\n")
        try:
            said = json.loads(line)
        except ValueError:
            return None
        return said if isinstance(said, dict) else None
