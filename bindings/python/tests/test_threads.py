"""Threads at one queue: waiting, closing, and what happens to daemon threads at the end."""

from __future__ import annotations

import threading
import time

import pytest
from running import InThread, output

import polyipc


def test_a_put_wakes_a_get() -> None:
    with polyipc.Queue[int]() as q:

        def take_lease() -> int:
            with q.lease() as lease:
                return lease.value

        for verb in (q.get, lambda: q.get_many(5)[0], take_lease):
            waits = InThread(verb)
            q.put(1)
            assert waits.result() == 1


def test_a_get_wakes_a_put() -> None:
    with polyipc.Queue[int](1) as q:
        q.put(1)
        waits = InThread(q.put, 2)
        waits_for_many = InThread(q.put_many, [2, 2, 2])
        assert [q.get() for _ in range(5)] == [1, 2, 2, 2, 2]
        waits.result()
        waits_for_many.result()


def test_a_task_done_wakes_a_join() -> None:
    with polyipc.Queue[int]() as q:
        q.put(1)
        waits = InThread(q.join)
        q.get()
        q.task_done()
        waits.result()


def test_waiting_leaves_the_interpreter_to_others() -> None:
    with polyipc.Queue[int]() as q:
        waits = InThread(q.get)
        steps = 0
        while steps < 1000:
            steps += 1
            time.sleep(0)
        q.put(1)
        waits.result()


@pytest.mark.parametrize(
    "verb", ["get", "lease", "get_many", "get_bytes", "join", "put", "put_many"]
)
def test_close_ends_the_waits_of_other_threads(verb: str) -> None:
    q: polyipc.Queue[int] = polyipc.Queue(1)
    arguments: dict[str, tuple[object, ...]] = {"get_many": (5,), "put": (1,), "put_many": ([1],)}
    if verb in ("put", "put_many", "join"):
        q.put(0)
    waits = [InThread(getattr(q, verb), *arguments.get(verb, ())) for _ in range(3)]
    waits += [InThread(lambda: getattr(q, verb)(*arguments.get(verb, ()), timeout=50))]
    time.sleep(0.05)  # so that most of them wait; each must end whether it did or not
    q.close()
    for thread in waits:
        with pytest.raises(polyipc.ClosedError):
            thread.result()


def test_shutdown_ends_the_waits_of_all() -> None:
    with polyipc.Queue[int]() as q, polyipc.Queue[int].open(q.name) as other:
        waits = [InThread(q.get), InThread(other.lease), InThread(other.get_many, 2)]
        q.shutdown()
        for thread in waits:
            with pytest.raises(polyipc.ShutDown):
                thread.result()


def test_many_threads_at_one_queue_see_each_message_once() -> None:
    count, producers = 2000, 3
    with polyipc.Queue[int](50) as q:

        def produce(first: int) -> None:
            for i in range(first, count, producers):
                q.put(i)

        def consume() -> list[int]:
            return list(q)

        consumers = [InThread(consume) for _ in range(3)]
        for thread in [InThread(produce, i) for i in range(producers)]:
            thread.result()
        q.shutdown()
        got = [thread.result() for thread in consumers]
        for own in got:
            for first in range(producers):
                mine = [i for i in own if i % producers == first]
                assert mine == sorted(mine), "one producer's messages keep their order"
        assert sorted(i for own in got for i in own) == list(range(count))


def test_closing_while_others_use_it() -> None:
    for _ in range(20):
        q: polyipc.Queue[int] = polyipc.Queue()
        ready = threading.Barrier(3)

        def use(q: polyipc.Queue[int] = q, ready: threading.Barrier = ready) -> None:
            ready.wait()
            with pytest.raises(polyipc.ClosedError):
                while True:
                    q.put(1)
                    q.get_many(5)

        threads = [InThread(use), InThread(use)]
        ready.wait()
        q.close()
        for thread in threads:
            thread.result()


def test_daemon_threads_end_silently_with_the_program() -> None:
    said = output("""
import polyipc, threading, time
q = polyipc.Queue()
for _ in range(5):
    threading.Thread(target=q.get, daemon=True).start()
    threading.Thread(target=q.join, daemon=True).start()
time.sleep(0.1)
print(q.name)
""")
    assert said.strip()


def test_a_transient_queue_goes_when_the_program_ends() -> None:
    output("""
import polyipc
q = polyipc.Queue(name="fleeting", transient=True)
q.put(1)
""")
    with pytest.raises(polyipc.NotFoundError):
        polyipc.Queue.open("fleeting")
