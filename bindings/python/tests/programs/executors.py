"""concurrent.futures.ProcessPoolExecutor with polyipc's context: executors.py METHOD."""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import polyipc.multiprocessing as mp

shared: Any = None


def share(obj: Any) -> None:
    global shared
    shared = obj


def tell(x: int) -> int:
    shared.put(x)
    return os.getpid()


def square(x: int) -> int:
    return x * x


def zeros(n: int) -> bytes:
    return bytes(n)


def fails(x: int) -> int:
    raise KeyError(f"no {x}")


def dies(x: int) -> None:  # noqa: ARG001
    os.kill(os.getpid(), signal.SIGKILL)


def calls(ctx: Any) -> None:
    with ProcessPoolExecutor(2, mp_context=ctx) as executor:
        assert list(executor.map(square, range(100))) == [x * x for x in range(100)]
        assert list(executor.map(square, range(100), chunksize=10)) == [x * x for x in range(100)]
        sizes = [0, 10, 5000, 300_000, 2_000_000]
        assert [len(b) for b in executor.map(zeros, sizes)] == sizes
        error = executor.submit(fails, 3).exception()
        assert isinstance(error, KeyError)
        assert "in fails" in str(error.__cause__)
        assert executor.submit(square, 3).result(60) == 9


def initializers(ctx: Any) -> None:
    q = ctx.Queue()
    with ProcessPoolExecutor(2, ctx, share, (q,)) as executor:
        assert len(set(executor.map(tell, range(9)))) <= 2
    assert sorted(q.get(timeout=60) for _ in range(9)) == list(range(9))


def tasks_per_child(ctx: Any) -> None:
    if sys.version_info >= (3, 11) and ctx.get_start_method() != "fork":
        q = ctx.Queue()
        with ProcessPoolExecutor(1, ctx, share, (q,), max_tasks_per_child=2) as executor:
            # One after the other: Python 3.11 hangs with more (its issue 115634).
            assert len({executor.submit(tell, i).result(60) for i in range(5)}) == 3
        assert [q.get(timeout=60) for _ in range(5)] == list(range(5))


def deaths(ctx: Any) -> None:
    with ProcessPoolExecutor(2, mp_context=ctx) as executor:
        assert executor.submit(square, 2).result(60) == 4
        assert isinstance(executor.submit(dies, 1).exception(60), BrokenProcessPool)
        try:
            executor.submit(square, 1)
        except BrokenProcessPool:
            pass
        else:
            raise AssertionError


class Telling:
    """Sets an event of a manager when it goes."""

    def __init__(self, event: Any) -> None:
        self.event = event

    def __del__(self) -> None:
        self.event.set()


def proxies(ctx: Any) -> None:
    """A worker opens what is pickled later, too: it has the authkey."""
    with ctx.Manager() as m, ProcessPoolExecutor(1, mp_context=ctx) as executor:
        telling = Telling(m.Event())
        executor.submit(id, telling).result(60)
        assert telling.event.wait(60)  # the worker's copy has gone
        del telling


def cancelling(ctx: Any) -> None:
    executor = ProcessPoolExecutor(1, mp_context=ctx)
    futures = [executor.submit(time.sleep, 0.2) for _ in range(10)]
    executor.shutdown(cancel_futures=True)
    cancelled = [f for f in futures if f.cancelled()]
    assert cancelled
    assert all(f.result(60) is None for f in futures if not f.cancelled())


if __name__ == "__main__":
    ctx = mp.get_context(sys.argv[1])
    for step in (calls, initializers, tasks_per_child, deaths, proxies, cancelling):
        step(ctx)
        print(step.__name__)
