"""The functions that make Python objects (capi/pyshim.h), in a process and in its child."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest
from library import (
    BAD_HANDLE,
    EMPTY,
    FOREVER,
    INVALID,
    OK,
    RAW,
    TIMEOUT,
    TRY,
    Queue,
    detail,
    in_child,
)

# Sizes around the limits of the shims and of the queue's ways.
SIZES = (0, 1, 100, 16383, 16384, 16385, 65535, 65536, 65537, 1_000_000, 5_000_000)


def here(work: Callable[[], object]) -> None:
    work()


@pytest.fixture(params=[here, in_child], ids=["parent", "child"])
def place(request: pytest.FixtureRequest) -> Callable[[Callable[[], object]], None]:
    """Where a test runs."""
    runner: Callable[[Callable[[], object]], None] = request.param
    return runner


Place = Callable[[Callable[[], object]], None]


def test_sizes(queue: Queue, place: Place) -> None:
    def work() -> None:
        for size in SIZES:
            body = os.urandom(size)
            assert queue.put(body) == OK, detail()
            assert queue.get() == body
            assert queue.put(body, format_=RAW) == OK
            assert queue.get() == (body, RAW)

    place(work)


def test_statuses(queue: Queue, place: Place) -> None:
    def work() -> None:
        assert queue.get(TRY) == EMPTY
        assert queue.get(1000) == TIMEOUT
        assert queue.get_many(10, TRY) == EMPTY
        assert queue.get_many(10, 1000) == TIMEOUT
        assert queue.get_many(0) == []
        assert queue.lease(TRY) == EMPTY
        assert queue.lease(1000) == TIMEOUT
        assert queue.put(b"x", format_=7) == INVALID
        assert "format 7" in detail()
        assert queue.put_many([]) == 0
        gone = Queue()
        assert gone.close() == OK
        assert gone.put(b"x") == BAD_HANDLE
        assert gone.get() == BAD_HANDLE
        assert gone.get_many(1) == BAD_HANDLE
        assert gone.lease() == BAD_HANDLE
        assert gone.put_many([b"x"]) == -BAD_HANDLE

    place(work)


def test_many(queue: Queue, place: Place) -> None:
    def work() -> None:
        messages = [os.urandom(SIZES[n % 8] if n % 50 == 0 else n % 300) for n in range(1000)]
        assert queue.put_many(messages) == 1000
        assert queue.get_many(1000) == messages
        assert queue.put_many(messages, 990) == 10
        assert queue.get_many(3) == messages[990:993]
        assert queue.get_many(100) == messages[993:]

    place(work)


def test_large_among_many(queue: Queue, place: Place) -> None:
    def work() -> None:
        messages = [bytes(10), os.urandom(3_000_000), bytes(20), os.urandom(100_000)]
        assert queue.put_many(messages) == 4
        assert queue.get_many(10) == messages

    place(work)


def test_what_is_not_bytes(queue: Queue) -> None:
    with pytest.raises(TypeError):
        queue.put_many([b"x", "not bytes"])
    assert queue.size() == 0


def test_lease(queue: Queue, place: Place) -> None:
    def work() -> None:
        for size in SIZES:
            body = os.urandom(size)
            assert queue.put(body) == OK
            leased, format_, lease, deliveries = queue.lease()
            assert (leased, format_, deliveries) == (body, 1, 1)
            assert queue.ack(lease) == OK
            assert queue.ack(lease) != OK

    place(work)


def test_waiting_lets_others_run(queue: Queue, place: Place) -> None:
    """The GIL is free while one waits: otherwise the other could never put."""

    def work() -> None:
        waits: list[Callable[[], object]] = [
            queue.get,
            lambda: queue.get_many(1)[0],
            lambda: queue.lease()[0],
        ]
        for wait in waits:
            thread = threading.Timer(0.05, queue.put, (b"x" * 100_000,))
            thread.start()
            assert wait() == b"x" * 100_000
            thread.join()

    place(work)


def test_references_are_given_back(queue: Queue) -> None:
    import sys

    body = bytes(1000)
    before = sys.getrefcount(body)
    for _ in range(100):
        assert queue.put(body) == OK
        assert queue.put_many([body] * 5) == 5
        assert len(queue.get_many(10)) == 6
    assert sys.getrefcount(body) == before


def test_close_wakes_those_who_wait(place: Place) -> None:
    def work() -> None:
        queue = Queue()
        results: list[object] = []
        threads = [
            threading.Thread(target=lambda: results.append(queue.get(FOREVER))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.1)  # either way, waiting or just coming, they end
        assert queue.close() == OK
        for thread in threads:
            thread.join(20)
        assert len(results) == 3
        assert set(results) <= {4, BAD_HANDLE}

    place(work)
