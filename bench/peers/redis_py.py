"""Redis at a Unix socket, through redis-py with its parser in C."""

from __future__ import annotations

import importlib
from itertools import repeat
from pathlib import Path
from typing import Any, Callable

from bench.peers.api import BATCH, KEPT, REDIS_SOCKET, Job, place


class Peer:
    """A hash, a list and a number, named after the run."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> RedisTurns:
        """Connect."""
        del role, index
        redis = importlib.import_module("redis")
        path = Path(self.job.dir) / place(REDIS_SOCKET, self.job.verb)
        return RedisTurns(self.job, redis.Redis(unix_socket_path=str(path)))


class RedisTurns:
    """One command a turn, or a pipeline of several."""

    def __init__(self, job: Job, client: Any) -> None:
        self._job, self._client = job, client
        name = self._name = job.name
        commands: dict[str, Callable[[], Any]] = {
            **dict.fromkeys(("set", *KEPT), lambda: client.hset(name, "key", 7)),
            "get": lambda: client.hget(name, "key"),
            "append": lambda: client.rpush(name, 7),
            "increment": lambda: client.incr(name),
        }
        self.make: Callable[[int], None] = self._batch if job.verb == "batch" else self._single
        self._do = commands.get(job.verb)
        client.ping()

    def _single(self, n: int) -> None:
        do = self._do
        assert do is not None
        for _ in repeat(None, n):
            do()

    def _batch(self, n: int) -> None:
        for _ in range(0, n, BATCH):
            pipeline = self._client.pipeline(transaction=False)
            for _ in repeat(None, BATCH):
                pipeline.hset(self._name, "key", 7)
            pipeline.execute()

    def counted(self) -> int | None:
        """The number, or the length of the list."""
        if self._job.verb == "increment":
            return int(self._client.get(self._name))
        return int(self._client.llen(self._name)) if self._job.verb == "append" else None

    def close(self) -> None:
        """Close."""
        self._client.close()
