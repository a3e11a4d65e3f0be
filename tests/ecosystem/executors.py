"""concurrent.futures.ProcessPoolExecutor with a context of polyipc."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import polyipc.multiprocessing as multiprocessing

_place = ""


def set_up(place: str) -> None:
    global _place
    _place = place


def where(_: int) -> str:
    return _place


def square(n: int) -> int:
    return n * n


def fail(n: int) -> None:
    raise LookupError("no such row", n)


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(context: Any) -> None:
    with ProcessPoolExecutor(2, context, initializer=set_up, initargs=("here",)) as pool:
        assert list(pool.map(square, range(300), chunksize=7)) == [n * n for n in range(300)]
        assert {f.result() for f in as_completed([pool.submit(where, n) for n in range(20)])} == {
            "here"
        }
        error = pool.submit(fail, 3).exception()
        assert isinstance(error, LookupError)
        assert error.args == ("no such row", 3)
        assert "in fail" in str(error.__cause__)


def broken(context: Any) -> None:
    """A worker that is killed breaks the pool, and who waits is told."""
    with ProcessPoolExecutor(2, context) as pool:
        error = pool.submit(die, 0).exception(timeout=60)
        assert isinstance(error, BrokenProcessPool)


def cancelled(context: Any) -> None:
    """What has not begun when the pool shuts down is cancelled, if asked for."""
    pool = ProcessPoolExecutor(1, context)
    futures = [pool.submit(square, n) for n in range(1000)]
    pool.shutdown(cancel_futures=True)
    assert any(f.cancelled() for f in futures)
    assert all(f.cancelled() or f.result() == n * n for n, f in enumerate(futures))


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    work(context)
    broken(context)
    cancelled(context)
    print("all right")
