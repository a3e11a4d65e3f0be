"""faster-fifo: a ring in shared memory, one mutex, two condition variables, pickles."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from bench.peers.api import Job, directions

HELD = 1_000_000  # bytes, its default: 4 and 32 MiB were no quicker, from 64 B to 64 KiB
FOREVER = 1e6  # seconds; its calls know no "for ever", and 10 seconds if they are told nothing


class Peer:
    """Two queues, inherited by the workers."""

    def __init__(self, job: Job) -> None:
        self.job = job
        queue = importlib.import_module("faster_fifo").Queue  # it has no types
        bytes_ = max(HELD, 4 * job.size, 2 * job.batch * job.size)  # a put_many goes in whole
        self.queues = [queue(max_size_bytes=bytes_) for _ in range(1 if job.flow else 2)]

    def open(self, role: str, index: int) -> Ends:
        """Pick them."""
        del index
        return Ends([self.queues[i] for i in directions(self.job, role)])


class Ends:
    """The queues of a role."""

    def __init__(self, queues: list[Any]) -> None:
        self._put_many = queues[0].put_many
        self._get_many = queues[1].get_many
        self._put = queues[0].put
        self._get = queues[1].get

    def put(self, message: Any) -> None:
        """Put one."""
        self._put(message, True, FOREVER)

    def get(self) -> Any:
        """Get one."""
        return self._get(True, FOREVER)

    def put_many(self, messages: Sequence[Any]) -> None:
        """Put them in one call."""
        self._put_many(messages, True, FOREVER)

    def get_many(self, most: int) -> list[Any]:
        """Get what is there."""
        messages: list[Any] = self._get_many(True, FOREVER, most)
        return messages

    def close(self) -> None:
        """Leave it to the garbage collector."""
