"""The commands on managers, which begin with "manager."."""

from __future__ import annotations

import gc
import mmap
import os
import weakref
from typing import Any, Callable, ClassVar

from polyipc import codec, errors, manager
from polyipc._c import manager as c
from polyipc._manager_link import Link
from polyipc.codec import Ref

Words = list[str]

FOREVER = -1


class RemoteFailed(Exception):  # noqa: N818
    """A method failed; the answer is in it."""


def seconds(ms: str) -> float | None:
    """Read a time-out in milliseconds."""
    return None if int(ms) < 0 else int(ms) / 1000


def packed(word: str) -> bytes:
    """Read a message in hex and write it anew."""
    return b"" if word == "-" else codec.packb(codec.unpackb(bytes.fromhex(word)))


class Account:
    """What each peer hosts."""

    all: ClassVar[weakref.WeakSet[Account]] = weakref.WeakSet()

    def __init__(self, owner: str, balance: int = 0) -> None:
        self._owner, self._balance = owner, balance
        Account.all.add(self)

    def deposit(self, amount: int, times: int = 1) -> int:
        self._balance += amount * times
        return self._balance

    def withdraw(self, amount: int) -> int:
        if amount > self._balance:
            raise ValueError(f"only {self._balance} there")
        self._balance -= amount
        return self._balance

    def owner(self) -> str:
        return self._owner

    def balance(self) -> int:
        return self._balance

    def fail(self) -> None:
        raise RuntimeError(f"{self._owner} failed")


def files(who: str, certs: Words) -> dict[str, Any]:
    """Return the arguments for TLS by the files of a directory, if there is one."""
    names = {"tls_ca": "ca.pem", "tls_cert": f"{who}.pem", "tls_key": f"{who}.key"}
    return {key: f"{certs[0]}/{name}" for key, name in names.items()} if certs else {}


class Managers:
    """What the commands have opened so far."""

    def __init__(self) -> None:
        self.servers: list[manager.Server] = []
        self.clients: list[manager.Manager] = []
        self.verbs: dict[str, Callable[[Any, Words], object]] = {
            "reconnect": lambda m, w: m.reconnect(seconds(w[0])),
            "close": lambda m, _: m.close(),
            "info": self.info,
            "create": lambda m, w: number(own(m, b"create", [w[0], *arguments(w[1])])),
            "open": lambda m, w: number(
                own(m, b"open", [w[0], None if w[1] == "-" else w[1], *arguments(w[2])])
            ),
            "call": self.call,
            "start": self.start,
            "finish": lambda m, w: finish(m, int(w[1]), w[0]),
            "cancel": lambda m, w: checked(c.cancel(link(m).handle, int(w[0]))),
            "batch": self.batch,
            "repeat": self.repeat,
            "release": lambda m, w: checked(link(m).calls.release(int(w[0]), int(w[1]))),
            "watch": lambda m, w: own(m, b"watch", [int(w[0])]),
            "event": lambda m, w: result(m, link(m).calls.next_event(int(w[1]), ns(w[0]))),
            "count": self.count,
            "tally": self.tally,
            "host": lambda m, _: m.register("Account", Account),
            "hosted": lambda _, __: gc.collect() * 0 + len(Account.all),
        }

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        if verb == "serve":
            name, listen, key, flags, *certs = words
            self.servers.append(
                manager.Server(
                    None if name == "-" else name,
                    listen=None if listen == "-" else listen,
                    key=None if key == "-" else bytes.fromhex(key),
                    pickle="p" in flags,
                    **files("server", certs),
                )
            )
            return str(len(self.servers) - 1)
        if verb == "connect":
            name, ms, key, flags, *certs = words
            made = manager.connect(
                name,
                key=None if key == "-" else bytes.fromhex(key),
                pickle="p" in flags,
                timeout=seconds(ms),
                tls_server_name="scores.test" if certs else None,
                **files("client", certs),
            )
            self.clients.append(made)
            return str(len(self.clients) - 1)
        if verb in ("name", "address", "wait", "stop"):
            return self.server(verb, self.servers[int(words[0])], words[1:])
        answer = self.verbs[verb](self.clients[int(words[0])], words[1:])
        return "" if answer is None else str(answer)

    def server(self, verb: str, server: manager.Server, words: Words) -> str:
        if verb == "stop":
            server.close()
        elif verb == "wait" and not server.wait(seconds(words[0])):
            raise errors.TimedOutError("the time is over")
        return {"name": server.name, "address": server.address or "-"}.get(verb, "")

    def info(self, m: manager.Manager, _: Words) -> str:
        said = link(m)
        epoch = int.from_bytes(said.epoch, "big")
        what = f"client={said.client} frame={said.frame} pickle={int(said.pickle)}"
        return f"epoch={epoch} {what}"

    def start(self, m: manager.Manager, words: Words) -> int:
        ms, thread, object_, method, args, named = words
        status, call = c.start(
            link(m).handle,
            int(object_),
            method.encode(),
            packed(args),
            packed(named),
            int(thread),
            ns(ms),
        )
        checked(status)
        return call

    def call(self, m: manager.Manager, words: Words) -> str:
        return finish(m, self.start(m, words), words[0], give_up=True)

    def batch(self, m: manager.Manager, words: Words) -> str:
        ms, thread, calls = words
        status, call = c.batch(link(m).handle, packed(calls), int(thread), ns(ms))
        checked(status)
        return finish(m, call, ms, give_up=True)

    def repeat(self, m: manager.Manager, words: Words) -> int:
        count, thread, object_, method, args = words
        for _ in range(int(count)):
            self.call(m, ["-1", thread, object_, method, args, "-"])
        return int(count)

    def count(self, m: manager.Manager, words: Words) -> None:
        object_, file, count, thread = words
        with numbers(file, 8) as cells:
            for _ in range(int(count)):
                self.call(m, ["-1", thread, object_, "acquire", "-", "-"])
                cells[0] += 1
                self.call(m, ["-1", thread, object_, "release", "-", "-"])

    def tally(self, m: manager.Manager, words: Words) -> None:
        object_, key, file = words
        args = codec.packb([key])
        with numbers(file, 16) as cells:
            while True:
                cells[0] += 1
                result(m, link(m).calls.call(int(object_), b"increment", args, b"", FOREVER))
                cells[1] += 1

    def close(self) -> None:
        """End all."""
        for client in self.clients:
            client.close()
        for server in self.servers:
            server.close()


def link(m: manager.Manager) -> Link:
    return m._current()


def ns(ms: str) -> int:
    return FOREVER if int(ms) < 0 else int(ms) * 1_000_000


def arguments(word: str) -> list[Any]:
    return [] if word == "-" else list(codec.unpackb(bytes.fromhex(word)))


def own(m: manager.Manager, method: bytes, args: list[Any]) -> Any:
    """Call the manager itself; references stay what they are, and are kept."""
    found = link(m).calls.call(c.SELF, method, codec.packb(args), b"", FOREVER)
    return value(m, found)


def value(m: manager.Manager, found: Any) -> Any:
    if type(found) is bytes:
        return codec.unpackb(found)
    if type(found) is int:
        raise link(m).failure(found, "call")
    kind, message, traceback = codec.unpackb(found[1])
    raise RemoteFailed(f"{kind} {'t' if traceback else '-'} {message}")


def result(m: manager.Manager, found: Any) -> str:
    return "m" + codec.packb(value(m, found)).hex()


def finish(m: manager.Manager, call: int, ms: str, give_up: bool = False) -> str:
    if give_up:
        return result(m, link(m).finish(call, seconds(ms)))
    return result(m, link(m).calls.finish(call, ns(ms)))


def number(ref: Ref) -> int:
    return int.from_bytes(ref.uuid.bytes[8:], "big")


def checked(status: int) -> None:
    if status != 0:
        from polyipc._c import library

        raise errors.of_status(status, library.detail())


class numbers:  # noqa: N801 - a context manager
    """The 8-byte numbers that a file begins with."""

    def __init__(self, file: str, size: int) -> None:
        fd = os.open(file, os.O_RDWR)
        self.memory = mmap.mmap(fd, size)
        os.close(fd)
        self.cells = memoryview(self.memory).cast("Q")

    def __enter__(self) -> memoryview[int]:
        return self.cells

    def __exit__(self, *_: object) -> None:
        self.cells.release()
        self.memory.close()
