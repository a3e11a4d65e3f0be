"""Queues of a manager."""

from __future__ import annotations

import queue

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread

from polyipc import errors
from polyipc.manager import Manager, Server


def test_put_and_get(m: Manager) -> None:  # noqa: F811
    q = m.Queue(None, 2)
    q.put("a")
    q.put_nowait({"b": 1})
    assert (q.qsize(), q.full(), q.empty(), q.maxsize) == (2, True, False, 2)
    for when in ({"block": False}, {"timeout": 0.01}):
        with pytest.raises(queue.Full):
            q.put(1, **when)
    with pytest.raises(queue.Full):
        q.put_nowait(1)
    assert (q.get(), q.get_nowait(), q.empty()) == ("a", {"b": 1}, True)
    for when in ({"block": False}, {"timeout": 0.01}):
        with pytest.raises(queue.Empty):
            q.get(**when)
    with pytest.raises(queue.Empty):
        q.get_nowait()
    with pytest.raises(ValueError, match="timeout"):
        q.get(timeout=-1)


def test_many(m: Manager) -> None:  # noqa: F811
    q = m.Queue(None, 3)
    q.put_many([1, 2])
    with pytest.raises(queue.Full):
        q.put_many([3, 4], timeout=0.01)
    with pytest.raises(ValueError, match="3"):
        q.put_many([1, 2, 3, 4])
    assert q.get_many(10) == [1, 2]
    with pytest.raises(queue.Empty):
        q.get_many(10, block=False)


def test_a_blocked_get_holds_nobody_up(m: Manager) -> None:  # noqa: F811
    q, back = m.Queue(), m.Queue()
    waiting = InThread(q.get)
    room = InThread(back.get, True, 60)
    until(lambda: m.stat()["parked"] == 2)
    assert m.ping("quick") == "quick"
    q.put(1)
    back.put(2)
    assert (waiting.result(), room.result()) == (1, 2)


def test_leases(m: Manager, server: Server) -> None:  # noqa: F811
    q = m.JoinableQueue()
    q.put_many(["a", "b"])
    with q.lease() as lease:
        assert (lease.value, lease.deliveries, q.qsize()) == ("a", 1, 1)
    with pytest.raises(ZeroDivisionError), q.lease() as lease:
        1 / 0  # noqa: B018
    assert q.qsize() == 1
    with server.connect() as other:
        theirs = other._read(other._current(), _retained(other, q))
        again = theirs.lease()
        assert (again.value, again.deliveries) == ("b", 2)
        other.ping()  # what was confirmed before is known to the server now
    last = q.lease(timeout=30)  # the other client is gone
    assert (last.value, last.deliveries) == ("b", 3)
    last.ack()
    with pytest.raises(errors.LeaseLostError):
        last.nack()
    q.join(5)


def _retained(manager: Manager, proxy: object) -> bytes:
    """What a client gets that knows an object by its number."""
    link = manager._current()
    found = link.run(0, b"retain", link.packed([proxy._object]), b"", None)  # type: ignore[attr-defined]
    assert isinstance(found, bytes)
    return found


def test_join(m: Manager) -> None:  # noqa: F811
    q = m.JoinableQueue()
    q.put(1)
    with pytest.raises(errors.TimedOutError):
        q.join(0.01)
    waiting = InThread(q.join)
    q.get()
    q.task_done()
    waiting.result()
    with pytest.raises(ValueError, match="task_done"):
        q.task_done()


def test_shutdown(m: Manager) -> None:  # noqa: F811
    q = m.Queue()
    q.put_many([1, 2])
    q.shutdown()
    with pytest.raises(errors.ShutDown):
        q.put(3)
    assert list(q) == [1, 2]
    with pytest.raises(errors.ShutDown):
        q.get()
    q = m.Queue()
    waiting = InThread(q.get)
    until(lambda: m.stat()["parked"] == 1)
    q.shutdown(immediate=True)
    with pytest.raises(errors.ShutDown):
        waiting.result()
