"""Health over HTTP: the open route says little, the detailed one is for administrators, the portal reports itself."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from athena.contract.health import ServiceKind, ServiceState
from athena.contract.people import Principal
from athena.sdk.client import Client
from athena.sdk.connection import Athena
from athena.services.heartbeat import introduce
from tests.browser.instance import Instance
from tests.server.conftest import Api


@pytest.mark.feature("AD-02")
def test_a_running_portal_and_api_are_stable(instance: Instance, capfd: pytest.CaptureFixture[str]) -> None:
    with Athena(Client(instance.api, instance.token)) as athena:
        deadline = time.monotonic() + 30
        while "portal" not in {one.kind for one in athena.services}:
            assert time.monotonic() < deadline, instance.log("portal")
        services = athena.services
        assert services["api"].state is ServiceState.STABLE
        assert services["portal"].state is ServiceState.STABLE
        assert services["api"].pid != services["portal"].pid
        # this instance has no runner, which is said
        assert [one.kind for one in services.down] == [ServiceKind.RUNNER]
        assert "No runner has reported" in repr(services)
        assert "No runner has reported" in services._repr_html_()
        with pytest.raises(KeyError):
            services["nonsense"]
        assert ("acquisition", "epu") in {(one.type, one.name) for one in athena.plugins}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.feature("AD-02", "AD-03")
def test_who_may_look(api: Api, make_user: Callable[..., Principal]) -> None:
    his = api.client(make_user("bob"))
    assert set(api.anonymous.get("/health").json()) == {"status", "version"}
    assert his.get("/services").status_code == 403
    assert str(api.settings.home) not in his.get("/services").text
    report = introduce(ServiceKind.PORTAL, period_s=10).model_dump(mode="json")
    assert his.post("/services", json=report).status_code == 403
    assert "portal" not in {one["kind"] for one in api.owner.get("/services").json()["services"]}
    assert api.owner.post("/services", json=report).status_code == 204
    assert "portal" in {one["kind"] for one in api.owner.get("/services").json()["services"]}
    assert his.get("/plugins").status_code == 200


@pytest.mark.feature("NB-06", "AD-02")
def test_the_status_command_shows_services(instance: Instance) -> None:
    # the instance fixture starts its processes one by one and announces nothing: say where it is, as 'athena up' does
    from athena.embedded import announced

    command = [sys.executable, "-m", "athena", "status", f"--home={instance.home}"]
    before = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (before.returncode, before.stdout) == (1, "")
    assert "No Athena is running" in before.stderr
    with announced(instance.settings, api_url=instance.api, portal_url=instance.portal):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"COLUMNS": "160"})
    assert done.returncode == 0, done.stderr
    assert "Stable" in done.stdout
    # others' jobs may wait here, since no runner is there to take them
    with Athena(Client(instance.api, instance.token)) as athena:
        queue = athena.services.queue
    said = " ".join(done.stdout.split())
    assert f"{queue.jobs_running} jobs running, {queue.jobs_waiting} waiting" in said
    assert f"{queue.movies_processing} movies in process, {queue.movies_waiting} waiting" in said
