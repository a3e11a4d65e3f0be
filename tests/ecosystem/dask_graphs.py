"""dask's scheduler for processes, in an executor with a context of polyipc."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import dask
import dask.bag

import polyipc.multiprocessing as multiprocessing


def increment(n: int) -> int:
    return n + 1


def add(a: int, b: int) -> int:
    return a + b


def graphs(pool: Any) -> None:
    rows = [dask.delayed(increment)(n) for n in range(64)]
    while len(rows) > 1:
        rows = [dask.delayed(add)(a, b) for a, b in zip(rows[::2], rows[1::2])]
    assert rows[0].compute(scheduler="processes", pool=pool) == sum(range(1, 65))


def bags(pool: Any) -> None:
    bag = dask.bag.from_sequence(range(1000), npartitions=8).map(increment).filter(lambda n: n % 2)
    assert bag.sum().compute(scheduler="processes", pool=pool) == sum(range(1, 1001, 2))


if __name__ == "__main__":
    with ProcessPoolExecutor(2, multiprocessing.get_context(sys.argv[1])) as pool:
        graphs(pool)
        bags(pool)
    print("all right")
