"""What several tests of the simulator look at."""

from pathlib import Path

import pytest

from tests.simulate.tomography import tiny


@pytest.fixture(scope="session")
def tilt_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series of three tilts: 0°, 30° and −30°."""
    return tiny(tmp_path_factory.mktemp("tomo"), series=2).run()
