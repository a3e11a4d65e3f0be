"""The pattern of data loaders: workers take indexes from a queue, fill slots of shared arrays, and
say in another queue which are full; the trainer gives slots back when it has used them.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import polyipc.multiprocessing as multiprocessing

BATCHES, ROWS, COLUMNS, SLOTS, WORKERS = 120, 64, 128, 6, 3


def sample(index: int) -> Any:
    """What would be read from disk: the rows of a batch, different for each index."""
    return np.full((ROWS, COLUMNS), index, np.float32) + np.arange(COLUMNS, dtype=np.float32)


def view(slots: Any) -> Any:
    return np.frombuffer(slots, np.float32).reshape(SLOTS, ROWS, COLUMNS)


def load(indexes: Any, free: Any, results: Any, slots: Any, done: Any) -> None:
    arrays = view(slots)
    while (index := indexes.get()) is not None:
        slot = free.get()
        arrays[slot] = sample(index)
        results.put((index, slot))
    results.put(None)
    done.wait()  # what is in the slots is the trainer's until it says so


def train(context: Any) -> None:
    slots = context.RawArray("f", SLOTS * ROWS * COLUMNS)
    indexes, free, results = context.Queue(), context.SimpleQueue(), context.Queue(SLOTS)
    done = context.Event()
    workers = [
        context.Process(target=load, args=(indexes, free, results, slots, done), daemon=True)
        for _ in range(WORKERS)
    ]
    for worker in workers:
        worker.start()
    for slot in range(SLOTS):
        free.put(slot)
    order = np.random.default_rng(1).permutation(BATCHES)
    for index in order:
        indexes.put(int(index))
    for _ in workers:
        indexes.put(None)
    arrays, seen, ended = view(slots), set(), 0
    while ended < WORKERS:
        result = results.get()
        if result is None:
            ended += 1
            continue
        index, slot = result
        assert np.array_equal(arrays[slot], sample(index))
        seen.add(index)
        free.put(slot)
    done.set()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert seen == set(range(BATCHES))


if __name__ == "__main__":
    train(multiprocessing.get_context(sys.argv[1]))
    print("all right")
