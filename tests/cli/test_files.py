"""``athena upload`` and ``athena download``, against a running instance."""

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from athena.cli import app
from athena.contract.acquisitions import AcquisitionState
from athena.db.acquisitions import AcquisitionRow
from athena.db.engine import Database
from athena.embedded import start_instance
from athena.errors import Invalid
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.settings import Settings
from tests.conftest import add_acquisitions

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


@pytest.mark.feature("NB-06")
def test_failed_movies_are_processed_again(athena: Athena, settings: Settings) -> None:
    place = "Apoferritin/Day 1/Imaging/Run"
    run = athena.run(athena.ensure(place).id)
    database = Database(settings.resolved_database_url)
    add_acquisitions(database, run.model, state=AcquisitionState.ERROR, error="its disk was away")
    with database.session() as session:
        session.get_one(AcquisitionRow, (run.id, 0)).movie = "/data/movie.tiff"
    database.dispose()
    command = CliRunner()
    begun = command.invoke(app, ["reprocess", place, "--no-wait"])
    assert begun.exit_code == 0, begun.output
    assert "1 failed acquisitions" in begun.output
    assert run.acquisition(0).state is AcquisitionState.REGISTERED
    assert "Nothing failed" in command.invoke(app, ["reprocess", place]).output
