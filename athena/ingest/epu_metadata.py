"""Values of an EPU session as a whole, for the run's metadata."""

import math
from collections.abc import Iterator, Sequence

from athena.contract.acquisitions import DiscoveredExposure, SessionMetadatum
from athena.formats.epu_xml_session import EpuSession

Value = str | float | int | bool


def session_metadata(
    session: EpuSession | None, exposures: Sequence[DiscoveredExposure]
) -> tuple[SessionMetadatum, ...]:
    """What is known of the session; unknown values are left out. The microscope is that of the first exposure."""
    found = [*(_of_session(session) if session else ()), *_of_exposures(exposures)]
    return tuple(
        SessionMetadatum(group=group, name=name, value=value, quantity=quantity, unit=unit)
        for group, name, value, quantity, unit in found
        if value is not None and value != ""
    )


def _of_session(session: EpuSession) -> Iterator[tuple[str, str, Value | None, str, str]]:
    yield "Session", "Name", session.name, "", ""
    yield "Session", "Software", f"EPU {session.version}".strip(), "", ""
    yield "Session", "Started", session.started.isoformat() if session.started else None, "", ""
    yield "Session", "Movie format", session.movie_format, "", ""
    yield "Session", "Movies gain corrected", session.gain_corrected, "", ""
    yield "Session", "Phase plate", session.phase_plate, "", ""
    yield "Session", "Clustering", _CLUSTERING.get(session.clustering, session.clustering), "", ""
    yield "Grid", "Name", session.grid_name, "", ""
    yield "Grid", "Autoloader slot", session.slot, "", ""
    yield "Grid", "Type", session.grid_type, "", ""
    yield "Grid", "Grid squares", len(session.square_ids) or None, "", ""
    yield "Grid", "Hole size", _scaled(session.hole_size_m, 1e6), "length", "µm"
    yield "Grid", "Hole spacing", _scaled(session.hole_spacing_m, 1e6), "length", "µm"
    yield "Grid", "Hole rotation", _scaled(session.hole_rotation_rad, 180 / math.pi), "angle", "°"
    yield "Acquisition", "Exposures a hole", len(session.areas) or None, "", ""
    defocus = sorted({value for area in session.areas for value in area.defocus_m}, reverse=True)
    targets = [round(-value * 1e6, 4) for value in defocus]
    yield "Acquisition", "Target defocus", ", ".join(f"{value:.2f}" for value in targets), "", "µm" if targets else ""
    yield "Acquisition", "Least target defocus", min(targets, default=None), "length", "µm"
    yield "Acquisition", "Greatest target defocus", max(targets, default=None), "length", "µm"
    times = sorted({area.exposure_time_s for area in session.areas if area.exposure_time_s})
    yield "Acquisition", "Exposure time", times[0] if len(times) == 1 else None, "time", "s"


def _of_exposures(exposures: Sequence[DiscoveredExposure]) -> Iterator[tuple[str, str, Value | None, str, str]]:
    first = next((e.optics for e in exposures if e.optics.voltage_kv is not None), None)
    if first is None:
        return
    yield "Instrument", "Microscope", first.microscope, "", ""
    yield "Instrument", "Voltage", first.voltage_kv, "voltage", "kV"
    yield "Instrument", "Nominal magnification", first.nominal_magnification, "magnification", "×"
    yield "Instrument", "Energy slit", first.energy_slit_ev, "energy", "eV"
    yield "Instrument", "Spherical aberration", first.spherical_aberration_mm, "spherical_aberration", "mm"
    yield "Instrument", "Camera", first.camera, "", ""
    yield "Acquisition", "Pixel size", first.pixel_size_angstrom, "length", "Å"
    yield "Acquisition", "Frames", first.frame_count, "", ""
    yield "Acquisition", "Dose", first.total_dose_e_per_A2, "electron_dose", "e⁻/Å²"


_CLUSTERING = {"ClusteringWithImageBeamShift": "aberration-free image shift", "NoClustering": "none"}


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
