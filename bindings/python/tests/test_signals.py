"""Signals: Ctrl-C ends a wait; after other handlers it goes on for the time that is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from running import program

import polyipc

# Waits in the main thread, as {wait} says, until Ctrl-C; then uses the queue.
INTERRUPTED = """
import polyipc, threading, time
{before}
q = polyipc.Queue(1)
full = polyipc.Queue(1)
full.put(0)
print("ready", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
q.put("usable")
print(q.get(), flush=True)
"""

IN_A_THREAD = """
def load():
    polyipc.Queue().close()
loads = threading.Thread(target=load)
loads.start()
loads.join()
"""


@pytest.mark.parametrize("before", ["", IN_A_THREAD], ids=["main loads", "thread loads"])
@pytest.mark.parametrize(
    "wait",
    [
        *("q.get()", "q.get(timeout=100)", "q.lease()", "q.get_many(3)", "q.get_bytes()"),
        *("full.put(1)", "full.put_many([1, 2])", "full.put_bytes(b'')", "full.join()"),
        *("full.put_bytes(bytearray(100))", "[x for x in q]"),
    ],
)
def test_ctrl_c_ends_a_wait(before: str, wait: str) -> None:
    with program(INTERRUPTED.format(before=before, wait=wait)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)  # so that it waits, as a rule; it must end in any case
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 2
        assert process.stdout.readline() == "usable\n"


@contextmanager
def alarms(every: float) -> Iterator[list[int]]:
    """Lets SIGALRM come again and again; yields the list of those that were handled."""
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, every, every)
    try:
        yield seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_wait_goes_on_after_a_handler() -> None:
    with polyipc.Queue[int](1) as q:
        with alarms(0.02) as seen:
            start = time.monotonic()
            with pytest.raises(polyipc.Empty) as caught:
                q.get(timeout=0.5)
            assert 0.5 <= time.monotonic() - start < 2.5
        assert caught.value.status == polyipc.Status.TIMEOUT
        assert len(seen) >= 5
        q.put(1)
        with alarms(0.02), pytest.raises(polyipc.Full):
            q.put(2, timeout=0.3)
        with alarms(0.02), pytest.raises(polyipc.Full) as full:
            q.put_many([2, 3], timeout=0.3)
        assert full.value.put == 0
        with alarms(0.02), pytest.raises(polyipc.TimedOutError):
            q.join(timeout=0.3)


def test_a_message_ends_a_wait_that_signals_disturb() -> None:
    with polyipc.Queue[int]() as q, alarms(0.01) as seen:
        later = threading.Timer(0.3, q.put, [7])
        later.start()
        assert q.get() == 7
        assert len(seen) >= 3
        later.join()


@pytest.mark.parametrize("verb", ["put", "put_bytes", "put_many"])
def test_room_ends_a_wait_that_signals_disturb(verb: str) -> None:
    with polyipc.Queue[bytes](1) as q, alarms(0.01) as seen:
        q.put(b"first")
        later = threading.Timer(0.3, q.get)
        later.start()
        getattr(q, verb)([b"second"] if verb == "put_many" else b"second")
        assert q.get() == b"second"
        assert len(seen) >= 3
        later.join()


def test_a_handler_may_use_the_queue() -> None:
    with polyipc.Queue[str]() as q:
        before = signal.signal(signal.SIGUSR1, lambda *_: q.put("from the handler"))
        try:
            later = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGUSR1])
            later.start()
            assert q.get() == "from the handler"
            later.join()
        finally:
            signal.signal(signal.SIGUSR1, before)


def test_an_exception_of_a_handler_ends_the_wait() -> None:
    class Enough(Exception):  # noqa: N818
        pass

    def handler(*_: object) -> None:
        raise Enough

    with polyipc.Queue[int]() as q:
        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Enough):
                q.get()
        finally:
            signal.signal(signal.SIGALRM, before)
        q.put(1)
        assert q.get() == 1
