"""produce and consume: work until somebody shuts the queue down, or kills the worker."""

from __future__ import annotations

import mmap
import random
import time
from pathlib import Path
from typing import Any

from body import LARGEST, compose, parse

import polyipc
from polyipc import errors

LENGTHS = {
    "s": (40, 200),
    "e": (40, 4000),
    "m": (40, 200),
    "f": (40, 3000),
    "l": (5000, 15_000),
    "b": (70_000, LARGEST),
}


class Worker:
    """A log in a shared mapping, which a kill does not take away, and chance."""

    def __init__(self, queue: polyipc.Queue[Any], path: str, seed: str) -> None:
        with Path(path).open("r+b") as file:
            self.log = mmap.mmap(file.fileno(), 0)
        self.at = 0
        self.queue = queue
        self.random = random.Random(int(seed))
        self.done = 0

    def line(self, text: str) -> None:
        end = self.at + len(text) + 1
        self.log[self.at : end] = text.encode() + b"\n"
        self.at = end

    def full(self) -> bool:
        return len(self.log) - self.at < 8192

    def name(self, body: object) -> str:
        name, right = parse(body) if isinstance(body, bytes) else ("0/0", False)
        if not right:
            self.line(f"X {body!r:.60}")
        return name

    def finish(self) -> str:
        self.log.close()
        return str(self.done)


def produce(queue: polyipc.Queue[Any], words: list[str]) -> str:
    """Put messages."""
    path, producer, seed, mix, count = words
    w = Worker(queue, path, seed)
    try:
        while not w.full() and (int(count) == 0 or w.done < int(count)):
            put_some(w, int(producer), w.random.choice(mix), int(count))
    except errors.ShutDown as e:
        if e.put:
            w.line(f"P {e.put}")
        w.line("E")
    return w.finish()


def put_some(w: Worker, producer: int, kind: str, count: int) -> None:
    n = w.random.randint(1, {"m": 8, "f": 100}.get(kind, 1))
    if count:
        n = min(n, count - w.done)
    bodies = [compose(producer, w.done + i, w.random.randint(*LENGTHS[kind])) for i in range(n)]
    w.line(f"p {w.done} {n}")
    if kind in "mf":
        w.queue.put_many(bodies)
    else:
        w.queue.put_bytes(bodies[0])
    w.done += n
    w.line(f"P {n}")


def consume(queue: polyipc.Queue[Any], words: list[str]) -> str:
    """Take messages."""
    path, seed, mix = words
    w = Worker(queue, path, seed)
    try:
        while not w.full():
            take_some(w, w.random.choice(mix))
    except errors.ShutDown:
        w.line("E")
    return w.finish()


def take_some(w: Worker, kind: str) -> None:
    if kind in "lnh":
        lease_one(w, kind)
    elif kind == "m":
        w.line("g 8")
        bodies = w.queue.get_many(8)
        w.line("G " + " ".join(w.name(body) for body in bodies))
        w.done += len(bodies)
    else:
        if kind == "w":
            polyipc.wait([w.queue])
        w.line("g 1")
        w.line("G " + w.name(w.queue.get()))
        w.done += 1
        if kind == "t":
            w.line("t")
            w.queue.task_done()
            w.line("T")


def lease_one(w: Worker, kind: str) -> None:
    w.line("l")
    lease = w.queue.lease()
    name = w.name(lease.value)
    w.line(f"L {name} {lease.deliveries}")
    if kind == "n":
        w.line(f"n {name}")
        lease.nack()
        w.line("N")
        return
    if kind == "h":
        end = time.perf_counter() + w.random.random() / 10_000
        while time.perf_counter() < end:
            pass
    w.line(f"a {name}")
    lease.ack()
    w.line("A")
    w.done += 1
