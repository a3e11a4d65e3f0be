"""pandas frames over a queue, and in a pool."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

import polyipc.multiprocessing as multiprocessing


def summed(frame: Any) -> Any:
    return frame.groupby("shop", observed=True).sum(numeric_only=True)


def work(inbox: Any, outbox: Any) -> None:
    while (frame := inbox.get()) is not None:
        outbox.put(summed(frame))


def made(rows: int) -> Any:
    rng = np.random.default_rng(rows)
    return pd.DataFrame(
        {
            "shop": pd.Categorical.from_codes(rng.integers(0, 3, rows), ["a", "b", "c"]),
            "day": pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC"),
            "amount": rng.random(rows),
            "count": rng.integers(0, 100, rows),
            "note": ["caf\u00e9"] * rows,
        }
    )


def queues(context: Any) -> None:
    inbox, outbox = context.Queue(), context.Queue()
    child = context.Process(target=work, args=(inbox, outbox))
    child.start()
    for rows in (1, 10, 100_000):
        frame = made(rows)
        inbox.put(frame)
        pd.testing.assert_frame_equal(outbox.get(), summed(frame))
    inbox.put(None)
    child.join()
    assert child.exitcode == 0


def pools(context: Any) -> None:
    frames = [made(rows) for rows in (10, 100, 1000)]
    with context.Pool(2) as pool:
        for frame, result in zip(frames, pool.map(summed, frames)):
            pd.testing.assert_frame_equal(result, summed(frame))
        pool.close()
        pool.join()


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queues(context)
    pools(context)
    print("all right")
