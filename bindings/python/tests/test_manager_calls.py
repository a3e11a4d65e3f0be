"""Calls of a manager that are not waited for at once, deadlines, signals."""

from __future__ import annotations

import gc
import queue
import signal
import threading
import time
from fractions import Fraction

import pytest
from managed import m, server, until  # noqa: F401 - fixtures
from running import InThread, program

from polyipc import errors
from polyipc.manager import Manager, QueueLease, Server


def test_futures(m: Manager) -> None:  # noqa: F811
    d, items, lock, q = m.dict(None, a=1), m.list(), m.Lock(), m.JoinableQueue()
    futures = [m.submit(items.append, i) for i in range(50)]
    assert [f.result() for f in futures] == list(range(1, 51))
    assert m.submit(d.get, "x", default=7).result() == 7
    assert m.submit(d.__getitem__, "a").result(30) == 1
    assert m.submit(d.popitem).result() == ("a", 1)
    assert m.submit(lock.acquire).result() is True
    assert m.submit(lock.acquire, timeout=0).result() is False
    q.put(1)
    lease = m.submit(q.lease).result()
    assert isinstance(lease, QueueLease)
    lease.ack()
    m.submit(d.update, {"b": 2}, c=3).result()
    assert d == {"b": 2, "c": 3}
    wrong = m.submit(d.__getitem__, "no")
    with pytest.raises(KeyError) as caught:
        wrong.result()
    assert caught.value.args == ("no",)
    assert wrong.exception() is caught.value
    assert wrong.done()
    assert not wrong.cancelled()
    live = m.submit(m.list(None, [m.list(None, ["deep"])]).get, 0)
    assert live.result() == ["deep"]


def test_what_cannot_be_submitted(m: Manager, server: Server) -> None:  # noqa: F811
    d = m.dict()
    with server.connect() as other:
        for method in (print, d, other.ping, other.dict().clear):
            with pytest.raises(TypeError, match="one of this manager's proxies"):
                m.submit(method)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="makes 0 calls"):
        m.submit(d.keys)
    with pytest.raises(TypeError, match=r"\$\[1\]"):
        m.submit(d.set, "a", object())


def test_a_future_waits(m: Manager) -> None:  # noqa: F811
    q = m.Queue()
    future = m.submit(q.get)
    assert not future.done()
    with pytest.raises(errors.TimedOutError):
        future.result(0.01)
    waiting = InThread(future.result)
    with pytest.raises(errors.TimedOutError):
        future.result(0.01)
    q.put("here")
    assert waiting.result() == future.result() == "here"
    assert future.exception() is None


def test_cancel(m: Manager) -> None:  # noqa: F811
    q = m.Queue()
    future = m.submit(q.get)
    assert future.cancel()
    assert future.cancelled()
    with pytest.raises(errors.CancelledError):
        future.result()
    q.put(1)
    assert q.qsize() == 1  # nobody took it
    got = m.submit(q.get)
    assert got.result() == 1
    assert not got.cancel()


def test_a_future_that_is_dropped(m: Manager) -> None:  # noqa: F811
    q, d = m.Queue(), m.dict()
    for i in range(2000):  # more than may be under way
        m.submit(d.set, i, m.list())
    future = m.submit(q.get)
    until(lambda: m.stat()["parked"] == 1)
    del future
    gc.collect()
    until(lambda: m.stat()["parked"] == 0)
    q.put("still there")
    assert q.get() == "still there"
    kept = [m.submit(q.get) for _ in range(1000)]
    del kept
    d.clear()
    until(lambda: m.stat()["objects"] == 2)


def test_a_batch(m: Manager) -> None:  # noqa: F811
    d, c, q = m.dict(None, a=1), m.counter(), m.Queue()
    with m.batch() as batch:
        for _ in range(100):
            batch.add(c.increment)
        assert len(batch) == 100
        last = batch.add(d.popitem)
        batch.add(d.update, x=b"bytes")
        value = batch.add(d.get, "x")
        with pytest.raises(RuntimeError, match="has not run"):
            last.result()
    assert batch.results() == [*range(1, 101), ("a", 1), None, b"bytes"]
    assert (last.result(), value.result()) == (("a", 1), b"bytes")
    with m.batch() as batch:
        missing = batch.add(d.__getitem__, "no")
        empty, late = batch.add(q.get), batch.add(m.Event().wait)
        done = batch.add(c.get)
    with pytest.raises(KeyError) as caught:
        missing.result()
    assert caught.value.args == ("no",)
    with pytest.raises(queue.Empty):
        empty.result()
    assert (late.result(), done.result()) == (False, 100)
    with pytest.raises(KeyError):
        batch.results()
    with pytest.raises(ZeroDivisionError), m.batch() as batch:
        batch.add(c.increment)
        1 / 0  # noqa: B018
    assert c.get() == 100
    with m.batch():
        pass


def test_what_a_batch_takes(m: Manager) -> None:  # noqa: F811
    d, inner, other = m.dict(), m.list(None, [1]), m.counter()
    with m.batch() as batch:
        set_ = d.set
        for i in range(3):
            batch.add(set_, i, (i, [i]))
        with pytest.raises(TypeError):
            batch.add(set_, "no value")
        with pytest.raises(TypeError, match="makes 0 calls"):
            batch.add(inner._same, inner)
        with pytest.raises(TypeError, match="give a method"):
            batch.add(len, inner)
        batch.add(d.set, "inner", inner)  # a live object: all goes another way
        inside = batch.add(d.get, "inner")
        batch.add(other.increment, by=5)
        assert len(batch) == 6
    assert batch.results() == [None, None, None, None, inner, 5]
    inside.result().append(2)
    assert inner.copy() == [1, 2]
    assert dict(d.items())[2] == (2, [2])
    with m.batch() as batch:
        batch.add(d.set, "bad", object())
        with pytest.raises(TypeError, match="object"):
            batch.__exit__(None, None, None)
        batch._calls.clear()


def test_a_batch_of_pickles() -> None:
    with Server("pickles", pickle=True) as s, s.connect() as m:  # noqa: F811
        d = m.dict()
        with m.batch() as batch:
            batch.add(d.set, "plain", [1, "x"])
            batch.add(d.update, {"fraction": Fraction(1, 3)}, other=Fraction(1, 2))
            batch.add(d.set, b"key", Fraction(2, 3))
            found = batch.add(d.get, "fraction")
            popped = batch.add(d.popitem)
        assert found.result() == Fraction(1, 3)
        assert popped.result() == (b"key", Fraction(2, 3))
        assert dict(d.items()) == {
            "plain": [1, "x"], "fraction": Fraction(1, 3), "other": Fraction(1, 2)
        }  # fmt: skip


def test_deadlines(m: Manager) -> None:  # noqa: F811
    q, c = m.Queue(), m.Condition()
    start = time.monotonic()
    with m.deadline(0.2):
        assert m.ping(1) == 1
        for _ in range(2):
            with pytest.raises(errors.TimedOutError):
                q.get()
        with m.deadline(60), pytest.raises(errors.TimedOutError):
            m.ping()
    assert 0.2 <= time.monotonic() - start < 5
    m.timeout = 0.05
    assert m.timeout == 0.05
    with pytest.raises(errors.TimedOutError):
        q.get()
    with m.deadline(30), pytest.raises(errors.TimedOutError):
        q.get()
    with c, pytest.raises(errors.TimedOutError):
        c.wait()
    with pytest.raises(ValueError, match="timeout"):
        m.timeout = -1
    m.timeout = None
    q.put("not lost to those who gave up")
    assert q.get() == "not lost to those who gave up"


INTERRUPTED = """
from polyipc import manager
m = manager.connect("test")
q, full, lock, c, e = m.Queue(), m.Queue(None, 1), m.Lock(), m.Condition(), m.Event()
full.put(0)
b, d = m.Barrier(None, 2), m.dict()
print("ready", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
q.put("usable")
print(q.get(), flush=True)
"""


@pytest.mark.parametrize(
    "wait",
    [
        *("q.get()", "q.get(timeout=100)", "full.put(1)", "lock.acquire() and lock.acquire()"),
        *("with c: c.wait()", "e.wait()", "b.wait()", "m.submit(q.get).result()"),
        *("[x for x in q]", "list(d.watch())", "[m.deadline(100).__enter__(), q.get()]"),
    ],
)
@pytest.mark.usefixtures("server")
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    with program(INTERRUPTED.format(wait=wait)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)  # so that it waits, as a rule; it must end in any case
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 5
        assert process.stdout.readline() == "usable\n"


def test_a_wait_goes_on_after_a_handler(m: Manager) -> None:  # noqa: F811
    q = m.Queue()
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        with pytest.raises(queue.Empty):
            q.get(timeout=0.5)
        later = threading.Timer(0.2, q.put, [7])
        later.start()
        assert q.get() == 7
        later.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(seen) >= 5


def test_the_name_comes_first(m: Manager) -> None:  # noqa: F811
    with pytest.raises(TypeError, match="the name comes first"):
        m.list([1, 2])  # type: ignore[arg-type]
