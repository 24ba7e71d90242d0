"""The scripts of the components, as the browser gets them."""

import subprocess
import sys
from pathlib import Path

import pytest

from athena.portal import components
from athena.portal.components.script import Script
from athena.portal.showcase import drawn

FOLDER = Path(components.__file__).parent
DRAWN = sorted(drawn(), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
def test_a_script_is_a_module_together_with_what_is_put_before_it(kind: type[Script], tmp_path: Path) -> None:
    module = tmp_path / "module.mjs"
    module.write_text(str(kind._esm))
    node = Path(sys.executable).parent / "node"
    checked = subprocess.run([str(node), "--check", str(module)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_script_is_one_components_or_stands_before_some() -> None:
    shared = {"dom", *(part for kind in DRAWN for part in kind.parts)}
    assert len(list(FOLDER.glob("*.js"))) == len(DRAWN) + len(shared)
