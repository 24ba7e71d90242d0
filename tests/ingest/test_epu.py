"""EPU sessions, real and simulated, whole, growing and damaged, are found for what they are."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from athena.contract.acquisitions import DiscoveredSession
from athena.errors import BadFile, Invalid
from athena.formats.epu_xml_atlas import read_atlas, read_sample
from athena.formats.epu_xml_session import read_session
from athena.ingest.adapter import adapter_names, load_adapter, locate_session
from athena.ingest.epu import EpuAdapter
from athena.ingest.epu_exposure import movie_shape

pytestmark = pytest.mark.feature("AC-01")


def scan(path: Path) -> DiscoveredSession:
    return EpuAdapter().scan(path)


def krios_session(krios: Path) -> Path:
    return next(krios.glob("Supervisor_*"))


def krios_exposure(krios: Path) -> Path:
    return next(krios_session(krios).glob("Images-Disc1/*/Data/*.xml"))


def test_the_adapter_is_found_by_its_entry_point() -> None:
    assert isinstance(load_adapter("epu"), EpuAdapter)
    assert "epu" in adapter_names()


def test_a_real_session_is_found_in_full(krios: Path) -> None:
    session = scan(krios_session(krios))
    assert session.problems == ()
    assert session.software == "EPU 3.4.0.5704"
    assert session.gain_corrected is False
    (atlas,) = session.atlases
    assert (atlas.id, atlas.sample, atlas.node_count) == ("19493264", "grid1", 272)
    assert atlas.pixel_size_um == pytest.approx(0.48246, rel=1e-4)
    assert len(session.grid_squares) == 272
    assert all(square.atlas_x_px is not None and square.atlas_id == "19493264" for square in session.grid_squares)
    (opened,) = [square for square in session.grid_squares if square.image]
    assert opened.id == 19493759
    assert (opened.width_px, opened.height_px) == (2880, 2046)
    hole, exposed = session.foil_holes
    assert (hole.id, hole.grid_square_id) == (19507368, 19493759)
    assert hole.image is not None
    # no targets are there, so that its place comes from the image's matrix; it must lie inside the image
    assert 0 < (hole.square_x_px or 0) < 2880
    assert 0 < (hole.square_y_px or 0) < 2046
    assert hole.diameter_px == pytest.approx(40.6, abs=0.1)
    assert exposed.id == 19513699
    (exposure,) = session.exposures
    assert exposure.movie is None
    assert (exposure.grid_square_id, exposure.foil_hole_id) == (19493759, 19513699)
    assert exposure.preview is not None
    optics = exposure.optics
    assert optics.pixel_size_angstrom == pytest.approx(1.05588, rel=1e-5)
    assert optics.total_dose_e_per_A2 == pytest.approx(39.923, rel=1e-4)
    assert (optics.frame_count, optics.exposure_time_s, optics.voltage_kv) == (50, 0.75, 300)
    assert (optics.target_defocus_um, optics.energy_slit_ev, optics.camera) == (2.0, 10, "BioQuantum K3")
    values = {(item.group, item.name): item.value for item in session.metadata}
    assert values["Grid", "Autoloader slot"] == 2
    assert values["Acquisition", "Target defocus"] == "0.50, 1.00, 1.50, 2.00, 2.50"
    assert values["Grid", "Hole size"] == pytest.approx(1.3705, rel=1e-4)


def test_every_sample_of_a_real_atlas_session_is_read(krios: Path) -> None:
    counts = []
    for number in range(6):
        atlas = read_atlas(next(krios.glob(f"atlas/*/Sample{number}/Atlas/Atlas.dm")))
        sample = read_sample(atlas.path.parent.parent / "Sample.dm")
        assert sample.slot == number
        assert (sample.status == "Acquired") == bool(atlas.nodes)
        assert (atlas.canvas is None) == (atlas.tile_count == 0)
        counts.append(len(atlas.nodes))
    assert counts == [0, 0, 272, 73, 392, 254]


def test_references_are_followed_in_a_real_session(krios: Path) -> None:
    session = read_session(krios_session(krios) / "EpuSession.dm")
    assert session.slot == 2
    assert len(session.areas) == 7
    (defocus,) = {area.defocus_m for area in session.areas}
    assert defocus == pytest.approx((-2.5e-6, -2e-6, -1.5e-6, -1e-6, -5e-7))
    assert read_atlas(next(krios.glob("atlas/*/Sample2/Atlas/Atlas.dm"))).nodes[0].square_id in session.square_ids


def test_dose_on_the_camera_is_dose_times_pixel_area(krios: Path, falcon3: Path, falcon4i: Path) -> None:
    from athena.formats.epu_xml_image import read_image

    files = [krios_exposure(krios), *falcon3.glob("*[0-9].xml"), *falcon4i.glob("*.xml")]
    assert len(files) == 17
    for file in files:
        image = read_image(file)
        assert image.dose_e_per_m2 is not None
        assert image.pixel_size_m is not None
        assert image.dose_on_camera_e_per_px == pytest.approx(image.dose_e_per_m2 * image.pixel_size_m**2, rel=0.01)


def test_loose_falcon_3_exposures_get_their_frames_from_the_fractions_file(falcon3: Path) -> None:
    session = scan(falcon3)
    assert session.problems == ()
    assert [exposure.optics.frame_count for exposure in session.exposures] == [22] * 6
    assert [exposure.name[-6:] for exposure in session.exposures] == sorted(e.name[-6:] for e in session.exposures)
    assert all(exposure.movie is None for exposure in session.exposures)
    shifts = {(e.optics.beam_shift_x, e.optics.beam_shift_y) for e in session.exposures}
    assert len(shifts) == 6


def test_event_data_agrees_with_what_another_tool_read(falcon4i: Path) -> None:
    expected = json.loads((falcon4i / "tutorial_correct.json").read_text())["acquisition"]
    session = scan(falcon4i)
    assert len(session.exposures) == expected["images_generated"]
    first = session.exposures[0]
    assert first.acquired is not None
    assert first.acquired.isoformat(timespec="seconds") == expected["date_time"]
    optics = first.optics
    assert optics.camera == expected["detector"]
    assert optics.energy_slit_ev == expected["energy_filter"]["width_energy_filter"]["value"]
    assert optics.exposure_time_s == expected["exposure_time"]["value"]
    assert optics.nominal_magnification == expected["nominal_magnification"]
    assert optics.pixel_size_angstrom == pytest.approx(expected["pixel_size"]["value"], rel=1e-9)
    assert optics.phase_plate is expected["specialist_optics"]["phaseplate"]["used"]
    assert optics.frame_count is None
    shifts = [exposure.optics.beam_shift_x or 0 for exposure in session.exposures]
    limits = expected["beamshift"]
    assert (min(shifts), max(shifts)) == pytest.approx((limits["x_min"]["value"], limits["x_max"]["value"]))


@pytest.mark.parametrize(
    ("name", "shape", "pixel"),
    [
        ("_fractions.tiff", (2046, 2880), 1.05588),
        ("_Fractions.TIF", (4092, 5760), 0.52794),
        ("_fractions.tiff", (5760, 4092), 0.52794),
        ("_fractions.tiff", (8184, 11520), 0.26397),
        ("_Fractions.mrc", (4092, 5760), 0.52794),
        ("_EER.eer", (2048, 2880), 1.05588),
    ],
)
def test_pixel_size_is_that_of_the_movie_whatever_it_is_called(
    krios: Path, name: str, shape: tuple[int, int], pixel: float
) -> None:
    xml = krios_exposure(krios)
    movie = xml.with_name(xml.stem + name)
    if name.endswith(".mrc"):
        movie.write_bytes(np.array([shape[1], shape[0], 1, 1], dtype="<i4").tobytes().ljust(1024, b"\x00"))
    else:
        tifffile.memmap(movie, shape=shape, dtype=np.uint8)  # all holes: nothing is written but the head
    (exposure,) = scan(krios_session(krios)).exposures
    assert exposure.movie == str(movie)
    assert exposure.optics.pixel_size_angstrom == pytest.approx(pixel, rel=1e-4)


def test_a_movie_of_another_shape_is_doubted_aloud(krios: Path) -> None:
    xml = krios_exposure(krios)
    tifffile.imwrite(xml.with_name(f"{xml.stem}_fractions.tiff"), np.zeros((512, 512), dtype=np.uint8))
    session = scan(krios_session(krios))
    assert "512 × 512 px where its XML says 2880 × 2046" in session.exposures[0].problem
    assert len(session.problems) == 1


def test_a_movie_whose_head_is_not_written_yet_is_taken_as_it_is(krios: Path) -> None:
    xml = krios_exposure(krios)
    xml.with_name(f"{xml.stem}_fractions.tiff").write_bytes(b"II")
    (exposure,) = scan(krios_session(krios)).exposures
    assert exposure.movie is not None
    assert exposure.problem == ""
    assert exposure.optics.pixel_size_angstrom == pytest.approx(1.05588, rel=1e-5)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])


def bomb(path: Path) -> None:
    path.write_text('<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><MicroscopeImage>&b;</MicroscopeImage>')


def foreign(path: Path) -> None:
    path.write_text("<html><body/></html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, bomb, foreign, empty])
@pytest.mark.parametrize(
    "victim",
    ["EpuSession.dm", "Images-Disc1/*/GridSquare_*.xml", "Images-Disc1/*/FoilHoles/*.xml", "Images-Disc1/*/Data/*.xml"],
)
def test_a_damaged_file_is_named_and_the_rest_is_still_found(
    krios: Path, victim: str, damage: Callable[[Path], None]
) -> None:
    path = next(krios_session(krios).glob(victim))
    whole = path.read_bytes()
    damage(path)
    session = scan(krios_session(krios))
    assert any(str(path) in problem for problem in session.problems)
    assert len(session.exposures) == 1
    assert len(session.grid_squares) == (272 if victim != "EpuSession.dm" else 1)
    path.write_bytes(whole)
    assert scan(krios_session(krios)).problems == ()


def test_a_damaged_atlas_costs_only_the_atlas(krios: Path) -> None:
    atlas = next(krios.glob("atlas/*/Sample2/Atlas/Atlas.dm"))
    truncate(atlas)
    session = scan(krios_session(krios))
    assert session.atlases == ()
    assert len(session.grid_squares) == 272
    assert any(str(atlas) in problem for problem in session.problems)
    shutil.rmtree(krios / "atlas")
    (problem,) = scan(krios_session(krios)).problems
    assert "Copy the atlas session beside the session" in problem


def test_the_atlas_is_found_in_a_folder_of_another_name(krios: Path) -> None:
    (krios / "atlas").rename(krios / "screening of Tuesday")
    assert scan(krios_session(krios)).atlases[0].node_count == 272


def test_an_atlas_path_cannot_lead_out_of_the_neighbourhood(krios: Path) -> None:
    path = krios_session(krios) / "EpuSession.dm"
    text = path.read_text(encoding="utf-8-sig")
    start = text.index("Z:\\bi23047-106\\atlas")
    path.write_text(text[:start] + "Z:\\..\\..\\..\\etc\\Sample1\\Atlas\\" + text[text.index("Atlas.dm", start) :])
    session = scan(krios_session(krios))
    assert session.atlases == ()
    assert "names no usable atlas path" in session.problems[0]


def test_folders_that_are_no_sessions_say_so(tmp_path: Path, krios: Path) -> None:
    assert not EpuAdapter().recognises(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert not EpuAdapter().recognises(tmp_path / "empty")
    assert "holds no EPU session" in scan(tmp_path / "empty").problems[0]
    assert f"Give a folder in it: {krios_session(krios).name}" in scan(krios).problems[0]
    with pytest.raises(BadFile, match="is not a folder"):
        scan(tmp_path / "absent")


def test_images_taken_again_replace_the_older_ones(krios: Path) -> None:
    square = next(krios_session(krios).glob("Images-Disc1/*/GridSquare_*.xml"))
    for suffix in (".xml", ".jpg"):
        shutil.copy(square.with_suffix(suffix), square.with_name(f"GridSquare_20230918_010101{suffix}"))
        shutil.copy(square.with_suffix(suffix), square.with_name(f"GridSquare_20230920_010101{suffix}"))
    (opened,) = [found for found in scan(krios_session(krios)).grid_squares if found.image]
    assert Path(str(opened.image)).name == "GridSquare_20230920_010101.jpg"


def test_a_gain_reference_in_the_session_is_told(krios: Path) -> None:
    session = krios_session(krios)
    (session / "20230919_gain.mrc").write_bytes(b"")
    assert scan(session).gain_reference == str(session / "20230919_gain.mrc")
    (session / "other.gain").write_bytes(b"")
    assert scan(session).gain_reference is None


def test_a_movie_without_metadata_is_found_and_said_to_lack_it(tmp_path: Path) -> None:
    data = tmp_path / "Images-Disc1" / "GridSquare_7" / "Data"
    data.mkdir(parents=True)
    tifffile.imwrite(data / "FoilHole_1_Data_2_3_20230919_154056_fractions.tiff", np.zeros((8, 8), dtype=np.uint8))
    (exposure,) = scan(tmp_path).exposures
    assert exposure.movie is not None
    assert exposure.optics.pixel_size_angstrom is None
    assert "XML is not there" in exposure.problem


def test_a_folder_that_cannot_be_listed_is_a_problem(krios: Path) -> None:
    target = krios_session(krios) / "Metadata"
    target.mkdir()
    (target / "GridSquare_1.dm").symlink_to(target / "absent")
    assert scan(krios_session(krios)).problems == ()
    if os.geteuid() == 0:
        return
    target.chmod(0)
    assert "cannot be listed" in scan(krios_session(krios)).problems[0]
    target.chmod(0o755)


def test_an_exposure_may_lie_on_two_discs(krios: Path) -> None:
    xml = krios_exposure(krios)
    other = krios_session(krios) / "Images-Disc2" / xml.parent.parent.name / "Data"
    other.mkdir(parents=True)
    tifffile.memmap(other / f"{xml.stem}_fractions.tiff", shape=(2046, 2880), dtype=np.uint8)
    (exposure,) = scan(krios_session(krios)).exposures
    assert (exposure.xml, exposure.movie) == (str(xml), str(other / f"{xml.stem}_fractions.tiff"))
    assert exposure.preview is not None


def test_damaged_fractions_cost_only_the_frame_count(falcon3: Path) -> None:
    damaged = sorted(falcon3.glob("*_Fractions.xml"))[0]
    truncate(damaged)
    session = scan(falcon3)
    assert sorted(str(exposure.optics.frame_count) for exposure in session.exposures) == ["22"] * 5 + ["None"]
    (problem,) = session.problems
    assert str(damaged) in problem


def test_the_one_session_in_a_folder_is_meant(tmp_path: Path, krios: Path) -> None:
    inside = krios_session(krios)
    assert locate_session(inside, "epu") == inside
    assert locate_session(krios, "epu") == inside
    (tmp_path / "empty").mkdir()
    assert locate_session(tmp_path / "empty", "epu") == tmp_path / "empty"
    assert locate_session(tmp_path / "absent", "epu") == tmp_path / "absent"
    shutil.copytree(inside, krios / "Second session")
    with pytest.raises(Invalid, match=r"2 sessions: Second session, "):
        locate_session(krios, "epu")


def test_a_movie_whose_head_is_half_written_has_no_shape_yet(tmp_path: Path) -> None:
    path = tmp_path / "movie.tiff"
    tifffile.imwrite(path, np.zeros((2, 32, 48), np.uint8), photometric="minisblack")
    assert movie_shape(path) == (32, 48)
    with tifffile.TiffFile(path) as tiff:
        place = tiff.pages.first.tags["ImageLength"].valueoffset
    with path.open("r+b") as stream:
        stream.seek(place)
        stream.write(bytes(2))
    assert movie_shape(path) is None
