"""Damage done to files: by chance, and by someone who knows their formats."""

import random
import re
import struct
import zlib
from collections.abc import Callable

EXTREMES = (
    0,
    1,
    2,
    3,
    7,
    100,
    127,
    255,
    256,
    65001,
    65535,
    65536,
    10**6,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63,
    2**64 - 1,
)
WORDS = ("NaN", "-1", "1e999", "-1e308", "0", "", "1e-320", "９", "true", "99999999999999999999", "٣", "\ud7ff", "0x10")
LONGEST = 8 * 2**20
"""Of a damaged file, bytes."""
BOMB_EDGE = 30_000
"""Edge of the images that bombs unpack to, px."""

_SPACES = {
    b"z": b"http://schemas.microsoft.com/2003/10/Serialization/",
    b"i": b"http://www.w3.org/2001/XMLSchema-instance",
}

Mutation = Callable[[bytearray, random.Random], bytearray]


def damaged(content: bytes, kind: str, other: bytes, rng: random.Random) -> bytes:
    """A file with one to three changes; now and then one that never was whole."""
    if rng.random() < 0.03 and kind in _MADE:
        return rng.choice(_MADE[kind])(rng)
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        change = rng.choice(_OF_KIND[kind] if rng.random() < 0.6 else _ANY)
        data = change(data, rng) if change is not _splice else _spliced(data, other, rng)
        if not data or len(data) > LONGEST:
            break
    return bytes(data[:LONGEST])


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 8, 40))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _flip_head(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(min(len(data), 1100))] = rng.randrange(256)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def _extreme(data: bytearray, rng: random.Random) -> bytearray:
    """A number of the first bytes becomes one that nobody expects."""
    size = rng.choice((2, 4, 8))
    place = rng.randrange(0, max(min(len(data), 1200) - size, 1), 2)
    data[place : place + size] = (rng.choice(EXTREMES) % 2 ** (8 * size)).to_bytes(size, rng.choice(("little", "big")))
    return data


def _insert(data: bytearray, rng: random.Random) -> bytearray:
    place, size = rng.randrange(len(data)), rng.choice((1, 7, 100, 5000))
    block = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size), bytes(data[place : place + size])))
    return data[:place] + block + data[place:]


def _remove(data: bytearray, rng: random.Random) -> bytearray:
    place = rng.randrange(len(data))
    del data[place : place + rng.choice((1, 4, 12, 300))]
    return data


def _splice(data: bytearray, rng: random.Random) -> bytearray:
    """Stands for ``_spliced``, which needs another file."""
    raise AssertionError


def _spliced(data: bytearray, other: bytes, rng: random.Random) -> bytearray:
    start, size = rng.randrange(len(other)), rng.choice((16, 200, 4000))
    place = rng.randrange(len(data))
    data[place : place + size] = other[start : start + size]
    return data


def _directories(data: bytearray) -> list[tuple[int, int, str, bool]]:
    """(place, entries, byte order, BigTIFF) of the directories that the chain leads to."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    found: list[tuple[int, int, str, bool]] = []
    try:
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while place and len(found) < 50 and place not in [one[0] for one in found]:
            (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, place)
            found.append((place, min(count, 100), order, big))
            link = place + (8 + 20 * count if big else 2 + 12 * count)
            (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, link)
    except (struct.error, OverflowError):
        pass
    return found


def _entry(data: bytearray, rng: random.Random) -> bytearray:
    """Tag, type, count or value of an entry of a directory becomes extreme, or trades places with another's."""
    found = _directories(data)
    if not found:
        return _flip_head(data, rng)
    place, entries, order, big = rng.choice(found)
    size = 20 if big else 12
    at = place + (8 if big else 2) + size * rng.randrange(max(entries, 1))
    offset, kind = rng.choice(((0, "H"), (2, "H"), (4, "Q" if big else "I"), (12 if big else 8, "Q" if big else "I")))
    value = rng.choice((*EXTREMES, rng.choice((256, 257, 258, 259, 273, 278, 279, 322, 324, 325, 339, 65002, 65007))))
    try:
        struct.pack_into(order + kind, data, at + offset, value % 2 ** (8 * struct.calcsize(kind)))
    except struct.error:
        return _flip_head(data, rng)
    return data


def _link(data: bytearray, rng: random.Random) -> bytearray:
    """A directory's link leads to another, to itself, or elsewhere."""
    found = _directories(data)
    if not found:
        return _flip_head(data, rng)
    place, entries, order, big = rng.choice(found)
    target = rng.choice((rng.choice(found)[0], place, place + 2, rng.randrange(len(data)), len(data) - 4, 2**31))
    try:
        struct.pack_into(
            order + ("Q" if big else "I"), data, place + (8 + 20 * entries if big else 2 + 12 * entries), target
        )
    except struct.error:
        return _cut(data, rng)
    return data


def _number_in_text(data: bytearray, rng: random.Random) -> bytearray:
    numbers = list(re.finditer(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", data))
    if numbers:
        for found in sorted(
            rng.sample(numbers, min(len(numbers), rng.choice((1, 5, 50)))), key=lambda one: -one.start()
        ):
            data[found.start() : found.end()] = rng.choice(WORDS).encode("utf-8", "surrogatepass")
    return data


def _lines(data: bytearray, rng: random.Random) -> bytearray:
    lines = bytes(data).splitlines(keepends=True) if b"\n" in data else re.split(rb"(?<=>)", bytes(data))
    for _ in range(rng.choice((1, 3, 20))):
        place = rng.randrange(len(lines))
        match rng.randrange(4):
            case 0 if len(lines) > 1:
                del lines[place]
            case 1:
                lines.insert(place, rng.choice(lines))
            case 2:
                lines[place] = lines[place][:10_000] * rng.choice((2, 300))
            case _:
                rng.shuffle(lines[place : place + 5])
                lines[place] = lines[place].replace(b"=", rng.choice((b"", b"==", b" = ="))).replace(b" ", b"\0", 1)
    return bytearray(b"".join(lines))


def _reference(data: bytearray, rng: random.Random) -> bytearray:
    """References of a data contract lead to other objects: in circles too."""
    identities = re.findall(rb'z:Id="(\w+)"', data) or [b"i1"]
    tags = list(re.finditer(rb"<([\w:]+)((?:\s[^<>]*?)?)(/?)>", data))
    if not tags:
        return _flip(data, rng)
    for found in sorted(rng.sample(tags, min(len(tags), 6)), key=lambda one: -one.start()):
        kind = rng.choice((b'z:Ref="%b" i:nil="true"', b'z:Id="%b"', b'z:Ref="%b"', b'i:nil="true" x="%b"'))
        spaces = b" ".join(b'xmlns:%b="%b"' % (prefix, space) for prefix, space in _SPACES.items())
        own = re.findall(rb'xmlns(?::(?!z|i\b)\w+)?="[^"]*"', found[2])
        attributes = b" ".join((*own, spaces, kind % rng.choice(identities)))
        data[found.start() : found.end()] = b"<%b %b%b>" % (found[1], attributes, found[3])
    return data


def _encoding(data: bytearray, rng: random.Random) -> bytearray:
    return bytearray(bytes(data).decode("latin-1").encode(rng.choice(("utf-16", "utf-8", "utf-32", "utf-16-be"))))


def _deep(rng: random.Random) -> bytes:
    depth = rng.choice((300, 5000, 100_000))
    name = rng.choice(("m_serializationArray", "a"))
    return b"<MicroscopeImage>" + f"<{name}>".encode() * depth + f"</{name}>".encode() * depth + b"</MicroscopeImage>"


def _entities(rng: random.Random) -> bytes:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(rng.choice((2, 9))))
    text = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol"><!ENTITY f SYSTEM "file:///etc/passwd">{levels}]>'
    return (text + "<MicroscopeImage>&e2;&f;</MicroscopeImage>").encode(rng.choice(("utf-8", "utf-16")))


def _wide(rng: random.Random) -> bytes:
    """Very many elements, attributes or one very long text."""
    return rng.choice(
        (
            b"<EpuSessionXml>" + b"<a/>" * 200_000 + b"</EpuSessionXml>",
            b"<EpuSessionXml " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b"/>",
            b"<EpuSessionXml><Name>" + b"x" * 12_000_000 + b"</Name></EpuSessionXml>",
        )
    )


def _image_bomb(rng: random.Random) -> bytes:
    """A TIFF of a few kilobytes that says it holds gigabytes, and does."""
    edge = BOMB_EDGE
    zeros = zlib.compress(bytes(10**7), 9)
    kind = rng.choice((8, 5, 50000, 1, 32773, 65001))
    strips = rng.choice((1, 60, 3000))
    entries = [
        (256, 4, 1, edge),
        (257, 4, 1, edge),
        (258, 3, 1, rng.choice((8, 16, 32))),
        (259, 3, 1, kind),
        (262, 3, 1, 1),
        (273, 4, strips, 8 + len(zeros)),
        (278, 4, 1, edge // strips),
        (279, 4, strips, 8 + len(zeros) + 4 * strips),
    ]
    tables = struct.pack(f"<{strips}I", *[8] * strips) + struct.pack(f"<{strips}I", *[len(zeros)] * strips)
    if strips == 1:
        entries = [(*one[:3], {273: 8, 279: len(zeros)}.get(one[0], one[3])) for one in entries]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries)
    chain, start = b"", 8 + len(zeros) + len(tables)
    for _ in range(rng.choice((1, 20))):
        following = start + len(directory) + 4
        chain += directory + struct.pack("<I", following)
        start = following
    head = struct.pack("<2sHI", b"II", 42, 8 + len(zeros) + len(tables))
    return head + zeros + tables + chain[:-4] + bytes(4)


def _chain_bomb(rng: random.Random) -> bytes:
    """A BigTIFF whose directories overlap: a long chain of long directories in a short file."""
    step = rng.choice((16, 20, 28))
    many = rng.choice((2000, 20_000))
    data = bytearray(16 + many * step + 30_000)
    data[:16] = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16)
    entries = rng.choice((0, 1, 900))
    for number in range(many):
        place = 16 + number * step
        struct.pack_into("<Q", data, place, entries)
        link = place + 8 + entries * 20
        if link + 8 < len(data):
            struct.pack_into("<Q", data, link, place + step)
    return bytes(data)


def _mdoc_bomb(rng: random.Random) -> bytes:
    return rng.choice(
        (b"[ZValue = 0]\r\nTiltAngle = 1\r\n" * 100_000, b"[" * 10**6, b"a = " + b"1 " * 10**6, b"[T = " * 10**5)
    )


def _mrc_bomb(rng: random.Random) -> bytes:
    data = bytearray(1024 + rng.choice((0, 888, 5000)))
    shape = rng.choice(((65536, 65536, 1), (1, 1, 10**9), (65535, 1, 10**6), (10**5, 1, 1)))
    struct.pack_into("<4i", data, 0, *shape, rng.choice((0, 2, 101)))
    struct.pack_into("<i", data, 92, rng.choice((0, 888, 2**31 - 1)))
    data[104:108] = b"FEI2"
    return bytes(data)


_ANY: tuple[Mutation, ...] = (_flip, _flip_head, _cut, _extreme, _insert, _remove, _splice)
_OF_KIND: dict[str, tuple[Mutation, ...]] = {
    "tiff": (_entry, _entry, _entry, _entry, _link, _link),
    "eer": (_entry, _entry, _entry, _entry, _link, _link),
    "mrc": (_extreme, _extreme, _extreme, _flip_head),
    "dm": (_extreme, _flip_head, _flip_head),
    "xml": (_number_in_text, _number_in_text, _lines, _reference, _reference, _encoding),
    "mdoc": (_number_in_text, _number_in_text, _lines, _lines, _encoding),
    "defects": (_number_in_text, _number_in_text, _lines, _lines, _encoding),
}
_MADE: dict[str, tuple[Callable[[random.Random], bytes], ...]] = {
    "tiff": (_image_bomb, _chain_bomb),
    "eer": (_chain_bomb, _image_bomb),
    "mrc": (_mrc_bomb,),
    "xml": (_deep, _entities, _wide),
    "mdoc": (_mdoc_bomb,),
}
