"""Value, Array, RawValue, RawArray: as multiprocessing has them, and across names and processes."""

from __future__ import annotations

import ctypes
import gc
import importlib
import multiprocessing
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
from running import InThread, fork, output, reap

import polyipc
from polyipc import Array, RawArray, RawValue, Value, segment_of
from polyipc.segment import (
    Synchronized,
    SynchronizedArray,
    SynchronizedString,
    synchronized,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


class Point(ctypes.Structure):
    _fields_ = (("tag", ctypes.c_byte), ("x", ctypes.c_int), ("y", ctypes.c_double))


class Named(Point):
    _fields_ = (  # type: ignore[assignment]
        ("name", ctypes.c_char * 6),
        ("grid", ctypes.c_short * 3 * 2),
    )


class Packed(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("a", ctypes.c_byte), ("b", ctypes.c_int))


class Bits(ctypes.Structure):
    _fields_ = (("a", ctypes.c_int, 3), ("b", ctypes.c_int, 5))


class Either(ctypes.Union):
    _fields_ = (("i", ctypes.c_int), ("d", ctypes.c_double))


CODES: dict[str, tuple[Any, Any]] = {
    "c": (b"x", b"y"),
    "u": ("ä", "€"),
    "w": ("ä", "€"),
    "?": (True, False),
    "b": (-5, 7),
    "B": (5, 255),
    "h": (-300, 3),
    "H": (65535, 1),
    "i": (-(2**31), 2),
    "I": (2**32 - 1, 0),
    "l": (-(2**63), 1),
    "L": (2**64 - 1, 1),
    "q": (-(2**63), 1),
    "Q": (2**64 - 1, 2),
    "n": (-7, 7),
    "N": (7, 8),
    "e": (1.5, -0.25),
    "f": (0.5, -2.0),
    "d": (1e300, -0.1),
}


@pytest.mark.parametrize("code", CODES)
def test_every_type_code(code: str) -> None:
    first, second = CODES[code]
    v = Value(code, first, name="v", transient=True)
    other = Value.open("v")
    assert other.value == v.value == first
    other.value = second
    assert v.value == second
    assert type(v) is Synchronized

    a = Array(code, [first, second, first], name="a", transient=True)
    b = Array.open("a")
    assert len(a) == len(b) == 3
    assert list(b[:]) == list(a[:]) if code not in "cuw" else b[:] == a[:]
    b[1] = first
    assert a[1] == first
    assert [a[i] for i in range(3)] == [first] * 3
    b[0:2] = [second, second] if code not in "cuw" else second + second
    assert a[0] == a[1] == second
    with pytest.raises(IndexError):
        _ = a[3]


def test_as_multiprocessing() -> None:
    reap(fork(both))  # in a child, since multiprocessing keeps its memory


def both() -> None:
    """Do with both what multiprocessing's own tests of sharedctypes do."""
    modules: tuple[Any, ...] = (multiprocessing, polyipc)
    for module in modules:
        v: Any = module.Value("i", 5)
        assert v.value == 5
        with v.get_lock():
            v.value += 2
        assert v.get_obj().value == v.value == 7
        assert v.acquire()
        v.release()
        raw: Any = module.Value("i", lock=False)
        assert raw.value == 0
        assert not hasattr(raw, "get_lock")
        for lock in (threading.RLock(), multiprocessing.Lock()):
            held: Any = module.Value("d", 1.5, lock=lock)
            assert held.get_lock() is lock
            assert held.value == 1.5
        with pytest.raises(AttributeError):
            module.Value("i", lock="nonsense")
        a: Any = module.Array("i", list(range(10)))
        a[2:5] = [0, 0, 0]
        assert a[:] == [0, 1, 0, 0, 0, 5, 6, 7, 8, 9]
        assert list(a) == a[:]
        assert len(module.Array("i", 3)) == 3
        assert module.Array("i", 0)[:] == []
        text: Any = module.Array("c", 20)
        text.value = b"hello"
        assert (text.value, text.raw) == (b"hello", b"hello" + bytes(15))
        text.raw = b"x" * 20
        assert text.value == b"x" * 20
        point: Any = module.Value(Point, 1, 2, 3.5)
        assert (point.tag, point.x, point.y) == (1, 2, 3.5)
        point.y += 1
        assert point.get_obj().y == 4.5
        with pytest.raises(TypeError):
            module.Array("i", 2.5)
        r: Any = module.RawArray("d", [1, 2])
        assert r[:] == [1.0, 2.0]
        r = module.RawValue(Point, 1, 2)
        assert (r.x, r.y) == (2, 0.0)


def test_wrappers() -> None:
    v, a, s = Value("i"), Array("i", 2), Array("c", b"abc")
    p: Any = Value(Named)
    assert "SynchronizedBase" in {c.__name__ for c in type(p).__mro__}
    assert type(p) is type(Value(Named))
    assert isinstance(v, Synchronized)
    assert isinstance(a, SynchronizedArray)
    assert isinstance(s, SynchronizedString)
    assert s.value == b"abc"
    p.name = b"ab"
    p.grid[1][2] = 5
    assert (p.name, p.grid[1][2]) == (b"ab", 5)
    assert "wrapper for" in repr(v)
    assert synchronized(RawValue("i", 3)).value == 3
    with pytest.raises(TypeError):
        synchronized(v)
    with pytest.raises(TypeError):
        segment_of(ctypes.c_int(5))
    with pytest.raises(TypeError, match="ctypes type"):
        Value("y")
    with pytest.raises(TypeError, match="ctypes type"):
        Value(int)
    with pytest.raises(polyipc.InvalidError):
        Array("i", -1)
    with pytest.raises(polyipc.InvalidError):
        Value(ctypes.c_void_p)
    with pytest.raises(polyipc.InvalidError):
        Value(ctypes.c_longdouble)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (Point, "T{<b:tag:3x<i:x:<d:y:}"),
        (Named, "T{<b:tag:3x<i:x:<d:y:(6)<c:name:(2,3)<h:grid:6x}"),
        *((Packed, "T{<b:a:<i:b:}"), (Bits, "4s"), (Either, "8s"), (ctypes.c_int * 3, "(3)<i")),
        (vars(ctypes.c_int)["__ctype_be__"], ">i"),
    ],
)
def test_formats_of_ctypes(kind: Any, form: str) -> None:
    v = RawValue(kind, name="v", transient=True)
    assert segment_of(v).format == form
    assert segment_of(v).itemsize == ctypes.sizeof(kind)
    again = RawValue.open("v", kind)
    assert type(again) is type(v)
    by_format = RawValue.open("v")
    assert ctypes.sizeof(by_format) == ctypes.sizeof(kind)
    with pytest.raises(polyipc.MismatchError):
        RawValue.open("v", ctypes.c_short)
    with pytest.raises(polyipc.MismatchError):
        RawArray.open("v")


def test_structures_open_by_what_they_are() -> None:
    a = Array(Named, 3, name="a", transient=True)
    a[1].x, a[1].y, a[1].name = 5, 2.5, b"abc"
    b = Array.open("a")
    assert (b[1].x, b[1].y, b[1].name) == (5, 2.5, b"abc")
    b[1].grid[1][0] = 9
    assert a[1].grid[1][0] == 9
    np = pytest.importorskip("numpy")
    array = b.numpy()
    assert array.shape == (3,)
    assert array["y"][1] == 2.5
    assert array["grid"][1, 1, 0] == 9
    array["x"][2] = 77
    assert a[2].x == 77
    with np.nditer(array["x"]) as it:
        assert [int(n) for n in it] == [0, 5, 77]


def test_arrays_of_more_dimensions() -> None:
    with polyipc.Segment(format="h", shape=(2, 3), name="s", transient=True) as s:
        s.items()[1, 2] = 7
        a = RawArray.open("s")
        assert a[1][2] == 7
        del a


def test_opening_and_making() -> None:
    first = Value("i", 5, name="v")
    second = Value("i", 6, name="v")  # it exists: what it begins with is not looked at
    assert second.value == 5
    with pytest.raises(polyipc.ExistsError):
        Value.create("i", name="v")
    with pytest.raises(polyipc.MismatchError, match=r"<i.*<d"):
        Value("d", name="v")
    with pytest.raises(polyipc.MismatchError):
        Array("i", 1, name="v")
    segment_of(first).unlink()
    with pytest.raises(polyipc.NotFoundError):
        Value.open("v")
    with pytest.raises(polyipc.NotFoundError):
        Array.open("v")
    a = Array.create("i", (1, 2), name="a", transient=True)
    with pytest.raises(polyipc.MismatchError):
        Array("i", 3, name="a")
    with pytest.raises(polyipc.MismatchError):
        Value.open("a")
    assert a[:] == [1, 2]


def test_a_generator_begins_an_array() -> None:
    assert Array("i", (n * n for n in range(4)))[:] == [0, 1, 4, 9]
    assert Array("c", b"abc").value == b"abc"
    assert Array("u", "äö")[:] == "äö"


def work(value: Any, array: Any, raw: Any) -> None:
    """Increment all of them, in another process."""
    for _ in range(1000):
        with value.get_lock():
            value.value += 1
        with array.get_lock():
            for i in range(len(array)):
                array[i] += 1
        segment_of(raw).atomic(0, "i").add(1)


def end_helpers() -> None:
    """End the processes that multiprocessing keeps for spawn and forkserver."""
    forkserver: Any = importlib.import_module("multiprocessing.forkserver")
    tracker: Any = importlib.import_module("multiprocessing.resource_tracker")
    forkserver._forkserver._stop()
    tracker._resource_tracker._stop()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_arguments_of_processes(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    value, array, raw = Value("q"), Array("h", 3), RawValue("i")
    workers = [context.Process(target=work, args=(value, array, raw)) for _ in range(3)]
    for w in workers:
        w.start()
    work(value, array, raw)
    for w in workers:
        w.join()
        assert w.exitcode == 0
        w.close()
    assert (value.value, array[:], raw.value) == (4000, [4000] * 3, 4000)
    end_helpers()


def one_less(value: Any, shareable: Any, done: Any) -> None:
    """Tell what came, in another process."""
    done.put((value.value, list(shareable)))


def test_what_the_parent_lets_go_of() -> None:
    """A child has what it was given, although nobody else has it by the time that it opens it."""
    context: Any = multiprocessing.get_context("spawn")
    with polyipc.Queue[Any]() as done:
        given = (Value("q", 7), polyipc.ShareableList(["x", 1]), done)
        p = context.Process(target=one_less, args=given)
        p.start()
        del given
        gc.collect()
        assert done.get(timeout=60) == (7, ["x", 1])
        p.join()
        p.close()
    end_helpers()


def test_pickles() -> None:
    v, a = Value("q", 5), Array(Point, 2)
    v2, a2 = pickle.loads(pickle.dumps((v, a)))
    v2.value = 6
    a2[1].x = 3
    assert (v.value, a[1].x) == (6, 3)
    raw = pickle.loads(pickle.dumps(v.get_obj()))
    raw.value = 9
    assert v.value == 9
    with v.get_lock():
        assert not InThread(v2.get_lock().acquire, False).result()
    # Objects of the same types that lie elsewhere pickle as ever.
    assert pickle.loads(pickle.dumps(ctypes.c_longlong(3))).value == 3
    reap(fork(mixed, v))


def mixed(v: Any) -> None:
    """Hand over ours when multiprocessing has its own way with objects of the same type."""
    theirs: Any = multiprocessing.RawValue("q", 5)
    context = multiprocessing.get_context("spawn")
    p = context.Process(target=swap, args=(v.get_obj(), theirs))
    p.start()
    p.join()
    assert (v.value, theirs.value) == (5, 9)


def swap(a: Any, b: Any) -> None:
    """Swap the values, in another process."""
    a.value, b.value = b.value, a.value


def test_a_value_goes_with_its_last_reference(root: Path) -> None:
    v = Value("i", 1)
    path = root / segment_of(v).name
    obj = v.get_obj()
    del v
    gc.collect()
    assert path.exists()
    obj.value = 3
    lock = synchronized(obj).get_lock()
    del obj
    gc.collect()
    assert path.exists()
    assert lock.acquire(False)
    lock.release()
    del lock
    gc.collect()
    assert not path.exists()


def test_a_fork_shares_them() -> None:
    v, a = Value("i"), Array("d", 2)

    def child() -> None:
        v.value = 5
        a[1] = 2.5

    reap(fork(child))
    assert (v.value, a[1]) == (5, 2.5)


def test_the_lock_of_one_who_died() -> None:
    v = Value("i")
    reap(fork(v.acquire))
    v.value = 3  # takes the lock over
    reap(fork(v.acquire))
    with v.get_lock():
        assert v.get_lock().owner_died
    assert v.value == 3


def test_another_program_opens_it() -> None:
    a = Array("d", [1.5, 2.5], name="a", transient=True)
    text = """
import polyipc
a = polyipc.Array.open("a")
with a.get_lock():
    a[0] += a[1]
print(a.get_obj()[:], type(a).__name__)
"""
    assert output(text).strip() == "[4.0, 2.5] SynchronizedArray"
    assert a[0] == 4.0
