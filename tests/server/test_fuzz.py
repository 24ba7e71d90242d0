"""Whatever the contract allows, and much that it does not, is sent to a real server: it never fails inside.

Schemathesis reads the OpenAPI of the app, so a new route is fuzzed without a word here. The suite sends the same few
requests each time; ``make fuzz`` sends many, other ones each time (``EXAMPLES=…``, ``SEED=…``).
"""

import contextlib
import itertools
import os
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.server.app import create_app
from tests.server.conftest import Api

EXAMPLES = int(os.environ.get("ATHENA_FUZZ_EXAMPLES", "0"))
"""Requests an operation; 0: what the suite has time for."""
SUITE_REQUESTS = 450
SEED = os.environ.get("ATHENA_FUZZ_SEED", "1")


@pytest.mark.parametrize("database_url", ["sqlite" if not EXAMPLES else "postgresql"], indirect=True)
@pytest.mark.timeout(3600 if EXAMPLES else 300)
def test_no_request_makes_the_api_fail(
    api: Api,
    make_user: Callable[..., Principal],
    make_run: Callable[..., Element],
    write_arrays: Callable[[Api, Element], None],
) -> None:
    number = random.SystemRandom().randrange(10**6) if SEED == "random" else int(SEED)
    print(f"seed {number}: repeat with SEED={number}")
    alice = make_user("alice", admin=True)
    run = make_run(alice, acquisitions=2)
    write_arrays(api, run)
    client = api.client(alice)
    client.put(f"/runs/{run.id}/source", json={"path": str(api.settings.home)}).raise_for_status()
    known = [*known_ids(client, run), str(alice.user_id)]
    found = schemathesis.openapi.from_dict(create_app(api.settings).openapi()).get_all_operations()
    operations = [one.ok() for one in found]
    examples = EXAMPLES or max(2, SUITE_REQUESTS // (2 * len(operations)))
    token = client.headers["Authorization"].removeprefix("Bearer ")
    failures: dict[str, str] = {}
    for operation, mode in itertools.product(operations, (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)):
        failures |= fuzz(api, operation, mode, token=token, known=known, examples=examples, number=number)
    assert not failures, "\n\n".join(f"{what}\n{command}" for what, command in failures.items())
    assert client.get("/me").status_code == 200


def known_ids(client: httpx.Client, run: Element) -> list[str]:
    """Identifiers of things that exist: most requests would otherwise end at the first look-up."""
    crumbs = client.get(f"/elements/{run.id}/breadcrumb").json()
    return [*(one["id"] for one in crumbs), *(one["id"] for one in client.get("/jobs").json())]


def fuzz(
    api: Api, operation: Any, mode: GenerationMode, *, token: str, known: list[str], examples: int, number: int
) -> dict[str, str]:
    """Send requests of one operation; gives what failed with a command to send it again."""
    failed: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {token}"}

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=st.sampled_from([*known, None]))
    def send(case: schemathesis.Case, real: str | None) -> None:
        point(case, real)
        answer = case.call(base_url=api.url, session=session, headers=headers, timeout=30)
        if answer.status_code >= 500:
            failed[f"{operation.label}: {answer.status_code} {answer.text[:100]}"] = case.as_curl_command(headers)

    with requests.Session() as session, contextlib.suppress(Unsatisfiable):  # no way to be wrong without parameters
        send()
    return failed


def point(case: schemathesis.Case, real: str | None) -> None:
    """Make a request name something that is there, and not wait."""
    if isinstance(case.query, dict) and "wait" in case.query:
        case.query["wait"] = 0
    if real is None:
        return
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in place:
                if name == "index":
                    place[name] = 0
                elif name.endswith("_id") and isinstance(place[name], str):
                    place[name] = real
