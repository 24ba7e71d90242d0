"""``athena process``: movies and micrographs without a server, for scripts and comparisons.

Numerical libraries are loaded only after their thread pools have been told to keep to one thread each.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from athena.errors import AthenaError, Invalid

if TYPE_CHECKING:
    from concurrent.futures import Future

    from athena.contract.processing import GainFit, GainOrientation, GainSense, MovieParameters

process_app = typer.Typer(help="Process movies and micrographs without a server.", no_args_is_help=True)

UNUSED = ("scipy.linalg", "coverage", "cffi")
"""Modules that Numba looks for and that no kernel of a movie needs: its linear algebra, its trace, calls of C."""
THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

ORIENTATION_NAMES = (
    "as_is",
    "rotate_90",
    "rotate_180",
    "rotate_270",
    "flip_y",
    "antitranspose",
    "flip_x",
    "transpose",
)
"""By their numbers; the contract, which has them too, takes a while to import."""

PixelSize = Annotated[float, typer.Option(help="Of the movie, Å.", min=0.01)]
Voltage = Annotated[float, typer.Option(help="Acceleration voltage, kV.", min=1, max=2000)]
Cs = Annotated[float, typer.Option(help="Spherical aberration, mm.", min=0)]
AmplitudeContrast = Annotated[float, typer.Option(help="Fraction, 0 to 1.", min=0, max=0.99)]
PhaseShift = Annotated[bool, typer.Option("--phase-shift", help="Fit a phase shift too (phase plate).")]
MinDefocus = Annotated[float, typer.Option(help="Smallest defocus looked for, Å.", min=1)]
MaxDefocus = Annotated[float, typer.Option(help="Largest defocus looked for, Å.", min=1)]
MinResolution = Annotated[float, typer.Option(help="Lowest resolution of the CTF fit, Å.", min=1)]
MaxResolution = Annotated[float, typer.Option(help="Highest resolution of the CTF search, Å.", min=1)]


@process_app.command("movie")
def process_movie(
    movies: Annotated[list[Path], typer.Argument(help="Movies: TIFF, MRC or EER.", metavar="FILE…")],
    out: Annotated[Path, typer.Option(help="Folder the results go into; made as needed.")],
    pixel_size: PixelSize,
    voltage: Voltage,
    cs: Cs = 2.7,
    amplitude_contrast: AmplitudeContrast = 0.07,
    dose_per_frame: Annotated[
        float | None,
        typer.Option(
            help="e⁻/Å² a frame, of EER a fraction; without it no weighting, unless a file says it.",
            min=0,
        ),
    ] = None,
    pre_exposure: Annotated[float, typer.Option(help="e⁻/Å² before the first frame.", min=0)] = 0.0,
    gain: Annotated[Path | None, typer.Option(help="Gain reference of the movies.")] = None,
    gain_orientation: Annotated[
        str,
        typer.Option(
            help=f"auto measures it on the movies; 0 to 7 or {', '.join(ORIENTATION_NAMES)}: turns, then flips."
        ),
    ] = "auto",
    gain_sense: Annotated[
        str, typer.Option(help="Whether counts are multiplied or divided by it: auto, multiply, divide.")
    ] = "auto",
    defects: Annotated[
        Path | None,
        typer.Option(help="Defects of the camera: SerialEM's list, rectangles (x y width height), XML, or an image."),
    ] = None,
    patches: Annotated[
        str, typer.Option(help="Patches across and down, such as 5x5; 1x1 for global motion alone.")
    ] = "5x5",
    eer_grouping: Annotated[
        int | None,
        typer.Option(help="Raw frames of an EER movie in a fraction; default: by the dose.", min=1),
    ] = None,
    eer_upsampling: Annotated[int, typer.Option(help="2 renders EER movies on half pixels.", min=1, max=2)] = 1,
    phase_shift: PhaseShift = False,
    min_defocus: MinDefocus = 3000.0,
    max_defocus: MaxDefocus = 50000.0,
    min_resolution: MinResolution = 30.0,
    max_resolution: MaxResolution = 5.0,
    float16: Annotated[bool, typer.Option("--float16", help="Write micrographs in half precision.")] = False,
    threads: Annotated[int, typer.Option(help="Movies processed side by side, one thread each.", min=1)] = 1,
) -> None:
    """Correct motion, weight by exposure and fit the CTF of movies.

    For each movie it writes <stem>.mrc, <stem>_dw.mrc, <stem>.star (motion as RELION keeps it), <stem>.json (everything
    measured) and two pictures. A movie that cannot be used is named, and the rest goes on.
    """
    keep_to_one_thread()
    with loading():
        from athena.contract.processing import MovieParameters

    columns, rows = _grid(patches)
    parameters = MovieParameters(
        pixel_size_angstrom=pixel_size,
        voltage_kv=voltage,
        spherical_aberration_mm=cs,
        amplitude_contrast=amplitude_contrast,
        dose_per_frame_e_per_A2=dose_per_frame,
        pre_exposure_e_per_A2=pre_exposure,
        patches_y=rows,
        patches_x=columns,
        eer_frames_per_fraction=eer_grouping,
        eer_upsampling=eer_upsampling,
        gain_orientation=_orientation(gain_orientation),
        gain_sense=_sense(gain_sense),
        search_phase_shift=phase_shift,
        min_resolution_angstrom=min_resolution,
        max_resolution_angstrom=max_resolution,
        min_defocus_angstrom=min_defocus,
        max_defocus_angstrom=max_defocus,
    )
    _refuse_same_names(movies)
    out.mkdir(parents=True, exist_ok=True)
    work = partial(process_one, gain=gain, defects=defects, out=out, half_precision=float16)
    if not _run_all(work, movies, parameters, threads):
        raise typer.Exit(1)


@process_app.command("ctf")
def process_ctf(
    micrographs: Annotated[list[Path], typer.Argument(help="Micrographs: MRC or TIFF.", metavar="MICROGRAPH…")],
    pixel_size: Annotated[float | None, typer.Option(help="Å; default: as the file's header says.", min=0.01)] = None,
    voltage: Annotated[
        float | None, typer.Option(help="kV; default: as the file's header says.", min=1, max=2000)
    ] = None,
    cs: Cs = 2.7,
    amplitude_contrast: AmplitudeContrast = 0.07,
    phase_shift: PhaseShift = False,
    min_defocus: MinDefocus = 3000.0,
    max_defocus: MaxDefocus = 50000.0,
    min_resolution: MinResolution = 30.0,
    max_resolution: MaxResolution = 5.0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
) -> None:
    """Fit the CTF of micrographs. One that cannot be used is named, and the rest goes on."""
    keep_to_one_thread()
    from athena_pipelines.core.ctf_fit import SearchRange
    from athena_pipelines.steps.micrograph import Known, fit_micrograph
    from athena_pipelines.steps.outputs import to_json

    known = Known(voltage, cs, amplitude_contrast, pixel_size)
    search = SearchRange(
        min_resolution_angstrom=min_resolution,
        max_resolution_angstrom=max_resolution,
        min_defocus_angstrom=min_defocus,
        max_defocus_angstrom=max_defocus,
        phase_shift=phase_shift,
    )
    if not json:
        print(f"{'U/Å':>9} {'V/Å':>9} {'angle/°':>8} {'phase/rad':>9} {'to/Å':>6} {'score':>6}  micrograph")
    failed = False
    for micrograph in micrographs:
        try:
            found = fit_micrograph(micrograph, known, search)
        except AthenaError as error:
            print(f"athena: {error}", file=sys.stderr)
            failed = True
            continue
        print(to_json(found) if json else _ctf_line(found), flush=True)
    if failed:
        raise typer.Exit(1)


def keep_to_one_thread() -> None:
    """Keep numerical libraries that are not loaded yet to one thread: a movie is worked on by one."""
    for name in THREAD_POOLS:
        os.environ.setdefault(name, "1")
    # arrays that live for one movie are filled once: making large pages for them costs the kernel more than they save
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")


@contextmanager
def loading() -> Iterator[None]:
    """Load libraries inside in half the time: without looking for garbage, and without what nothing needs.

    All that libraries make stays, so the search for garbage finds nothing and takes a sixth of the time. Numba does
    without the modules that are hidden from it, as where they are not installed; they can be imported afterwards.
    """
    enabled = gc.isenabled()
    gc.disable()
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in UNUSED if name not in modules]
    # which import takes for a module that is not there
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
        gc.freeze()
        if enabled:
            gc.enable()


def process_one(
    movie: Path,
    parameters: "MovieParameters",
    *,
    gain: Path | None,
    defects: Path | None,
    out: Path,
    half_precision: bool,
) -> "Done":
    """Process one movie into the folder. Raises BadFile."""
    keep_to_one_thread()
    with loading():
        from athena_pipelines.steps.compute import Timing, compute_movie
        from athena_pipelines.steps.outputs import Inputs, write_outputs

    begin = time.perf_counter()
    timing = Timing()
    found = compute_movie(
        str(movie),
        str(gain) if gain is not None else None,
        parameters,
        timing,
        defects=str(defects) if defects is not None else None,
    )
    write_outputs(found, Inputs(movie, gain, defects), out, timing, half_precision=half_precision)
    fit = found.gain_fit
    return Done(time.perf_counter() - begin, fit if fit is not None and fit.determined else None)


@dataclass(frozen=True)
class Done:
    """A processed movie: the seconds it took, and how the gain lies where that was found."""

    seconds: float
    gain: "GainFit | None"


Work = Callable[[Path, "MovieParameters"], Done]
Outcomes = Iterator[tuple[Path, Done | AthenaError]]


def _run_all(work: Work, movies: list[Path], parameters: "MovieParameters", threads: int) -> bool:
    """Process all movies and tell of each on stderr; whether none failed."""
    failed = 0
    outcomes = (
        _one_by_one(work, movies, parameters)
        if min(threads, len(movies)) == 1
        else _side_by_side(work, movies, parameters, threads)
    )
    for number, (movie, outcome) in enumerate(outcomes, start=1):
        if isinstance(outcome, AthenaError):
            failed += 1
            words = f"failed: {outcome}"
        else:
            words = f"{outcome.seconds:.1f} s"
        print(f"{number} of {len(movies)}  {movie.name}  {words}", file=sys.stderr, flush=True)
    if failed and len(movies) > 1:
        print(f"athena: {failed} of {len(movies)} movies could not be processed.", file=sys.stderr)
    return not failed


def _one_by_one(work: Work, movies: list[Path], parameters: "MovieParameters") -> Outcomes:
    for movie in movies:
        try:
            done = work(movie, parameters)
        except AthenaError as error:
            yield movie, error
        else:
            parameters = _learnt(parameters, done)
            yield movie, done


def _side_by_side(work: Work, movies: list[Path], parameters: "MovieParameters", threads: int) -> Outcomes:
    from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
    from multiprocessing import get_context

    waiting: dict[Future[Done], Path] = {}
    left = iter(movies)
    with ProcessPoolExecutor(min(threads, len(movies)), mp_context=get_context("spawn")) as pool:
        # one after another is given out, so that later ones know of the gain what earlier ones found
        for movie in islice(left, threads):
            waiting[pool.submit(work, movie, parameters)] = movie
        while waiting:
            ended, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for done in ended:
                movie = waiting.pop(done)
                problem = done.exception()
                if problem is not None and not isinstance(problem, AthenaError):
                    raise problem
                if problem is None:
                    parameters = _learnt(parameters, done.result())
                for following in islice(left, 1):
                    waiting[pool.submit(work, following, parameters)] = following
                yield movie, problem if problem is not None else done.result()


def _learnt(parameters: "MovieParameters", done: Done) -> "MovieParameters":
    """Parameters for the movies to come: the gain of a session lies in one way."""
    if done.gain is None:
        return parameters
    return parameters.model_copy(update={"gain_orientation": done.gain.orientation, "gain_sense": done.gain.sense})


def _orientation(words: str) -> "GainOrientation":
    """Orientation of a name or number."""
    from athena.contract.processing import GainOrientation

    name = words.lower().replace("-", "_")
    if name.isdecimal() and int(name) < len(ORIENTATION_NAMES):
        name = ORIENTATION_NAMES[int(name)]
    try:
        return GainOrientation(name)
    except ValueError as error:
        raise Invalid(
            f"“{words}” is no orientation of a gain.", hint=f"Give auto, 0 to 7, or {', '.join(ORIENTATION_NAMES)}."
        ) from error


def _sense(words: str) -> "GainSense":
    from athena.contract.processing import GainSense

    try:
        return GainSense(words.lower())
    except ValueError as error:
        raise Invalid(f"“{words}” is no sense of a gain.", hint="Give auto, multiply or divide.") from error


def _grid(patches: str) -> tuple[int, int]:
    """Patches across and down from words such as ``5x5``."""
    parts = patches.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise Invalid(f"“{patches}” is no number of patches.", hint="Give patches across and down, such as 5x5.")
    return int(parts[0]), int(parts[1])


def _refuse_same_names(movies: list[Path]) -> None:
    stems = [movie.stem for movie in movies]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise Invalid(
            f"Several movies are named {', '.join(twice[:5])}: they would overwrite each other's results.",
            hint="Process them into folders of their own.",
        )


def _ctf_line(found: dict[str, object]) -> str:
    def number(name: str, width: int, digits: int) -> str:
        value = found[name]
        fits = isinstance(value, float) and value == value
        return f"{value:>{width}.{digits}f}" if fits else f"{'–':>{width}}"

    return (
        f"{number('defocus_u_angstrom', 9, 0)} {number('defocus_v_angstrom', 9, 0)} "
        f"{number('astigmatism_angle_deg', 8, 1)} {number('phase_shift_rad', 9, 3)} "
        f"{number('confidence_range_angstrom', 6, 2)} {number('score', 6, 3)}  {found['micrograph']}"
        f"{_remarks(found['flags'])}"
    )


def _remarks(flags: object) -> str:
    """Flags behind a line; nothing where there are none."""
    words = ", ".join(str(flag).replace("_", " ") for flag in flags) if isinstance(flags, list) else ""
    return f"  ({words})" if words else ""
