"""A movie too small to show anything, run through every kernel, so that the first real one does not wait."""

import numpy as np

# kernels of the readers have one signature each and compile when they are imported
import athena.formats.eer_kernels
import athena.formats.lzw  # noqa: F401
from athena_pipelines.core.ctf import measure_ctf
from athena_pipelines.core.ctf_fit import SearchRange
from athena_pipelines.core.ctf_model import Optics
from athena_pipelines.core.frames import NO_GAIN, Frames, find_defects, repair_frames, unaligned_sum
from athena_pipelines.core.motion import measure_motion, sum_frames
from athena_pipelines.core.small_frames import shrink


def exercise() -> None:
    """Run every kernel once, on 8-bit counts as cameras write them."""
    rng = np.random.default_rng(0)
    frames = Frames(rng.poisson(1.0, (3, 128, 128)).astype(np.uint8), NO_GAIN)
    bad = find_defects(unaligned_sum(frames.stack), NO_GAIN)
    bad[64, 64] = True
    repair_frames(frames, bad, seed=0)
    motion = measure_motion(shrink(frames, 1.0), grid=(1, 1))
    sums = sum_frames(frames, motion, 1.0, dose_per_frame_e_per_A2=1.0)
    measure_ctf(sums.plain, 1.0, Optics(), SearchRange(max_defocus_angstrom=4000.0))
