"""The commands on locks and their kin, which begin with "sync."."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

from polyipc import errors, sync

Words = list[str]

TYPES: dict[str, Any] = {
    "lock": sync.Lock,
    "rlock": sync.RLock,
    "semaphore": sync.Semaphore,
    "bounded_semaphore": sync.BoundedSemaphore,
    "condition": sync.Condition,
    "event": sync.Event,
    "barrier": sync.Barrier,
    "rwlock": sync.RWLock,
}


def seconds(ms: str) -> float | None:
    """Read a time-out in milliseconds."""
    return None if int(ms) < 0 else int(ms) / 1000


def in_time(done: bool) -> None:
    """Make of what Python returns what the other languages say."""
    if not done:
        raise errors.TimedOutError("the time is over", errors.Status.TIMEOUT)


@contextmanager
def numbers(file: str) -> Iterator[Any]:
    """Give the number that a file begins with."""
    fd = os.open(file, os.O_RDWR)
    with mmap.mmap(fd, 8) as mem:
        os.close(fd)
        with memoryview(mem) as view, view.cast("Q") as number:
            yield number


def add(file: str) -> None:
    with numbers(file) as number:
        number[0] += 1


class Syncs:
    """What the commands have opened so far."""

    def __init__(self) -> None:
        self.objects: list[Any] = []
        self.verbs: dict[str, Callable[[Any, Words], object]] = {
            "name": lambda s, _: s.name,
            "close": lambda s, _: s.close(),
            "acquire": self.acquire,
            "release": lambda s, w: s.release(
                *([int(w[0])] if isinstance(s, sync.Semaphore) else [])
            ),
            "locked": lambda s, _: int(s.locked()),
            "owned": lambda s, _: int(s._is_owned()),
            "value": lambda s, _: s.get_value(),
            "wait": self.wait,
            "notify": lambda s, w: self.with_lock(s, w[0], lambda c: c.notify(int(w[1]))),
            "notify_all": lambda s, w: self.with_lock(s, w[0], lambda c: c.notify_all()),
            "set": lambda s, _: s.set(),
            "clear": lambda s, _: s.clear(),
            "is_set": lambda s, _: int(s.is_set()),
            "abort": lambda s, _: s.abort(),
            "reset": lambda s, _: s.reset(),
            "waiting": lambda s, _: f"{s.n_waiting} {int(s.broken)}",
            "read_lock": self.read_lock,
            "read_unlock": lambda s, _: s.read_unlock(),
            "write_lock": self.write_lock,
            "write_unlock": lambda s, _: s.write_unlock(),
            "stat": self.stat,
            "count": self.count,
        }

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        if verb in ("create", "open_or_create"):
            return self.make(verb, words)
        if verb == "open":
            return self.keep(TYPES[words[0]].open(words[1]))
        if verb == "unlink":
            sync.unlink(words[0])
            return ""
        answer = self.verbs[verb](self.objects[int(words[0])], words[1:])
        return "" if answer is None else str(answer)

    def make(self, verb: str, words: Words) -> str:
        kind, name, value, flags = words
        cls = TYPES[kind]
        options: dict[str, Any] = {"name": None if name == "-" else name}
        if "k" in flags or "t" in flags:
            options["transient"] = "t" in flags
        if "r" in flags:
            options["reclaim"] = True
        how = cls.create if verb == "create" else cls
        first = [int(value)] if kind in ("semaphore", "bounded_semaphore", "barrier") else []
        return self.keep(how(*first, **options))

    def keep(self, made: Any) -> str:
        self.objects.append(made)
        return str(len(self.objects) - 1)

    def acquire(self, s: Any, words: Words) -> int:
        in_time(s.acquire(timeout=seconds(words[0])))
        return int(getattr(s, "owner_died", False))

    def release(self, s: Any, words: Words) -> None:
        if isinstance(s, sync.Semaphore):
            s.release(int(words[0]))
        else:
            s.release()

    def wait(self, s: Any, words: Words) -> object:
        if isinstance(s, sync.Condition):
            return self.with_lock(s, words[0], lambda c: self.condition_wait(c, words[1]))
        if isinstance(s, sync.Event):
            in_time(s.wait(seconds(words[0])))
            return 0
        s._action = None if words[0] == "-" else lambda: add(words[0])
        return s.wait(seconds(words[1]))

    def with_lock(self, s: Any, lock: str, do: Callable[[Any], object]) -> object:
        """Do something with a condition and another lock than its own."""
        if lock == "-":
            return do(s)
        with_other = sync.Condition(self.objects[int(lock)], name=s.name)
        try:
            return do(with_other)
        finally:
            with_other.close()

    def condition_wait(self, s: sync.Condition, ms: str) -> int:
        in_time(s.wait(seconds(ms)))
        return int(s.owner_died)

    def read_lock(self, s: sync.RWLock, words: Words) -> int:
        in_time(s.read_lock(timeout=seconds(words[0])))
        return 0

    def write_lock(self, s: sync.RWLock, words: Words) -> int:
        in_time(s.write_lock(timeout=seconds(words[0])))
        return int(s.owner_died)

    def stat(self, s: Any, _: Words) -> str:
        st = s.stat()
        names = ("limit", "value", "broken", "holder", "waiters", "take_overs", "reclaimed")
        return " ".join(f"{n}={int(getattr(st, n))}" for n in names)

    def count(self, s: Any, words: Words) -> None:
        """Add 1 to an unprotected number in a file, again and again, with the lock held."""
        held = s.write() if isinstance(s, sync.RWLock) else s
        with numbers(words[0]) as number:
            for _ in range(int(words[1])):
                with held:
                    number[0] += 1

    def close(self) -> None:
        for s in self.objects:
            s.close()
