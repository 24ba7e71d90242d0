"""Templates are data: adding one is adding a file, as docs/how-to-add-template.md says."""

import re
import shutil
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from athena.contract.elements import DatasetCreate, DatasetType, Element, Template
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.domain import templates, tree
from athena.domain.templates import TEMPLATES, check_template, default_template, offered, read_templates
from athena.errors import BadFile, Invalid
from athena.services import elements

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to-add-template.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder of templates."""
    with as_file(files("athena.domain.templates")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "templates"))


@pytest.mark.feature("WS-02", "WS-03")
def test_the_guide_makes_a_template(
    database: Database,
    make_user: Callable[..., Principal],
    make_workflow: Callable[..., Element],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = re.search(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    (folder / "helical.toml").write_text(found[1])
    specs = read_templates(folder)
    assert [*specs][3] == "helical"
    monkeypatch.setattr(templates, "TEMPLATES", specs)
    monkeypatch.setattr(tree, "TEMPLATES", specs)
    alice = make_user()
    workflow = make_workflow(alice, template="helical")
    assert [step.name for step in workflow.steps] == ["Biochemistry", "Vitrification", "Imaging", "Helical processing"]
    with database.session() as session:
        wanted = DatasetCreate(name="Grid 1", parent_id=workflow.steps[2].id, type=DatasetType.EPU_RUN)
        assert elements.create_element(session, alice, wanted).type == DatasetType.EPU_RUN


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("label = 'X'", "order"),
        ("label = 'X'\norder = 1\ncolour = 'red'", "colour"),
        ("label = ", "not a workflow template"),
        ("label = 'X'\norder = 1\nsteps = ['A', 'A']", "named twice"),
        ("label = 'X'\norder = 1\nsteps = ['A']\n[runs]\nB = ['epu_run']", "not there: B"),
        ("label = 'X'\norder = 1\nsteps = ['A']\n[runs]\nA = ['free']", "every step"),
        ("label = 'X'\norder = 1\nsteps = ['Imaging']", "different kinds of run"),
        ("label = 'X'\norder = 1\ndefault_for = ['tomo_run']", "both the default for tomo_run"),
    ],
)
def test_a_mistake_is_named_with_its_file(folder: Path, content: str, reason: str) -> None:
    (folder / "wrong.toml").write_text(content)
    with pytest.raises(BadFile, match=reason) as refused:
        read_templates(folder)
    assert "wrong.toml" in str(refused.value)


def test_a_file_name_that_cannot_be_a_type_is_refused(folder: Path) -> None:
    (folder / "Not a name.toml").write_text("label = 'X'\norder = 1")
    with pytest.raises(BadFile, match="Not a name"):
        read_templates(folder)


@pytest.mark.feature("WS-02")
def test_the_licence_limits_what_is_offered() -> None:
    assert [*offered(TEMPLATES)] == [*TEMPLATES]
    assert [*offered(TEMPLATES, set())] == ["free", "spa"]
    assert [*offered(TEMPLATES, {"tomo-live"})] == ["free", "spa", "tomo_live"]
    assert check_template("spa", set()).label == "Single Particle Analysis"
    with pytest.raises(Invalid, match="licence"):
        check_template("tomo_live", set())
    with pytest.raises(Invalid, match="does not exist"):
        check_template("nothing")


def test_each_kind_of_dataset_has_a_default() -> None:
    assert default_template(DatasetType.EPU_RUN) == Template.SPA_QUALITY_MONITOR
    assert default_template(DatasetType.TOMO_RUN) == Template.TOMO_LIVE
    assert {default_template(kind) for kind in DatasetType} <= set(TEMPLATES)
