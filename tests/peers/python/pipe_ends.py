"""The commands on pipes, which begin with "pipe."."""

from __future__ import annotations

from typing import Any, Callable

from body import body_of, generated, show

from polyipc import Connection, Pipe, codec, pipe

Words = list[str]

ENDS = {"-": None, "0": 0, "1": 1}


def seconds(ms: str) -> float | None:
    """Read a time-out in milliseconds."""
    return None if int(ms) < 0 else int(ms) / 1000


def options(capacity: str, flags: str) -> dict[str, Any]:
    return {
        "capacity": int(capacity) or None,
        "duplex": "1" not in flags,
        "transient": True if "t" in flags else False if "k" in flags else None,
    }


class Pipes:
    """What the commands have opened so far."""

    def __init__(self) -> None:
        self.ends: list[Connection[Any]] = []
        self.verbs: dict[str, Callable[[Connection[Any], Words], object]] = {
            "name": lambda p, _: p.name,
            "close": lambda p, _: p.close(),
            "send": self.send,
            "recv": lambda p, w: show(p.recv(timeout=seconds(w[0]))),
            "poll": lambda p, w: int(p.poll(seconds(w[0]))),
            "stat": self.stat,
            "echo": self.echo,
            "pour": self.pour,
            "drain": self.drain,
        }

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        name = None if words[0] == "-" else words[0]
        if verb == "create":
            made = Connection[Any].create(name, end=ENDS[words[1]], **options(*words[2:]))
            return self.keep(made)
        if verb == "open_or_create" and name:
            return self.keep(Connection(name, end=ENDS[words[1]], **options(*words[2:])))
        if verb == "open" and name:
            return self.keep(Connection.open(name, end=ENDS[words[1]]))
        if verb == "pair":
            return self.keep(*Pipe(name=name, **options(*words[1:])))
        if verb == "unlink" and name:
            pipe.unlink(name)
            return ""
        result = self.verbs[verb](self.ends[int(words[0])], words[1:])
        return "" if result is None else str(result)

    def keep(self, *ends: Connection[Any]) -> str:
        self.ends.extend(ends)
        first = len(self.ends) - len(ends)
        return " ".join(str(first + i) for i in range(len(ends)))

    def send(self, end: Connection[Any], words: Words) -> None:
        body, timeout = body_of(words[1]), seconds(words[0])
        if words[1][0] == "m":
            end.send(codec.unpackb(body), timeout=timeout)
        else:
            end.send_bytes(body, timeout=timeout)

    def stat(self, end: Connection[Any], _: Words) -> str:
        s = end.stat()
        other = {None: 0, True: 1, False: 2}[s.other]
        return (
            f"end={s.end} other={other} messages={s.incoming.messages} "
            f"sent={s.outgoing.sent} received={s.incoming.received}"
        )

    def echo(self, end: Connection[Any], _: Words) -> int:
        n = 0
        try:
            while True:
                obj = end.recv()
                if isinstance(obj, bytes):
                    end.send_bytes(obj)
                else:
                    end.send(obj)
                n += 1
        except (EOFError, BrokenPipeError):
            return n

    def pour(self, end: Connection[Any], words: Words) -> int:
        for i in range(int(words[0])):
            try:
                end.send_bytes(poured(i))
            except BrokenPipeError:
                return i
        return int(words[0])

    def drain(self, end: Connection[Any], _: Words) -> int:
        n = 0
        while True:
            try:
                body = end.recv_bytes()
            except EOFError:
                return n
            if body != poured(n):
                raise ValueError(f"message {n} is another one")
            n += 1


def poured(i: int) -> bytes:
    """Return message i of a pour."""
    return generated(7919 * i % 3000 + (30_000 if i % 50 == 49 else 0), i)
