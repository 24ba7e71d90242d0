"""``athena upload`` and ``athena download``, against a running instance."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athena.cli import app
from athena.embedded import start_instance
from athena.errors import Invalid
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.settings import Settings

PLACE = "Apoferritin/Grids of May/Screening/Grid 3"


@pytest.fixture
def athena(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Athena]:
    """A running instance that ``athena.connect()`` finds, with one free dataset."""
    for name in [name for name in os.environ if name.startswith("JUPYTERHUB_")]:
        monkeypatch.delenv(name)
    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")
    with start_instance(chosen, runner=False) as (instance, token), Athena(Client(instance.api_url, token)) as made:
        workflow = made.create_folder("Apoferritin").create_workflow("Grids of May", template="free")
        workflow.create_step("Screening").create_dataset("Grid 3")
        yield made


@pytest.mark.feature("WS-15", "WS-16")
def test_files_go_up_and_come_down(athena: Athena, tmp_path: Path) -> None:
    (tmp_path / "day 2").mkdir()
    (tmp_path / "day 2" / "a.mrc").write_bytes(b"a" * 2_000_000)
    (tmp_path / "notes.md").write_text("good ice")
    run = CliRunner()
    sent = run.invoke(app, ["upload", str(tmp_path / "notes.md"), str(tmp_path / "day 2"), "--into", PLACE])
    assert sent.exit_code == 0, sent.output
    assert "2 files, 2.0 MB, are in" in sent.output
    down = tmp_path / "down"
    saved = run.invoke(app, ["download", PLACE, "--to", str(down)])
    assert saved.exit_code == 0, saved.output
    assert (down / "day 2" / "a.mrc").read_bytes() == b"a" * 2_000_000
    whole = run.invoke(app, ["download", "Apoferritin/Grids of May", "--to", str(down)])
    assert whole.exit_code == 0, whole.output
    with zipfile.ZipFile(down / "Grids of May.zip") as archive:
        assert "Grids of May/Screening/Grid 3/notes.md" in archive.namelist()
    refused = run.invoke(app, ["upload", str(tmp_path / "notes.md"), "--into", "Apoferritin"])
    assert isinstance(refused.exception, Invalid)
