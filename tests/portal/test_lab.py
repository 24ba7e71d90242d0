"""A place of the portal opens as a notebook in a real Jupyter server, for whoever is logged in there alone."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from athena.contract.elements import DatasetType
from athena.embedded import start_instance
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.settings import Settings
from tests.browser.instance import free_ports, wait_for

TOKEN = "a token of this test"


@pytest.fixture
def athena(settings: Settings) -> Iterator[Athena]:
    """A person at an instance with a run."""
    with start_instance(settings.model_copy(update={"api_port": 0, "log_level": "WARNING"}), runner=False) as found:
        instance, token = found
        with Athena(Client(instance.api_url, token)) as connected:
            yield connected


@pytest.fixture
def lab(athena: Athena, tmp_path: Path) -> Iterator[httpx.Client]:
    """That person's Jupyter server, with the extension; asked without the token unless a request has it."""
    (port,) = free_ports(1)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ATHENA_", "JUPYTER"))}
    environment = {**kept, **athena.client.environment, "JUPYTER_TOKEN": TOKEN, "HOME": str(tmp_path)}
    options = (f"port={port}", "port_retries=0", f"root_dir={tmp_path / 'work'}", "allow_root=True")
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", *(f"--ServerApp.{one}" for one in options)]
    command.append("--ServerApp.jpserver_extensions={'athena.portal.lab': True}")
    log = (tmp_path / "lab.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for(lambda: _answers(client, process), what=f"Jupyter\n{(tmp_path / 'lab.log').read_text()}")
            yield client
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _answers(client: httpx.Client, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, "Jupyter ended"
    try:
        return client.get("/api").status_code == 200
    except httpx.TransportError:
        time.sleep(0.1)
        return False


@pytest.mark.feature("NB-03")
def test_a_place_opens_as_a_notebook_that_is_never_written_over(
    athena: Athena, lab: httpx.Client, tmp_path: Path
) -> None:
    run = athena.ensure("Folder/Apoferritin/Imaging/Grid 3")
    assert run.model.type == DatasetType.EPU_RUN
    mine = {"Authorization": f"token {TOKEN}"}
    place = f"/athena/open?e={run.id}&tab=report&branch=fine"

    stranger = lab.get(place)
    assert stranger.status_code == 302
    assert stranger.headers["location"].startswith("/login")
    assert not (tmp_path / "work" / "Athena").exists()

    answer = lab.get(place, headers=mine)
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"] == "/lab/tree/Athena/Grid%203.ipynb"
    path = tmp_path / "work" / "Athena" / "Grid 3.ipynb"
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    assert cells[-1] == "run.branch('fine').quality_report()"
    assert "import athena" in cells[0]
    assert f'run = a.run("{run.id}")' in cells[0]

    # the same once more is the same notebook; what its owner changed stays, and another place is another notebook
    assert lab.get(place, headers=mine).headers["location"].endswith("/Grid%203.ipynb")
    changed = path.read_text().replace("quality_report()", "quality_report().metrics")
    path.write_text(changed)
    assert lab.get(place, headers=mine).headers["location"].endswith("/Grid%203%20%282%29.ipynb")
    assert path.read_text() == changed
    assert lab.get(f"/athena/open?e={run.id}&i=4", headers=mine).headers["location"].endswith("/Grid%203%205.ipynb")
    assert lab.get("/athena/open", headers=mine).headers["location"].endswith("/Workspace.ipynb")

    for wrong in ("e=1", f"e={run.id.hex[::-1]}", "p=nothing", "p=guide"):
        assert lab.get(f"/athena/open?{wrong}", headers=mine).status_code == 404, wrong
