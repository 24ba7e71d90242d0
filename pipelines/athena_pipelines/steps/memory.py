"""Memory of the machine, and how freed memory stays with the process, for the next array as large."""

import ctypes
import os
from functools import cache

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""


@cache
def keep_freed_memory() -> None:
    """Let glibc reuse large blocks instead of mapping each anew.

    Movies are worked on in arrays of tens of megabytes that come and go. Mapped one by one, each would be cleared by
    the kernel, page by page, at a tenth of the cost of a movie. A worker then holds what its largest movie needed.
    Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_MMAP_MAX, 0)


def physical_memory() -> int:
    """Bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
