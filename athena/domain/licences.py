"""Licence keys: how they are written, signed, read and judged; pure.

A key is ``athena1.<payload>.<signature>``, both parts base64url without padding. The payload is the licence as JSON,
the signature Ed25519 over ``athena1.<payload>``.
"""

import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from athena.contract.licences import FeatureStatus, Licence, LicensedFeature
from athena.errors import Invalid

PREFIX = "athena1"
SOON = timedelta(days=30)
"""From how long before its end a licence is said to expire soon."""


class Feature(StrEnum):
    """Features this version knows; a key may name others, which are shown and otherwise ignored."""

    PLATFORM = "platform"
    QUALITY_MONITOR = "quality-monitor"
    CRYOSPARC_LIVE = "cryosparc-live"
    TOMO_LIVE = "tomo-live"


def new_key_pair() -> tuple[str, str]:
    """(private, public) key of a vendor, base64 of the 32 raw bytes."""
    private = Ed25519PrivateKey.generate()
    return b64encode(private.private_bytes_raw()).decode(), b64encode(private.public_key().public_bytes_raw()).decode()


def sign_licence(licence: Licence, private_key: str) -> str:
    """Licence key of a licence; Invalid if the vendor's private key is not one."""
    try:
        signer = Ed25519PrivateKey.from_private_bytes(b64decode(private_key.strip(), validate=True))
    except ValueError as error:
        raise Invalid("This is not a private key.", hint="'athena license keygen' makes one.") from error
    signed = f"{PREFIX}.{_packed(licence.model_dump_json().encode())}"
    return f"{signed}.{_packed(signer.sign(signed.encode()))}"


def tidy_key(text: str) -> str:
    """Key as it is kept: e-mail programs break and indent long lines."""
    return re.sub(r"\s+", "", text)


@lru_cache(maxsize=256)
def read_licence(key: str, public_key: str) -> Licence:
    """What a key says, if it is whole and the vendor's; Invalid with the reason."""
    malformed = Invalid("This is not a licence key.", hint="Paste all of it, from 'athena1.' to the last character.")
    parts = key.split(".")
    if len(parts) != 3 or parts[0] != PREFIX:
        raise malformed
    try:
        payload, signature = (_unpacked(part) for part in parts[1:])
    except ValueError:
        raise malformed from None
    try:
        _verifier(public_key).verify(signature, f"{PREFIX}.{parts[1]}".encode())
    except InvalidSignature:
        raise Invalid(
            "The signature of the licence key is not the vendor's.",
            hint="A character may have been changed or lost on the way; ask for the key again.",
        ) from None
    try:
        return Licence.model_validate_json(payload)
    except ValidationError as error:
        raise Invalid(
            "The licence key is the vendor's, but says what this version does not understand.",
            hint="It may be for a newer version of Athena.",
        ) from error


def check_licence(licence: Licence, platform_id: UUID, now: datetime) -> None:
    """Refuse with Invalid a licence that is for another platform or wholly expired."""
    if licence.platform_id != platform_id:
        raise Invalid(
            f"The licence is for another platform ({licence.platform_id}).",
            hint=f"This platform is {platform_id}: have the licence issued for it.",
        )
    ends = [feature.expires for feature in licence.features]
    if not any(end is None or end > now for end in ends):
        last = max(end for end in ends if end is not None)
        raise Invalid(f"The licence expired on {last:%Y-%m-%d}.", hint="Ask the vendor for a new one.")


def valid_features(licences: Iterable[Licence], now: datetime) -> tuple[LicensedFeature, ...]:
    """Features in force, as the keys name them; one that several keys name comes as often."""
    return tuple(
        feature
        for licence in licences
        for feature in licence.features
        if feature.expires is None or feature.expires > now
    )


def count_seats(licences: Iterable[Licence], now: datetime) -> int | None:
    """People who may log in at the moment; None: no limit."""
    return _seats([one for one in valid_features(licences, now) if one.name == Feature.PLATFORM])


def features_in_force(licences: Iterable[Licence], now: datetime) -> frozenset[str]:
    """Names of the features in force."""
    return frozenset(feature.name for feature in valid_features(licences, now))


def feature_table(licences: Sequence[Licence], *, held_seats: int, now: datetime) -> tuple[FeatureStatus, ...]:
    """Status of every feature that a key names, those of this version first."""
    named: dict[str, list[LicensedFeature]] = {}
    for licence in licences:
        for feature in licence.features:
            named.setdefault(feature.name, []).append(feature)
    known = [str(feature) for feature in Feature]
    order = sorted(named, key=lambda name: (known.index(name) if name in known else len(known), name))
    return tuple(_status(name, named[name], held_seats=held_seats, now=now) for name in order)


def _status(name: str, keys: list[LicensedFeature], *, held_seats: int, now: datetime) -> FeatureStatus:
    valid = [key for key in keys if key.expires is None or key.expires > now]
    lasting = valid or keys
    ends = [key.expires for key in lasting if key.expires is not None]
    expires = max(ends) if len(ends) == len(lasting) else None
    seats = _seats(valid)
    used = held_seats if name == Feature.PLATFORM else None
    messages = []
    if not valid and expires is not None:
        messages.append(f"Expired on {expires:%Y-%m-%d}.")
    elif expires is not None and expires - now < SOON:
        days = (expires - now).days
        messages.append(f"Expires in {days} days." if days > 1 else "Expires within two days.")
    if valid and used is not None and seats is not None:
        if used > seats:
            messages.append(f"{used - seats} of those who hold a seat cannot log in: there are {seats}.")
        elif used == seats:
            messages.append("All seats are taken.")
    return FeatureStatus(
        feature=name, seats=seats, used=used, expires=expires, valid=bool(valid), message=" ".join(messages)
    )


def _seats(keys: Sequence[LicensedFeature]) -> int | None:
    counts = [key.seats for key in keys]
    return None if None in counts else sum(count for count in counts if count is not None)


def _verifier(public_key: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(b64decode(public_key.strip(), validate=True))
    except ValueError as error:
        raise Invalid(
            "The setting 'vendor_key' is not a public key.", hint="It is the public line of 'athena license keygen'."
        ) from error


def _packed(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
