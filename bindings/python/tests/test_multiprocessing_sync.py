"""Locks and their kin as multiprocessing's own code, and CPython's, use them."""

from __future__ import annotations

import multiprocessing as theirs
import threading
from multiprocessing import synchronize as their_synchronize
from typing import Any, Callable

import pytest
from running import InThread, fork, reap

import polyipc
import polyipc.multiprocessing as ours
from polyipc.multiprocessing import synchronize


def lock_of_a_value(module: Any) -> Any:
    # Theirs is an RLock as any other, and its Value would leave a heap behind.
    return module.RLock() if module is theirs else module.Value("i", 0).get_lock()


MAKERS: list[Callable[[Any], Any]] = [
    lambda m: m.Lock(),
    lambda m: m.RLock(),
    lambda m: m.Semaphore(2),
    lambda m: m.BoundedSemaphore(2),
    lambda m: m.Condition(),
    lambda m: m.Condition(m.Lock()),
    lock_of_a_value,
]


def seen(it: Any) -> tuple[Any, ...]:
    """What there is to see of a lock."""
    semlock = it._lock._semlock if hasattr(it, "_sleeping_count") else it._semlock
    now = (semlock._count(), semlock._is_mine(), semlock._get_value(), semlock._is_zero())
    return (repr(it), *now, semlock.kind, semlock.maxvalue)


def states(it: Any) -> list[Any]:
    """What is to be seen in a lock's life."""
    found = [seen(it)]
    assert it.acquire() is True
    found += [seen(it), InThread(seen, it).result()]
    if it.acquire(False):
        found.append(seen(it))
        it.release()
    assert it.release() is None
    assert it.acquire(timeout=5)
    found.append(seen(it))
    it.release()
    with it as entered:
        found += [entered, seen(it)]
    return [*found, seen(it)]


@pytest.mark.parametrize("make", MAKERS, ids=range(len(MAKERS)))
def test_it_looks_like_theirs(make: Callable[[Any], Any]) -> None:
    assert states(make(ours)) == states(make(theirs))


@pytest.mark.parametrize("make", MAKERS, ids=range(len(MAKERS)))
def test_a_forked_child_holds_nothing(make: Callable[[Any], Any]) -> None:
    it = make(ours)
    it.acquire()

    def child() -> None:
        _, count, mine, *_ = seen(it)
        assert (count, mine) == (0, False)

    reap(fork(child))
    it.release()


def test_misuse() -> None:
    for make, error in ((ours.Lock, ValueError), (ours.RLock, AssertionError)):
        with pytest.raises(error):
            make().release()
    with pytest.raises(ValueError, match="too many"):
        ours.BoundedSemaphore(1).release()
    lock = ours.Lock()
    for condition in (ours.Condition(), ours.Condition(lock)):
        for verb in (condition.notify, condition.notify_all, condition.wait):
            with pytest.raises(AssertionError):
                verb()
    condition = ours.Condition(lock)
    with condition:  # somebody has it, but not the one who notifies
        for verb in (condition.notify, condition.wait):
            with pytest.raises(AssertionError):
                InThread(verb).result()
    with pytest.raises(AttributeError):
        ours.Value("i", lock="none")
    assert issubclass(polyipc.errors.BrokenBarrierError, threading.BrokenBarrierError)


def test_a_queue_of_cpythons_asks_at_each_put(monkeypatch: pytest.MonkeyPatch) -> None:
    it = ours.BoundedSemaphore(1)
    monkeypatch.setattr(type(it), "stat", None)  # takes as long as all the rest of a put
    assert not it._semlock._is_zero()
    assert it.acquire(True, None) is True
    assert it._semlock._is_zero()
    assert it.acquire(False, None) is False


def test_a_waiter_owns_the_lock_again() -> None:
    lock = ours.Lock()
    condition = ours.Condition(lock)

    def notify() -> None:
        with condition:
            condition.notify()

    with condition:
        thread = InThread(notify)
        assert condition.wait(60)
        assert lock._semlock._is_mine()
    thread.result()
    assert (lock._semlock._count(), condition._sleeping_count.get_value()) == (0, 0)


def test_who_waits_is_counted() -> None:
    condition = ours.Condition()

    def wait() -> None:
        with condition:
            waiting.release()
            condition.wait()

    waiting = threading.Semaphore(0)
    threads = [InThread(wait) for _ in range(2)]
    for _ in threads:
        waiting.acquire()
    with condition:  # they wait: else they would have it
        assert repr(condition) == "<Condition(<RLock(MainProcess, 1)>, 2)>"
        condition.notify_all()
    for thread in threads:
        thread.result()
    assert [c.get_value() for c in (condition._woken_count, condition._wait_semaphore)] == [0, 0]


def test_their_condition_takes_our_locks() -> None:
    for lock in (ours.Lock(), ours.RLock(), ours.Value("i").get_lock()):
        condition = their_synchronize.Condition(lock, ctx=ours.get_context())
        with condition:
            assert not condition.wait(0.01)
            condition.notify()


def test_what_the_module_offers() -> None:
    assert vars(their_synchronize)["SEM_VALUE_MAX"] == synchronize.SEM_VALUE_MAX
    for make in MAKERS[:4]:
        lock = make(ours)
        assert isinstance(lock, synchronize.SemLock)
        assert not lock.locked()
        assert lock._semlock.name == lock.name
        lock.__dict__["note"] = "attributes are welcome"
    event, barrier = ours.Event(), ours.Barrier(2)
    assert repr(event).endswith("unset>") == repr(theirs.Event()).endswith("unset>")
    assert bool(event) is True
    if "__repr__" in vars(threading.Barrier):  # from Python 3.10 on
        assert "waiters=0/2" in repr(barrier)
    named = ours.Lock(name="open.to.all")
    with polyipc.Lock(name="open.to.all") as other:
        assert named.locked()
        other.unlink()
