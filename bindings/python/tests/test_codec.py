"""The codec against the vectors that all languages share, and what only Python has."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import math
import mmap
import os
import pathlib
import random
import struct
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from polyipc import codec
from polyipc._codec_write import pack_exactly
from polyipc.codec import CodecError, Ext, NDArray, Ref, packb, unpackb

UTC = dt.timezone.utc
NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - what the codec must refuse
ID = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
VECTORS = pathlib.Path(__file__).resolve().parents[3] / "tests" / "vectors" / "codec.txt"


def vectors() -> list[dict[str, str]]:
    found = []
    for block in VECTORS.read_text().split("\n\n"):
        fields = {}
        for line in block.splitlines():
            word, _, rest = line.partition(" ")
            if word in ("vector", "invalid"):
                fields["name"] = rest
            elif word != "#":
                fields[word] = rest
        if "name" in fields:
            found.append(fields)
    assert len(found) > 200
    return found


def notation(value: Any) -> str:
    kind: Any = type(value)
    if value is None or kind is bool:
        return "nil" if value is None else str(value).lower()
    if kind is int:
        if -(1 << 63) <= value < 1 << 64:
            return f"int:{value}"
        magnitude = abs(value).to_bytes((value.bit_length() + 7) // 8, "big")
        return f"big:{'-' if value < 0 else '+'}{magnitude.hex()}"
    if kind is float:
        return "float:" + struct.pack(">d", value).hex()
    if kind is str:
        return f"str:{value.encode().hex()}"
    if kind is bytes:
        return f"bin:{value.hex()}"
    if kind is dt.datetime:
        since = value - dt.datetime(1970, 1, 1, tzinfo=UTC)
        return f"time:{since.days * 86400 + since.seconds}.{since.microseconds * 1000:09}"
    if kind is uuid.UUID:
        return f"uuid:{value.hex}"
    if kind is Ref:
        return f"ref:{value.kind}:{value.uuid.hex}:{value.name}"
    if kind is Ext:
        return f"ext:{value.type}:{value.data.hex()}"
    if kind.__name__ == "ndarray":
        value = NDArray(value.dtype.str, value.shape, value.tobytes())
    if kind.__name__ in ("ndarray", "NDArray"):
        return f"ndarray:{value.dtype}:{'x'.join(map(str, value.shape))}:{bytes(value.data).hex()}"
    if kind is dict:
        words = [f"map {len(value)}"]
        for k, v in value.items():
            words += [notation(k), notation(v)]
        return " ".join(words)
    names: dict[Any, str] = {list: "array", tuple: "tuple", set: "set", frozenset: "frozenset"}
    members = list(map(notation, value))
    if kind in (set, frozenset):
        members.sort()
    return " ".join([f"{names[kind]} {len(value)}", *members])


def parse(words: Iterator[str]) -> Any:
    word, _, rest = next(words).partition(":")
    part = rest.split(":")
    if word in ("nil", "true", "false"):
        return {"nil": None, "true": True, "false": False}[word]
    if word == "int":
        return int(rest)
    if word == "big":
        return int(rest[0] + str(int(rest[1:], 16)))
    if word == "float":
        return struct.unpack(">d", bytes.fromhex(rest))[0]
    if word == "str":
        return bytes.fromhex(rest).decode()
    if word == "bin":
        return bytes.fromhex(rest)
    if word == "time":
        seconds, nanoseconds = map(int, rest.split("."))
        return dt.datetime(1970, 1, 1, tzinfo=UTC) + dt.timedelta(
            days=seconds // 86400, seconds=seconds % 86400, microseconds=nanoseconds // 1000
        )
    if word == "uuid":
        return uuid.UUID(rest)
    if word == "ref":
        return Ref(int(part[0]), uuid.UUID(part[1]), part[2])
    if word == "ext":
        return Ext(int(part[0]), bytes.fromhex(part[1]))
    if word == "ndarray":
        return NDArray(
            part[0], tuple(int(n) for n in part[1].split("x") if n), bytes.fromhex(part[2])
        )
    n = int(next(words))
    if word == "map":
        return {parse(words): parse(words) for _ in range(n)}
    kinds: dict[str, Any] = {"array": list, "tuple": tuple, "set": set, "frozenset": frozenset}
    return kinds[word](parse(words) for _ in range(n))


def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(CodecError) as caught:
        unpackb(data, **options)
    assert str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("vector", vectors(), ids=lambda v: str(v["name"])[:40])
def test_vector(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"])
    if "error" in vector:
        assert refusal(data) == vector["error"]
        assert refusal(data, pickle=True) == vector["error"]
        return
    if vector["value"].startswith("pickle:"):
        assert refusal(data) == "INVALID"
        assert notation(unpackb(data, pickle=True)) == vector["python"]
        return
    want = vector.get("python", vector["value"])
    assert notation_flat(unpackb(data)) == want
    assert notation_flat(unpackb(memoryview(data))) == want
    if "python" not in vector:
        # Also by the way that is taken when the fast one fails.
        for pack in (packb, pack_exactly):
            out = pack(parse(iter(want.split())))
            assert (out == data) is ("decode_only" not in vector)
            assert notation_flat(unpackb(out)) == want


def notation_flat(value: Any) -> str:
    """notation, with room on the stack for the deepest message."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)
    try:
        return notation(value)
    finally:
        sys.setrecursionlimit(limit)


class Color(enum.IntEnum):
    RED = 1


class Text(str):
    pass


class Table(dict):  # type: ignore[type-arg]
    pass


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        (object(), "$: a object"),
        ({"a": [1, 2, 3, object()]}, "$.a[3]: a object"),
        ({"a": {5: (1, {2, 3, object})}}, "$.a[5][1]["),
        ({(1, object()): 1}, "$.(key)[1]: "),
        (Color.RED, "plain int"),
        ({Color.RED: 1}, "$.(key): "),
        ([Text("x")], "$[0]: a "),
        ({Text("x"): 1}, "$.(key): "),
        (Table(), "plain dict"),
        (Point(1, 2), "plain tuple"),
        (NAIVE, "time zone"),
        ([dt.date(2026, 1, 1)], "$[0]: a datetime.date"),
        ("\ud800", "$: "),
        ({"k": "a\udfffb"}, "$.k: "),
        ({"a\udfffb": 1}, "$.(key): "),
        (Ref(0, ID), "kind 0"),
        (Ref(1, ID, "a/b"), "named"),
        (Ref(1, "x"), "uuid"),  # type: ignore[arg-type]
        (Ext(96, b""), "0 to 95"),
        (Ext(-1, b""), "0 to 95"),
        ([NDArray("<f8", (2,), b"")], "$[0]: an array"),
        (NDArray("|O8", (), b""), "not carried"),
        (1j, "complex"),
        (range(3), "range"),
        (len, "builtin"),
    ],
)
def test_what_cannot_be_carried_is_named(obj: object, says: str) -> None:
    with pytest.raises(TypeError) as caught:
        packb(obj)
    assert says in str(caught.value)


def test_cycles_are_named() -> None:
    a: list[Any] = [1]
    a.append({"again": (a,)})
    with pytest.raises(TypeError, match=r"\$\[1\]\.again\[0\]: this holds itself"):
        packb(a)
    twice: list[Any] = []
    assert unpackb(packb([twice, twice])) == [[], []]


def nest(kind: str, depth: int) -> Any:
    obj: Any = {"list": [], "dict": {}, "tuple": (), "frozenset": frozenset()}[kind]
    for _ in range(depth - 1):
        obj = {"list": [obj], "dict": {"a": obj}, "tuple": (obj,), "frozenset": frozenset((1,))}[
            kind
        ]
        if kind == "frozenset":
            obj = (obj,)
    return obj


@pytest.mark.parametrize("kind", ["list", "dict", "tuple"])
def test_depth_limit(kind: str) -> None:
    deepest = packb(nest(kind, 255))
    assert packb(unpackb(deepest)) == deepest
    for depth in (256, 257, 1000, 20000):
        with pytest.raises(CodecError, match="deeper than 255") as caught:
            packb(nest(kind, depth))
        assert caught.value.code == "TOO_LARGE"


def test_depth_adds_up_over_kinds() -> None:
    inside: Any = nest("list", 200)
    assert unpackb(packb(nest_in_tuples(inside, 55))) == nest_in_tuples(inside, 55)
    with pytest.raises(CodecError):
        packb(nest_in_tuples(inside, 56))


def nest_in_tuples(obj: Any, n: int) -> Any:
    for _ in range(n):
        obj = (obj,)
    return obj


def test_no_recursion_error_on_a_short_stack() -> None:
    deep, flat = nest("tuple", 255), {"a": [1, (2, 3)]}
    data = packb(deep)

    def descend(n: int) -> None:
        if n:
            return descend(n - 1)
        assert packb(deep) == data
        assert unpackb(packb(flat)) == flat
        try:
            unpackb(data)
        except CodecError as err:
            codes.append(err.code)

    codes: list[str] = []
    base = 0
    frame: Any = sys._getframe()
    while frame:
        base, frame = base + 1, frame.f_back
    descend(sys.getrecursionlimit() - base - 40)
    assert codes in ([], ["TOO_LARGE"])


def test_size_limit_without_using_memory() -> None:
    with mmap.mmap(-1, 2**32) as huge:
        assert refusal(huge) == "TOO_LARGE"  # type: ignore[arg-type]


def test_types_and_values_come_back() -> None:
    for obj in [
        (1, [2, (3,)], {"k": ((),)}),
        {1, 2, 3},
        {frozenset((1,)), (1, 2), "x", None, 1.5, b"b", ID},
        {
            1: "a",
            None: "b",
            2.5: "c",
            b"d": "e",
            (1, (2,)): "f",
            frozenset((1,)): "g",
            2**70: "h",
            ID: 1,
        },
        [2**64, -(2**63) - 1, 2**1000, -(2**1000), 2**64 - 1, -(2**63)],
        {"é€😀\0": "x" * 70000, "b": b"x" * 70000, "l": [0] * 70000},
        {i: i for i in range(70000)},
        [math.inf, -math.inf, 0.1],
        dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        [Ref(1, ID, "jobs"), Ext(5, b"x")],
        [True, 1, 1.0, False, 0, 0.0],
    ]:
        for pickled in (False, True):
            back = unpackb(packb(obj, pickle=pickled), pickle=pickled)
            assert back == obj
            assert repr(types(back)) == repr(types(obj))
    assert math.isnan(unpackb(packb(math.nan)))
    assert math.copysign(1, unpackb(packb(-0.0))) == -1
    assert unpackb(packb([bytearray(b"x"), memoryview(b"y")])) == [b"x", b"y"]
    assert unpackb(packb({1: bytearray(b"x")})) == {1: b"x"}
    zone = dt.timezone(dt.timedelta(hours=2))
    moment = dt.datetime(2026, 1, 1, 1, tzinfo=zone)
    assert unpackb(packb(moment)) == moment


def types(obj: Any) -> Any:
    if type(obj) in (list, tuple):
        return [type(obj), [types(x) for x in obj]]
    if type(obj) is dict:
        return [type(obj), [(types(k), types(v)) for k, v in obj.items()]]
    return type(obj)


class Job:
    def __init__(self, n: int) -> None:
        self.n = n

    def __eq__(self, other: object) -> bool:
        return type(other) is Job and other.n == self.n

    def __hash__(self) -> int:
        return self.n


def test_pickle_keeps_types_and_identity() -> None:
    shared = [1]
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    objs: tuple[Any, ...] = (
        Job(1),
        Color.RED,
        Text("x"),
        Point(1, 2),
        bytearray(b"x"),
        NAIVE,
        {1: Job(2)},
        "\ud800",
        nest("list", 300),
        Table(a=1),
    )
    for obj in objs:
        data = packb(obj, pickle=True)
        assert refusal(data) == "INVALID"
        back = unpackb(data, pickle=True)
        assert back == obj
        assert type(back) is type(obj)
    back = unpackb(packb([shared, shared], pickle=True), pickle=True)
    assert back[0] is back[1]
    empty: list[int] = []
    back = unpackb(packb([empty, empty, ((empty,),)], pickle=True), pickle=True)
    assert back[0] is back[1] is back[2][0][0]
    back = unpackb(packb(cyclic, pickle=True), pickle=True)
    assert back[0] is back
    # What needs no pickle is readable for everybody.
    assert unpackb(packb({"a": [(), (), {1}]}, pickle=True)) == {"a": [(), (), {1}]}
    with pytest.raises((TypeError, AttributeError)):
        packb(threading.Lock(), pickle=True)
    with pytest.raises(CodecError):
        packb(nest("list", 20000), pickle=True)


def test_numpy_arrays() -> None:
    numpy = pytest.importorskip("numpy")
    grid = numpy.arange(12, dtype="<i4").reshape(3, 4)
    for array in [
        grid,
        grid.T,
        grid[::2, ::-1],
        numpy.array(1.5),
        numpy.zeros((0, 3)),
        grid.astype(">f8"),
        numpy.array([True, False]),
        numpy.array([1 + 2j]),
        numpy.float16([1.5]),
    ]:
        array = numpy.asarray(array)
        for obj in (array, {"a": [array, (array,)]}):
            back = unpackb(packb(obj))
            inside = back if obj is array else back["a"][1][0]
            assert inside.dtype == array.dtype
            assert inside.shape == array.shape
            assert (inside == array).all()
    data = packb(grid)
    view = unpackb(data)
    assert not view.flags.writeable
    assert not view.flags.owndata  # a view of the message, not a copy
    for bad in (
        numpy.array([object()]),
        numpy.array(["x"]),
        numpy.zeros(1, "i4,f8"),
        numpy.float64(1),
        numpy.int64(1),
        numpy.array(["2026"], "M8[D]"),
        numpy.ma.array([1]),
    ):
        with pytest.raises(TypeError, match=r"^\$\[0\]: "):
            packb([bad])
    with pytest.raises(TypeError, match=r"^\$: "):
        packb(numpy.array(["x"]))


def test_without_numpy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from polyipc.codec import packb, unpackb, NDArray\n"
        "a = unpackb(packb([NDArray('<i2', (2,), b'1234')]))[0]\n"
        "assert type(a) is NDArray and bytes(a.data) == b'1234' and a.shape == (2,), a\n"
    )
    env = dict(os.environ, PYTHONPATH=str(pathlib.Path(codec.__file__).parents[1]))
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_threads_do_not_mix() -> None:
    wrong: list[str] = []

    def work(n: int) -> None:
        obj = {"n": n, "t": (n, {n}, [n] * 300)}
        for _ in range(300):
            if unpackb(packb(obj)) != obj:
                wrong.append(f"thread {n}")
            try:
                packb([(n, object())])
            except TypeError as err:
                if not str(err).startswith("$[0][1]: "):
                    wrong.append(str(err))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_random_bytes_only_ever_raise_codec_errors() -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    rng = random.Random(seed)
    seeds = [bytes.fromhex(v["hex"]) for v in vectors() if len(v["hex"]) < 600]
    for _ in range(20000):
        data = bytearray(rng.choice(seeds) or b"\0")
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            obj = unpackb(bytes(data))
        except CodecError:
            continue
        assert notation_flat(unpackb(packb(obj))) == notation_flat(obj)
