"""Names that no other test has, and no earlier try of the same test left behind in an instance that is shared."""

from uuid import uuid4


def own(word: str) -> str:
    """The word with an ending of its own at each call, one word still for a search: ``own("Bale")`` is Bale4f20c1."""
    return f"{word}{uuid4().hex[:6]}"
