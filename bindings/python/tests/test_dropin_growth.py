"""A program that makes and drops objects of the drop-in, over and over, does not grow."""

from __future__ import annotations

import pytest
from running import output

KINDS = {
    "queues": ("q = mp.Queue(); q.put([1]); q.get()", 3000),
    "joinable": ("q = mp.JoinableQueue(); q.put([1]); q.get(); q.task_done(); q.join()", 1000),
    "simple": ("q = mp.SimpleQueue(); q.put([1]); q.get()", 3000),
    "pipes": ("a, b = mp.Pipe(); a.send(object); b.recv()", 3000),
    "sent": ("a, b = mp.Pipe(); a.send(mp.Queue()); b.recv().put(1)", 1000),
    "values": ("mp.Value('d').value = 1; mp.Array('i', 9)[3] = 1; mp.RawArray('b', 9)[0]", 2000),
    "locks": ("for t in mp.Lock, mp.RLock, mp.Semaphore, mp.Condition:\n  with t(): pass", 1000),
    "events": ("e = mp.Event(); e.set(); e.wait(); mp.Barrier(1).wait()", 2000),
    "blocks": ("b = SharedMemory(create=True, size=99); b.buf[0] = 1; b.close(); b.unlink()", 2000),
    "processes": ("p = mp.Process(target=mp.Queue().put, args=(1,)); p.start(); p.join()", 40),
    "managers": (
        "with mp.Manager() as m:\n  d = m.dict(a=1); assert d['a'] == 1; d = m.Lock()",
        20,
    ),
    "executors": (
        "with ProcessPoolExecutor(2, mp.get_context()) as e:\n  list(e.map(abs, [1]))",
        20,
    ),
    "pools": ("with mp.Pool(2) as p:\n  assert p.map(abs, [-1, 1]) == [1, 1]", 20),
}

PROGRAM = """
import gc, os, time, sys, warnings
from concurrent.futures import ProcessPoolExecutor
warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
import polyipc.multiprocessing as mp
from polyipc.multiprocessing.shared_memory import SharedMemory

mp.set_start_method("fork")
step, times = compile(sys.argv[1], "step", "exec"), int(sys.argv[2])


def seen():
    gc.collect()
    with open("/proc/self/status") as f:
        status = dict(line.split(":", 1) for line in f)
    counts = [len(gc.get_objects()), len(os.listdir("/proc/self/fd")), int(status["Threads"])]
    return counts, len(os.listdir(os.environ["POLYIPC_ROOT"])), int(status["RssAnon"].split()[0])


def grown(before, after):
    # A few objects are of who looks. Go starts threads, and what it waits by, when it needs to.
    return any(b > a + slack for a, b, slack in zip(before, after, (10, 4, 6)))


def settled(before):
    # Threads of pools and of the library end a little after what they were for.
    end = time.monotonic() + 30
    while grown(before, seen()[0]) and time.monotonic() < end:
        time.sleep(0.05)
    return seen()


for _ in range(times // 2):
    exec(step, {**globals()})
counts, files, memory = seen()
for _ in range(times):
    exec(step, {**globals()})
counts_then, files_then, memory_then = settled(counts)
assert not grown(counts, counts_then), (counts, counts_then)
assert files_then <= files, (files, files_then)
assert memory_then < memory + 6 * 1024, (memory, memory_then)  # the runtime's heap has 4 MiB
print(counts, counts_then, memory, memory_then)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_no_growth(kind: str) -> None:
    step, times = KINDS[kind]
    assert output(PROGRAM, step, str(times))
