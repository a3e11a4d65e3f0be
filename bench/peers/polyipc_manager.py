"""A client of polyipc's manager in Python."""

from __future__ import annotations

from itertools import repeat
from typing import Any, Callable

from bench.peers.api import BATCH, MANAGER, Job, place
from polyipc import manager  # loads the library on first use, which is not in the parent


class Peer:
    """An object of the server that runs beside, named after the run."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def open(self, role: str, index: int) -> ClientTurns:
        """Connect."""
        del role, index
        return ClientTurns(self.job, manager.connect(place(MANAGER, self.job.verb)))


class ClientTurns:
    """One call a turn, or a batch of them."""

    def __init__(self, job: Job, client: Any) -> None:
        self._verb, self._client = job.verb, client
        makes: dict[str, tuple[Callable[[str], Any], Callable[[int], None]]] = {
            "set": (client.dict, self._set),
            "kept": (client.dict, self._set),
            "filed": (client.dict, self._set),
            "get": (client.dict, self._get),
            "batch": (client.dict, self._batch),
            "append": (client.list, self._append),
            "increment": (client.counter, self._increment),
            "method": (lambda name: client.create("account.py", name=name), self._deposit),
        }
        make, self.make = makes[job.verb]
        self._object: Any = make(job.name)
        if job.verb == "get":
            self._object["key"] = 7

    def _set(self, n: int) -> None:
        proxy = self._object
        for _ in repeat(None, n):
            proxy["key"] = 7

    def _get(self, n: int) -> None:
        proxy = self._object
        for _ in repeat(None, n):
            proxy["key"]

    def _batch(self, n: int) -> None:
        set_ = self._object.set
        for _ in range(0, n, BATCH):
            with self._client.batch() as batch:
                for _ in repeat(None, BATCH):
                    batch.add(set_, "key", 7)

    def _append(self, n: int) -> None:
        append = self._object.append
        for _ in repeat(None, n):
            append(7)

    def _increment(self, n: int) -> None:
        increment = self._object.increment
        for _ in repeat(None, n):
            increment()

    def _deposit(self, n: int) -> None:
        deposit = self._object.deposit
        for _ in repeat(None, n):
            deposit(1)

    def counted(self) -> int | None:
        """The length of the list, the counter, or the balance."""
        counts: dict[str, Callable[[], int]] = {
            "append": lambda: len(self._object),
            "increment": lambda: int(self._object.get()),
            "method": lambda: int(self._object.deposit(0)),
        }
        return counts[self._verb]() if self._verb in counts else None

    def close(self) -> None:
        """Close."""
        self._client.close()
