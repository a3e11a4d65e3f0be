"""The commands on segments, which begin with "segment."."""

from __future__ import annotations

from typing import Any, Callable

import polyipc
from polyipc import errors, segment

Words = list[str]


def shape_of(word: str) -> tuple[int, ...]:
    return () if word == "-" else tuple(int(n) for n in word.split(","))


def wait(milliseconds: str) -> float | None:
    return None if int(milliseconds) < 0 else int(milliseconds) / 1000


class Segments:
    """What the commands have opened so far."""

    def __init__(self) -> None:
        self.open: list[polyipc.Segment] = []
        self.verbs: dict[str, Callable[[polyipc.Segment, Words], object]] = {
            "name": lambda s, _: s.name,
            "close": lambda s, _: s.close(),
            "describe": self.describe,
            "read": lambda s, w: "x" + bytes(s.buf[int(w[0]) : int(w[0]) + int(w[1])]).hex(),
            "write": self.write,
            "get": self.get,
            "set": self.set,
            "grow": lambda s, w: s.grow(int(w[0])),
            "atomic": self.atomic,
            "compare_exchange": lambda s, w: cell(s, w[0], w[1]).compare_exchange(
                int(w[2]), int(w[3])
            ),
            "wait": lambda s, w: cell(s, w[1], w[2]).wait(int(w[3]), wait(w[0])),
            "notify": lambda s, w: cell(s, w[0], w[1]).notify(),
            "lock": self.lock,
            "unlock": lambda s, _: self.unlock(s),
            "stat": self.stat,
            "count": self.count,
        }

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        if verb in ("create", "open_or_create"):
            how: Any = polyipc.Segment.create if verb == "create" else polyipc.Segment
            name, size, most, form, shape, flags = words
            return self.keep(
                how(
                    int(size),
                    name=None if name == "-" else name,
                    max_size=int(most) or None,
                    format=None if form == "-" else form,
                    shape=shape_of(shape),
                    transient={"k": False, "t": True, "-": None}[flags],
                )
            )
        if verb == "open":
            expected = None if words[1] == "-" else words[1]
            return self.keep(
                polyipc.Segment.open(words[0], format=expected, shape=shape_of(words[2]))
            )
        if verb == "unlink":
            segment.unlink(words[0])
            return ""
        answer = self.verbs[verb](self.open[int(words[0])], words[1:])
        return "" if answer is None else str(answer)

    def keep(self, s: polyipc.Segment) -> str:
        self.open.append(s)
        return str(len(self.open) - 1)

    def describe(self, s: polyipc.Segment, _: Words) -> str:
        shape = ",".join(str(n) for n in s.shape) or "-"
        return f"{s.format or '-'} {shape} {s.itemsize} {s.size} {s.max_size}"

    def write(self, s: polyipc.Segment, words: Words) -> None:
        data = bytes.fromhex(words[1])
        s.buf[int(words[0]) : int(words[0]) + len(data)] = data

    def get(self, s: polyipc.Segment, words: Words) -> str:
        found = segment.RawArray.open(s.name)[int(words[0])]
        return f"{found.x} {found.y:g}" if s.format.startswith("T") else f"{found:g}"

    def set(self, s: polyipc.Segment, words: Words) -> None:
        array, i = segment.RawArray.open(s.name), int(words[0])
        if s.format.startswith("T"):
            array[i].x, array[i].y = int(words[1]), float(words[2])
        else:
            array[i] = float(words[1]) if s.format == "<d" else int(words[1])

    def atomic(self, s: polyipc.Segment, words: Words) -> int:
        op, offset, width, value = words
        at = cell(s, offset, width)
        if op == "load":
            return at.load()
        if op == "store":
            at.store(int(value))
            return 0
        name = {"and": "and_", "or": "or_"}.get(op, op)
        does: Callable[[int], int] = getattr(at, name)
        return does(int(value))

    def lock(self, s: polyipc.Segment, words: Words) -> int:
        lock = s.lock  # what it is told of the former owner is this object's
        if not lock.acquire(timeout=wait(words[0])):
            raise errors.TimedOutError("the time is over", errors.Status.TIMEOUT)
        return int(lock.owner_died)

    def unlock(self, s: polyipc.Segment) -> None:
        try:
            s.lock.release()
        except AssertionError as e:
            raise errors.InvalidError(str(e)) from None

    def stat(self, s: polyipc.Segment, _: Words) -> str:
        st = s.stat()
        return (
            f"size={st.size} max={st.max_size} waiters={st.waiters} take_overs={st.take_overs} "
            f"holder={st.holder}"
        )

    def count(self, s: polyipc.Segment, words: Words) -> None:
        at, lock = s.atomic(0, "Q"), s.lock
        with s.buf.cast("Q") as plain:
            for _ in range(int(words[0])):
                at.add(1)
                with lock:
                    plain[1] += 1

    def close(self) -> None:
        for s in self.open:
            s.close()


def cell(s: polyipc.Segment, offset: str, width: str) -> polyipc.Atomic:
    """Return the unsigned cell of that width."""
    return s.atomic(int(offset), {"4": "I", "8": "Q"}.get(width, "B"))
