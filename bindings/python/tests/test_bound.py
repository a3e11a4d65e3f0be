"""A verb that is kept without its object goes on working: it keeps what is open."""

from __future__ import annotations

import gc
import weakref
from typing import Any, Callable

import pytest
from running import InThread

import polyipc
from polyipc import sync


def make(cls: type[Any]) -> Any:
    return cls(1) if issubclass(cls, sync.Semaphore) else cls()


HELD = (sync.Lock, sync.RLock, sync.Semaphore, sync.BoundedSemaphore, sync.Condition)


@pytest.mark.parametrize("cls", HELD)
def test_acquire_and_release_outlive_their_object(cls: type[Any]) -> None:
    acquire, release = (lambda it: (it.acquire, it.release))(make(cls))
    gc.collect()
    assert acquire()
    release()
    assert acquire(True, 1)  # not done by the builtin itself
    release()
    assert acquire(timeout=0)
    if cls is not sync.RLock and cls is not sync.Condition:
        assert not acquire(False)
        assert not acquire(True, 0.01)
    assert not InThread(acquire, False).result()
    release()
    if cls is not sync.Semaphore:
        with pytest.raises((ValueError, AssertionError)):
            release()


@pytest.mark.parametrize("cls", HELD)
def test_one_of_them_alone_is_enough(cls: type[Any]) -> None:
    acquire: Callable[..., bool] = make(cls).acquire
    assert acquire()
    assert not InThread(acquire, True, 0.05).result()
    release: Callable[[], None] = make(cls).release
    if cls is sync.Semaphore:
        release()
    else:
        with pytest.raises((ValueError, AssertionError)):
            release()


@pytest.mark.parametrize("cls", HELD)
def test_the_object_goes_at_once(cls: type[Any]) -> None:
    """Without the collector, and what it has open with the last of its functions."""
    gc.disable()
    try:
        it = make(cls)
        name, seen, acquire = it.name, weakref.ref(it), it.acquire
        del it
        assert seen() is None
        cls.open(name).close()
        del acquire
        with pytest.raises(polyipc.NotFoundError):
            cls.open(name)
    finally:
        gc.enable()


@pytest.mark.parametrize("cls", HELD)
def test_a_closed_one_stays_closed(cls: type[Any]) -> None:
    it = make(cls)
    acquire, release = it.acquire, it.release
    it.close()
    for call in (acquire, release):
        with pytest.raises(polyipc.ClosedError):
            call()
    del it
    for call in (acquire, release):
        with pytest.raises(polyipc.ClosedError):
            call()


def test_a_borrowed_lock_is_kept() -> None:
    acquire, release = (lambda c: (c.acquire, c.release))(sync.Condition(sync.Lock()))
    assert acquire()
    assert not acquire(True, 0.01)
    release()


def test_verbs_of_other_nouns() -> None:
    full, empty = polyipc.Queue[int](1), polyipc.Queue[int]()
    full.put(1)
    name = full.name
    put, get_many = full.put, full.get_many
    del full
    gc.collect()
    with pytest.raises(polyipc.Full):
        put(2, timeout=0.01)
    assert get_many(3) == [1]
    put(2)
    assert polyipc.Queue[int].open(name).get() == 2
    get, lease = empty.get, empty.lease
    del empty
    for call in (get, lease):
        with pytest.raises(polyipc.Empty):
            call(timeout=0.01)

    a, b = polyipc.Pipe()
    send, recv, poll = a.send, b.recv, b.poll
    del a, b
    gc.collect()
    send("there")
    assert poll()
    assert recv() == "there"

    event = sync.Event()
    wait, announce = event.wait, event.set
    del event
    assert not wait(0.01)
    announce()
    assert wait(1)

    read_lock, write_lock = (lambda t: (t.read_lock, t.write_lock))(sync.RWLock())
    assert read_lock()
    assert not write_lock(timeout=0.01)
    assert sync.Barrier(1).wait() == 0


def test_verbs_of_values() -> None:
    value = polyipc.Value("q", 7)
    acquire, release, lock = value.acquire, value.release, value.get_lock()
    del value
    gc.collect()
    assert acquire()
    release()
    with lock:
        pass
    cell = polyipc.Segment(64).atomic(8)
    add, load = cell.add, cell.load
    wait = cell.wait
    del cell
    gc.collect()
    assert add(3) == 0
    assert load() == 3
    assert wait(0) == 3
    with pytest.raises(polyipc.TimedOutError):
        wait(3, 0.01)
