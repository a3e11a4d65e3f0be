"""One program for multiprocessing, run with its import line as it was, or changed.

    python -m bench.peers.program MODULE METHOD WHAT SECONDS

MODULE is multiprocessing or polyipc.multiprocessing, METHOD a start method. Prints how many
operations a second it made, over some SECONDS that begin when its processes have started; for
"start" how many processes a second it started.
"""

from __future__ import annotations

import importlib
import sys
import time
from typing import Any, Callable

MESSAGE = {"id": 12, "name": "a message", "values": [1.5, 2.5, 3.5]}
ROUND = 1000  # operations between two looks at the clock


def rate(turn: Callable[[], object], seconds: float, each: int = 1) -> float:
    """Return how often a second turn did its each operations."""
    count, begin = 0, time.perf_counter()
    end = begin + seconds
    while (now := time.perf_counter()) < end:
        turn()
        count += each
    return count / (now - begin)


def pour(put: Any, go: Any) -> None:
    go.wait()
    while go.is_set():
        for _ in range(ROUND):
            put(MESSAGE)
    put(None)


def pour_queue(queue: Any, go: Any) -> None:
    pour(queue.put, go)


def pour_pipe(conn: Any, go: Any) -> None:
    pour(conn.send, go)


def taken(get: Callable[[], Any], go: Any, seconds: float) -> float:
    """Take what a child pours, for some seconds; then let it end."""
    go.set()
    get()

    def turn() -> None:
        for _ in range(ROUND):
            get()

    found = rate(turn, seconds, ROUND)
    go.clear()
    while get() is not None:
        pass
    return found


def queue(mp: Any, seconds: float) -> float:
    """Messages a second through a queue that is bounded, so that it does not fill the memory."""
    q, go = mp.Queue(10_000), mp.Event()
    child = mp.Process(target=pour_queue, args=(q, go))
    child.start()
    found = taken(q.get, go, seconds)
    child.join()
    return found


def pipe(mp: Any, seconds: float) -> float:
    """Messages a second through a pipe."""
    (reader, writer), go = mp.Pipe(duplex=False), mp.Event()
    child = mp.Process(target=pour_pipe, args=(writer, go))
    child.start()
    found = taken(reader.recv, go, seconds)
    child.join()
    return found


def echo_queue(inbox: Any, outbox: Any) -> None:
    while True:
        message = inbox.get()
        outbox.put(message)
        if message is None:
            return


def echo_pipe(conn: Any) -> None:
    while True:
        message = conn.recv()
        conn.send(message)
        if message is None:
            return


def queue_trips(mp: Any, seconds: float) -> float:
    """Round trips a second through two queues."""
    there, back = mp.Queue(), mp.Queue()
    child = mp.Process(target=echo_queue, args=(there, back))
    child.start()

    def turn() -> None:
        there.put(MESSAGE)
        back.get()

    turn()
    found = rate(turn, seconds)
    there.put(None)
    back.get()
    child.join()
    return found


def pipe_trips(mp: Any, seconds: float) -> float:
    """Round trips a second through a pipe."""
    ours, theirs = mp.Pipe()
    child = mp.Process(target=echo_pipe, args=(theirs,))
    child.start()

    def turn() -> None:
        ours.send(MESSAGE)
        ours.recv()

    turn()
    found = rate(turn, seconds)
    ours.send(None)
    ours.recv()
    child.join()
    return found


def count(value: Any, barrier: Any, seconds: float, out: Any) -> None:
    barrier.wait()

    def turn() -> None:
        with value.get_lock():
            value.value += 1

    out.put(rate(turn, seconds))


def value(mp: Any, seconds: float) -> float:
    """Increments a second of one Value under its lock, by two processes together."""
    v, barrier, out = mp.Value("q", 0), mp.Barrier(2), mp.Queue()
    children = [mp.Process(target=count, args=(v, barrier, seconds, out)) for _ in range(2)]
    for child in children:
        child.start()
    found: float = sum(out.get() for _ in children)
    for child in children:
        child.join()
    return found


def store(d: Any, barrier: Any, seconds: float, out: Any) -> None:
    d["key"] = 0  # connects
    barrier.wait()

    def turn() -> None:
        d["key"] = d["key"] + 1

    out.put(rate(turn, seconds, 2))


def manager(mp: Any, seconds: float) -> float:
    """Gets and sets a second of a Manager's dict, by a child."""
    with mp.Manager() as m:
        d, barrier, out = m.dict(), mp.Barrier(1), mp.Queue()
        child = mp.Process(target=store, args=(d, barrier, seconds, out))
        child.start()
        found: float = out.get()
        child.join()
    return found


def square(n: int) -> int:
    return n * n


def pool_map(mp: Any, seconds: float) -> float:
    """Items a second of a Pool's map, one at a time."""
    with mp.Pool(2) as p:
        p.map(square, range(100), 1)
        return rate(lambda: p.map(square, range(ROUND), 1), seconds, ROUND)


def hello(q: Any) -> None:
    q.put("hello")


def start(mp: Any, seconds: float) -> float:
    """Processes a second that are started, say a word, and are joined."""
    q = mp.Queue()

    def turn() -> None:
        child = mp.Process(target=hello, args=(q,))
        child.start()
        q.get()
        child.join()

    turn()
    return rate(turn, seconds)


WHAT: dict[str, Callable[[Any, float], float]] = {
    "queue": queue,
    "queue-trip": queue_trips,
    "pipe": pipe,
    "pipe-trip": pipe_trips,
    "value": value,
    "manager": manager,
    "pool": pool_map,
    "start": start,
}

if __name__ == "__main__":
    module, method, what, duration = sys.argv[1:]
    multiprocessing = importlib.import_module(module)
    multiprocessing.set_start_method(method)
    print(WHAT[what](multiprocessing, float(duration)))
