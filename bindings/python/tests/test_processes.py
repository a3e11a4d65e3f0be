"""Queues between processes of multiprocessing and programs of their own."""

from __future__ import annotations

import multiprocessing
import operator
from pathlib import Path
from typing import Any

import pytest
from running import fork, output, program, reap

import polyipc

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

put = operator.methodcaller("put", "hello")  # can be pickled, unlike functions of a test module


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_queue_is_an_argument_of_a_process(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    with polyipc.Queue[str]() as q:
        process = context.Process(target=put, args=(q,))
        process.start()
        assert q.get(timeout=60) == "hello"
        process.join()
        assert process.exitcode == 0
        process.close()
    if method == "forkserver":
        from multiprocessing import forkserver, resource_tracker

        forkserver._forkserver._stop()  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]
    elif method == "spawn":
        from multiprocessing import resource_tracker

        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def test_another_program_opens_it_by_name() -> None:
    with polyipc.Queue[object](name="meeting") as q:
        q.put({"question": [1, 2]})
        said = output("""
import polyipc
with polyipc.Queue.open("meeting") as q:
    print(q.get())
    q.put_many(["answer", (1, 2)])
""")
        assert said == "{'question': [1, 2]}\n"
        assert q.get_many(5) == ["answer", (1, 2)]
        q.unlink()


CONSUMER = {
    "get": "ids = list(q)",
    "get_many": """
ids = []
try:
    while True:
        ids += q.get_many(20)
except polyipc.ShutDown:
    pass
""",
    "lease": """
ids = []
try:
    while True:
        with q.lease() as lease:
            ids.append(lease.value)
except polyipc.ShutDown:
    pass
""",
}


def test_producers_and_consumers_of_all_kinds_see_each_message_once() -> None:
    per_producer = 1000
    with polyipc.Queue[int](200, name="ids", capacity=1 << 16) as q:
        consumers = [
            program(f"import polyipc\nq = polyipc.Queue.open('ids')\n{text}\nprint(ids)")
            for text in CONSUMER.values()
        ]
        running = [consumer.__enter__() for consumer in consumers]

        def produce(first: int) -> None:
            for i in range(first, first + per_producer):
                q.put(i)

        children = [fork(produce, 0), fork(lambda: q.put_many(range(1000, 2000)))]
        output("""
import polyipc
q = polyipc.Queue.open("ids")
for i in range(2000, 3000):
    q.put(i, timeout=60)
""")
        reap(*children)
        q.shutdown()
        got: list[int] = []
        for process in running:
            assert process.stdout is not None
            own = eval(process.stdout.read())
            for first in (0, 1000, 2000):
                mine = [i for i in own if first <= i < first + per_producer]
                assert mine == sorted(mine), "one producer's messages keep their order"
            got += own
        for consumer in consumers:
            consumer.__exit__(None, None, None)
        assert sorted(got) == list(range(3 * per_producer))
        assert q.stat().unfinished >= 0
        q.unlink()


def test_a_kept_queue_outlives_its_programs(root: Path) -> None:
    output("""
import polyipc
polyipc.Queue(name="kept").put_many(range(5))
""")
    assert (root / "kept").exists()
    with polyipc.Queue[int].open("kept") as q:
        assert q.get_many(9) == [0, 1, 2, 3, 4]
        q.unlink()
