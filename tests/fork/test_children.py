"""Python programs that fork, in all the ways they do, use the queues that they had before."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from library import FOREVER, OK, PATH, Queue, await_status, in_child, start

pytestmark = pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_one_child(queue: Queue) -> None:
    assert queue.put(b"before") == OK

    def child() -> None:
        assert queue.get() == b"before"
        own = Queue()
        assert own.id != queue.id
        own.use()
        assert own.close() == OK
        assert queue.put(b"after") == OK

    in_child(child)
    assert queue.get() == b"after"


def test_one_after_the_other(queue: Queue) -> None:
    queue.use()
    before = descriptors()
    for _ in range(150):
        in_child(queue.use)
    assert descriptors() == before


def test_generations(queue: Queue) -> None:
    def generation(left: int) -> None:
        queue.use()
        if left:
            in_child(lambda: generation(left - 1), 100)
        queue.use()

    in_child(lambda: generation(40), 100)


def test_many_at_once(queue: Queue) -> None:
    pids = [start(lambda: queue.put(b"%d" % os.getpid())) for _ in range(20)]
    assert {queue.get() for _ in pids} == {b"%d" % pid for pid in pids}
    assert [await_status(pid) for pid in pids] == [0] * 20


def in_threads(works: list[Callable[[], object]]) -> None:
    """Runs each in a thread; what one raises fails the test."""
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_fork_in_threads() -> None:
    """os.fork in threads: the thread that forks is the child's only one."""

    def forks() -> None:
        own = Queue()
        for _ in range(10):
            in_child(own.use)
            own.use()
        assert own.close() == OK

    in_threads([forks] * 6)


def test_fork_beside_busy_threads(queue: Queue) -> None:
    stop = threading.Event()
    traffic, idle = Queue(), Queue()

    def moves() -> None:
        while not stop.is_set():
            assert traffic.put(bytes(100)) == OK
            assert traffic.get() == bytes(100)

    def makes() -> None:
        while not stop.is_set():
            assert Queue().close() == OK

    def forks() -> None:
        try:
            for _ in range(50):
                in_child(queue.use)
        finally:
            stop.set()
            idle.put(b"end")

    in_threads([forks, moves, moves, makes, lambda: idle.get(FOREVER)])
    assert traffic.close() == OK
    assert idle.close() == OK


worker_queue: Queue


def work(number: int) -> int:
    assert worker_queue.put(b"%d" % number) == OK
    return os.getpid()


def test_pool(queue: Queue) -> None:
    """multiprocessing's pool of forked workers."""
    global worker_queue
    worker_queue = queue
    with multiprocessing.get_context("fork").Pool(4) as pool:
        pids = pool.map(work, range(100), chunksize=5)
        pool.close()
        pool.join()
    assert os.getpid() not in pids
    assert {queue.get() for _ in range(100)} == {b"%d" % n for n in range(100)}


def test_prefork_server(queue: Queue) -> None:
    """Workers made before there is work, each leasing it, one of them killed with its lease."""
    results = Queue()

    def serve() -> None:
        while True:
            body, _, lease, deliveries = queue.lease()
            if body == b"end":
                assert queue.ack(lease) == OK
                return
            if body == b"poison" and deliveries == 1:
                os.kill(os.getpid(), 9)
            assert results.put(body) == OK
            assert queue.ack(lease) == OK

    pids = [start(serve) for _ in range(4)]
    jobs = [b"%d" % n for n in range(300)] + [b"poison"]
    assert queue.put_many(jobs) == len(jobs)
    assert sorted(results.get() for _ in jobs) == sorted(jobs)
    assert queue.put_many([b"end"] * 3) == 3
    assert sorted(await_status(pid) for pid in pids) == [0, 0, 0, 9]
    assert results.close() == OK


def test_double_fork(queue: Queue) -> None:
    """A daemon goes on with what its grandparent had."""

    def leader() -> None:
        os.setsid()
        start(lambda: queue.put(b"%d" % os.getppid()))

    in_child(leader)
    assert isinstance(queue.get(), bytes)


def test_programs_are_started_as_ever(queue: Queue) -> None:
    queue.use()
    program = [sys.executable, "-c", "print(6 * 7)"]
    for start_new_session in (False, True):
        for preexec in (None, lambda: None):
            done = subprocess.run(
                program,
                capture_output=True,
                check=True,
                start_new_session=start_new_session,
                preexec_fn=preexec,
            )
            assert done.stdout == b"42\n"
    assert await_status(os.posix_spawn("/bin/true", ["true"], os.environ)) == 0
    assert os.system("exit 3") == 3 << 8
    queue.use()


FINALISES = """
import ctypes, os, sys, threading
sys.path.insert(0, {directory!r})
import library
queue = library.Queue()
pid = os.fork()
for _ in range(3):
    threading.Thread(target=queue.get, args=(library.FOREVER,), daemon=True).start()
queue.put(b"x")
if pid:
    sys.exit(os.waitpid(pid, 0)[1])
"""


def test_exit_with_threads_in_calls() -> None:
    """Parent and child end in the usual way while daemon threads wait in the library."""
    program = FINALISES.format(directory=str(Path(__file__).parent))
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "POLYIPC_LIBRARY": PATH},
        check=True,
        timeout=60,
    )
    assert time.monotonic() - began < 30
