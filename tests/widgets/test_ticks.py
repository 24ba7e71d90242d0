"""Numbers along an axis, as the charts' own code chooses them."""

import json
import subprocess
from pathlib import Path
from random import Random

import pytest

from widgets.js.build import node_commands

JS = Path(__file__).resolve().parent.parent.parent / "widgets" / "js"
PROGRAM = """
const esbuild = require("esbuild")
const built = esbuild.buildSync({entryPoints: ["src/ticks.ts"], bundle: true, format: "cjs", write: false})
const module_ = {exports: {}}
new Function("module", "exports", built.outputFiles[0].text)(module_, module_.exports)
const {ticks, tickText} = module_.exports
const told = JSON.parse(process.argv[1]).map((asked) => {
  const {values, digits} = ticks(...asked)
  return values.map((value) => tickText(value, digits))
})
console.log(JSON.stringify(told))
"""


def told(*axes: tuple[float, ...]) -> list[list[str]]:
    """Texts along each axis of (low, high, wanted, smallest)."""
    command = [*node_commands()[0], "-e", PROGRAM, json.dumps(axes)]
    done = subprocess.run(command, cwd=JS, check=True, capture_output=True, text=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.feature("EQ-07")
def test_an_axis_has_two_numbers_at_least_and_they_differ() -> None:
    random = Random(7)
    axes = [(0.5, 8.6, 4), (1.9, 2.1, 4), (-0.2, 0.6, 4)]
    for _ in range(2000):
        low = random.uniform(-1, 1) * 10 ** random.randint(-3, 5)
        axes.append((low, low + 10 ** random.uniform(-3, 5), 4))
    for axis, texts in zip(axes, told(*axes), strict=True):
        assert len(set(texts)) >= 2, (axis, texts)
        assert len(texts) <= 6, (axis, texts)


@pytest.mark.feature("EQ-07")
def test_counts_stay_whole() -> None:
    assert told((0, 1, 3, 1), (1, 3, 8, 1), (1, 1, 8, 1)) == [["0", "1"], ["1", "2", "3"], ["1"]]
