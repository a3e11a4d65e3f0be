"""The library's quick look at what is to be packed: polyipc_py_tree."""

from __future__ import annotations

import enum
import gc
import random
import sys
import uuid
from typing import Any

import pytest

from polyipc import _manager_values, codec
from polyipc._c import codec as _c  # noqa: F401 - hands the look over when the library is loaded
from polyipc._c import library
from polyipc._codec_write import is_plain


@pytest.fixture(autouse=True)
def _loaded() -> None:
    library.load()


class Sub(dict):  # type: ignore[type-arg]
    pass


class Colour(enum.IntEnum):
    RED = 1


def test_what_is_a_tree() -> None:
    box: list[Any] = [1]
    long, short = "x" * 4096, "x" * 4095
    empty: tuple[()] = ()
    obj: Any
    for obj in (
        *(None, True, 3, 2**80, 1.5, "text", b"bytes", [], {}, empty),
        *([1, "two", 3.0], {"a": [1], 2: {"b": None}, b"c": (1, (2,))}),
        *([long, long.encode()], [short, short], {"a": short, "b": [short]}),
        *([empty, empty], [[i] for i in range(1000)]),
    ):
        assert codec.is_tree(obj), obj
    for obj in (
        *(Sub(), Colour.RED, object(), set(), frozenset(), bytearray(), uuid.uuid4()),
        *([Sub()], {"a": {"b": Colour.RED}}, {Colour.RED: 1}, {(1,): 2}, [True, bytearray()]),
        *([long, long], {"a": long, "b": [long]}, (long.encode(),) * 2),
        *([box, box], {"a": box, "b": (box,)}, (box, [box])),
    ):
        assert not codec.is_tree(obj), obj


def test_sharing_is_seen_among_many() -> None:
    many: list[Any] = [[i] for i in range(20_000)]
    assert codec.is_tree(many)
    for place in (0, 31, 32, 33, 5_000, 19_999):
        assert not codec.is_tree([*many, many[place]])


def test_cycles_and_depth_are_left_to_python() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert not codec.is_tree(cycle)
    deep: list[Any] = []
    for _ in range(62):
        deep = [deep]
    assert codec.is_tree([deep])
    assert not codec.is_tree([[deep]])


def test_it_never_calls_plain_what_is_not() -> None:
    """Random objects: it says yes only where the slow look does, and then pack and unpack agree."""
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    long = "x" * 5000
    leaves: tuple[Any, ...] = (
        None,
        False,
        long,
        2**70,
        0.5,
        "t",
        b"b",
        Colour.RED,
        bytearray(b"x"),
    )

    def made(depth: int, pool: list[Any]) -> Any:
        if pool and rng.random() < 0.02:
            return rng.choice(pool)
        kind = rng.randrange(6) if depth else 5
        if kind == 5:
            return leaves[min(rng.randrange(60), 8) if rng.random() < 0.1 else rng.randrange(7)]
        items = [made(depth - 1, pool) for _ in range(rng.randrange(4))]
        obj: Any
        if kind < 2:
            obj = items
        elif kind < 4:
            obj = dict(zip(("a", "b", 3), items))
        else:
            obj = tuple(items)
        pool.append(obj)
        return obj

    yes = 0
    for _ in range(5000):
        obj = made(5, [])
        if codec.is_tree(obj):
            yes += 1
            assert is_plain(obj)
            assert codec.unpackb(codec.packb(obj, pickle=True), pickle=True) == obj
    assert 500 < yes < 5000


def test_no_reference_is_lost_or_kept() -> None:
    obj = {"a": [1, (2.5, "x")], "b": Sub(), "c": {}}
    codec.is_tree(obj)
    gc.collect()
    before = [sys.getrefcount(x) for x in (obj, obj["a"], Sub, dict, list, tuple, str, int)]
    for _ in range(1000):
        codec.is_tree(obj)
    after = [sys.getrefcount(x) for x in (obj, obj["a"], Sub, dict, list, tuple, str, int)]
    assert after == before


def test_bad_calls_raise() -> None:
    for arguments in ((), (1, 2)):
        with pytest.raises(TypeError):
            codec.is_tree(*arguments)


def test_a_cycle_within_a_pickle_is_no_depth() -> None:
    """A manager's message may be plain but for a part that was pickled."""
    cycle: list[Any] = [1]
    cycle += [cycle, cycle]
    plain = b"\x90" * 300  # as many bytes that could be heads of containers
    message = [_manager_values.one(x, bytes(8), True) for x in (plain, cycle)]
    found, again = _manager_values.read(b"\x92" + b"".join(message), lambda _: None, pickle=True)
    assert found == plain
    assert again[0] == 1
    assert again[1] is again[2] is again
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    row = b"\x92" + message[0] + _manager_values.one(deep, bytes(8), True)
    assert _manager_values.read(row, lambda _: None, pickle=True) == [plain, deep]
