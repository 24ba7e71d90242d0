"""Passwords: hashed with argon2id, checked in the same time whether or not there is one."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from athena.contract.people import MAX_PASSWORD, MIN_PASSWORD
from athena.errors import Invalid

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Hash to keep of a new password; Invalid if it is too short or absurdly long."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"The password is too short: it needs at least {MIN_PASSWORD} characters.")
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"The password is too long: it may have {MAX_PASSWORD} characters.")
    return _HASHER.hash(password)


def password_fits(stored: str, password: str) -> bool:
    """Whether a password is the one of a stored hash; an empty hash fits none, after as long a while."""
    try:
        _HASHER.verify(stored or _decoy(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # half characters, which JSON can spell
        return False
    return bool(stored)


@cache
def _decoy() -> str:
    """Hash that no password has, so that unknown users take as long as known ones."""
    return _HASHER.hash(secrets.token_urlsafe(32))
