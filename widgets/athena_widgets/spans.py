"""Acquisitions as views name them: ``3-40,55``."""

from itertools import chain

MOST = 1_000_000
"""Acquisitions that one word of a browser may name."""


def parse_spans(named: str) -> list[int] | None:
    """Indices that a view names: ``3-40,55``. None for what means nothing."""
    spans = [_span(part) for part in named.split(",")]
    if any(span is None for span in spans) or sum(len(span) for span in spans if span is not None) > MOST:
        return None
    return list(chain.from_iterable(span for span in spans if span is not None))


def _span(text: str) -> range | None:
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not (first.isdecimal() and last.isdecimal() and len(first) < 10 and len(last) < 10):
        return None
    return range(int(first), int(last) + 1) if int(first) <= int(last) else None
