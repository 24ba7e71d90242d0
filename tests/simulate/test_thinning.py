"""Pseudo-movies hold the electrons of their micrograph, each once, moved as the truth says."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from athena.errors import BadFile, Invalid
from athena.formats.movies import open_movie
from athena.ingest.epu import EpuAdapter
from athena_pipelines.simulate.motion import Motion
from athena_pipelines.simulate.thinning import ThinnedSession, read_micrograph, thin
from athena_pipelines.simulate.truth import read_truth

pytestmark = pytest.mark.feature("AC-05")

REAL = Path(__file__).parent.parent / "data" / "micrographs" / "epu2.9_crop.mrc"


def test_a_real_micrograph_becomes_electrons() -> None:
    micrograph = read_micrograph(REAL)
    assert micrograph.pixel_size_angstrom == pytest.approx(0.66655, rel=1e-4)
    assert micrograph.total_dose_e_per_A2 == pytest.approx(41.171, rel=1e-4)
    assert micrograph.electrons.mean() == pytest.approx(18.29, abs=0.01)
    assert (micrograph.voltage_kv, micrograph.target_defocus_um) == (300, pytest.approx(2.2))
    assert read_micrograph(REAL, crop=100).electrons.shape == (100, 100)


def test_every_electron_is_in_one_frame_and_frames_are_alike() -> None:
    rng = np.random.default_rng(1)
    electrons = rng.poisson(18.3, (120, 140)).astype(np.uint16)
    electrons[-1, -1] = 3000
    frames = list(thin(electrons, Motion(np.zeros((12, 2)), np.zeros((2, 5, 3))), (120, 140), seed=4))
    assert np.array_equal(np.sum(frames, axis=0, dtype=np.uint32)[electrons < 255], electrons[electrons < 255])
    means = [frame.mean() for frame in frames]
    assert means == pytest.approx([electrons.mean() / 12] * 12, abs=0.06)
    # dealt out at random, a Poisson image gives independent Poisson frames
    assert frames[3][:-1].var() == pytest.approx(frames[3][:-1].mean(), rel=0.05)
    first, second = (frame[:-1].astype(float).ravel() for frame in frames[:2])
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


def test_a_thinned_session_is_an_epu_session_that_says_what_it_is(tmp_path: Path) -> None:
    micrograph = read_micrograph(REAL)
    folder = ThinnedSession(tmp_path, micrograph, movies=2, frames=6, drift_px=10, seed=2, interval_s=0).run()
    truth = read_truth(folder)
    assert "ThinnedPseudoMovies" in folder.name
    assert truth.kind == "thinned"
    assert "Thinned pseudo-movie" in truth.source
    session = EpuAdapter().scan(folder)
    assert session.problems == ()
    assert (
        "Thinned pseudo-movie"
        in {item.name: item.value for item in session.metadata if item.group == "Instrument"}["Camera"]
    )
    for exposure, movie in zip(session.exposures, truth.movies, strict=True):
        assert "Thinned pseudo-movie" in exposure.optics.camera
        assert exposure.optics.pixel_size_angstrom == pytest.approx(micrograph.pixel_size_angstrom)
        assert exposure.optics.total_dose_e_per_A2 == pytest.approx(41.171, rel=1e-4)
        assert movie.defocus_u_angstrom is None
        # undoing the true motion gives the micrograph back
        corrected = np.zeros((236 - 20, 236 - 20), dtype=np.uint16)
        with open_movie(str(exposure.movie)) as file:
            for frame, (dx, dy) in enumerate(movie.motion.global_px):
                corrected += file.read(frame)[10 + int(dy) : 226 + int(dy), 10 + int(dx) : 226 + int(dx)]
        assert np.array_equal(corrected, micrograph.electrons[20:236, 20:236])


def test_what_is_no_micrograph_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.mrc"
    with mrcfile.new(plain) as mrc:
        mrc.set_data(np.full((128, 128), 7, dtype=np.uint16))
    with pytest.raises(Invalid, match="does not say its dose"):
        read_micrograph(plain)
    micrograph = read_micrograph(plain, total_dose_e_per_A2=40.0, pixel_size_angstrom=0.5)
    assert micrograph.electrons.mean() == pytest.approx(10)
    with mrcfile.new(plain, overwrite=True) as mrc:
        mrc.set_data(np.full((128, 128), -1, dtype=np.int16))
    with pytest.raises(BadFile, match="no micrograph of counts"):
        read_micrograph(plain)
    with pytest.raises(Invalid, match="cannot be thinned"):
        ThinnedSession(tmp_path, micrograph, movies=1, frames=4, drift_px=60)
