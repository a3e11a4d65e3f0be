"""Queues in forked children: the handles of before the fork go on working, leases do not."""

from __future__ import annotations

import os
import signal
import time

import pytest
from running import InThread, fork, output, reap

import polyipc

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def test_a_child_goes_on_with_its_parents_queue() -> None:
    with polyipc.Queue[int]() as q, polyipc.Queue[tuple[int, int]]() as answers:

        def work() -> None:
            for job in q:
                answers.put((job, os.getpid()))

        children = [fork(work) for _ in range(3)]
        for i in range(300):
            q.put(i)
        got = [answers.get(timeout=60) for _ in range(300)]
        q.shutdown()
        reap(*children)
        assert sorted(job for job, _ in got) == list(range(300))
        assert {pid for _, pid in got} <= set(children)


def test_a_child_of_a_parent_that_waits_in_threads() -> None:
    with polyipc.Queue[int]() as q:
        waits = [InThread(q.get) for _ in range(4)]
        reap(fork(lambda: q.put_many(range(4))))
        assert sorted(thread.result() for thread in waits) == [0, 1, 2, 3]


def test_a_child_makes_and_opens_queues_of_its_own() -> None:
    with polyipc.Queue[str](name="meet") as q:
        q.unlink()

        def child() -> None:
            with polyipc.Queue[str](name="childs", transient=True) as own:
                own.put("x")
                assert own.get() == "x"
            q.put("done")

        reap(fork(child))
        assert q.get(timeout=60) == "done"


def test_grandchildren() -> None:
    with polyipc.Queue[int]() as q:

        def nested(depth: int) -> None:
            q.put(depth)
            if depth:
                reap(fork(nested, depth - 1))

        reap(fork(nested, 5))
        assert q.get_many(10) == [5, 4, 3, 2, 1, 0]


def test_a_child_that_closes_takes_nothing_from_its_parent() -> None:
    with polyipc.Queue[int]() as q:
        q.put(1)

        def child() -> None:
            q.close()
            with pytest.raises(polyipc.ClosedError):
                q.get()

        reap(fork(child))
        assert q.get() == 1


def test_a_child_that_exits_like_any_program_takes_nothing_either() -> None:
    said = output("""
import os, polyipc, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
q = polyipc.Queue()
q.put("kept")
pid = os.fork()
if pid == 0:
    raise SystemExit(0)  # with all that Python does at exit
assert os.waitpid(pid, 0)[1] == 0
print(q.get(), q.stat().put)
""")
    assert said == "kept 1\n"


def test_leases_stay_with_the_parent() -> None:
    with polyipc.Queue[int]() as q:
        q.put(1)
        with q.lease() as lease:

            def child() -> None:
                for end in (lease.ack, lease.nack):
                    with pytest.raises(polyipc.LeaseLostError):
                        end()

            reap(fork(child))
            # One that is dropped in the child is not given back either.
            reap(fork(lambda: None))
            assert q.stat().leased == 1
        assert q.stat().leased == 0


def test_a_lease_of_a_killed_child_comes_back() -> None:
    with polyipc.Queue[str]() as q, polyipc.Queue[str]() as ready:
        q.put("job")

        def child() -> None:
            lease = q.lease()
            ready.put(lease.value)
            time.sleep(60)

        pid = fork(child)
        assert ready.get(timeout=60) == "job"
        os.kill(pid, signal.SIGKILL)
        with q.lease(timeout=2) as lease:
            assert (lease.value, lease.deliveries) == ("job", 2)
        os.waitpid(pid, 0)


def test_ctrl_c_in_a_child_forked_by_a_thread() -> None:
    """There the thread that forked is the main thread, and signals are its business."""
    with polyipc.Queue[str]() as q, polyipc.Queue[str]() as ready:

        def child() -> None:
            ready.put("waiting")
            with pytest.raises(KeyboardInterrupt):
                q.get(timeout=50)
            ready.put("interrupted")

        pid = InThread(fork, child).result()
        assert ready.get(timeout=60) == "waiting"
        time.sleep(0.1)  # so that it waits, as a rule
        os.kill(pid, signal.SIGINT)
        assert ready.get(timeout=2) == "interrupted"
        reap(pid)
