"""Programs that fork, in all the ways they do, with the drop-in's objects of before the fork."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from running import InThread, fork, output, reap

import polyipc
import polyipc.multiprocessing as mp

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


class Objects:
    """One of each kind, all of which a forked child and its parent use."""

    def __init__(self) -> None:
        self.queue, self.simple, self.joinable = mp.Queue(), mp.SimpleQueue(), mp.JoinableQueue()
        self.ours, self.theirs = mp.Pipe()
        self.lock, self.event, self.condition = mp.Lock(), mp.Event(), mp.Condition()
        self.semaphore = mp.BoundedSemaphore(2)
        self.value, self.array = mp.Value("i", 0), mp.Array("i", 3)

    def use(self, who: int) -> None:
        """Change each; seen tells."""
        for q in (self.queue, self.simple, self.joinable):
            q.put({"from": who})
        self.theirs.send({"from": who})
        with self.lock, self.condition, self.semaphore, self.value.get_lock():
            self.value.value += 1
            self.array[1] = self.value.value
        self.event.set()

    def seen(self, who: int) -> None:
        """Take what one use has left."""
        for q in (self.queue, self.simple, self.joinable):
            assert q.get() == {"from": who}
        self.joinable.task_done()
        assert self.ours.recv() == {"from": who}
        assert self.event.is_set()
        assert self.array[1] == self.value.value
        self.event.clear()

    def in_child(self) -> None:
        reap(fork(self.use, 1))
        self.seen(1)
        self.use(2)
        self.seen(2)


def in_threads(functions: list[Callable[[], object]]) -> None:
    for thread in [InThread(f) for f in functions]:
        thread.result()


def test_a_child_uses_all_and_so_does_its_parent() -> None:
    Objects().in_child()


def test_from_a_thread() -> None:
    InThread(Objects().in_child).result()


def test_from_many_threads_at_once() -> None:
    def forks() -> None:
        objects = Objects()
        for _ in range(5):
            objects.in_child()

    in_threads([forks] * 4)


def test_while_other_threads_are_within_calls() -> None:
    objects, idle, held = Objects(), Objects(), mp.Lock()
    stop = threading.Event()

    def moves() -> None:
        while not stop.is_set():
            idle.queue.put([1])
            idle.queue.get()
            idle.theirs.send([1])
            idle.ours.recv()
            with idle.value.get_lock():
                idle.value.value += 1

    def makes() -> None:
        while not stop.is_set():
            mp.Queue().put(1)
            mp.Pipe()
            mp.Value("d")

    def forks() -> None:
        try:
            for _ in range(30):
                objects.in_child()
        finally:
            stop.set()
            idle.simple.put("end")
            idle.event.set()
            idle.theirs.send("end")
            held.release()

    held.acquire()
    waits: list[Callable[[], object]] = [idle.simple.get, idle.event.wait, held.acquire]
    in_threads([*waits, moves, makes, forks])


def test_in_the_middle_of_a_garbage_collection() -> None:
    """Among garbage that polyipc's objects are part of."""
    objects = Objects()
    pids: list[int] = []

    class Cycle:
        def __init__(self) -> None:
            self.me = self
            self.queue, self.lock, self.value = mp.Queue(), mp.Lock(), mp.Value("i")

        def __del__(self) -> None:
            if len(pids) < 10:
                pids.append(fork(objects.use, 1))

    for _ in range(20):
        Cycle()
    gc.collect()
    reap(*pids)
    assert len(pids) == 10
    for _ in pids:
        objects.event.set()  # which the one before cleared
        objects.seen(1)


def test_nested_ten_deep() -> None:
    objects = Objects()

    def generation(left: int) -> None:
        objects.use(left)
        objects.seen(left)
        if left:
            reap(fork(generation, left - 1))
            objects.use(left)
            objects.seen(left)

    reap(fork(generation, 10))
    objects.in_child()


def resources() -> tuple[int, int, int]:
    """Descriptors, threads, and KiB of memory of this process."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    memory = int(status["RssAnon"].split()[0]) + int(status["VmSwap"].split()[0])
    return len(list(Path("/proc/self/fd").iterdir())), int(status["Threads"]), memory


def grows(step: Callable[[], object], times: int) -> None:
    """Wants a parent to be after a step that it does so often as it was before."""
    for _ in range(times // 10):
        step()
    descriptors, threads, memory = resources()
    for _ in range(times):
        step()
    gc.collect()
    after = resources()
    assert after[:2] == (descriptors, threads)
    assert after[2] < memory + 4096


def test_1000_times_in_a_row() -> None:
    objects = Objects()

    def step() -> None:
        reap(fork(objects.queue.put, 1))
        assert objects.queue.get() == 1

    grows(step, 1000)


def test_processes_one_after_the_other(root: Path) -> None:
    """Each is the last one that has its objects, and leaves nothing of them."""
    context, done = mp.get_context("fork"), mp.Queue()

    def child(q: Any, value: Any) -> None:
        done.put(q.get() + value.value)

    def step() -> None:
        q = mp.Queue()
        q.put(1)
        process = context.Process(target=child, args=(q, mp.Value("i", 2)))
        del q
        process.start()
        assert done.get(timeout=60) == 3
        process.join()
        process.close()

    grows(step, 50)
    assert {p.name for p in root.iterdir()} == {"members", done.name}


def test_a_server_that_forks_before_there_is_work() -> None:
    """A worker is killed in its work, and another one forked in its place."""
    jobs, results = mp.JoinableQueue(), mp.SimpleQueue()

    def serve() -> None:
        for job in iter(jobs.get, None):
            results.put((job, os.getpid()))
            if job == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            jobs.task_done()

    workers = {fork(serve) for _ in range(4)}
    for job in (*range(100), "die"):
        jobs.put(job)
    done = [results.get() for _ in range(101)]
    assert {job for job, _ in done} == {*range(100), "die"}
    dead = next(pid for job, pid in done if job == "die")
    assert os.waitpid(dead, 0)[1] == signal.SIGKILL
    workers = {*workers, fork(serve)} - {dead}
    jobs.task_done()
    jobs.join()
    for _ in workers:
        jobs.put(None)
    reap(*workers)


def test_a_daemon(root: Path) -> None:
    """It is forked twice, outlives who made the objects, and is the last one that has them."""
    answers = mp.Queue(name="answers")
    said = output("""
import os, select, warnings
import polyipc.multiprocessing as mp
warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
jobs, lock, value = mp.Queue(), mp.Lock(), mp.Value("i", 7)
jobs.put("kept")
program = os.pidfd_open(os.getpid())
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        select.select([program], [], [])
        with lock, mp.Queue(name="answers") as answers:
            answers.put([jobs.get(), value.value])
    os._exit(0)
print("left")
""")
    assert said == "left\n"
    assert answers.get(timeout=60) == ["kept", 7]
    answers.unlink()
    deadline = time.monotonic() + 60
    while len(list(root.iterdir())) > 2:  # what the daemon had goes after it
        assert time.monotonic() < deadline
        polyipc.gc()
        time.sleep(0.01)
