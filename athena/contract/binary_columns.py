"""Columns of a run as bytes: what charts in a browser read at once, where JSON would take a second for 10⁵ rows.

Little endian: the length of the head (uint32), the head (JSON of ``ColumnsHead``, padded with spaces so that what
follows begins at a multiple of 8), then each column (rows float64, NaN where not known) in the order of the head.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from athena.contract.runs import ColumnsHead

_ALIGNED = 8


def encode(head: ColumnsHead, columns: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Bytes of columns of (``head.rows``,) values."""
    text = head.model_dump_json().encode()
    text += b" " * (-(4 + len(text)) % _ALIGNED)
    parts = [len(text).to_bytes(4, "little"), text]
    parts += [np.asarray(columns[name], dtype="<f8").tobytes() for name in head.columns]
    return b"".join(parts)


def decode(content: bytes) -> tuple[ColumnsHead, dict[str, NDArray[np.float64]]]:
    """Head and columns of what :func:`encode` wrote."""
    begin = 4 + int.from_bytes(content[:4], "little")
    head = ColumnsHead.model_validate_json(content[4:begin])
    values = np.frombuffer(content, dtype="<f8", offset=begin).reshape(len(head.columns), head.rows)
    return head, dict(zip(head.columns, values, strict=True))
