"""What the simulator writes and what the adapter finds are the same session; and scanning a long one again is cheap."""

import shutil
import time
from pathlib import Path

import pytest

from athena.ingest.epu import EpuAdapter
from athena_pipelines.simulate.session import EpuSimulator
from athena_pipelines.simulate.truth import read_truth

pytestmark = pytest.mark.feature("AC-01", "AC-05")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated")
    return EpuSimulator(out, movies=4, size=(96, 128), frames=3, seed=5, interval_s=0).run()


def test_a_simulated_session_is_found_as_it_was_written(simulated: Path) -> None:
    truth = read_truth(simulated)
    session = EpuAdapter().scan(simulated)
    assert session.problems == ()
    assert session.name == truth.name
    assert session.started == truth.started
    assert session.gain_corrected is True
    assert [exposure.name for exposure in session.exposures] == [movie.name for movie in truth.movies]
    for exposure, movie in zip(session.exposures, truth.movies, strict=True):
        assert exposure.problem == ""
        assert exposure.movie == str(simulated / str(movie.movie))
        assert exposure.acquired == movie.acquired
        assert (exposure.grid_square_id, exposure.foil_hole_id) == (movie.grid_square_id, movie.foil_hole_id)
        optics = exposure.optics
        assert optics.pixel_size_angstrom == pytest.approx(movie.pixel_size_angstrom)
        assert optics.total_dose_e_per_A2 == pytest.approx(movie.total_dose_e_per_A2)
        assert optics.frame_count == movie.frames
        assert optics.target_defocus_um == pytest.approx(movie.target_defocus_um)
    assert len({(e.stage.x_um, e.stage.y_um) for e in session.exposures if e.stage}) == 4


def test_squares_and_holes_lie_where_the_grid_has_them(simulated: Path) -> None:
    session = EpuAdapter().scan(simulated)
    (atlas,) = session.atlases
    assert atlas.node_count == len(session.grid_squares)
    (opened,) = [square for square in session.grid_squares if square.image]
    assert opened.stage is not None
    # the square in the middle of the grid is in the middle of the atlas
    assert (opened.atlas_x_px, opened.atlas_y_px) == (2002.5, 1985.0)
    for hole in session.foil_holes:
        assert hole.grid_square_id == opened.id
        assert hole.image is not None
        assert hole.stage is not None
        assert abs(hole.stage.x_um - opened.stage.x_um) < 20
        assert 0 < (hole.square_x_px or 0) < 2880
        assert hole.diameter_px == 80


def test_scanning_a_long_session_again_is_cheap(simulated: Path, tmp_path: Path) -> None:
    first = EpuAdapter().scan(simulated).exposures[0]
    shutil.copytree(simulated, tmp_path / "long")
    data = next((tmp_path / "long").glob("Images-Disc1/*/Data"))
    xml = Path(str(first.xml)).read_bytes()
    for number in range(1000):
        (data / f"FoilHole_{30_000_000 + number}_Data_20500000_20500002_20260101_000000.xml").write_bytes(xml)
    begin = time.process_time()
    found = EpuAdapter().scan(tmp_path / "long")
    middle = time.process_time()
    again = EpuAdapter().scan(tmp_path / "long")
    end = time.process_time()
    assert len(found.exposures) == 1004
    assert again == found
    # a ratio within one run: reading is a hundred times dearer than looking, asserted with room to spare
    assert end - middle < (middle - begin) / 4
