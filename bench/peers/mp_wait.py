"""multiprocessing.connection.wait over several pipes, each of them a pair of Unix sockets."""

from __future__ import annotations

import itertools
import multiprocessing
from multiprocessing import connection
from typing import Any

from bench.peers.api import MANY, Job, SingleOnly


class Peer:
    """MANY pipes of two directions, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        context = multiprocessing.get_context("fork")
        self.pipes = [context.Pipe() for _ in range(MANY)]

    def open(self, role: str, index: int) -> Ends:
        """Pick the ends: the first of each pipe answers."""
        del index
        return Ends(self.job, [ends[0 if role == "echo" else 1] for ends in self.pipes])


class Ends(SingleOnly):
    """Each message is sent over the next pipe. A get waits for the first that has one."""

    def __init__(self, job: Job, ends: list[Any]) -> None:
        del job  # all payloads are objects
        self._ends = ends
        self._sends = itertools.cycle([end.send for end in ends])

    def put(self, message: Any) -> None:
        """Send it over the next one."""
        next(self._sends)(message)

    def get(self) -> Any:
        """Wait for one of them."""
        ready: Any = connection.wait(self._ends)[0]
        return ready.recv()
