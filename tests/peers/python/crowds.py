"""The commands of crowds, which begin with "crowd.".

Many threads or forked children, each of which does one thing with the same object.
"""

from __future__ import annotations

import os
import threading
import traceback
from typing import Any, Callable

import polyipc

Words = list[str]

PATIENCE = 60.0  # seconds; bounds a failure


class Crowd:
    """What the members of one have in common: the object, the sums, how many there are in all."""

    def __init__(self, kind: str, it: Any, size: int, total: polyipc.Segment) -> None:
        self.it, self.size, self.total = it, size, total
        works: dict[str, Callable[[], object]] = {
            "lock": self.locked,
            "rlock": self.locked,
            "rwlock": self.write_locked,
            "event": self.event,
            "barrier": self.barrier,
            "semaphore": self.semaphore,
            "condition": self.condition,
            "queue": self.queue,
            "pipe": self.pipe,
            "segment": self.cell,
        }
        self.work = works[kind]
        self.failed = 0

    def member(self) -> None:
        """Do what each one does."""
        try:
            self.assemble(self.total, 16)  # nobody begins before all are there
            self.work()
        except BaseException:
            traceback.print_exc()
            self.failed += 1

    def threads(self, count: int) -> None:
        """Let so many threads work."""
        all_ = [threading.Thread(target=self.member) for _ in range(count)]
        for one in all_:
            one.start()
        for one in all_:
            one.join()

    def children(self, count: int) -> None:
        """Let so many forked children work."""
        pids = []
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                self.member()
                os._exit(self.failed)
            pids.append(pid)
        for pid in pids:
            self.failed += os.waitpid(pid, 0)[1] != 0

    def counted(self) -> None:
        """Add to the atomic number."""
        self.total.atomic(8, "Q").add(1)

    def add(self) -> int:
        """Add to the plain number, which needs a lock."""
        with self.total.buf.cast("Q") as plain:
            plain[0] += 1
            return int(plain[0])

    def plain(self) -> int:
        with self.total.buf.cast("Q") as plain:
            return int(plain[0])

    def locked(self) -> None:
        in_time(self.it.acquire(timeout=PATIENCE))
        self.add()
        self.it.release()

    def write_locked(self) -> None:
        in_time(self.it.write_lock(timeout=PATIENCE))
        self.add()
        self.it.write_unlock()

    def event(self) -> None:
        in_time(self.it.wait(PATIENCE))
        self.counted()

    def barrier(self) -> None:
        self.it.wait(PATIENCE)
        self.counted()

    def semaphore(self) -> None:
        in_time(self.it.acquire(timeout=PATIENCE))
        self.it.release()
        self.counted()

    def condition(self) -> None:
        """Wait until all are there; the last one tells the others."""
        with self.it:
            now = self.add()
            while now < self.size:
                in_time(self.it.wait(PATIENCE))
                now = self.plain()
            self.it.notify_all()
        self.counted()

    def queue(self) -> None:
        self.it.put_bytes(b"mine", timeout=PATIENCE)
        self.it.get(timeout=PATIENCE)
        self.counted()

    def pipe(self) -> None:
        self.it.send_bytes(b"mine", timeout=PATIENCE)
        self.counted()

    def cell(self) -> None:
        with self.it.lock:
            self.add()
        self.assemble(self.it, 8)
        self.counted()

    def assemble(self, segment: polyipc.Segment, offset: int) -> None:
        """Count in a cell, and wait until all have."""
        cell = segment.atomic(offset, "Q")
        now = cell.add(1) + 1
        if now == self.size:
            cell.notify()
        while now < self.size:
            now = cell.wait(now, PATIENCE)


def in_time(done: bool) -> None:
    if not done:
        raise TimeoutError


class Crowds:
    """Knows where objects are."""

    def __init__(self, objects: Callable[[str], list[Any]]) -> None:
        self.objects = objects

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        kind, n, count, size, total = words
        it = self.objects(kind)[int(n)]
        crowd = Crowd(kind, it, int(size), self.objects("segment")[int(total)])
        if verb == "threads":
            crowd.threads(int(count))
        else:
            crowd.children(int(count))
        if crowd.failed:
            raise ValueError(f"{crowd.failed} of {count} failed")
        return ""
