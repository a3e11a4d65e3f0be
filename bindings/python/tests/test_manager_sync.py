"""Locks of a manager and their kin."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread, fork, reap

from polyipc.manager import Manager

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def test_a_lock(m: Manager) -> None:  # noqa: F811
    lock = m.Lock()
    assert (lock.locked(), lock.acquire(), lock.locked()) == (False, True, True)
    assert not lock.acquire(False)
    assert not lock.acquire(timeout=0.01)
    assert not lock.acquire(timeout=-1)
    InThread(lock.release).result()  # anybody may
    with pytest.raises(RuntimeError):
        lock.release()
    with lock:
        assert lock.locked()
    assert not lock.locked()


def test_a_lock_excludes(m: Manager) -> None:  # noqa: F811
    lock, total = m.Lock(), m.dict(None, n=0)

    def work() -> None:
        for _ in range(50):
            with lock:
                total["n"] = total["n"] + 1

    for thread in [InThread(work) for _ in range(4)]:
        thread.result()
    assert total["n"] == 200


def test_an_rlock(m: Manager) -> None:  # noqa: F811
    lock = m.RLock()
    with lock, lock:
        assert not InThread(lock.acquire, False).result()
        with pytest.raises(AssertionError):
            InThread(lock.release).result()
    assert not lock.locked()
    with pytest.raises(AssertionError):
        lock.release()


def test_semaphores(m: Manager) -> None:  # noqa: F811
    s, bounded = m.Semaphore(None, 2), m.BoundedSemaphore()
    with s:
        assert (s.acquire(), s.acquire(False), s.get_value()) == (True, False, 0)
    s.release(3)
    assert s.get_value() == 4
    with bounded:
        assert bounded.get_value() == 0
    with pytest.raises(ValueError, match="release"):
        bounded.release()


def test_a_condition(m: Manager) -> None:  # noqa: F811
    c, box = m.Condition(), m.list()
    with pytest.raises(RuntimeError):
        c.notify()
    with c:
        assert not c.wait(0.01)
        assert c.wait_for(lambda: "at once") == "at once"
        assert not c.wait_for(lambda: False, 0.01)

    def consume() -> object:
        with c:
            c.wait_for(lambda: len(box))
            return box.pop()

    threads = [InThread(consume) for _ in range(3)]
    until(lambda: m.stat()["parked"] == 3)
    for i in range(2):
        with c:
            box.append(i)
            c.notify()
    with c:
        box.append(2)
        c.notify_all()
    assert sorted(t.result() for t in threads) == [0, 1, 2]


def test_a_condition_of_a_lock(m: Manager) -> None:  # noqa: F811
    lock = m.Lock()
    c = m.Condition(None, lock)
    with lock:
        assert not c.wait(0.01)
        assert lock.locked()
        c.notify_all()
    with c:
        assert lock.locked()


def test_an_event(m: Manager) -> None:  # noqa: F811
    e = m.Event()
    assert (e.is_set(), e.wait(0.01)) == (False, False)
    waiting = InThread(e.wait)
    e.set()
    assert (waiting.result(), e.is_set(), e.wait()) == (True, True, True)
    e.clear()
    assert not e.is_set()


def test_a_barrier(m: Manager) -> None:  # noqa: F811
    b = m.Barrier(None, 3)
    threads = [InThread(b.wait) for _ in range(2)]
    until(lambda: b.n_waiting == 2)
    assert sorted([b.wait(), *(t.result() for t in threads)]) == [0, 1, 2]
    assert (b.parties, b.n_waiting, b.broken) == (3, 0, False)
    with pytest.raises(threading.BrokenBarrierError):
        b.wait(0.01)
    assert b.broken
    b.reset()
    until(lambda: not b.broken)
    waiting = InThread(b.wait)
    until(lambda: b.n_waiting == 1)
    b.abort()
    with pytest.raises(threading.BrokenBarrierError):
        waiting.result()
    with pytest.raises(ValueError, match="parties"):
        m.Barrier(None)


def test_a_killed_clients_lock(m: Manager) -> None:  # noqa: F811
    lock, semaphore, ready = m.Lock("l"), m.Semaphore(), m.Event()

    def child() -> None:
        lock.acquire()
        semaphore.acquire()
        ready.set()
        time.sleep(60)

    pid = fork(child)
    assert ready.wait(60)
    assert not lock.acquire(False)
    os.kill(pid, signal.SIGKILL)
    assert lock.acquire(timeout=30)
    assert lock.owner_died
    assert semaphore.acquire(timeout=30)
    lock.release()
    assert lock.acquire()
    assert [lock.owner_died] == [False]
    os.waitpid(pid, 0)


def test_a_child_has_its_own_rlock(m: Manager) -> None:  # noqa: F811
    lock = m.RLock()
    with lock:

        def child() -> None:
            assert not lock.acquire(False)
            with pytest.raises(AssertionError):
                lock.release()

        reap(fork(child))
