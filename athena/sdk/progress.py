"""Progress bars that work in a terminal and in a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""``advance(bytes)``: so many more have gone; negative where some have to go again."""


@contextmanager
def byte_bar(total: int | None, label: str, *, shown: bool) -> Iterator[Advance]:
    """Bar in bytes, which several threads may move; nothing where it is not to be shown."""
    if not shown:
        yield lambda _count: None
        return
    from tqdm.auto import tqdm  # knows whether it is in a notebook, and costs a little to find out

    with tqdm(total=total, desc=label, unit="B", unit_scale=True, unit_divisor=1000, dynamic_ncols=True) as bar:
        yield bar.update


def size_words(size: float) -> str:
    """Bytes as people say them: ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
