from __future__ import annotations

import threading
from multiprocessing.pool import Pool as TheirPool
from types import SimpleNamespace
from typing import Any

import pytest

import polyipc.multiprocessing as mp
from polyipc.multiprocessing.pool import Pool


class Stolen:
    """The reader of a pool's tasks, from which a worker takes what was just seen there."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def poll(self) -> bool:
        seen = bool(self._reader.poll())
        if seen:
            self._reader.recv()
        return seen

    def recv(self, *, timeout: float | None = None) -> Any:
        return self._reader.recv(timeout=timeout)


def help_finish(pool: Any, queue: Any) -> bool:
    """Have the tasks of a pool taken that is told to end, and report whether that ends."""
    handler = SimpleNamespace(is_alive=lambda: True)
    finish = pool._help_stuff_finish
    thread = threading.Thread(target=finish, args=(queue, handler, 1), daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


def test_terminate_does_not_wait_for_a_task_that_a_worker_took() -> None:
    tasks = mp.SimpleQueue()
    for _ in range(3):
        tasks.put("task")
    reader, tasks._reader = tasks._reader, Stolen(tasks._reader)
    assert help_finish(Pool, tasks)
    assert not reader.poll()


@pytest.mark.parametrize("pool", [Pool, TheirPool])
def test_terminate_with_queues_of_multiprocessing(pool: Any) -> None:
    import multiprocessing

    tasks = multiprocessing.get_context("fork").SimpleQueue()
    tasks.put("task")
    assert help_finish(pool, tasks)
    assert tasks.empty()


def test_a_pool_that_is_terminated_at_once_ends() -> None:
    """Its workers are about to take the sentinels that it takes itself."""
    context = mp.get_context("fork")
    for _ in range(20):
        with context.Pool(2) as pool:
            assert pool.map(float, range(10)) == list(range(10))
