"""DigitalMicrograph files for tests, written as Gatan's software lays them out: a preview, then the image."""

import struct

import numpy as np

Tree = dict[str, "Tree | int | str | np.ndarray"]


def dm_bytes(image: np.ndarray, *, version: int = 4) -> bytes:
    """A file with a preview and an image, whose first row is the top one."""
    kinds = {"float32": 2, "int16": 1, "uint8": 6}
    height, width = image.shape
    preview: Tree = {"ImageData": {"Data": np.zeros(8, "<i4"), "DataType": 23, "Dimensions": {"": 4, " ": 2}}}
    real: Tree = {
        "ImageData": {"Data": image, "DataType": kinds[str(image.dtype)], "Dimensions": {"": width, " ": height}},
        "Name": "gain",
    }
    body = _group({"ImageList": {"": preview, " ": real}, "InImageMode": 1}, version)
    return struct.pack(">i", version) + _word(len(body), version) + struct.pack(">I", 1) + body + bytes(8)


def _word(value: int, version: int) -> bytes:
    return struct.pack(">Q" if version == 4 else ">I", value)


def _group(tree: Tree, version: int) -> bytes:
    return b"\1\0" + _word(len(tree), version) + b"".join(_tag(name, one, version) for name, one in tree.items())


def _tag(name: str, value: "Tree | int | str | np.ndarray", version: int) -> bytes:
    label = name.strip().encode()
    if isinstance(value, dict):
        kind, body = 20, _group(value, version)
    else:
        kind, body = 21, b"%%%%" + _data(value, version)
    head = struct.pack(">BH", kind, len(label)) + label
    return head + (_word(len(body), version) if version == 4 else b"") + body


def _data(value: int | str | np.ndarray, version: int) -> bytes:
    if isinstance(value, int):
        words, data = [3], struct.pack("<i", value)
    elif isinstance(value, str):
        text = value.encode("utf-16-le")
        words, data = [20, 4, len(text) // 2], text
    else:
        kinds = {"float32": 6, "int16": 2, "int32": 3, "uint8": 10}
        words, data = [20, kinds[str(value.dtype)], value.size], value.tobytes()
    return _word(len(words), version) + b"".join(_word(word, version) for word in words) + data
