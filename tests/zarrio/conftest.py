"""Fixtures of the stores' tests."""

from pathlib import Path

import pytest

from athena.zarrio.writer import RunWriter


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A new run's group."""
    path = tmp_path / "run.zarr"
    RunWriter.create(path, frames=6)
    return path
