"""The run-length code of electron events, compiled.

Bits are taken least significant first: a run of empty pixels, then, unless the run is the longest there is, the place
of an electron within its pixel. Source: Thermo Fisher's description of EER; RELION's and tifffile's readers agree.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Uint8 = npt.NDArray[np.uint8]
Uint64 = npt.NDArray[np.uint64]


@njit("i8(u8[::1], i8, i8, i8, i8, i8, i8, b1, i8, u1[::1])", cache=True, nogil=True)
def add_events(
    words: Uint64,
    bits: int,
    width: int,
    height: int,
    run_bits: int,
    x_bits: int,
    y_bits: int,
    always: bool,
    sign: int,
    out: Uint8,
) -> int:
    """Add a frame's electrons to counts; returns the pixel at which its code ends, width × height if it is whole.

    Parameters
    ----------
    words : the code as little-endian words, with one spare word at the end.
    bits : of the code.
    run_bits, x_bits, y_bits : lengths of a run and of the place within a pixel.
    always : whether a place follows the longest run too, as in early files.
    sign : 1, or −1 to take the same electrons off again.
    out : counts, flat: (height · s) × (width · s), s = 1, or 2 where there is room for four times the pixels.
    """
    pixels = width * height
    double = out.shape[0] == 4 * pixels
    x_mask, y_mask = np.uint64((1 << x_bits) - 1), np.uint64((1 << y_bits) - 1)
    # unsigned all through: with a signed number among them, compiled arithmetic would become floating point
    one, run_length = np.uint64(1), np.uint64(run_bits)
    longest, code_length = (one << run_length) - one, np.uint64(run_bits + x_bits + y_bits)
    last, across = np.uint64(pixels), np.uint64(width)
    pixel, bit = np.uint64(0), np.uint64(0)
    count = np.uint8(sign)
    codes = 64 // (run_bits + x_bits + y_bits)
    end = np.uint64(bits)
    while bit + run_length <= end:
        index, shift = bit >> np.uint64(6), bit & np.uint64(63)
        window = (words[index] >> shift) | ((words[index + one] << one) << (np.uint64(63) - shift))
        # as many codes as a window holds are read of it; near the end, where it reaches too far, one at a time
        for _ in range(codes if bit + np.uint64(64) <= end else 1):
            run = window & longest
            pixel += run
            if pixel >= last:
                return int(pixel)
            if run == longest:
                bit += code_length if always else run_length
                break
            if not double:
                out[pixel] += count
            else:
                place = window >> run_length
                x = (place & x_mask) ^ np.uint64(x_bits)
                y = ((place >> np.uint64(x_bits)) & y_mask) ^ np.uint64(y_bits)
                row = pixel // across
                column = pixel - row * across
                low = (row + row + (y >> np.uint64(y_bits - 1))) * (across + across)
                out[low + column + column + (x >> np.uint64(x_bits - 1))] += count
            pixel += one
            bit += code_length
            window >>= code_length
    return int(pixel)
