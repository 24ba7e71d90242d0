"""The run-length code of electron events, compiled.

Bits are taken least significant first: a run of empty pixels, then, unless the run is the longest there is, the place
of an electron within its pixel. Source: Thermo Fisher's description of EER; RELION's and tifffile's readers agree.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Uint8 = npt.NDArray[np.uint8]
Uint64 = npt.NDArray[np.uint64]


@njit("i8(u8[::1], i8, i8, i8, i8, i8, i8, b1, u1[::1])", cache=True, nogil=True)
def add_events(
    words: Uint64,
    bits: int,
    width: int,
    height: int,
    run_bits: int,
    x_bits: int,
    y_bits: int,
    always: bool,
    out: Uint8,
) -> int:
    """Add a frame's electrons to counts; returns the pixel at which its code ends, width × height if it is whole.

    Parameters
    ----------
    words : the code as little-endian words, with one spare word at the end.
    bits : of the code.
    run_bits, x_bits, y_bits : lengths of a run and of the place within a pixel.
    always : whether a place follows the longest run too, as in early files.
    out : counts, flat: (height · s) × (width · s), s = 1, or 2 where there is room for four times the pixels.
    """
    pixels = width * height
    double = out.shape[0] == 4 * pixels
    longest = (1 << run_bits) - 1
    x_mask, y_mask = (1 << x_bits) - 1, (1 << y_bits) - 1
    place_bits = x_bits + y_bits
    pixel = 0
    bit = 0
    while bit + run_bits <= bits:
        index = bit >> 6
        shift = np.uint64(bit & 63)
        window = words[index] >> shift
        if shift:
            window |= words[index + 1] << (np.uint64(64) - shift)
        run = int(window & np.uint64(longest))
        bit += run_bits
        pixel += run
        if pixel >= pixels:
            return pixel
        if run == longest:
            if always:
                bit += place_bits
            continue
        bit += place_bits
        if not double:
            out[pixel] += np.uint8(1)
        else:
            place = np.int64(window >> np.uint64(run_bits))
            x = (place & x_mask) ^ x_bits
            y = ((place >> x_bits) & y_mask) ^ y_bits
            row = pixel // width
            column = pixel - row * width
            out[(2 * row + (y >> (y_bits - 1))) * 2 * width + 2 * column + (x >> (x_bits - 1))] += np.uint8(1)
        pixel += 1
    return pixel
