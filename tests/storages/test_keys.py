"""Keys and names: what is refused, and that made ones are safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena.errors import Invalid
from athena.storages.keys import check_key, is_key, safe_name


@pytest.mark.parametrize(
    "key",
    [
        *("", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/."),
        *("a\\b", "..\\a", "C:\\a", "C:/a", "\\\\host\\share", "a:b", "a*", "a?", 'a"b', "a<b", "a>b", "a|b"),
        *("a\0", "a\nb", "a\r\nSet-Cookie: x", "a\tb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202egpj.exe", "\ud800"),
        *("con", "CON", "con.txt", "a/Nul/b", "com1.mrc", "LPT9", "aux .txt", "com¹"),
        *(" a", "a ", "a.", "a/ b", "x" * 251, "ä" * 126, "/".join(["abcdefghi"] * 101), ".partial/x", ".partial"),
    ],
)
def test_unsafe_keys_are_refused(key: str) -> None:
    with pytest.raises(Invalid) as told:
        check_key(key)
    assert str(told.value).isprintable()
    assert not is_key(key)


@pytest.mark.parametrize("key", ["a", "a/b.mrc", "...a", ".hidden", "console", "com10", "Grüße/日本語.txt", "x" * 250])
def test_safe_keys_are_kept(key: str) -> None:
    assert check_key(key) == key
    assert is_key(key)


def test_one_name_has_one_form() -> None:
    assert check_key("u\u0308") == "ü"
    assert not is_key("u\u0308")


@given(st.text(max_size=400))
def test_a_name_made_of_any_text_is_safe(text: str) -> None:
    made = safe_name(text)
    assert check_key(made) == made
    assert "/" not in made


@given(st.text(max_size=60))
def test_a_checked_key_is_stable(text: str) -> None:
    try:
        normal = check_key(text)
    except Invalid:
        return
    assert check_key(normal) == normal
    assert all(part not in ("", ".", "..") for part in normal.split("/"))
