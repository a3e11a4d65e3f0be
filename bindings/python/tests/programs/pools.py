"""Pools of processes: pools.py METHOD."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import Any

import polyipc.multiprocessing as mp
from polyipc.multiprocessing import pool

shared: Any = None


def share(obj: Any) -> None:
    global shared
    shared = obj


def square(x: int) -> int:
    return x * x


def add(x: int, y: int) -> int:
    return x + y


def zeros(n: int) -> bytes:
    return bytes(n)


def fails(x: int) -> int:
    raise KeyError(f"no {x}")


def tell(x: int) -> int:
    shared.put(x)
    return os.getpid()


def unpicklable(x: int) -> Any:  # noqa: ARG001
    return threading.Lock()


def dies(x: int) -> None:  # noqa: ARG001
    os.kill(os.getpid(), signal.SIGKILL)


def calls() -> None:
    with mp.Pool(2) as p:
        assert type(p) is pool.Pool
        assert p.map(square, range(1000)) == [x * x for x in range(1000)]
        assert p.map(square, range(100), chunksize=1) == [x * x for x in range(100)]
        assert p.starmap(add, [(1, 2), (3, 4)]) == [3, 7]
        assert list(p.imap(square, range(100))) == [x * x for x in range(100)]
        assert sorted(p.imap_unordered(square, range(9), 2)) == [x * x for x in range(9)]
        assert p.apply(add, (1,), {"y": 2}) == 3
        assert [len(b) for b in p.map(zeros, [0, 10, 5000, 300_000, 2_000_000], 1)] == [
            *(0, 10, 5000, 300_000, 2_000_000)
        ]
        found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        p.apply_async(square, (3,), callback=found.put)
        assert found.get(timeout=60) == 9
        for function in (fails, unpicklable):
            p.apply_async(function, (3,), error_callback=found.put)
        errors = sorted((found.get(timeout=60), found.get(timeout=60)), key=repr)
        assert [type(e) for e in errors] == [pool.MaybeEncodingError, KeyError]
        assert "lock" in str(errors[0])
        assert "in fails" in str(errors[1].__cause__)
        p.close()
        p.join()


def initializers() -> None:
    q = mp.Queue()
    with mp.Pool(2, share, (q,), maxtasksperchild=3) as p:
        pids = set(p.map(tell, range(12), chunksize=1))
        p.close()
        p.join()
    assert sorted(q.get(timeout=60) for _ in range(12)) == list(range(12))
    assert len(pids) >= 4


def deaths() -> None:
    """A worker that was killed is replaced; its task is lost, and nothing else."""
    with mp.Pool(2) as p:
        lost = p.apply_async(dies, (1,))
        assert p.map(square, range(200), chunksize=1) == [x * x for x in range(200)]
        assert not lost.ready()


def threads() -> None:
    with pool.ThreadPool(2) as p:
        assert p.map(square, range(9)) == [x * x for x in range(9)]


if __name__ == "__main__":
    mp.set_start_method(sys.argv[1])
    for step in (calls, initializers, deaths, threads):
        step()
        print(step.__name__)
