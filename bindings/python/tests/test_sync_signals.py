"""Locks and their kin under signals: Ctrl-C ends a wait; after other handlers it goes on."""

from __future__ import annotations

import signal
import time

import pytest
from running import program

INTERRUPTED = """
import polyipc.sync as s, threading
lock, event, gate = s.Lock(), s.Event(), s.Semaphore(0)
rlock, condition, barrier, table = s.RLock(), s.Condition(), s.Barrier(2), s.RWLock()
lock.acquire()
table.write_lock()
for it in (rlock,):
    t = threading.Thread(target=it.acquire)
    t.start()
    t.join()
condition.acquire()
print("ready", flush=True)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted", flush=True)
condition.release()
event.set()
print(event.wait(), barrier.n_waiting, barrier.broken, condition.stat().waiters, flush=True)
"""


@pytest.mark.parametrize(
    "wait",
    [
        *("lock.acquire()", "rlock.acquire()", "gate.acquire(timeout=100)", "event.wait()"),
        *("condition.wait()", "condition.wait(100)", "barrier.wait()", "table.read_lock()"),
        "table.write_lock()",
    ],
)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    with program(INTERRUPTED.format(wait=wait)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        assert time.monotonic() - start < 2
        assert process.stdout.readline() == "True 0 False 0\n"


GOES_ON = """
import polyipc.sync as s, signal, threading, time
ran = []
signal.signal(signal.SIGALRM, lambda *a: ran.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
def later():
    time.sleep(0.3)
    {wake}
condition, event, barrier = s.Condition(), s.Event(), s.Barrier(2)
threading.Thread(target=later).start()
with condition:
    print({wait}, len(ran) > 3)
signal.setitimer(signal.ITIMER_REAL, 0, 0)
"""


@pytest.mark.parametrize(
    ("wait", "wake"),
    [
        ("condition.wait(60)", "with condition: condition.notify()"),
        ("event.wait(60)", "event.set()"),
        ("barrier.wait() in (0, 1)", "barrier.wait()"),
    ],
)
def test_a_wait_goes_on_after_a_handler(wait: str, wake: str) -> None:
    with program(GOES_ON.format(wait=wait, wake=wake)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True True\n"
