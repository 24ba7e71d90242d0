"""The scripts of the components, as the browser gets them."""

import subprocess
import sys
from pathlib import Path

import pytest

from athena.portal import components

FOLDER = Path(components.__file__).parent
SCRIPTS = sorted(path for path in FOLDER.glob("*.js") if path.name != "dom.js")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_a_module_together_with_what_is_put_before_it(script: Path, tmp_path: Path) -> None:
    module = tmp_path / "module.mjs"
    module.write_text((FOLDER / "dom.js").read_text() + script.read_text())
    node = Path(sys.executable).parent / "node"
    checked = subprocess.run([str(node), "--check", str(module)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
