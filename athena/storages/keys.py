"""Keys and file names that are safe on every storage and every system people download to."""

import re
import unicodedata

from athena.errors import Invalid

PARTIAL_FOLDER = ".partial"
"""Where a local storage keeps what is not whole yet; no key may begin with it."""
MAX_KEY_BYTES = 1000
MAX_PART_BYTES = 250
"""File systems take 255 bytes a name, S3 1024 a key; a little is left for endings that programs add."""

_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_NOT_ON_WINDOWS = frozenset('<>:"|?*\\')
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the reading direction round: ``gpj.exe`` can be made to look like ``exe.jpg``."""


def check_key(key: str) -> str:
    """Key in its one normal form (NFC, single slashes between its parts).

    Raises
    ------
    Invalid : it is empty, absolute, climbs (``..``), is too long, or a part of it is no safe file name.
    """
    normal = _normal(key)
    if len(normal.encode()) > MAX_KEY_BYTES:
        raise Invalid(f"The path {_shown(key)} is longer than {MAX_KEY_BYTES} bytes.")
    parts = normal.split("/")
    for part in parts:
        _check_part(part, whole=key)
    if parts[0] == PARTIAL_FOLDER:
        raise Invalid(f"The path {_shown(key)} begins with {PARTIAL_FOLDER}, which the storage itself uses.")
    return normal


def check_name(name: str) -> str:
    """As :func:`check_key`, for the name of a file among others: ``a.mrc`` or, from a folder, ``raw/a.mrc``."""
    return check_key(name)


def check_prefix(prefix: str) -> str:
    """Prefix of keys as a whole number of parts; ``""`` is everything. Raises Invalid as :func:`check_key` does."""
    return check_key(prefix.removesuffix("/")) + "/" if prefix else ""


def is_key(key: str) -> bool:
    """Whether a key found on a storage is one that :func:`check_key` gives back unchanged."""
    try:
        return check_key(key) == key
    except Invalid:
        return False


def safe_name(name: str, *, instead: str = "_") -> str:
    """File or folder name made of any text: for what people named freely and now becomes a path."""
    normal = unicodedata.normalize("NFC", name.encode(errors="replace").decode())
    kept = "".join(instead if _is_bad(letter) or letter == "/" else letter for letter in normal)
    kept = kept.encode()[:MAX_PART_BYTES].decode(errors="ignore").strip().rstrip(".").strip()
    if not kept:
        return instead
    return f"{instead}{kept}" if _DEVICE.fullmatch(_stem(kept)) or kept == PARTIAL_FOLDER else kept


def _normal(key: str) -> str:
    try:
        key.encode()
    except UnicodeEncodeError as problem:  # half characters, which JSON can spell
        raise Invalid(f"The path {_shown(key)} has characters that no file system can store.") from problem
    return unicodedata.normalize("NFC", key)


def _check_part(part: str, *, whole: str) -> None:
    reason = _what_is_wrong(part)
    if reason:
        raise Invalid(f"The path {_shown(whole)} cannot be used: {reason}.", hint="Rename the file.")


def _what_is_wrong(part: str) -> str:
    if not part:
        return "it begins or ends with a slash, has two in a row, or is empty"
    if part in (".", ".."):
        return f"it has “{part}” as a part"
    if len(part.encode()) > MAX_PART_BYTES:
        return f"a name in it is longer than {MAX_PART_BYTES} bytes"
    if any(_is_bad(letter) for letter in part):
        return "it has control characters or one of " + " ".join(sorted(_NOT_ON_WINDOWS))
    if part != part.strip() or part.endswith("."):
        return "a name in it begins or ends with a space, or ends with a dot"
    if _DEVICE.fullmatch(_stem(part)):
        return f"“{part}” is the name of a device on Windows"
    return ""


def _is_bad(letter: str) -> bool:
    return letter in _NOT_ON_WINDOWS or letter in _DIRECTION or unicodedata.category(letter) in ("Cc", "Zl", "Zp")


def _stem(part: str) -> str:
    return part.split(".", 1)[0].rstrip()


def _shown(key: str) -> str:
    """Key as a message may quote it: short, and with nothing that would act on a terminal or a header."""
    return repr(key if len(key) <= 120 else f"{key[:120]}…")
