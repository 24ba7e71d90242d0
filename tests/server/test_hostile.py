"""Nonsense at every route: it is refused in words, nothing fails inside, and nothing is changed."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from athena.contract.base import Problem
from athena.contract.elements import Element
from athena.contract.people import Principal
from athena.server.app import create_app
from tests.server.conftest import Api
from tests.server.test_walk import BODIES, FILLED

# the fuzzer of the contract asks on PostgreSQL
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TEXTS = ("a\x00b", "\ud800", "💥" * 300, "x" * 5000, "")
NUMBERS = (-1, 2**31, 10**400)
ODD_BODIES = (
    b"",
    b"null",
    b"[]",
    b"{",
    b'"\\ud800"',
    b"\xff\xfe",
    b"[" * 2000,
    b'{"kind": "' + b"\\u0000" * 20 + b'"}',
)


def operations(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in create_app(api.settings).openapi()["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def texts_in(schema: dict[str, Any], shared: dict[str, Any]) -> Iterator[str]:
    """Names of the fields of a body that take text."""
    for variant in [schema, *schema.get("oneOf", [])]:
        found = shared[variant["$ref"].rsplit("/", 1)[1]] if "$ref" in variant else variant
        for name, field in found.get("properties", {}).items():
            if any(one.get("type") == "string" for one in [field, *field.get("anyOf", [])]) and "const" not in field:
                yield name


def test_nonsense_is_refused_in_words(
    api: Api, make_user: Callable[..., Principal], make_run: Callable[..., Element]
) -> None:
    alice = make_user("alice")
    run = make_run(alice, acquisitions=1)
    client = api.client(alice)
    shared = create_app(api.settings).openapi()["components"]["schemas"]
    nobody = uuid.UUID(int=0)
    named = re.findall(r"{(\w+)}", " ".join(path for _, path, _ in operations(api)))
    place = {**dict.fromkeys(named, nobody), **FILLED, "element_id": run.id, "run_id": run.id}

    def check(method: str, path: str, **sent: Any) -> None:
        answer = client.request(method, path.removeprefix("/api"), **sent)
        assert answer.status_code < 500, f"{method} {path} {sent}: {answer.text}"
        if answer.status_code >= 400 and method != "head":
            assert Problem.model_validate_json(answer.content).message

    for method, path, operation in operations(api):
        parameters = operation.get("parameters", [])
        names = [parameter["name"] for parameter in parameters if parameter["in"] == "path"]
        place = {name: FILLED.get(name, run.id) for name in names}
        whole = path.format(**place)
        for parameter in parameters:
            for odd in (*TEXTS[:3], *NUMBERS):
                value = str(odd).encode("utf-8", "surrogatepass")
                quoted = "".join(f"%{byte:02X}" for byte in value)[:3000]
                if parameter["in"] == "path":
                    check(method, path.format(**{**place, parameter["name"]: quoted}))
                else:
                    check(method, f"{whole}?{parameter['name']}={quoted}")
        if "application/json" not in operation.get("requestBody", {}).get("content", {}):
            continue
        headers = {"Content-Type": "application/json"}
        for content in ODD_BODIES:
            check(method, whole, content=content, headers=headers)
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        sensible = {name: value for name, value in BODIES[operation["operationId"]].items() if value != "FOLDER"}
        for name in set(texts_in(schema, shared)):
            for odd in TEXTS:
                body = {**sensible, name: odd}
                check(method, whole, content=json.dumps(body).encode(), headers=headers)
    assert client.get(f"/runs/{run.id}").json()["counts"]["total"] == 1
