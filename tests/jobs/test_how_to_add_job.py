"""docs/how-to-add-job.md, followed word by word."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.db.engine import Database
from athena.errors import Conflict
from athena.services import jobs
from tests.jobs.conftest import RunsRunner, StartJob

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to-add-job.md"


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Install the package of the page, in place of the tests' own."""
    blocks = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE.read_text(), flags=re.DOTALL))
    assert set(blocks) == {"my_lab.py", "pyproject.toml"}
    site = tmp_path / "site"
    about = site / "my_lab-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "my_lab.py").write_text(blocks["my_lab.py"])
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lab\nVersion: 1.0\n")
    entries = re.findall(r'^(\w+) = "([^"]+)"', blocks["pyproject.toml"], flags=re.MULTILINE)
    (about / "entry_points.txt").write_text("[athena.jobs]\n" + "".join(f"{n} = {value}\n" for n, value in entries))
    monkeypatch.syspath_prepend(str(site))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.feature("JB-01")
def test_the_kind_of_the_page_works(
    database: Database,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    start_job: StartJob,
    running: RunsRunner,
    wait_for: Callable[..., None],
    tmp_path: Path,
) -> None:
    alice = make_user()
    run = make_run(alice, acquisitions=5)
    (offered,) = [kind for kind in jobs.list_kinds(alice) if kind.name == "list_acquisitions"]
    assert offered.parameters["properties"]["file"]["description"] == "Where the list goes."
    file = tmp_path / "list.txt"
    job = start_job(alice, "list_acquisitions", run, file=str(file))
    with running():
        wait_for(job.ended)
    assert job.state() == "finished", job.now().message
    assert file.read_text().split() == [f"FoilHole_{number:05d}" for number in range(5)]
    assert (job.now().message, job.now().done, job.now().result) == ("5 names", 5, {"file": str(file)})
    with pytest.raises(Conflict, match="already"):
        start_job(alice, "list_acquisitions", run, file=str(file))
