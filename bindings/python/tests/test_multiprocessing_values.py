"""polyipc.multiprocessing.sharedctypes beside multiprocessing's own."""

from __future__ import annotations

import ctypes
import re
from multiprocessing import sharedctypes as theirs
from typing import Any, Callable

import pytest
from running import fork, reap

from polyipc.multiprocessing import sharedctypes as ours

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


class Point(ctypes.Structure):
    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_int * 3), ("n", ctypes.c_char * 8))


class Either(ctypes.Union):
    _fields_ = (("x", ctypes.c_double), ("y", ctypes.c_int64))


class Outer(ctypes.Structure):
    _fields_ = (("p", Point), ("bits", ctypes.c_int, 3), ("address", ctypes.c_void_p))


VALUES: list[Callable[[Any], Any]] = [
    lambda m: m.Value("i"),
    lambda m: m.Value("i", lock=False),
    lambda m: m.Value("i", 5, lock=None).get_obj(),
    lambda m: m.Value("c", b"x").value,
    lambda m: m.Value("u", "x").value,
    lambda m: m.Value("i", 2**40).value,
    lambda m: m.Value("i", "a"),
    lambda m: m.Value("i").get_lock(),
    lambda m: m.Value("i").__enter__(),
    lambda m: m.Value("i", lock="x"),
    lambda m: m.Value("i", lock=0),
    lambda m: m.Value(ctypes.c_void_p).value,
    lambda m: m.Value(ctypes.c_char_p).value,
    lambda m: m.Value(ctypes.c_longdouble, 2.5).value,
    lambda m: m.Value(ctypes.py_object),
    lambda m: m.Value(Point, 1.5, (1, 2, 3), b"ab").n,
    lambda m: m.Value(Point, 1.5, (1, 2, 3), b"ab").y[:],
    lambda m: type(m.Value(Point)).__name__,
    lambda m: type(m.Value(Point)) is type(m.Value(Point)),
    lambda m: m.Value(Either, 1.5).y,
    lambda m: m.Value(Outer).p.x,
    lambda m: (m.Value(Outer).bits, m.Value(Outer).address),
    lambda m: m.Value(ctypes.c_int * 5)[:],
    lambda m: m.Array(ctypes.c_int * 5, 3)[1][:],
    lambda m: m.Array(Point, [(1.0,), (2.0,)])[1].x,
    lambda m: type(m.Array("c", b"hello")).__name__,
    lambda m: (m.Array("c", b"hi\0").value, m.Array("c", b"hi\0").raw, m.Array("c", 3)[1:]),
    lambda m: m.Array("u", "hello")[:],
    lambda m: (m.Array("i", 0)[:], m.Array("i", [])[:], len(m.Array("i", 3))),
    lambda m: m.Array("i", -1),
    lambda m: m.Array("i", 3)[5],
    lambda m: list(m.Array("i", range(3))),
    lambda m: m.Array("i", 3, lock="x"),
    lambda m: m.Array(ctypes.c_void_p, 2)[:],
    lambda m: m.Array(ctypes.c_void_p, [7])[:],
    lambda m: m.synchronized(m.synchronized(m.RawValue("i"))),
    lambda m: m.synchronized(m.RawValue("i")),
    lambda m: m.synchronized(ctypes.c_int(4)).value,
    lambda m: m.copy(ctypes.c_int(4)),
    lambda m: m.copy(Point(3.0)).x,
    lambda m: m.copy((ctypes.c_int * 3)(1, 2, 3))[:],
    lambda m: m.copy(m.RawValue("i", 7)).value,
    lambda m: isinstance(m.Value("i"), m.SynchronizedBase),
    lambda m: memoryview(m.Array("i", 3).get_obj()).shape,
    lambda m: sorted(m.typecode_to_type.items() & theirs.typecode_to_type.items(), key=str),  # type: ignore[attr-defined]
]


def what(function: Callable[[Any], Any], module: Any) -> str:
    """What came of it, without addresses and the words of an error."""
    try:
        return re.sub(r"0x[0-9a-f]+", "0x", repr(function(module)))
    except Exception as e:
        return next(t.__name__ for t in type(e).__mro__ if t.__module__ == "builtins")


def test_as_multiprocessing() -> None:
    reap(fork(compare))  # in a child, since multiprocessing's heap stays


def compare() -> None:
    """Do the same with both."""
    for i, function in enumerate(VALUES):
        assert (i, what(function, ours)) == (i, what(function, theirs))
