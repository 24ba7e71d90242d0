"""EER files of simulated electrons: raw frames as a Falcon 4 writes them (compression 65001)."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

Uint8 = npt.NDArray[np.uint8]

RUN_BITS = 7
COMPRESSION = 65001


@njit("i8(i8, i8, i8, u1[::1])", cache=True, nogil=True)
def _put(value: int, count: int, bit: int, out: Uint8) -> int:
    for number in range(count):
        if (value >> number) & 1:
            out[(bit + number) >> 3] |= np.uint8(1 << ((bit + number) & 7))
    return bit + count


@njit("i8(i8[::1], u1[::1], i8, i8, u1[::1])", cache=True, nogil=True)
def encode_events(places: npt.NDArray[np.int64], symbols: Uint8, pixels: int, run_bits: int, out: Uint8) -> int:
    """Code electrons at ascending pixels, each with the four bits of its place within; returns the bytes written.

    ``out`` has to be zero, with room for (run_bits + 4) bits an electron and run_bits more for each longest run.
    """
    longest = (1 << run_bits) - 1
    bit = 0
    pixel = 0
    for number in range(places.shape[0] + 1):
        target = places[number] if number < places.shape[0] else pixels
        gap = target - pixel
        while gap >= longest:
            bit = _put(longest, run_bits, bit, out)
            gap -= longest
        bit = _put(gap, run_bits, bit, out)
        if number < places.shape[0]:
            bit = _put(np.int64(symbols[number]), 4, bit, out)
        pixel = target + 1
    return (bit + 7) // 8


def encode_frame(electrons: npt.NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    """Code of a raw frame (height, width), electrons anywhere within their pixels."""
    places = np.flatnonzero(electrons)
    symbols = rng.integers(0, 16, places.size).astype(np.uint8)
    room = places.size * (RUN_BITS + 4) + (electrons.size // ((1 << RUN_BITS) - 1) + 2) * RUN_BITS
    out = np.zeros(room // 8 + 2, np.uint8)
    length = encode_events(places.astype(np.int64), symbols, electrons.size, RUN_BITS, out)
    return out[: length + length % 2].tobytes()


def write_eer(path: Path, frames: Iterable[npt.NDArray[np.bool_]], *, metadata: dict[str, str], seed: int) -> int:
    """Write raw frames, one strip each, and the camera's words on the acquisition; returns how many there were."""
    rng = np.random.default_rng(seed)
    items = "".join(f'<item name="{name}">{value}</item>' for name, value in metadata.items())
    text = f"<metadata>{items}</metadata>".encode()
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0))
        link = 8
        for frame in frames:
            code = encode_frame(frame, rng)
            where = file.tell()
            file.write(code)
            described = file.tell()
            if not count:
                file.write(text + b"\0" * (-len(text) % 8))
            height, width = frame.shape
            entries = [
                (256, 4, 1, width),
                (257, 4, 1, height),
                (258, 3, 1, 1),
                (259, 3, 1, COMPRESSION),
                (262, 3, 1, 1),
                (273, 16, 1, where),
                (277, 3, 1, 1),
                (278, 4, 1, height),
                (279, 16, 1, len(code)),
                *([(65001, 7, len(text), described)] if not count else []),
            ]
            directory = file.tell()
            file.write(struct.pack("<Q", len(entries)))
            for entry in entries:
                file.write(struct.pack("<HHQQ", *entry))
            end = file.tell()
            file.write(struct.pack("<Q", 0))
            file.seek(link)
            file.write(struct.pack("<Q", directory))
            file.seek(0, 2)
            link = end
            count += 1
    return count
