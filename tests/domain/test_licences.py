"""Licence keys: signed, read, refused with the reason; seats and features (AD-04)."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.contract.licences import Licence, LicensedFeature
from athena.domain.licences import (
    PREFIX,
    check_licence,
    count_seats,
    feature_table,
    features_in_force,
    new_key_pair,
    read_licence,
    sign_licence,
    tidy_key,
)
from athena.errors import Invalid

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLATFORM = UUID(int=7)
PRIVATE, PUBLIC = new_key_pair()


def licence(*features: LicensedFeature, platform: UUID = PLATFORM) -> Licence:
    return Licence(id=uuid4(), platform_id=platform, customer="Institute", issued=NOW, features=features)


def feature(name: str = "platform", seats: int | None = None, ends: timedelta | None = None) -> LicensedFeature:
    return LicensedFeature(name=name, seats=seats, expires=NOW + ends if ends is not None else None)


@pytest.mark.feature("AD-04")
def test_a_key_says_what_was_signed_however_it_was_pasted() -> None:
    made = licence(feature(seats=10, ends=365 * DAY), feature("tomo-live"))
    key = sign_licence(made, PRIVATE)
    assert read_licence(key, PUBLIC) == made
    broken = "  " + "\r\n  ".join(key[start : start + 60] for start in range(0, len(key), 60)) + "\n"
    assert read_licence(tidy_key(broken), PUBLIC) == made
    check_licence(made, PLATFORM, NOW)


@pytest.mark.feature("AD-04")
@given(data=st.data())
def test_no_changed_key_is_taken(data: st.DataObject) -> None:
    key = sign_licence(licence(feature(seats=1)), PRIVATE)
    place = data.draw(st.integers(0, len(key) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != key[place]))
    changed = key[:place] + other + key[place + 1 :]
    try:
        read = read_licence(changed, PUBLIC)
    except Invalid:
        return
    # base64's last character has bits that mean nothing; what it says must be the same
    assert read == read_licence(key, PUBLIC)
    assert place in {len(key) - 1, key.rindex(".") - 1}


@pytest.mark.feature("AD-04")
@pytest.mark.parametrize(
    "text", ["", "athena1", "athena1..", "x.y.z", "athena2.e30.AAAA", "athena1.é.AAAA", "athena1.a.b.c"]
)
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Invalid, match=r"not a licence key|signature"):
        read_licence(text, PUBLIC)


@pytest.mark.feature("AD-04")
def test_keys_are_refused_with_the_reason() -> None:
    made = licence(feature(ends=DAY))
    stranger = sign_licence(made, new_key_pair()[0])
    with pytest.raises(Invalid, match="signature"):
        read_licence(stranger, PUBLIC)
    with pytest.raises(Invalid, match="another platform"):
        check_licence(licence(feature(), platform=UUID(int=8)), PLATFORM, NOW)
    with pytest.raises(Invalid, match="expired on 2026-03-02"):
        check_licence(made, PLATFORM, NOW + DAY)
    check_licence(licence(feature(ends=-DAY), feature("tomo-live")), PLATFORM, NOW)  # one feature is enough
    with pytest.raises(Invalid, match="private key"):
        sign_licence(made, "short")
    with pytest.raises(Invalid, match="vendor_key"):
        read_licence(sign_licence(made, PRIVATE), "short")
    newer = f"{PREFIX}.{urlsafe_b64encode(b'{}').rstrip(b'=').decode()}"
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signature = Ed25519PrivateKey.from_private_bytes(b64decode(PRIVATE)).sign(newer.encode())
    with pytest.raises(Invalid, match="does not understand"):
        read_licence(f"{newer}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}", PUBLIC)


@pytest.mark.feature("AD-04")
def test_seats_and_features_add_up_while_they_last() -> None:
    keys = [
        licence(feature(seats=3, ends=10 * DAY), feature("tomo-live", ends=100 * DAY)),
        licence(feature(seats=2), feature("cryosparc-live", ends=-DAY), feature("zoom")),
    ]
    assert count_seats(keys, NOW) == 5
    assert count_seats(keys, NOW + 10 * DAY) == 2
    assert count_seats([], NOW) == 0
    assert count_seats([*keys, licence(feature())], NOW) is None
    assert features_in_force(keys, NOW) == {"platform", "tomo-live", "zoom"}

    rows = {row.feature: row for row in feature_table(keys, held_seats=5, now=NOW)}
    assert list(rows) == ["platform", "cryosparc-live", "tomo-live", "zoom"]
    assert (rows["platform"].seats, rows["platform"].used, rows["platform"].expires) == (5, 5, None)
    assert rows["platform"].message == "All seats are taken."
    assert (rows["cryosparc-live"].valid, rows["cryosparc-live"].message) == (False, "Expired on 2026-02-28.")
    assert (rows["tomo-live"].used, rows["tomo-live"].message) == (None, "")
    (over, *_) = feature_table(keys, held_seats=5, now=NOW + 10 * DAY)
    assert "3 of those who hold a seat cannot log in" in over.message
    (soon, *_) = feature_table(keys[:1], held_seats=0, now=NOW)
    assert soon.message == "Expires in 10 days."
