"""numpy arrays over queues and pipes, and in shared memory."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import polyipc.multiprocessing as multiprocessing
from polyipc.multiprocessing import shared_memory

SHAPE = (512, 384)


def double(inbox: Any, outbox: Any) -> None:
    while (array := inbox.get()) is not None:
        outbox.put(array * 2)


def echo(conn: Any) -> None:
    conn.send(conn.recv())


def fill(name: str, row: int) -> None:
    block = shared_memory.SharedMemory(name)
    array: Any = np.ndarray(SHAPE, np.float64, buffer=block.buf)
    array[row] = row
    del array
    block.close()


def add(shared: Any, count: int) -> None:
    array = np.frombuffer(shared.get_obj(), np.int64)
    for _ in range(count):
        with shared.get_lock():
            array += 1


ARRAYS: tuple[Any, ...] = (
    np.arange(12, dtype=np.int16).reshape(3, 4),
    np.random.default_rng(1).random((200, 300)),
    np.asfortranarray(np.arange(24.0).reshape(4, 6)),
    np.arange(20)[::3],
    np.array(7.5),
    np.zeros((0, 3)),
    np.array([True, False]),
    np.array(["one", "three"]),
    np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f8")]),
    np.array([{"any": "thing"}, None], dtype=object),
    np.arange(4, dtype=">u4"),
    np.array(["2026-11-27"], dtype="datetime64[D]"),
)


def same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape and bool(np.all(a == b))


def queues(context: Any) -> None:
    inbox, outbox = context.Queue(), context.Queue()
    child = context.Process(target=double, args=(inbox, outbox))
    child.start()
    for array in ARRAYS[:5]:
        inbox.put(array)
        assert same(outbox.get(), array * 2)
    inbox.put(None)
    child.join()
    assert child.exitcode == 0


def pipes(context: Any) -> None:
    ours, theirs = context.Pipe()
    child = context.Process(target=echo, args=(theirs,))
    child.start()
    ours.send(ARRAYS)
    for sent, received in zip(ARRAYS, ours.recv()):
        assert same(received, sent)
    child.join()
    assert child.exitcode == 0


def segments(context: Any) -> None:
    block = shared_memory.SharedMemory(create=True, size=8 * SHAPE[0] * SHAPE[1])
    try:
        children = [context.Process(target=fill, args=(block.name, row)) for row in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join()
            assert child.exitcode == 0
        array: Any = np.ndarray(SHAPE, np.float64, buffer=block.buf)
        assert np.array_equal(array[:5, 0], [0, 1, 2, 3, 0])
        del array
    finally:
        block.close()
        block.unlink()


def values(context: Any) -> None:
    shared = context.Array("q", 100)
    children = [context.Process(target=add, args=(shared, 200)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert set(shared[:]) == {400}


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    queues(context)
    pipes(context)
    segments(context)
    values(context)
    print("all right")
