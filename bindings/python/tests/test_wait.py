from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import select
import signal
import socket
import threading
import time
from typing import Any

import pytest
from running import InThread, fork, reap

import polyipc


def readable(obj: Any) -> bool:
    return bool(select.select([obj], [], [], 0)[0])


def test_readable_while_there_is_something() -> None:
    with polyipc.Queue[int]() as q, polyipc.Queue[int].open(q.name) as other:
        assert not readable(q)
        other.put_many([1, 2])
        assert readable(q)
        assert (q.get(), readable(q), q.get(), readable(q)) == (1, True, 2, False)
        other.put(3)
        assert other.get() == 3
        assert readable(q)  # as far as this handle knows
        with pytest.raises(polyipc.Empty):
            q.get_nowait()
        assert not readable(q)
        other.put(4)
        lease = q.lease()
        assert not readable(q)
        lease.nack()
        assert readable(q)
        other.shutdown(immediate=True)
        assert readable(q)


def test_writable() -> None:
    with polyipc.Queue[int](1) as q:
        w = polyipc.writable(q)
        assert w == polyipc.writable(q)
        assert len({w, polyipc.writable(q)}) == 1
        assert polyipc.wait([w]) == [w]
        q.put(1)
        assert polyipc.wait([w], 0) == []
        assert not readable(w)
        assert polyipc.wait([q, w]) == [q]
        q.get()
        assert polyipc.wait([q, w]) == [w]
        with pytest.raises(polyipc.Full):
            q.put_many([1, 2], block=False)
        assert not readable(w)


def test_event() -> None:
    event = polyipc.Event()
    other = polyipc.Event.open(event.name)
    assert polyipc.wait([event], 0) == []
    other.set()
    assert polyipc.wait([event]) == [event]
    event.clear()
    assert not readable(event)
    event.set()
    other.clear()
    assert readable(event)  # as far as this object knows
    assert not event.is_set()
    assert not readable(event)
    event.close()
    other.close()


def test_pipe() -> None:
    first, second = polyipc.Pipe()
    with first:
        assert polyipc.wait([first, second, polyipc.writable(first)]) == [polyipc.writable(first)]
        second.send(1)
        assert polyipc.wait([first, second]) == [first]
        assert first.recv() == 1
        assert not readable(first)
        second.close()
        assert polyipc.wait([first]) == [first]
        with pytest.raises(EOFError):
            first.recv()
        assert readable(first)


def test_things_of_all_kinds() -> None:
    a, b = socket.socketpair()
    reads, writes = os.pipe()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
    process.start()
    child = polyipc.spawn(["sleep", "1000"])
    with polyipc.Queue[int]() as q, a, b, ours, theirs:
        things: list[Any] = [q, a, reads, ours, process.sentinel, child, child.sentinel]
        assert polyipc.wait(things, 0) == []
        assert polyipc.wait(iter(things), 0.01) == []
        q.put(1)
        assert polyipc.wait(things) == [q]
        b.send(b"x")
        theirs.send(1)
        os.write(writes, b"x")
        assert polyipc.wait(things) == [q, a, reads, ours]
        process.kill()
        child.terminate()
        for thing in (q, a, reads, ours):
            things.remove(thing)
        while len(polyipc.wait(things)) < 3:
            pass
        assert child.wait() == -signal.SIGTERM
        process.join()
        b.close()
        assert polyipc.wait([a]) == [a]
        assert polyipc.wait([q, q]) == [q, q]
    os.close(reads)
    os.close(writes)
    process.close()


def test_timeouts() -> None:
    with polyipc.Queue[int]() as q:
        began = time.monotonic()
        assert polyipc.wait([q], 0.1) == []
        assert 0.1 <= time.monotonic() - began < 2
        assert polyipc.wait([q], -1) == []
        assert polyipc.wait([], 0) == []


def test_wakes_at_once() -> None:
    with polyipc.Queue[int]() as q, polyipc.Queue[int]() as r:
        waits = InThread(polyipc.wait, [q, r])
        while (
            not q.stat().messages
        ):  # the descriptors may not be there yet: it is found all the same
            q.put(1)
        assert waits.result() == [q]


def test_errors() -> None:
    q = polyipc.Queue[int]()
    for bad in ([-1], [1 << 20], [1 << 40]):
        with pytest.raises(ValueError, match="descriptor"):
            polyipc.wait(bad, 0)
    with pytest.raises(polyipc.InvalidError, match="no fileno"):
        polyipc.wait(["x"], 0)
    with polyipc.Lock() as lock, pytest.raises(polyipc.InvalidError, match="lock"):
        polyipc.wait([lock], 0)
    waits = InThread(polyipc.wait, [q])
    q.fileno()
    time.sleep(0.05)  # either way it is a ClosedError
    q.close()
    with pytest.raises(polyipc.ClosedError):
        waits.result()
    for call in (q.fileno, polyipc.writable(q).fileno, lambda: polyipc.wait([q])):
        with pytest.raises(polyipc.ClosedError):
            call()


def test_interrupt() -> None:
    with polyipc.Queue[int]() as q:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            polyipc.wait([q])
        assert time.monotonic() - began < 2
        timer.join()
        q.put(1)
        assert polyipc.wait([q]) == [q]


def test_asyncio() -> None:
    async def take(q: polyipc.Queue[int], count: int) -> list[int]:
        loop, got, done = asyncio.get_running_loop(), [], asyncio.Event()

        def ready() -> None:
            try:
                got.append(q.get_nowait())
            except polyipc.Empty:
                return
            if len(got) == count:
                done.set()

        loop.add_reader(q.fileno(), ready)
        await asyncio.wait_for(done.wait(), 30)
        loop.remove_reader(q.fileno())
        return got

    with polyipc.Queue[int]() as q:
        puts = InThread(q.put_many, range(1000))
        assert asyncio.run(take(q, 1000)) == list(range(1000))
        puts.result()


def test_the_descriptor_of_what_is_closed() -> None:
    q = polyipc.Queue[int]()
    assert q.fileno() == q.fileno()
    q.close()
    with pytest.raises(polyipc.ClosedError):
        q.fileno()


def test_a_forked_child_has_its_own() -> None:
    def child() -> None:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), fd)  # readable
        assert polyipc.wait([q], 0) == []
        assert not readable(q)
        q.put(1)
        assert readable(q)

    with polyipc.Queue[int]() as q:
        fd = q.fileno()
        reap(fork(child))
        assert polyipc.wait([q]) == [q]


def test_a_thousand_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    pipes = [os.pipe() for _ in range(1000)]
    try:
        os.write(pipes[700][1], b"x")
        reads = [read for read, _ in pipes]
        with polyipc.Queue[int]() as q:
            assert polyipc.wait([*reads, q]) == [reads[700]]
            q.put(1)
            assert polyipc.wait([*reads, q]) == [reads[700], q]
    finally:
        for pipe in pipes:
            os.close(pipe[0])
            os.close(pipe[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
