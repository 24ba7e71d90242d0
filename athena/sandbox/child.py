"""The process of a user metric, ``python -I -m athena.sandbox.child``.

It speaks JSON lines and raw arrays with its parent.
It imports nothing of Athena but what lies beside it, and gives up its rights before it runs a line of the user's.
"""

import __future__

import json
import math
import os
import sys
import traceback
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np

from athena.sandbox.confine import confine
from athena.sandbox.micrograph import make_micrograph

REASON_LENGTH = 300
SOURCE = "<metric>"


def main() -> None:
    """Answer until the parent closes its end."""
    told = sys.stdin.buffer
    # what the user prints must not be taken for an answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (1, 2):
        os.dup2(nowhere, number)
    about = json.loads(told.readline())
    in_force = confine(memory_bytes=about["memory_bytes"])
    _answer(answers, {"confined": in_force})
    function: Any = None
    while line := told.readline():
        item = json.loads(line)
        arrays = {name: _array(told, dtype, shape) for name, dtype, shape in item["arrays"]}
        try:
            # not before there is a question: then the parent's clock runs
            function = function or _load(about["source"], about["name"])
            value = float(function(make_micrograph(item["index"], item["name"], item["metrics"], arrays)))
            said = {"value": value} if math.isfinite(value) else {"error": f"It gave {value}."}
        except BaseException as error:  # noqa: BLE001 - the user's code may raise whatever it likes
            said = {"error": _reason(error)}
        _answer(answers, {"index": item["index"]} | said)


def _load(source: str, name: str) -> Any:
    def metric(function: Any = None, **_: Any) -> Any:
        return function if function is not None else lambda one: one

    names: dict[str, Any] = {"np": np, "numpy": np, "math": math, "metric": metric}
    names["athena"] = SimpleNamespace(metric=metric)
    # annotations may name what is not here
    compiled = compile(source, SOURCE, "exec", flags=__future__.annotations.compiler_flag)
    exec(compiled, names)
    return names[name]


def _array(told: BinaryIO, dtype: str, shape: list[int]) -> "np.ndarray[Any, Any]":
    size = np.dtype(dtype).itemsize * math.prod(shape)
    return np.frombuffer(told.read(size), dtype).reshape(shape)


def _answer(answers: Any, said: dict[str, Any]) -> None:
    answers.write(json.dumps(said) + "\n")
    answers.flush()


def _reason(error: BaseException) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == SOURCE]
    where = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"[:REASON_LENGTH]


if __name__ == "__main__":
    main()
