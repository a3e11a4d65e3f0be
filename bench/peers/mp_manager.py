"""multiprocessing.managers: a dict, a list, and a class that is the counter and has the method."""

from __future__ import annotations

from itertools import repeat
from multiprocessing.managers import SyncManager
from typing import Any, Callable

from bench.peers.api import Job


class Account:
    """What the manager hosts: it has no counter that is incremented at once."""

    def __init__(self) -> None:
        self._balance = 0

    def deposit(self, amount: int) -> int:
        """Add; the new balance."""
        self._balance += amount
        return self._balance


class Manager(SyncManager):
    """One with a type of ours."""


Manager.register("Account", Account)


class Peer:
    """A manager in a process of its own, and one object in it."""

    def __init__(self, job: Job) -> None:
        self.job, self.manager = job, Manager()
        self.manager.start()  # ends with this process
        made: Any = self.manager
        self.object = {
            "set": made.dict, "get": made.dict, "append": made.list,
            "increment": made.Account, "method": made.Account,
        }[job.verb]()  # fmt: skip

    def open(self, role: str, index: int) -> ManagerTurns:
        """Its proxy connects anew in each process."""
        del role, index
        return ManagerTurns(self.job.verb, self.object)


class ManagerTurns:
    """One call a turn."""

    def __init__(self, verb: str, proxy: Any) -> None:
        self._verb, self._proxy = verb, proxy
        kinds = {
            "set": self._set, "get": self._get, "append": self._append,
            "increment": self._deposit, "method": self._deposit,
        }  # fmt: skip
        self.make: Callable[[int], None] = kinds[verb]
        if verb == "get":
            proxy["key"] = 7

    def _set(self, n: int) -> None:
        proxy = self._proxy
        for _ in repeat(None, n):
            proxy["key"] = 7

    def _get(self, n: int) -> None:
        proxy = self._proxy
        for _ in repeat(None, n):
            proxy["key"]

    def _append(self, n: int) -> None:
        append = self._proxy.append
        for _ in repeat(None, n):
            append(7)

    def _deposit(self, n: int) -> None:
        deposit = self._proxy.deposit
        for _ in repeat(None, n):
            deposit(1)

    def counted(self) -> int | None:
        """The length of the list, or the balance."""
        if self._verb == "append":
            return len(self._proxy)
        return int(self._proxy.deposit(0)) if self._verb in ("increment", "method") else None

    def close(self) -> None:
        """Leave it to the garbage collector."""
