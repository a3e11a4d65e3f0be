"""Locks and their kin: what multiprocessing's do, and what comes on top."""

from __future__ import annotations

import copy
import os
import pickle
import select
import signal
import threading
import time
from typing import Any, Callable

import pytest
from running import InThread, fork, reap

import polyipc
from polyipc import sync

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(function: Callable[[], object]) -> None:
    """Has a forked child call it and die."""

    def child() -> None:
        function()
        die()

    _, status = os.waitpid(fork(child), 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


# ---- opening ------------------------------------------------------------------------------------


def test_opening() -> None:
    with sync.Event.create(name="e") as event:
        with pytest.raises(polyipc.ExistsError):
            sync.Event.create(name="e")
        with sync.Event.open("e") as again, sync.Event(name="e") as third:
            event.set()
            assert again.is_set()
            assert third.wait(0)
        with pytest.raises(polyipc.WrongKindError, match="an event, not a lock"):
            sync.Lock.open("e")
        with pytest.raises(polyipc.WrongKindError):
            polyipc.Queue[int].open("e")
        event.unlink()
    with pytest.raises(polyipc.NotFoundError):
        sync.Event.open("e")
    sync.unlink("e")
    with pytest.raises(TypeError):
        sync.Lock.open(None)  # type: ignore[arg-type]


def test_options_must_be_the_same() -> None:
    with sync.Semaphore(3, name="s", transient=True), sync.Barrier(2, name="b", transient=True):
        for make in (
            lambda: sync.Semaphore(2, name="s", transient=True),
            lambda: sync.Semaphore(3, name="s", reclaim=True, transient=True),
            lambda: sync.Barrier(3, name="b", transient=True),
        ):
            with pytest.raises(polyipc.MismatchError):
                make()
    for wrong in (-1, 2**31):
        with pytest.raises(ValueError, match="give 0 to"):
            sync.Semaphore(wrong)
    with pytest.raises(ValueError, match="give 1 to 1000"):
        sync.Barrier(0)


def test_closed() -> None:
    lock = sync.Lock()
    lock.close()
    lock.close()
    for call in (lock.acquire, lock.release, lock.locked, lock.stat):
        with pytest.raises(polyipc.ClosedError):
            call()


@pytest.mark.parametrize(
    "make",
    [
        *(sync.Lock, sync.RLock, sync.Semaphore, sync.BoundedSemaphore, sync.Condition),
        *(sync.Event, lambda: sync.Barrier(2, timeout=3), sync.RWLock),
    ],
)
def test_pickle_and_copy(make: Callable[[], Any]) -> None:
    with_name = make()
    for twin in (pickle.loads(pickle.dumps(with_name)), copy.copy(with_name)):
        assert type(twin) is type(with_name)
        assert twin.name == with_name.name
        twin.close()
    with_name.close()


# ---- locks --------------------------------------------------------------------------------------


def test_lock() -> None:
    lock = sync.Lock()
    with pytest.raises(ValueError, match="released too many times"):
        lock.release()
    assert lock.acquire()
    assert lock.locked()
    assert not lock.acquire(False)
    assert not lock.acquire(block=False)
    assert not lock.acquire(True, 0.01)
    assert not lock.acquire(timeout=-5)
    assert lock.stat().holder == os.getpid()
    InThread(lock.release).result()
    assert not lock.locked()
    with lock as same:
        assert same is lock
        assert lock.locked()
    assert not lock.owner_died
    lock.close()


def test_rlock() -> None:
    lock = sync.RLock()
    with lock, lock:
        assert lock.stat().depth == 2
        assert not InThread(lock.acquire, False).result()
        with pytest.raises(AssertionError):
            InThread(lock.release).result()
        assert lock.locked()
    assert not lock.locked()
    with pytest.raises(polyipc.NotOwnedError):
        lock.release()
    lock.close()


@pytest.mark.parametrize("reclaim", [False, True])
def test_semaphore(reclaim: bool) -> None:
    with_bound = sync.BoundedSemaphore(2, reclaim=reclaim)
    with with_bound, with_bound:
        assert with_bound.get_value() == 0
        assert not with_bound.acquire(timeout=0.01)
    with pytest.raises(ValueError, match="too many"):
        with_bound.release()
    plain = sync.Semaphore(0, reclaim=reclaim)
    waits = [InThread(plain.acquire) for _ in range(3)]
    plain.release(5)
    assert all(w.result() for w in waits)
    assert plain.get_value() == 2
    for wrong in (0, -1, 2**31):
        with pytest.raises(ValueError, match="give 1 to"):
            plain.release(wrong)
    with_bound.close()
    plain.close()


def test_rwlock() -> None:
    lock = sync.RWLock()
    with lock.read(), lock.read():
        assert not lock.write_lock(block=False)
        assert lock.stat().value == 2
    with lock.write():
        assert not lock.read_lock(timeout=0.01)
    for unlock in (lock.read_unlock, lock.write_unlock):
        with pytest.raises(ValueError, match="this process"):
            unlock()
    lock.close()


def test_the_next_owner_is_told() -> None:
    for lock in (sync.Lock(), sync.RLock(), sync.Condition()):
        killed(lock.acquire)
        told = []
        for _ in range(2):
            assert lock.acquire(timeout=60)
            told.append(lock.owner_died)
            lock.release()
        assert told == [True, False]
        lock.close()
    rw, told = sync.RWLock(), []
    for side in (rw.write_lock, rw.read_lock):
        killed(side)
        with rw.write():
            told.append(rw.owner_died)
    assert told == [True, False]
    rw.close()


def test_permits_of_the_dead_return() -> None:
    permits = sync.Semaphore(2, reclaim=True)

    def hold() -> None:
        permits.acquire()
        permits.acquire()

    killed(hold)
    assert permits.acquire(timeout=60)
    assert permits.get_value() == 1
    assert permits.stat().reclaimed == 2
    permits.close()
    lost = sync.Semaphore(1)
    killed(lost.acquire)
    assert not lost.acquire(timeout=0.2)
    lost.close()


def test_a_child_holds_nothing_of_its_parents() -> None:
    lock, again, table = sync.Lock(), sync.RLock(), sync.RWLock()
    lock.acquire()
    again.acquire()
    table.read_lock()

    def child() -> None:
        assert not lock.acquire(False)
        with pytest.raises(AssertionError):
            again.release()
        with pytest.raises(ValueError, match="no read lock"):
            table.read_unlock()
        lock.release()  # as with multiprocessing, anybody may

    reap(fork(child))
    assert lock.acquire(False)
    assert not lock.owner_died
    again.release()
    table.read_unlock()
    for o in (lock, again, table):
        o.close()


def test_no_increment_is_lost() -> None:
    lock = sync.Lock()
    counter = memoryview(bytearray(8)).cast("Q")
    import mmap

    shared = mmap.mmap(-1, 8)
    counter = memoryview(shared).cast("Q")

    def work() -> None:
        for _ in range(2000):
            with lock:
                counter[0] += 1

    children = [fork(work) for _ in range(3)]
    threads = [InThread(work) for _ in range(3)]
    for t in threads:
        t.result()
    reap(*children)
    assert counter[0] == 6 * 2000
    counter.release()
    shared.close()
    lock.close()


# ---- condition ----------------------------------------------------------------------------------


def test_condition() -> None:
    condition = sync.Condition()
    for call in (condition.wait, condition.notify, condition.notify_all, condition.release):
        with pytest.raises(AssertionError):
            call()
    order: list[int] = []

    def wait(number: int) -> bool:
        with condition, condition:  # as deep again afterwards
            said = condition.wait(60)
            order.append(number)
            return said

    waits = []
    for i in range(4):
        waits.append(InThread(wait, i))
        eventually(lambda: condition.stat().waiters == i + 1)  # noqa: B023
    for i in range(2):
        with condition:
            condition.notify()
        assert waits[i].result()
    with condition:
        condition.notify_all()
    assert all(w.result() for w in waits)
    assert order[:2] == [0, 1]
    with condition:
        assert not condition.wait(0.01)
        assert condition.wait_for(lambda: 5) == 5
        assert not condition.wait_for(lambda: 0, timeout=0.01)
        with pytest.raises(ValueError, match="give 0"):
            condition.notify(-1)
    condition.close()


@pytest.mark.parametrize("make", [sync.Lock, sync.RLock])
def test_condition_with_a_lock(make: Callable[[], sync.Lock]) -> None:
    lock = make()
    condition = sync.Condition(lock)
    with pytest.raises(AssertionError):
        condition.wait(0)

    def notify() -> None:
        with condition:
            condition.notify()

    with condition:
        assert lock.locked()
        thread = InThread(notify)
        assert condition.wait(60)
        assert lock.locked()
    thread.result()
    twin = pickle.loads(pickle.dumps(condition))
    with twin:
        assert lock.locked()
    twin.close()
    twin._given.close()
    condition.close()
    lock.close()
    with pytest.raises(TypeError):
        sync.Condition(threading.Lock())  # type: ignore[arg-type]


def test_a_dead_waiter_does_not_swallow_a_notification() -> None:
    condition = sync.Condition()

    def wait() -> None:
        with condition:
            condition.wait()

    child = fork(wait)
    eventually(lambda: condition.stat().waiters == 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    thread = InThread(wait)
    eventually(lambda: condition.stat().waiters == 1)
    with condition:
        condition.notify()
    thread.result()
    condition.close()


# ---- event and barrier --------------------------------------------------------------------------


def test_event() -> None:
    event = sync.Event()
    assert not event.is_set()
    assert not event.wait(0.01)
    assert not event.wait(-1)
    waits = [InThread(event.wait) for _ in range(5)]
    eventually(lambda: event.stat().waiters == 5)
    event.set()
    event.clear()
    assert all(w.result() for w in waits)
    event.set()
    assert event.wait()
    event.close()


def test_an_event_in_a_list_and_in_a_loop() -> None:
    with sync.Event() as event, polyipc.Queue[int]() as q:
        assert polyipc.wait([event, q], timeout=0) == []
        thread = InThread(polyipc.wait, [event, q], 60)
        event.set()
        assert thread.result() == [event]
        assert select.select([event], [], [], 0)[0] == [event]
        event.clear()
        assert select.select([event], [], [], 0)[0] == []
        reap(fork(event.set))
        assert select.select([event], [], [], 60)[0] == [event]


def test_barrier() -> None:
    ran = []
    barrier = sync.Barrier(3, action=lambda: ran.append(1))
    for _ in range(20):
        waits = [InThread(barrier.wait, 60) for _ in range(3)]
        assert sorted(w.result() for w in waits) == [0, 1, 2]
    assert len(ran) == 20
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)
    wait = InThread(barrier.wait)
    eventually(lambda: barrier.n_waiting == 1)
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(0.01)
    with pytest.raises(polyipc.BrokenBarrierError):
        wait.result()
    assert barrier.broken
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait()
    barrier.reset()
    wait = InThread(barrier.wait)
    eventually(lambda: barrier.n_waiting == 1)
    barrier.abort()
    with pytest.raises(polyipc.BrokenBarrierError):
        wait.result()
    barrier.close()


def test_an_action_that_raises_breaks_the_barrier() -> None:
    def fail() -> None:
        raise KeyError("action")

    with (
        sync.Barrier(2, fail, name="b", transient=True) as barrier,
        sync.Barrier.open("b") as other,
    ):
        wait = InThread(other.wait)
        eventually(lambda: barrier.n_waiting == 1)
        with pytest.raises(KeyError):
            barrier.wait()
        with pytest.raises(threading.BrokenBarrierError):
            wait.result()


def test_another_takes_the_part_of_a_dead_party() -> None:
    barrier = sync.Barrier(2)
    child = fork(barrier.wait)
    eventually(lambda: barrier.n_waiting == 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    waits = [InThread(barrier.wait) for _ in range(2)]
    assert sorted(w.result() for w in waits) == [0, 1]
    barrier.close()
