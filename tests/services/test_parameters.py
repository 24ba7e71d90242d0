"""Parameters of a run's processing that people set."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from athena.contract.acquisitions import AcquisitionState
from athena.contract.audit import AuditAction
from athena.contract.elements import Element
from athena.contract.people import Principal, Role
from athena.contract.runs import ParametersUpdate, Run, SourceCreate
from athena.db.audit import AuditRow
from athena.db.engine import Database
from athena.errors import BadFile, Conflict, Forbidden, Invalid, NotFound
from athena.services import runs
from athena.settings import Settings

pytestmark = pytest.mark.feature("AC-01", "EQ-01")

MakeUser = Callable[..., Principal]
Make = Callable[..., Element]
Add = Callable[..., None]
Set = Callable[..., Run]


@pytest.fixture
def put(database: Database, settings: Settings) -> Set:
    """``put(user, run, voltage_kv=300)`` sets parameters."""

    def put(user: Principal, run: Element, **parameters: object) -> Run:
        with database.session() as session:
            wanted = ParametersUpdate.model_validate({"parameters": parameters})
            return runs.set_parameters(session, user, run.id, wanted, settings=settings)

    return put


def test_what_a_run_lacks_is_given_and_taken_back(
    database: Database, make_user: MakeUser, make_run: Make, grant: Callable[..., None], put: Set
) -> None:
    alice, bob = make_user(), make_user()
    run = make_run(alice, acquisitions=2)
    found = put(alice, run, voltage_kv="200", spherical_aberration_mm=1.4, dose_per_frame_e_per_A2=1)
    assert found.parameters == {"voltage_kv": 200.0, "spherical_aberration_mm": 1.4, "dose_per_frame_e_per_A2": 1.0}
    assert found.version == 2
    assert put(alice, run, voltage_kv=200).version == 2  # nothing has changed
    assert put(alice, run, spherical_aberration_mm=None).parameters.keys() == {"voltage_kv", "dose_per_frame_e_per_A2"}
    with database.session(read_only=True) as session:
        actions = [row.action for row in session.query(AuditRow).filter_by(element_id=run.id)]
    assert actions.count(AuditAction.PARAMETERS_SET.value) == 2
    with pytest.raises(NotFound):
        put(bob, run, voltage_kv=300)
    grant(run, bob, Role.VIEWER)
    with pytest.raises(Forbidden):
        put(bob, run, voltage_kv=300)
    for wrong in ({"voltage_kv": -300}, {"speed": 1}, {"speed": None}, {"defects_sha256": 64 * "0"}):
        with pytest.raises(Invalid):
            put(alice, run, **wrong)
    assert put(alice, run, voltage_kv=200).parameters["voltage_kv"] == 200


def test_results_of_a_branch_are_made_alike(
    make_user: MakeUser, make_run: Make, add_acquisitions_to: Add, put: Set
) -> None:
    alice = make_user()
    run = make_run(alice)
    add_acquisitions_to(run, state=AcquisitionState.COMPLETED)  # the microscope said 300 kV and 0.84 Å
    add_acquisitions_to(run, state=AcquisitionState.ERROR)
    for other in ({"voltage_kv": 200}, {"spherical_aberration_mm": 1.4}, {"dose_per_frame_e_per_A2": 1}):
        with pytest.raises(Conflict, match=r"another .* Process into a branch"):
            put(alice, run, **other)
    same = put(alice, run, voltage_kv=300, spherical_aberration_mm=2.7, pixel_size_angstrom=0.84, patches_x=5)
    assert same.parameters["voltage_kv"] == 300
    with pytest.raises(Conflict):
        put(alice, run, voltage_kv=None)


def test_a_file_of_defects_is_kept_as_it_was(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings, put: Set, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    scope, elsewhere = tmp_path / "scope", tmp_path / "elsewhere"
    for folder in (scope, elsewhere):
        folder.mkdir()
        (folder / "Bad.TXT").write_text("40 30 1 1\n")
    path = scope / "Bad.TXT"
    found = put(alice, run, defects=str(path)).parameters
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert found == {"defects": str(path), "defects_sha256": digest}
    kept = settings.run_defects(str(run.id)) / f"{digest}.txt"
    path.write_text("1 1 1 1\n")
    assert kept.read_text() == "40 30 1 1\n"
    assert put(alice, run, defects=str(path)).parameters["defects_sha256"] != digest
    assert put(alice, run, defects=None).parameters == {}
    (scope / "not.txt").write_text("hello\n")
    tifffile.imwrite(scope / "stack.tif", np.zeros((2, 8, 8), np.uint8), photometric="minisblack")
    for name in ("not.txt", "stack.tif"):
        with pytest.raises(BadFile, match=name):
            put(alice, run, defects=str(scope / name))
    for wrong in (str(scope / "gone.txt"), "Bad.TXT", str(scope)):
        with pytest.raises(Invalid):
            put(alice, run, defects=wrong)
    guarded = settings.model_copy(update={"acquisition_roots": [scope]})
    (scope / "link.txt").symlink_to(elsewhere / "Bad.TXT")
    for name in (elsewhere / "Bad.TXT", scope / "link.txt"):
        wanted = ParametersUpdate(parameters={"defects": str(name)})
        with database.session() as session, pytest.raises(Invalid, match="not below"):
            runs.set_parameters(session, alice, run.id, wanted, settings=guarded)


def test_they_come_with_the_folder(
    database: Database, make_user: MakeUser, make_run: Make, settings: Settings, tmp_path: Path
) -> None:
    alice = make_user()
    run = make_run(alice)
    wrong = SourceCreate(path=str(tmp_path), parameters={"voltage_kv": "much"})
    with database.session() as session, pytest.raises(Invalid, match="voltage_kv"):
        runs.attach_source(session, alice, run.id, wrong, settings=settings)
    with database.session() as session:
        wanted = SourceCreate(path=str(tmp_path), parameters={"voltage_kv": 300})
        found = runs.attach_source(session, alice, run.id, wanted, settings=settings)
    assert found.parameters == {"voltage_kv": 300.0}
    assert found.source is not None
