"""Some fifty kinds of value, and what can be told of what came back of one."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import ipaddress
import operator
import pathlib
import re
import types
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

UTC, EAST = datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=5, minutes=45))


class Plain:
    """An instance with a dict."""

    def __init__(self, **named: Any) -> None:
        self.__dict__.update(named)

    def method(self, x: int) -> int:
        return x + 1


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a: Any, b: Any) -> None:
        self.a, self.b = a, b


class Reduced:
    """Says itself how it is made."""

    def __init__(self, x: int, again: bool = False) -> None:
        self.x, self.again = x, again

    def __reduce__(self) -> Any:
        return Reduced, (self.x, True)


class Stateful:
    def __getstate__(self) -> Any:
        return {"kept": 1}

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state, woken=True)


class Colour(enum.Enum):
    RED = 1
    ALSO_RED = 1  # noqa: PIE796


class Level(enum.IntEnum):
    LOW = 1


class Flags(enum.Flag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: Any


Named = collections.namedtuple("Named", "x")


@dataclasses.dataclass
class Data:
    a: int
    b: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: tuple[int, ...]


class MyError(Exception):
    def __init__(self, code: int, why: str) -> None:
        super().__init__(code, why)
        self.code = code


class MyInt(int):
    pass


class MyFloat(float):
    pass


class MyStr(str):
    pass


class MyBytes(bytes):
    pass


class MyList(list[Any]):
    pass


class MyDict(dict[Any, Any]):
    pass


class MySet(set[Any]):
    pass


class MyTuple(tuple[Any, ...]):
    pass


def function(x: int) -> int:
    return x


def error() -> MyError:
    """An exception with what exceptions have."""
    e = MyError(7, "why")
    e.__cause__ = KeyError("cause")
    e.extra = ["of mine"]  # type: ignore[attr-defined]
    return e


def cycle() -> list[Any]:
    """Refers to itself, by several ways."""
    a: list[Any] = []
    d = {"a": a}
    a += [a, d, Plain(back=a), (d,)]
    return a


def deep() -> Any:
    """Deeper than MessagePack goes."""
    obj: Any = None
    for _ in range(300):
        obj = [obj]
    return obj


def shared() -> Any:
    """Holds mutable objects twice."""
    inner, key, made = [1], Frozen((1,)), Plain(x=1)
    return {"a": inner, "b": [inner, {"c": inner}], key: made, "made": (made, made.method)}


def numpy_values() -> dict[str, Any]:
    import numpy as np

    structured: Any = np.zeros(3, dtype=[("a", "<i4"), ("b", "<f8")])
    return {
        "numpy scalars": [
            np.float64(1.5),
            np.int32(7),
            np.bool_(True),
            np.datetime64("2020-01-02"),
        ],
        "numpy array": np.arange(12).reshape(3, 4),
        "numpy large": np.arange(100_000.0),
        "numpy structured": structured,
        "numpy objects": np.array([None, {"a": 1}], dtype=object),
        "numpy nested": {"x": [np.arange(3), Plain(a=np.ones(2))]},
        "numpy types": [np.dtype("<f4"), np.float32, np.add],
    }


def all_values() -> dict[str, Any]:
    """The values by name."""
    now = datetime.datetime(2024, 2, 29, 12, 30, 5, 123456)  # noqa: DTZ001
    return {
        "none": None,
        "bools": [True, False],
        "ints": [0, -1, 2**31, 2**63, -(2**64), 10**40],
        "floats": [0.0, -0.0, 1e300, float("inf"), float("nan")],
        "complex": [1j, complex(2, -0.0)],
        "text": ["", "\u00e4\U0001f600", "a\0b", "\ud800", "x" * 70_000],
        "bytes": [b"", b"\0\xff", b"x" * 70_000],
        "bytearray": bytearray(b"abc"),
        "list": [1, [2, [3, []]]],
        "tuple": (1, (2, ()), ((),)),
        "dict": {1: "a", "b": None, (1, 2): [], None: 0, False: 9, 1.5: b""},
        "order": dict.fromkeys("zyxabc"),
        "sets": [{1, "a"}, set(), frozenset({1, 2}), {frozenset({3})}],
        "singletons": [None, True, Ellipsis, NotImplemented, int, type(None)],
        "subclasses": [MyInt(3), MyFloat(1.5), MyStr("s"), MyBytes(b"b"), MyTuple((1, 2))],
        "containers": [MyList([1]), MyDict(a=1), MySet({1})],
        "attributes": [vars_of(MyList([1]), x=1), vars_of(MyStr("s"), y=[2])],
        "instance": Plain(a=1, b=[2]),
        "slots": Slotted(1, Slotted(2, None)),
        "reduced": [Reduced(2), Stateful()],
        "enums": [Colour.RED, Colour.ALSO_RED, Level.LOW, Flags.A | Flags.B],
        "enum keys": {Colour.RED: 1, Level.LOW: 2},
        "namedtuples": [Point(1, [2]), Named(3)],
        "dataclasses": [Data(1, [2]), Frozen((1, 2))],
        "exceptions": [error(), ValueError("x", 1), OSError(2, "no", "file"), StopIteration(3)],
        "unicode error": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "why"),
        "functions": [function, len, Plain.method, operator.add, all_values],
        "methods": [Plain(a=1).method, "abc".upper, [3].append, dict.fromkeys, str.join],
        "partials": [functools.partial(function, 1), functools.partial(int, base=2)],
        "operators": [operator.itemgetter(1, "a"), operator.attrgetter("a.b")],
        "classes": [Plain, MyError, dict, Colour, collections.abc.Iterator],
        "ranges": [range(5), range(1, 10, 3), slice(1, None, 2), slice(None)],
        "decimals": [decimal.Decimal("1.10"), decimal.Decimal("NaN"), fractions.Fraction(1, 3)],
        "datetimes": [now, now.replace(tzinfo=UTC), now.replace(tzinfo=EAST), now.replace(fold=1)],
        "dates": [now.date(), now.time(), now.time().replace(tzinfo=EAST), now - now, UTC, EAST],
        "uuid": uuid.UUID(int=7),
        "paths": [pathlib.PurePosixPath("a/b"), pathlib.Path("/x"), pathlib.PureWindowsPath("c:/")],
        "regexes": [re.compile("a+", re.IGNORECASE), re.compile(b"x")],
        "deque": collections.deque([1, [2]], maxlen=5),
        "defaultdict": collections.defaultdict(list, a=[1]),
        "ordered": collections.OrderedDict(b=1, a=2),
        "counter": collections.Counter("aab"),
        "chainmap": collections.ChainMap({"a": 1}, {"b": 2}),
        "arrays": [array.array("i", [1, 2]), array.array("d")],
        "namespace": types.SimpleNamespace(a=1, b=[2]),
        "iterators": [
            iter([1, 2]),
            iter({"a": 1}),
            iter(range(3)),
            zip([1], [2]),
            reversed([1, 2]),
        ],
        "addresses": [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8")],
        "views": [{"a": 1}.keys(), {"a": 1}.items()],
        "cycle": cycle(),
        "shared": shared(),
        "deep": deep(),
        "wide": [{"n": i, "t": (i, str(i)), "s": {i}} for i in range(2_000)],
        "empty twice": [(), (), frozenset(), frozenset(), "", b""],
        "a list twice": [[1]] * 2,
        **numpy_values(),
    }


def vars_of(obj: Any, **named: Any) -> Any:
    """Give an object attributes."""
    vars(obj).update(named)
    return obj


def described(obj: Any) -> Any:
    """What an object is: types, values, attributes, and which mutable parts are the same ones."""
    return _Describing().of(obj)


class _Describing:
    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.kept: list[Any] = []

    def of(self, obj: Any) -> Any:
        kind = f"{type(obj).__module__}.{type(obj).__qualname__}"
        if isinstance(obj, (type, types.FunctionType, types.BuiltinFunctionType, enum.Enum)):
            own = getattr(obj, "__self__", None)
            bound = self.of(own) if isinstance(own, (Plain, str, list)) else None
            return kind, getattr(obj, "__qualname__", repr(obj)), bound
        if obj is None or obj is Ellipsis or obj is NotImplemented:
            return kind, repr(obj)
        if type(obj) in (bool, int, float, complex, str, bytes):
            return kind, repr(obj)
        if id(obj) in self.seen and obj not in ((), frozenset()):
            return "the same as", self.seen[id(obj)]
        self.seen[id(obj)] = len(self.seen)
        self.kept.append(obj)
        return (kind, *self.parts(obj))

    def parts(self, obj: Any) -> Iterator[Any]:
        if type(obj).__module__ == "numpy":
            yield from (str(obj.dtype), obj.tolist()) if hasattr(obj, "tolist") else (repr(obj),)
        elif isinstance(obj, types.MethodType):
            yield from (obj.__func__.__qualname__, self.of(obj.__self__))
        elif isinstance(obj, functools.partial):
            yield from (self.of(obj.func), self.of(obj.args), self.of(obj.keywords))
        elif isinstance(obj, (collections.abc.Set,)) and not isinstance(
            obj, collections.abc.KeysView
        ):
            yield sorted(repr(self.of(x)) for x in obj)
        elif isinstance(obj, collections.abc.Mapping):
            yield [(self.of(k), self.of(v)) for k, v in obj.items()]
            yield self.of(getattr(obj, "default_factory", None))
        elif isinstance(obj, (list, tuple, collections.deque, array.array, bytearray)):
            yield [self.of(x) for x in obj]
            yield repr(getattr(obj, "maxlen", getattr(obj, "typecode", "")))
        elif isinstance(obj, (collections.abc.Iterator, collections.abc.KeysView)):
            yield [self.of(x) for x in obj]
        elif isinstance(obj, BaseException):
            yield from (self.of(obj.args), repr(obj.__cause__), str(obj))
        elif not hasattr(obj, "__dict__") and vars(type(obj)).get("__repr__") is not None:
            yield repr(obj)
        for name in getattr(type(obj), "__slots__", ()) if isinstance(obj, Slotted) else ():
            yield self.of(getattr(obj, name))
        if isinstance(getattr(obj, "__dict__", None), dict) and not isinstance(
            obj, pathlib.PurePath
        ):
            yield sorted((k, self.of(v)) for k, v in vars(obj).items() if not k.startswith("_"))
        if isinstance(obj, (pathlib.PurePath, uuid.UUID, fractions.Fraction)):
            yield repr(obj)
