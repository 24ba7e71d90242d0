"""``athena simulate tomo``."""

from typing import Annotated, Literal

import typer

from athena.cli.simulating import (
    CAMERA,
    MICROSCOPE,
    SPECIMEN,
    Dqe,
    Edge,
    Format,
    GainSpread,
    HotPixels,
    Out,
    Seed,
    Structure,
    Voltage,
    numbers,
    say_exposure,
    span,
    until_stopped,
)
from athena.errors import Invalid

SERIES = "Tilt series"


def simulate_tomo(
    out: Out,
    series: Annotated[int, typer.Option(help="Places to take tilt series at, one each unless --shots.")] = 1,
    size: Edge = 1024,
    frames: Annotated[int, typer.Option(help="Frames a tilt.")] = 8,
    container: Format = "tiff",
    seed: Seed = 1,
    interval: Annotated[float, typer.Option(help="Seconds from one tilt to the next; 0: as fast as it goes.")] = 0.0,
    realistic: Annotated[
        bool,
        typer.Option(
            "--realistic", help="A camera that is not ideal, and now and then a dark tilt. Other options win over it."
        ),
    ] = False,
    scheme: Annotated[
        Literal["dose-symmetric", "bidirectional", "unidirectional"] | None,
        typer.Option(help="Order of the tilts; default dose-symmetric.", rich_help_panel=SERIES),
    ] = None,
    angles: Annotated[
        str | None,
        typer.Option(
            "--range",
            help="Degrees to both sides, or lowest,highest such as --range=-48,66; default 60.",
            rich_help_panel=SERIES,
        ),
    ] = None,
    step: Annotated[
        float | None, typer.Option(help="Degrees from tilt to tilt; default 3.", rich_help_panel=SERIES)
    ] = None,
    start: Annotated[
        float | None, typer.Option(help="Angle of the first tilt, degrees; default 0.", rich_help_panel=SERIES)
    ] = None,
    tilts: Annotated[
        int | None,
        typer.Option(help="Each series breaks off after so many; default: all of the range.", rich_help_panel=SERIES),
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(
            help="Series from each place of the stage by image shift, in turn at each angle; default 1.",
            rich_help_panel=SERIES,
        ),
    ] = None,
    dose: Annotated[float | None, typer.Option(help="Of a tilt, e⁻/Å²; default 3.", rich_help_panel=SERIES)] = None,
    tracking: Annotated[
        float | None,
        typer.Option(help="How far the specimen strays from tilt to tilt, Å; default 60.", rich_help_panel=SERIES),
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Å a pixel; default 2.", rich_help_panel=MICROSCOPE)] = None,
    voltage: Voltage = None,
    defocus: Annotated[
        str | None, typer.Option(help="Targets, µm, such as 3,4,5, which is the default.", rich_help_panel=MICROSCOPE)
    ] = None,
    drift: Annotated[
        str | None, typer.Option(help="Shortest to longest in a tilt, px; default 0.5-4.", rich_help_panel=MICROSCOPE)
    ] = None,
    tilt_axis: Annotated[
        float | None,
        typer.Option(
            help="Degrees from upright, counter-clockwise, as IMOD counts it; default 85.", rich_help_panel=MICROSCOPE
        ),
    ] = None,
    hand: Annotated[
        int | None,
        typer.Option(
            help="Defocus falls (-1) or grows (1) with the height that the geometry gives; default -1.",
            rich_help_panel=MICROSCOPE,
        ),
    ] = None,
    mtf: Annotated[
        float | None,
        typer.Option(help="MTF at Nyquist; 1 takes the image at points; default 1.", rich_help_panel=CAMERA),
    ] = None,
    dqe: Dqe = None,
    gain_spread: GainSpread = None,
    hot_pixels: HotPixels = None,
    structure: Structure = None,
    ice: Annotated[
        str | None, typer.Option(help="Thinnest to thickest slab, Å; default 800-2000.", rich_help_panel=SPECIMEN)
    ] = None,
    mean_free_path: Annotated[
        float | None,
        typer.Option(
            help="Å of ice after which 1/e of the electrons are left; default 3950; 0: ice takes none.",
            rich_help_panel=SPECIMEN,
        ),
    ] = None,
    concentration: Annotated[
        float | None,
        typer.Option(help="Share of the slab that molecules fill; default 0.04.", rich_help_panel=SPECIMEN),
    ] = None,
    beads: Annotated[
        int | None, typer.Option(help="Gold beads in the image at 0°; default none.", rich_help_panel=SPECIMEN)
    ] = None,
    bead_diameter: Annotated[
        str | None, typer.Option(help="Smallest to largest, Å; default 90-110.", rich_help_panel=SPECIMEN)
    ] = None,
    x_tilt: Annotated[
        str | None,
        typer.Option(
            help="How the slab lies in the holder, lowest,highest or one, degrees; default -2,2.",
            rich_help_panel=SPECIMEN,
        ),
    ] = None,
    y_tilt: Annotated[
        str | None,
        typer.Option(help="The same about the tilt axis; a lamella has --y-tilt 10.", rich_help_panel=SPECIMEN),
    ] = None,
    failures: Annotated[
        float | None,
        typer.Option(help="Chance of a dark tilt, a bar being in the way; default 0.", rich_help_panel=SPECIMEN),
    ] = None,
) -> None:
    """Write a Tomography 5 session as a microscope would, with its truth in truth.json."""
    from dataclasses import replace

    from athena_pipelines.simulate.structure import APOFERRITIN
    from athena_pipelines.simulate.tomo.session import TomoSimulator
    from athena_pipelines.simulate.tomo.settings import REALISTIC, Tomography

    said = {
        "scheme": scheme,
        "angles_deg": _both_sides(angles),
        "step_deg": step,
        "start_deg": start,
        "tilts": tilts,
        "shots": shots,
        "dose_e_per_A2": dose,
        "tracking_angstrom": tracking,
        "pixel_size_angstrom": pixel_size,
        "voltage_kv": voltage,
        "target_defocus_um": numbers("defocus", defocus, ","),
        "drift_px": span("drift", drift),
        "tilt_axis_deg": tilt_axis,
        "hand": hand,
        "mtf_nyquist": mtf,
        "dqe_zero": dqe,
        "gain_spread": gain_spread,
        "hot_pixels": hot_pixels,
        "thickness_angstrom": span("ice", ice),
        "mean_free_path_angstrom": mean_free_path,
        "concentration": concentration,
        "beads": beads,
        "bead_diameter_angstrom": span("bead-diameter", bead_diameter),
        "x_tilt_deg": _ends("x-tilt", x_tilt),
        "y_tilt_deg": _ends("y-tilt", y_tilt),
        "failures": failures,
    }
    wanted = {name: value for name, value in said.items() if value is not None}
    simulator = TomoSimulator(
        out.expanduser().resolve(),
        series=series,
        size=(size, size),
        frames=frames,
        seed=seed,
        interval_s=interval,
        container=container,
        structure=structure.expanduser().resolve() if structure is not None else APOFERRITIN,
        settings=replace(REALISTIC if realistic else Tomography(), **wanted),  # type: ignore[arg-type]
    )
    until_stopped(lambda stop: simulator.run(stop, say_exposure))


def _both_sides(text: str | None) -> tuple[float, float] | None:
    """Lowest and highest angle; one alone is to both sides of 0."""
    found = _ends("range", text.removeprefix("±") if text is not None else None)
    if found is None or found[0] != found[1]:
        return found
    return -abs(found[0]), abs(found[0])


def _ends(option: str, text: str | None) -> tuple[float, float] | None:
    """Lowest and highest, which may be negative, or one for both."""
    found = numbers(option, text, ",")
    if found is None:
        return None
    if len(found) > 2:
        raise Invalid(f"“{text}” is no range for --{option}.", hint=f"Give one number, or two such as --{option}=-2,2.")
    return found[0], found[-1]
