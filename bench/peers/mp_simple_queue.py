"""multiprocessing.SimpleQueue: a pipe and two locks."""

from __future__ import annotations

import multiprocessing
from typing import Any

from bench.peers.api import Job, SingleOnly, directions


class Peer:
    """Two queues, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        context = multiprocessing.get_context("fork")
        self.queues = [context.SimpleQueue() for _ in range(1 if job.flow else 2)]

    def open(self, role: str, index: int) -> Ends:
        """Pick them."""
        del index
        return Ends([self.queues[i] for i in directions(self.job, role)])


class Ends(SingleOnly):
    """The queues of a role."""

    def __init__(self, queues: list[Any]) -> None:
        self.put = queues[0].put
        self.get = queues[1].get
