"""The wheel holds all that an installation needs, and works from there without a checkout."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "athena/": "athena/",
    "hub_config/": "hub_config/",
    "pipelines/athena_pipelines/": "athena_pipelines/",
    "widgets/athena_widgets/": "athena_widgets/",
    "docs/": "athena/portal/docs/",
    "notebooks/": "athena/cli/notebooks/",
}
"""Folders of the checkout by where they lie in the wheel."""
_INSIDE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import athena, athena_pipelines, athena_widgets, hub_config
from athena.cli.instance import FIRST_NOTEBOOK, notebook_folder
from athena.portal import guide
from athena.settings import Settings
from athena_widgets.base import bundle

pages = guide.pages()
home = Path(sys.argv[2])
tutorials = notebook_folder(Settings(home=home))
(tutorials / FIRST_NOTEBOOK).write_text("changed")
notebook_folder(Settings(home=home))
print(json.dumps({
    "files": [module.__file__ for module in (athena, athena_pipelines, athena_widgets, hub_config)],
    "guide": str(guide.folder()),
    "pages": [page.name for page in pages],
    "bundles": [str(bundle(name)) for name in ("run_gallery", "image_viewer", "motion_traces", "ctf_fit")],
    "tutorials": sorted(path.name for path in tutorials.iterdir()),
    "kept": (tutorials / FIRST_NOTEBOOK).read_text(),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (made,) = folder.glob("*.whl")
    return made


def tracked() -> list[str]:
    """Files of the checkout that are part of the project."""
    listed = subprocess.run(["git", "ls-files", "-z", *PLACES], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.feature("HB-04", "NB-03")
def test_everything_that_is_installed_lies_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        into + name.removeprefix(place)
        for place, into in PLACES.items()
        for name in tracked()
        if name.startswith(place)
    }
    assert sorted(wanted - inside) == []
    # the widgets' modules are built, not tracked
    assert {
        f"athena_widgets/static/{name}.js" for name in ("run_gallery", "image_viewer", "motion_traces", "ctf_fit")
    } <= inside
    strangers = {name for name in inside if not name.startswith((*PLACES.values(), "athena_cryoem-"))}
    assert strangers == set(), "neither tests nor sources of the widgets nor anything else"
    assert not [
        name for name in inside if "node_modules" in name or name.endswith((".pyc", ".log", ".ipynb_checkpoints"))
    ]


@pytest.mark.feature("NB-03")
def test_an_installation_shows_its_guide_and_its_tutorials(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    ran = subprocess.run(
        [sys.executable, "-c", _INSIDE, str(installed), str(tmp_path / "home")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert all(path.startswith(str(installed)) for path in (*told["files"], told["guide"], *told["bundles"])), told
    assert {"guide/portal", "guide/first-steps", "glossary"} <= set(told["pages"])
    assert told["tutorials"] == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert told["kept"] == "changed"
