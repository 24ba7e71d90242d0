"""``athena export`` onto this machine, against a running instance."""

import os
from collections.abc import Iterator
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import starfile
from cryosparc.dataset import Dataset
from typer.testing import CliRunner, Result

from athena.cli import app
from athena.contract.acquisitions import AcquisitionState
from athena.db.engine import Database
from athena.embedded import start_instance
from athena.errors import Invalid
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.settings import Settings
from athena.zarrio.pyramid import write_pyramid
from athena.zarrio.writer import RunWriter
from tests.conftest import add_acquisitions
from tests.zarrio.factories import make_result

PLACE = "Apoferritin/Day 1/Imaging/Grid 3"
FITTED = {"defocus_u_angstrom": 12000.0, "defocus_v_angstrom": 11000.0, "astigmatism_angle_deg": 30.0}


@pytest.fixture
def athena(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Athena]:
    """A running instance that ``athena.connect()`` finds, with a run of two processed acquisitions."""
    for name in [name for name in os.environ if name.startswith("JUPYTERHUB_")]:
        monkeypatch.delenv(name)
    chosen = Settings(home=settings.home, api_port=0, log_level="WARNING")
    with start_instance(chosen, runner=False) as (instance, token), Athena(Client(instance.api_url, token)) as made:
        run = made.run(made.ensure(PLACE).id)
        store = settings.run_store(str(run.id))
        RunWriter.create(store, frames=6).write_results([make_result(index, **FITTED) for index in range(2)])
        for index in range(2):
            write_pyramid(store, index, np.full((60, 70), index, np.float32), pixel_size_angstrom=0.84)
        database = Database(settings.resolved_database_url)
        add_acquisitions(database, run.model, count=2, state=AcquisitionState.COMPLETED)
        database.dispose()
        yield made


def export(*words: str) -> Result:
    return CliRunner().invoke(app, ["export", *words])


@pytest.mark.feature("NB-06", "EX-02")
def test_results_are_saved_in_the_form_asked_for(athena: Athena, tmp_path: Path) -> None:
    for form, said in (("mrc", "2 micrographs"), ("star", "micrographs_ctf.star"), ("cryosparc", "exposures_ctf.csg")):
        done = export(PLACE, "--format", form, "--to", str(tmp_path / form))
        assert done.exit_code == 0, done.output
        assert said in done.output
    pictures = {path.name for path in (tmp_path / "mrc").iterdir()}
    assert len(pictures) == 2
    assert pictures == {path.name for path in (tmp_path / "cryosparc/micrographs").glob("*")}
    table = starfile.read(tmp_path / "star/micrographs_ctf.star")["micrographs"]
    found = Dataset.load(tmp_path / "cryosparc/exposures_ctf.cs")
    # both lists say the same of the same micrographs
    np.testing.assert_allclose(np.rad2deg(found["ctf/df_angle_rad"]), table["rlnDefocusAngle"], rtol=1e-6)
    np.testing.assert_allclose(found["ctf/df1_A"], table["rlnDefocusU"])
    assert [path.removeprefix(">") for path in found["micrograph_blob/path"]] == list(table["rlnMicrographName"])
    for form in ("star", "cryosparc"):
        for path in table["rlnMicrographName"]:
            with mrcfile.open(tmp_path / form / path) as mrc:
                assert mrc.data.shape == (60, 70)


@pytest.mark.feature("NB-06")
@pytest.mark.parametrize(
    "words", [(), ("--format", "star"), ("--to", "out"), ("--into", "a", "--to", "b", "--format", "mrc")]
)
def test_where_to_is_said_once(words: tuple[str, ...]) -> None:
    refused = export(PLACE, *words)
    assert isinstance(refused.exception, Invalid)
    assert "--into FOLDER, or --format" in str(refused.exception)


@pytest.mark.feature("NB-06")
def test_only_runs_have_results(athena: Athena, tmp_path: Path) -> None:
    refused = export("Apoferritin", "--format", "mrc", "--to", str(tmp_path / "out"))
    assert isinstance(refused.exception, Invalid)
    assert not (tmp_path / "out").exists()
