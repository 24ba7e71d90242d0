"""Finding the instance: environment, hub, this user's own, or a new one."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

import athena
from athena.contract.instance import Instance
from athena.embedded import announced, start_instance
from athena.errors import Conflict, Invalid, Unauthorized, Unavailable
from athena.sdk.connect import hub_address
from athena.sdk.instance import find_instance, is_alive, read_instance, stop_instance
from athena.settings import Settings
from tests.sdk.conftest import Running


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An empty home where nothing runs, on ports that are chosen."""
    for name in [name for name in os.environ if name.startswith(("ATHENA_", "JUPYTERHUB_"))]:
        monkeypatch.delenv(name)
    home = tmp_path / "elsewhere"
    monkeypatch.setenv("ATHENA_HOME", str(home))
    monkeypatch.setenv("ATHENA_API_PORT", "0")
    home.mkdir()
    settings = Settings()
    yield settings
    stop_instance(settings)


@pytest.mark.feature("NB-01")
def test_finds_the_own_instance_by_its_home(running: Running) -> None:
    with athena.connect() as connection:
        assert connection.url == running.instance.api_url
        assert connection.me.username


def test_address_and_token_as_arguments(running: Running, elsewhere: Settings) -> None:
    with athena.connect(f"{running.instance.api_url}/api/", running.token) as connection:
        assert connection.health.status == "ok"
    with pytest.raises(Unauthorized):
        athena.connect(running.instance.api_url, "wrong")
    with pytest.raises(Unauthorized, match="No token"):
        athena.connect(running.instance.api_url)


@pytest.mark.feature("HB-04")
def test_address_from_the_environment_token_from_the_hub(
    running: Running, elsewhere: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATHENA_URL", running.instance.api_url)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", running.token)
    with athena.connect() as connection:
        assert connection.me.username
    monkeypatch.setenv("ATHENA_TOKEN", "wrong")
    with pytest.raises(Unauthorized):
        athena.connect()


def test_own_address_in_the_environment_takes_the_local_token(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATHENA_URL", running.instance.api_url)
    with athena.connect() as connection:
        assert connection.me.username


def test_the_local_token_goes_to_no_other_host(running: Running) -> None:
    with pytest.raises(Unauthorized, match="No token"):
        athena.connect("http://athena.example")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ""),
        ({"JUPYTERHUB_PUBLIC_HUB_URL": "https://em.example/hub/"}, ""),
        (
            {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_PUBLIC_HUB_URL": "https://em.example/lab/hub/"},
            "https://em.example/lab/services/athena-api",
        ),
        (
            {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_HOST": "https://em.example", "JUPYTERHUB_BASE_URL": "/lab/"},
            "https://em.example/lab/services/athena-api",
        ),
        ({"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_BASE_URL": "/"}, ""),
    ],
)
def test_address_behind_the_hub(environment: dict[str, str], expected: str) -> None:
    assert hub_address(environment) == expected


def test_nothing_runs_and_nothing_may_be_started(elsewhere: Settings) -> None:
    with pytest.raises(Unavailable, match="No Athena runs"):
        athena.connect(start=False)


def test_a_dead_instances_file_is_not_believed(elsewhere: Settings, running: Running) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    left = running.instance.model_copy(update={"pid": gone.pid})
    elsewhere.instance_file.write_text(left.model_dump_json())
    assert find_instance(elsewhere) is None  # the process is gone, whoever answers at its address
    silent = left.model_copy(update={"pid": os.getpid(), "api_url": "http://127.0.0.1:9"})
    elsewhere.instance_file.write_text(silent.model_dump_json())
    assert find_instance(elsewhere) is None  # the number was given to another process since
    elsewhere.instance_file.write_text("half a fi")
    assert read_instance(elsewhere) is None
    assert stop_instance(elsewhere) is False


@pytest.fixture
def other_process() -> Iterator[int]:
    """Number of a process that runs until the test ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_announced_while_it_runs(elsewhere: Settings, running: Running, other_process: int) -> None:
    with announced(elsewhere, api_url=running.instance.api_url, portal_url="http://127.0.0.1:1") as instance:
        assert find_instance(elsewhere) == instance
        assert json.loads(elsewhere.instance_file.read_text())["pid"] == os.getpid()
        later = Instance(pid=other_process, api_url="http://127.0.0.1:9", version="9", started=datetime.now(UTC))
        elsewhere.instance_file.write_text(later.model_dump_json())
    assert read_instance(elsewhere) == later  # another's file is not ours to remove
    assert not list(elsewhere.home.glob("*.part"))


def test_one_instance_in_a_home(elsewhere: Settings, running: Running, other_process: int) -> None:
    other = running.instance.model_copy(update={"pid": other_process})
    elsewhere.instance_file.write_text(other.model_dump_json())
    with pytest.raises(Conflict, match="already runs"), announced(elsewhere, api_url="http://127.0.0.1:9"):
        pass


def test_instance_of_a_with_block(elsewhere: Settings) -> None:
    with start_instance(elsewhere, runner=False) as (instance, token), athena.connect() as connection:
        assert connection.url == instance.api_url
        assert token == elsewhere.token_file.read_text().strip()
        assert elsewhere.token_file.stat().st_mode & 0o777 == 0o600
    assert read_instance(elsewhere) is None


def test_shutdown_is_for_the_own_instance(running: Running, elsewhere: Settings) -> None:
    with (
        athena.connect(running.instance.api_url, running.token) as connection,
        pytest.raises(Invalid, match="not your own"),
    ):
        connection.shutdown()


@pytest.mark.feature("NB-01")
@pytest.mark.slow
def test_starts_an_instance_once_when_none_runs(elsewhere: Settings) -> None:
    found: list[str] = []

    def connect() -> None:
        with athena.connect() as connection:
            found.append(connection.url)

    threads = [threading.Thread(target=connect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert len(set(found)) == 1
    instance = read_instance(elsewhere)
    assert instance is not None
    with ExitStack() as stack:
        connection = stack.enter_context(athena.connect(start=False))
        connection.create_folder("Kept")
        connection.shutdown()
    assert not is_alive(instance.pid)
    assert not elsewhere.instance_file.exists()


def test_an_instance_that_cannot_start_is_told(elsewhere: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match=r"No instance could be started.*instance\.log"):
        athena.connect()


def test_import_is_quick_and_light() -> None:
    code = (
        "import sys, time\nstart = time.process_time()\nimport athena\n"
        "print(time.process_time() - start)\n"
        "heavy = {'numpy', 'numba', 'dask', 'distributed', 'panel', 'bokeh', 'xarray', 'zarr', 'pandas', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "athena.connect\n"
        "print(sorted((heavy - {'httpx', 'numpy'}) & set(sys.modules)))\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert float(told[0]) < 0.3
    assert told[1] == told[2] == "[]"
