"""joblib.Parallel with a context of polyipc as its backend."""

from __future__ import annotations

import sys
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np

import polyipc.multiprocessing as multiprocessing


def square(n: int) -> int:
    return n * n


def fail(n: int) -> int:
    raise LookupError(n)


def total(array: Any, row: int) -> float:
    return float(array[row].sum())


def work(context: Any) -> None:
    run = joblib.Parallel(n_jobs=2, backend=context)
    assert run(joblib.delayed(square)(n) for n in range(500)) == [n * n for n in range(500)]


def arrays(context: Any) -> None:
    """An array of more than max_nbytes reaches the workers as a file that they map."""
    array = np.random.default_rng(1).random((50, 10_000))
    run = joblib.Parallel(n_jobs=2, backend=context, max_nbytes="1M")
    sums = run(joblib.delayed(total)(array, row) for row in range(50))
    assert np.allclose(sums, array.sum(axis=1))


def failures(context: Any) -> None:
    run = joblib.Parallel(n_jobs=2, backend=context)
    try:
        run(joblib.delayed(fail)(n) for n in range(4))
    except LookupError:
        return
    raise AssertionError("no error came")


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    work(context)
    arrays(context)
    failures(context)
    print("all right")
