"""Objects that go to a process of multiprocessing, and whose maker has dropped them by then."""

from __future__ import annotations

from pathlib import Path

import methods
import pytest

LOCKS = """
def work(_, lock, rlock, semaphore, bounded, event, barrier, rwlock, done):
    for it in (lock, rlock):
        with it:
            assert it.locked()
    assert (semaphore.get_value(), bounded.get_value()) == (3, 2)
    assert event.is_set()
    assert (barrier.parties, barrier.broken) == (2, True)
    with rwlock.read():
        pass
    done.set()

def make():
    made = [
        *(context.Lock(), context.RLock(), context.Semaphore(3), context.BoundedSemaphore(2)),
        *(context.Event(), context.Barrier(2), polyipc.RWLock()),
    ]
    made[4].set()
    made[5].abort()
    return made

def main():
    done = context.Event()
    run(work, *make(), done)
    assert done.is_set()
    made = make()
    run(work, *made, done, dropped=made if context.get_start_method() != "fork" else ())
"""

CONDITIONS = """
def work(_, *conditions):
    for c in conditions:
        with c:
            assert not c.wait(0.01)
            c.notify_all()

def make():
    value = context.Value("i", 0)
    return [
        *(context.Condition(), context.Condition(context.Lock())),
        *(context.Condition(context.RLock()), context.Condition(value.get_lock())),
    ]

def main():
    run(work, *make())
"""

VALUES = """
import ctypes
from polyipc.multiprocessing import sharedctypes

class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_int)]

def work(_, value, own, array, raw, raws, point, text, copied, address, nested):
    with value:
        value.value += 1
    own.value += 1
    assert (value.value, own.value, raw.value, copied.value) == (8, 9, 5, 6)
    assert (array[:], raws[:]) == ([1, 2], [3, 4])
    with point.get_lock():
        assert (point.x, point.y) == (1.5, 2)
    assert (text.value, text.raw) == (b"ab", b"ab\\0")
    assert address.value == 1 << 40
    assert nested[1][:] == [3, 4]

def make():
    v = context.Value
    return [
        *(v("i", 7), v("i", 8, lock=context.Lock()), context.Array("i", [1, 2])),
        *(context.RawValue("i", 5), context.RawArray("i", [3, 4]), v(Point, 1.5, 2)),
        *(context.Array("c", b"ab\\0"), sharedctypes.copy(ctypes.c_int(6))),
        *(v(ctypes.c_void_p, 1 << 40), v((ctypes.c_int * 2) * 2, (1, 2), (3, 4), lock=False)),
    ]

def main():
    run(work, *make())
"""

SEGMENTS = """
def work(_, segment, shareable):
    assert bytes(segment.buf) == b"abc"
    assert list(shareable) == [1, "two"]

def main():
    run(work, polyipc.Segment(3, initial=b"abc"), polyipc.ShareableList([1, "two"]))
"""


@pytest.mark.parametrize("method", methods.METHODS)
@pytest.mark.parametrize(
    "program",
    [LOCKS, CONDITIONS, VALUES, SEGMENTS],
    ids=["locks", "conditions", "values", "segments"],
)
def test_dropped(tmp_path: Path, method: str, program: str) -> None:
    methods.run(tmp_path, method, program)
