"""The first messages of a process are the same bytes, and the same objects, as all later ones."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from polyipc import _codec_first, codec
from polyipc._codec_read import decode

EDGES = [0, 1, 31, 32, 33, 127, 128, 255, 256, 2**15, 2**16, 2**31, 2**32, 2**63, 2**64]
SIMPLE: list[Any] = [
    *(None, True, False, 0.0, -0.0, 1.5, float("inf"), "", "é", "\0", b"", b"\xff", [], {}, ()),
    *(sign * n + d for n in EDGES for sign in (1, -1) for d in (-1, 0, 1)),
    *("x" * n for n in (31, 32, 33, 252, 253, 254, 255)),
    *(b"x" * n for n in (15, 16, 17, 252, 253, 254, 255)),
    *([1] * n for n in (14, 15)),
    *((1,) * n for n in (1, 2, 3, 6, 7, 14, 15)),
    {"a": [1, ("b", {"c": (b"d", None)})]},
    {str(n): n for n in range(15)},
]
SAME_FOR_ALL = [x for x in SIMPLE if not (type(x) is int and not -(2**63) <= x < 2**64)]
OTHERS: list[Any] = [
    *(2**64, -(2**63) - 1, "\ud800", "x" * 256, b"x" * 256, [1] * 16, (1,) * 16, {1: 2}, {1}),
    *(["x" * 200] * 2, bytearray(b"x"), object(), [object()], frozenset()),
]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def made_up(r: random.Random, levels: int = 3) -> Any:
    kind = r.randrange(8 if levels else 5)
    if kind < 5:
        edge = r.choice(EDGES[:-1]) - 1
        return r.choice([None, True, edge, -(edge // 2), r.random(), "y" * r.randrange(40), b"z"])
    some = [made_up(r, levels - 1) for _ in range(r.randrange(5))]
    return {"list": some, "tuple": tuple(some), "dict": dict(zip("abcde", some))}[
        ("list", "tuple", "dict")[kind - 5]
    ]


def check(value: Any) -> None:
    wanted = codec.pack_plain(value)
    got = _codec_first.pack(value)
    assert got == wanted if len(wanted) <= 255 else got is None
    if got is not None:
        for found in (_codec_first.read(got), decode(got)):
            assert repr(found) == repr(value)


@pytest.fixture(autouse=True)
def _libraries() -> None:
    codec.load()


@pytest.mark.parametrize("value", SAME_FOR_ALL, ids=lambda v: repr(v)[:30])
def test_same_bytes(value: Any) -> None:
    check(value)


def test_same_bytes_of_what_is_made_up() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    r = random.Random(seed)
    for _ in range(3000):
        check(made_up(r))


@pytest.mark.parametrize("value", OTHERS, ids=lambda v: repr(v)[:30])
def test_others_are_left_to_the_libraries(value: Any) -> None:
    assert _codec_first.pack(value) is None


def test_deep_ones_are_left_to_the_libraries() -> None:
    assert _codec_first.pack(nested(8)) == codec.pack_plain(nested(8))
    assert _codec_first.pack(nested(9)) is None
    assert _codec_first.read(codec.pack_plain(nested(8))) == nested(8)
    assert _codec_first.read(codec.pack_plain(nested(9))) is _codec_first.OTHER


def test_any_bytes_are_read_alike_or_left() -> None:
    """Cut, changed and made up ones: whoever reads a message first must not see another one."""
    seed = random.randrange(2**32)
    print("seed", seed)
    r = random.Random(seed)
    samples = [p for p in map(_codec_first.pack, SIMPLE) if p is not None]
    read = 0
    for _ in range(30_000):
        body = bytearray(r.choice(samples) if r.random() < 0.8 else r.randbytes(r.randrange(12)))
        for _ in range(r.randrange(3)):
            if body:
                body[r.randrange(len(body))] = r.randrange(256)
        if r.random() < 0.2:
            del body[r.randrange(len(body) + 1) :]
        found = _codec_first.read(bytes(body))
        if found is not _codec_first.OTHER:
            read += 1
            assert repr(found) == repr(decode(bytes(body)))
    assert read > 3000


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\xd9", b"\xd9\x05a", b"\x92\x01", b"\x01\x01"])
def test_what_is_no_message_is_left_to_the_libraries(body: bytes) -> None:
    assert _codec_first.read(body) is _codec_first.OTHER


def test_floats_of_four_bytes_are_left_to_the_libraries() -> None:
    assert _codec_first.read(b"\xca" + struct.pack(">f", 1.5)) is _codec_first.OTHER
