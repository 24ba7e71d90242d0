"""Commands that make data: ``simulate``, ``replay``."""

from pathlib import Path
from typing import Annotated

import typer

from athena.cli.simulate_tomo import simulate_tomo
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

simulate_app = typer.Typer(help="Write simulated sessions with known truth.", no_args_is_help=True)

simulate_app.command("tomo")(simulate_tomo)


@simulate_app.callback()
def _simulate_group() -> None:
    """Write simulated sessions with known truth."""


@simulate_app.command("epu")
def simulate_epu(
    out: Out,
    movies: Annotated[int, typer.Option(help="Movies to take.")] = 20,
    size: Edge = 4096,
    frames: Annotated[int, typer.Option(help="Frames a movie.")] = 40,
    container: Format = "tiff",
    seed: Seed = 1,
    interval: Annotated[float, typer.Option(help="Seconds from one movie to the next; 0: as fast as it goes.")] = 0.0,
    realistic: Annotated[
        bool,
        typer.Option(
            "--realistic",
            help="All that is wrong in a real session: a camera that is not ideal, uneven holes, image shift, film, "
            "crystalline ice, contamination, failures. Other options win over it.",
        ),
    ] = False,
    pixel_size: Annotated[float | None, typer.Option(help="Å a pixel; default 1.", rich_help_panel=MICROSCOPE)] = None,
    voltage: Voltage = None,
    counts: Annotated[
        float | None, typer.Option(help="Electrons a pixel and frame; default 0.8.", rich_help_panel=MICROSCOPE)
    ] = None,
    defocus: Annotated[
        str | None,
        typer.Option(help="Targets, µm, such as 0.8,1.2,1.6; default 0.8 to 2.0.", rich_help_panel=MICROSCOPE),
    ] = None,
    drift: Annotated[
        str | None, typer.Option(help="Shortest to longest, px; default 3-15.", rich_help_panel=MICROSCOPE)
    ] = None,
    phase_plate: Annotated[
        str | None,
        typer.Option(
            help="Phase shift, degrees: 90, or 30-110 to grow from one to the other at each place of the plate.",
            rich_help_panel=MICROSCOPE,
        ),
    ] = None,
    tilt: Annotated[
        float | None, typer.Option(help="Of the stage, degrees; default 0.", rich_help_panel=MICROSCOPE)
    ] = None,
    afis: Annotated[
        bool | None,
        typer.Option(
            "--afis/--no-afis",
            help="The beam goes to the holes of a cluster (27 optics groups), or the stage goes to each hole (3).",
            rich_help_panel=MICROSCOPE,
        ),
    ] = None,
    mtf: Annotated[
        float | None,
        typer.Option(
            help="MTF at Nyquist; 0.64 is that of a pixel that is square and no worse, 1 takes the image at points; "
            "default 1.",
            rich_help_panel=CAMERA,
        ),
    ] = None,
    dqe: Dqe = None,
    gain_spread: GainSpread = None,
    hot_pixels: HotPixels = None,
    structure: Structure = None,
    ice: Annotated[
        str | None, typer.Option(help="Thinnest to thickest, Å; default 200-600.", rich_help_panel=SPECIMEN)
    ] = None,
    mean_free_path: Annotated[
        float | None,
        typer.Option(
            help="Å of ice after which 1/e of the electrons are left (3950 with an energy filter at 300 kV); "
            "default: ice takes none.",
            rich_help_panel=SPECIMEN,
        ),
    ] = None,
    hole_slope: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of the ice's slope in a hole, degrees; default 0.", rich_help_panel=SPECIMEN
        ),
    ] = None,
    hole_height: Annotated[
        float | None,
        typer.Option(help="Standard deviation of the holes' height, µm; default 0.", rich_help_panel=SPECIMEN),
    ] = None,
    carbon: Annotated[
        float | None,
        typer.Option(
            help="Chance of film in the image, a quarter of them film alone; default 0.", rich_help_panel=SPECIMEN
        ),
    ] = None,
    crystalline: Annotated[
        float | None, typer.Option(help="Chance of crystalline ice; default 0.", rich_help_panel=SPECIMEN)
    ] = None,
    contamination: Annotated[
        float | None, typer.Option(help="Chance of ice crystals on the specimen; default 0.", rich_help_panel=SPECIMEN)
    ] = None,
    failures: Annotated[
        float | None,
        typer.Option(
            help="Chance of an empty hole or of an exposure without movie; default 0.", rich_help_panel=SPECIMEN
        ),
    ] = None,
) -> None:
    """Write an EPU session as a microscope would, with its truth in truth.json."""
    from dataclasses import replace

    from athena_pipelines.simulate.microscope import REALISTIC, Microscope
    from athena_pipelines.simulate.session import EpuSimulator
    from athena_pipelines.simulate.structure import APOFERRITIN

    said = {
        "pixel_size_angstrom": pixel_size,
        "voltage_kv": voltage,
        "counts_per_px": counts,
        "target_defocus_um": numbers("defocus", defocus, ","),
        "drift_px": span("drift", drift),
        "phase_shift_deg": span("phase-plate", phase_plate),
        "stage_tilt_deg": tilt,
        "afis": afis,
        "mtf_nyquist": mtf,
        "dqe_zero": dqe,
        "gain_spread": gain_spread,
        "hot_pixels": hot_pixels,
        "ice_angstrom": span("ice", ice),
        "mean_free_path_angstrom": mean_free_path,
        "hole_slope_deg": hole_slope,
        "hole_height_um": hole_height,
        "carbon": carbon,
        "crystalline_ice": crystalline,
        "contamination": contamination,
        "failures": failures,
    }
    wanted = {name: value for name, value in said.items() if value is not None}
    simulator = EpuSimulator(
        out.expanduser().resolve(),
        movies=movies,
        size=(size, size),
        frames=frames,
        seed=seed,
        interval_s=interval,
        container=container,
        structure=structure.expanduser().resolve() if structure is not None else APOFERRITIN,
        microscope=replace(REALISTIC if realistic else Microscope(), **wanted),  # type: ignore[arg-type]
    )
    until_stopped(lambda stop: simulator.run(stop, say_exposure))


@simulate_app.command("thinned")
def simulate_thinned(
    micrograph: Annotated[Path, typer.Argument(help="A real micrograph, MRC, not normalised.")],
    out: Out,
    movies: Annotated[int, typer.Option(help="Pseudo-movies to make.")] = 5,
    frames: Annotated[int, typer.Option(help="Frames a movie.")] = 40,
    dose: Annotated[float | None, typer.Option(help="Total dose, e⁻/Å²; default: as the header says.")] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Pixel size, Å; default: as the header says.")] = None,
    crop: Annotated[int | None, typer.Option(help="Edge of a square from the middle, px; default: all.")] = None,
    seed: Seed = 1,
    interval: Annotated[float, typer.Option(help="Seconds from one movie to the next; 0: as fast as it goes.")] = 0.0,
) -> None:
    """Write an EPU session of pseudo-movies: a real micrograph's electrons dealt out to moving frames."""
    from athena_pipelines.simulate.thinning import ThinnedSession, read_micrograph

    real = read_micrograph(
        micrograph.expanduser().resolve(), total_dose_e_per_A2=dose, pixel_size_angstrom=pixel_size, crop=crop
    )
    session = ThinnedSession(
        out.expanduser().resolve(), real, movies=movies, frames=frames, seed=seed, interval_s=interval
    )
    until_stopped(lambda stop: session.run(stop, say_exposure))


def replay(
    session: Annotated[Path, typer.Argument(help="Session folder; Athena only reads there.")],
    out: Annotated[Path, typer.Argument(help="Folder the session appears in again; an unfinished one is continued.")],
    speed: Annotated[float, typer.Option(help="Times faster than it was taken.")] = 1.0,
    rate: Annotated[str, typer.Option(help="Movies an hour, such as 600/h, instead of the session's own pace.")] = "",
    longest_pause: Annotated[float, typer.Option(help="Longer pauses are cut to this, s.")] = 60.0,
) -> None:
    """Write a session's files again in the order and at the pace in which they were taken."""
    from athena_pipelines.simulate.replay import replay_session

    source, target = session.expanduser().resolve(), out.expanduser().resolve()
    until_stopped(
        lambda stop: replay_session(
            source,
            target,
            speed=speed,
            interval_s=3600 / _per_hour(rate) if rate else None,
            longest_pause_s=longest_pause,
            stop=stop,
            progress=say_exposure,
        )
    )


def _per_hour(rate: str) -> float:
    """Movies an hour from words such as ``600/h``."""
    try:
        number = float(rate.removesuffix("/h"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise Invalid(f"“{rate}” is no rate.", hint="Give movies an hour, such as 600/h.")
    return number
