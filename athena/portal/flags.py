"""What the flags of an acquisition mean, in words for people who look at it."""

from athena.contract.acquisitions import Acquisition

FLAG_WORDS = {
    "blank_frames": "Some frames have no beam: they are left out.",
    "crystalline_ice": "The ice diffracts as crystals do: its ring was left out of the CTF fit.",
    "ctf_not_determined": "The CTF could not be determined: there is no defocus, nor any other number of a fit.",
    "damaged_frames": "Some frames of the movie are damaged and were left out.",
    "few_frames": "The movie has too few frames to tell motion from noise reliably.",
    "fixed_pattern": "The frames share a fixed pattern: the gain reference does not quite fit this movie.",
    "gain_does_not_fit": "The gain reference is not of this movie: it was left out.",
    "gain_not_determined": "How the gain reference lies could not be measured on this movie: it was used as it is.",
    "incomplete_movie": "The movie was not whole when it was read.",
    "local_motion_rejected": "Local motion was not reliable here: only global motion was corrected.",
    "micrograph_removed": "The micrograph was removed by a cleanup; numbers and previews stay.",
    "motion_not_converged": "Motion correction did not settle: the remaining motion is not known.",
    "motion_unstable": "The frames do not agree on the motion: look at the traces before using it.",
    "movie_removed": "The movie was removed by a cleanup; it cannot be processed again.",
    "no_dose_weighting": "The dose is not known: frames were summed without weighting by exposure.",
    "no_motion_signal": "The frames show nothing to align: motion was not corrected.",
    "no_pixel_size": "Nothing says the pixel size: set it in the parameters of the run.",
    "no_voltage": "Nothing says the acceleration voltage: set it in the parameters of the run.",
    "phase_shift_suspected": "The rings fit much better with a phase shift, which was not looked for: "
    "the defocus may be wrong. With a phase plate, switch on its search in the parameters of the run.",
    "tilted": "The specimen is tilted by more than 10°: the defocus is that of the middle and changes across.",
}
"""By flag; what a package adds is shown by its name."""


def warnings_of(shot: Acquisition) -> list[dict[str, str]]:
    """What a reader should know of an acquisition: ``{name, text}``, its flags and then doubtful metadata."""
    flags = [{"name": flag, "text": FLAG_WORDS.get(flag, flag.replace("_", " "))} for flag in shot.flags]
    doubts = [{"name": f"doubt:{doubt.name}", "text": doubt.reason} for doubt in shot.optics.doubts]
    return flags + doubts
