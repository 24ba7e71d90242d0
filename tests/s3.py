"""A real S3-compatible server on a loopback port, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

START_SECONDS = 60.0


@dataclass(frozen=True)
class Bucket:
    """An empty bucket, and what a client needs to use it."""

    url: str
    options: dict[str, str]


@contextmanager
def s3_server() -> Iterator[str]:
    """Run the server while the block lasts; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def new_bucket(address: str, name: str) -> Bucket:
    """Make a bucket on the server."""
    httpx.put(f"{address}/{name}").raise_for_status()
    options = {"endpoint": address, "region": "us-east-1", "access_key_id": "tester", "secret_access_key": "hushed"}
    return Bucket(f"s3://{name}", options)


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(address, timeout=1.0)
        except httpx.TransportError:
            time.sleep(0.05)
            continue
        return
    raise RuntimeError("the S3 server did not start")
