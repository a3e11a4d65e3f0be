from __future__ import annotations

import pickle
import threading
from multiprocessing.pool import Pool as TheirPool
from types import SimpleNamespace
from typing import Any, Callable

import pytest

import polyipc.multiprocessing as mp
from polyipc.multiprocessing.connection import wait
from polyipc.multiprocessing.pool import Pool


class Stolen:
    """The reader of a pool's tasks, from which a worker takes what was just seen there."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def poll(self, timeout: float = 0) -> bool:
        seen = bool(self._reader.poll(timeout))
        if seen:
            self._reader.recv()
        return seen


def help_finish(pool: Any, queue: Any) -> bool:
    """Have the tasks of a pool taken that is told to end, and report whether that ends."""
    handler = SimpleNamespace(is_alive=lambda: True)
    finish = pool._help_stuff_finish
    thread = threading.Thread(target=finish, args=(queue, handler, 1), daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


@pytest.mark.parametrize("pool", [Pool, TheirPool])
def test_terminate_does_not_wait_for_a_task_that_a_worker_took(pool: Any) -> None:
    tasks = mp.SimpleQueue()
    for _ in range(3):
        tasks.put("task")
    reader, tasks._reader = tasks._reader, Stolen(tasks._reader)
    assert help_finish(pool, tasks)
    assert not reader.poll()


def test_who_holds_the_read_lock_receives_what_he_saw() -> None:
    tasks = mp.SimpleQueue()
    for i in range(4):
        tasks.put(i)
    with tasks._rlock:
        assert tasks._reader.poll()
        assert tasks.get() == 1  # as another process may
        assert tasks._reader.poll(1)
        assert tasks._reader.recv() == 0
        with tasks._rlock:
            assert tasks._reader.poll(None)
        assert pickle.loads(tasks._reader.recv_bytes()) == 2
        assert tasks._reader.recv() == 3
        assert not tasks._reader.poll()
        assert not tasks._reader.poll(0.01)
    tasks._rlock.release()  # once too often
    tasks.put("seen")
    tasks.put("next")
    with tasks._rlock:
        assert tasks._reader.poll()
        assert run(tasks.empty) is False  # and took nothing: it is another thread's look
    assert [tasks.get(), tasks.get()] == ["next", "seen"]
    assert tasks.empty()


def test_many_threads_hold_the_read_lock() -> None:
    tasks = mp.SimpleQueue()
    count = 2_000
    got: list[int] = []

    def take() -> None:
        while len(got) < count:
            with tasks._rlock:
                if tasks._reader.poll():
                    got.append(tasks._reader.recv())

    threads = [threading.Thread(target=take, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(count):
        tasks.put(i)
    for thread in threads:
        thread.join(60)
    assert sorted(got) == list(range(count))


def test_a_reader_whose_lock_was_held_waits_travels_and_ends_as_before() -> None:
    tasks = mp.SimpleQueue()
    with tasks._rlock:
        pass
    reader = tasks._reader
    assert wait([reader], 0.01) == []
    tasks.put("first")
    assert wait([reader], 60) == [reader]
    way = mp.SimpleQueue()
    way.put((reader, tasks))  # which pickles them, as a start by spawn does
    process = mp.get_context("fork").Process(target=take_two, args=(way,))
    tasks.put("second")
    process.start()
    process.join(60)
    assert process.exitcode == 0
    tasks._writer.close()
    with tasks._rlock:
        assert reader.poll()
        with pytest.raises(EOFError):
            reader.recv()
    tasks.close()
    assert reader.closed


def take_two(way: Any) -> None:
    reader, tasks = way.get()
    assert reader.recv() == "first"
    with tasks._rlock:
        assert tasks._reader.poll(60)
        assert tasks._reader.recv() == "second"


def run(look: Callable[[], object]) -> object:
    """Return what a thread sees."""
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(look()))
    thread.start()
    thread.join(60)
    return seen[0]


@pytest.mark.parametrize("pool", [Pool, TheirPool])
def test_terminate_with_queues_of_multiprocessing(pool: Any) -> None:
    import multiprocessing

    tasks = multiprocessing.get_context("fork").SimpleQueue()
    tasks.put("task")
    assert help_finish(pool, tasks)
    assert tasks.empty()


@pytest.mark.parametrize("pool", [Pool, TheirPool])
def test_a_pool_that_is_terminated_at_once_ends(pool: Any) -> None:
    """Its workers are about to take the sentinels that it takes itself."""
    context = mp.get_context("fork")
    for _ in range(20):
        with pool(2, context=context) as made:
            assert made.map(float, range(10)) == list(range(10))
