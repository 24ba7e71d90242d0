"""A tus client in a few lines, which says exactly what a test wants it to say."""

import base64
import hashlib
from typing import Any

import httpx

VERSION = {"Tus-Resumable": "1.0.0"}
CHUNK = {**VERSION, "Content-Type": "application/offset+octet-stream"}


def encoded(**values: str) -> str:
    """Value of Upload-Metadata."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}".strip() for key, value in values.items())


def begin(client: httpx.Client, element_id: object, name: str, size: int, **metadata: str) -> httpx.Response:
    """Create an upload."""
    headers = {**VERSION, "Upload-Length": str(size), "Upload-Metadata": encoded(filename=name, **metadata)}
    return client.post(f"/elements/{element_id}/uploads", headers=headers)


def place(answer: httpx.Response) -> str:
    """Path of a created upload, as a client resolves it."""
    assert answer.status_code == 201, answer.text
    return str(answer.url.join(answer.headers["location"])).split("/api", 1)[1]


def send(client: httpx.Client, path: str, offset: int, content: Any, **headers: str) -> httpx.Response:
    """Send a chunk."""
    said = {**CHUNK, "Upload-Offset": str(offset), **{key.replace("_", "-"): value for key, value in headers.items()}}
    return client.patch(path, headers=said, content=content)


def checksum(content: bytes, algorithm: str = "sha1") -> str:
    """Value of Upload-Checksum."""
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def offset(client: httpx.Client, path: str) -> int:
    """Where an upload stands."""
    answer = client.head(path, headers=VERSION)
    assert answer.status_code == 200, answer.status_code
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def upload(client: httpx.Client, element_id: object, name: str, content: bytes) -> str:
    """Upload a file whole; gives its id."""
    path = place(begin(client, element_id, name, len(content)))
    if content:
        answer = send(client, path, 0, content)
        assert answer.status_code == 204, answer.text
    return path.rsplit("/", 1)[-1]
