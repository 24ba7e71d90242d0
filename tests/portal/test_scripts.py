"""The scripts of the components, as the browser gets them."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import panel as pn

from athena.portal import components
from athena.portal.components import script
from athena.portal.components.live_mark import LiveMark
from athena.portal.showcase import drawn
from tests.browser.instance import Instance

FOLDER = Path(components.__file__).parent
DRAWN = sorted(drawn(), key=lambda kind: kind.__name__)
ONLY_LOAD = """
globalThis.CSSStyleSheet = class { replaceSync(css) { this.css = css } }
const all = (await import("./module.mjs")).default
const roots = Object.entries(all).map(([name, { render }]) => [name, typeof render])
console.log(JSON.stringify(Object.fromEntries(roots)))
"""


def test_the_module_holds_every_component_with_its_script(tmp_path: Path) -> None:
    (tmp_path / "module.mjs").write_bytes(script.module())
    (tmp_path / "load.mjs").write_text(ONLY_LOAD)
    node = Path(sys.executable).parent / "node"
    loaded = subprocess.run([str(node), str(tmp_path / "load.mjs")], capture_output=True, text=True, check=False)
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == {kind.__name__: "function" for kind in DRAWN}


def test_a_document_names_the_module_and_holds_no_script_or_style_sheet() -> None:
    model = LiveMark(height=40).get_root(pn.state.curdoc)
    assert model.bundle == "url"
    assert model.esm == script.address()
    own = "font: 13px/1.5 var(--athena-font)"
    assert own in (FOLDER / "base.css").read_text()
    assert own in script.module().decode()
    assert not [sheet for sheet in model.stylesheets if isinstance(sheet, str) and own in sheet]


def test_the_module_is_kept_for_good_only_under_the_address_of_its_content(instance: Instance) -> None:
    with httpx.Client(base_url=instance.portal, trust_env=False) as browser:
        named = browser.get(script.address())
        assert named.content == script.module()
        assert named.headers["content-encoding"] == "gzip"
        assert "immutable" in named.headers["cache-control"]
        assert "javascript" in named.headers["content-type"]
        plain = browser.get(script.ADDRESS, params={"v": "older"}, headers={"Accept-Encoding": "identity"})
        assert plain.content == script.module()
        assert "content-encoding" not in plain.headers
        assert plain.headers["cache-control"] == "no-cache"


def test_every_script_is_one_components_or_stands_before_some() -> None:
    shared = {"dom", *(part for kind in DRAWN for part in kind.parts)}
    assert len(list(FOLDER.glob("*.js"))) == len(DRAWN) + len(shared)
