"""Text as words, the same for every database; and how well a name answers to typed words (SE-01). Pure."""

import re
import unicodedata

MAX_WORD = 60
MAX_WORDS = 12
"""Typed words that count; more of them narrow nothing."""

_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """Words of a text, in order: letters and digits only, without case and accents.

    "FoilHole_0012 Ångström" is ``foilhole``, ``0012``, ``angstrom``.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return [word[:MAX_WORD] for word in _WORD.findall(plain)]


def indexed(*texts: str) -> str:
    """Texts as they are kept in the index: their words, each with a blank before it."""
    return "".join(f" {word}" for text in texts for word in words_of(text))


def name_beginning(name: str) -> str:
    """Beginning of an indexed name that an index can hold."""
    return name[:MAX_WORD]


def typed_words(text: str) -> tuple[str, ...]:
    """Words of what was typed; each is looked for as the beginning of a word."""
    return tuple(dict.fromkeys(words_of(text)))[:MAX_WORDS]


def name_rank(words: tuple[str, ...], name: str) -> tuple[int, int]:
    """How well an indexed name answers: smaller is better; to be followed by the age.

    The name itself, then names that begin with what was typed, names that hold every typed word, names that hold
    beginnings of them, then all that is found elsewhere (metadata, notes); within each the shorter name.
    """
    typed = " ".join(words)
    plain = name.strip()
    have = plain.split()
    if plain == typed:
        place = 0
    elif f"{plain} ".startswith(f"{typed} "):
        place = 1
    elif all(word in have for word in words):
        place = 2
    elif all(f" {word}" in name for word in words):
        place = 3
    else:
        place = 4
    return place, len(plain) if place < 4 else 0
