"""One connection of this process to a manager, and what it costs to lose it."""

from __future__ import annotations

import atexit
import collections
import contextlib
import functools
import math
import os
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, NamedTuple, TypeVar

from polyipc import _arguments, _manager_errors, _manager_values, _waiting, codec, errors
from polyipc._c import library
from polyipc._c import manager as c
from polyipc._codec_types import ReferencesMetError
from polyipc._codec_values import Ref
from polyipc.errors import Status

_INTERRUPTED = int(Status.INTERRUPTED)
_TIMEOUT = int(Status.TIMEOUT)

Row = TypeVar("Row", bound=tuple[Any, ...])

generation = 0
"""How many forks lie between this process and the first one: a link is its own process's."""

lock = threading.Lock()
"""Held by who makes a link anew."""

# A forked child has no reference of its own before it first uses a proxy, nor has who is sent one
# in a pickle before it unpickles that. Until then it counts on the other one's, which may drop the
# proxy at once: multiprocessing does with a process's arguments. So what is dropped soon after a
# fork is given back later, and what was pickled is kept for a while.
_GRACE = 5.0  # seconds
_forked = -_GRACE
_dropped: collections.deque[tuple[float, Link, int]] = collections.deque()  # when to give back
_pickled: collections.deque[tuple[float, object]] = collections.deque()


def _in_child() -> None:
    global generation, lock, _forked
    generation += 1
    lock = threading.Lock()
    _forked = -_GRACE
    _dropped.clear()
    _pickled.clear()


def _in_parent() -> None:
    global _forked
    _forked = time.monotonic()


os.register_at_fork(after_in_child=_in_child, after_in_parent=_in_parent)
atexit.register(_pickled.clear)  # before modules that a proxy's end needs are taken down


def drop(link: Link, object_: int) -> None:
    """Give a reference back. Python may be collecting garbage."""
    if link.own and link.open:
        due = _forked + _GRACE
        if _dropped or time.monotonic() < due:
            _dropped.append((due, link, object_))
            drop_late()
        else:
            link.calls.release(object_, 1)


def keep(proxy: object) -> None:
    """Keep a proxy that is being pickled until whoever gets it has a reference of its own."""
    drop_late()
    _pickled.append((time.monotonic() + _GRACE, proxy))


def drop_late(now: bool = False) -> None:
    """Give back what was dropped soon after a fork, and what was pickled, if it is time.

    now -- whether nobody is left who could need it
    """
    at = math.inf if now else time.monotonic()
    for _, link, object_ in _due(_dropped, at):
        link.calls.release(object_, 1)
    for _ in _due(_pickled, at):
        pass


def _due(kept: collections.deque[Row], at: float) -> Iterator[Row]:
    """Take what is due at a time. Other threads may do the same."""
    while kept:
        with contextlib.suppress(IndexError):
            row = kept.popleft()
            if row[0] > at:
                kept.appendleft(row)
                return
            yield row


def forget(link: Link) -> None:
    """Let go what was dropped late, now that its server has ended: it keeps connections open."""
    for dropped in list(_dropped):
        if dropped[1].epoch == link.epoch:
            with contextlib.suppress(ValueError):  # another thread gave it back
                _dropped.remove(dropped)


class Target(NamedTuple):
    """What to connect to."""

    name: str  # or "tcp://host:port"
    root: str | None
    key: bytes | None
    pickle: bool
    trust_group: bool
    dialect: str = "polyipc._manager_proxy"  # the module whose classes the proxies have
    tls: c.TLS = c.NO_TLS


class Link:
    """A handle of the library and its functions. It is closed with this object."""

    __slots__ = (
        *("__weakref__", "_close", "calls", "client", "epoch", "frame", "generation", "handle"),
        *("pack", "pickle"),
    )

    def __init__(self, target: Target, timeout: float | None) -> None:
        flags = library.PICKLE if target.pickle else 0
        flags |= library.TRUST_GROUP if target.trust_group else 0
        name, root = _arguments.name(target.name), _arguments.root_for_c(target.root)
        connect = functools.partial(c.connect, name, root, flags, target.key, target.tls)
        status, handle = _begun(connect, timeout)
        if status != 0:
            raise errors.of_status(status, library.detail())
        self.handle, self.generation = handle, generation
        self._close = weakref.finalize(self, _close, handle, generation)
        self.calls = c.bind(handle)
        said = c.info(handle)
        self.epoch = said["epoch"].to_bytes(8, "big")
        self.client, self.frame = said["client"], said["frame"]
        self.pickle = bool(said["flags"] & library.PICKLE)
        self.pack: Callable[[list[Any]], bytes] = codec.pack_plain
        if self.pickle:
            self.pack = functools.partial(_manager_values.pack_pickling, epoch=self.epoch)

    def close(self) -> None:
        """End the connection: calls of other threads fail."""
        self._close()

    @property
    def open(self) -> bool:
        """Whether nobody has closed it."""
        return self._close.alive

    @property
    def own(self) -> bool:
        """Whether it is this process's, not its parent's."""
        return self.generation == generation

    # ---- arguments ----

    def packed(self, args: list[Any]) -> bytes:
        """Return arguments as the library takes them."""
        try:
            return self.pack(args)
        except ReferencesMetError:
            return _manager_values.pack_referring(args, self.epoch)

    def packed_named(self, named: Mapping[str, Any]) -> bytes:
        """Return named arguments likewise."""
        return _manager_values.pack_named(named, self.epoch, self.pickle)

    # ---- calls ----

    def run(
        self, object_: int, method: bytes, args: bytes, named: bytes, timeout: float | None
    ) -> Any:
        """Call, and wait for the end: the result's bytes, or what failure takes."""
        ns = _waiting.FOREVER if timeout is None else _waiting.nanoseconds(timeout)
        return self.calls.call(object_, method, args, named, ns)

    def start(
        self, object_: int, method: bytes, args: bytes, named: bytes, timeout: float | None
    ) -> Any:
        """Begin a call: the status and its number."""
        begin = functools.partial(
            c.start, self.handle, object_, method, args, named, threading.get_ident()
        )
        return _begun(begin, timeout)

    def batch(self, calls: bytes, timeout: float | None) -> Any:
        """Begin a batch: the status and its number."""
        return _begun(
            functools.partial(c.batch, self.handle, calls, threading.get_ident()), timeout
        )

    def finish(self, call: int, timeout: float | None) -> Any:
        """Wait for the end of a call, as run does.

        When the time is over, or a signal handler raises, the call is given up.
        """
        try:
            found = _waiting.call(self.calls.finish, call, block=True, timeout=timeout)
        except BaseException:
            self.forget(call)
            raise
        if type(found) is int and found == _TIMEOUT:
            self.forget(call)
        return found

    def forget(self, call: int) -> None:
        """Give a call up that nobody waits for any more. Does not wait."""
        if self.own:
            c.forget(self.handle, call)

    def failure(self, found: Any, what: str, key: Sequence[Any] = ()) -> BaseException:
        """Return the exception for what finish and its kin returned instead of bytes."""
        if type(found) is int:
            return _manager_errors.of_status(found, what)
        return _manager_errors.remote(_manager_values.read(found[1], _as_it_is, False), key)


def batch_failure(
    status: int, details: Sequence[str], what: str, key: Sequence[Any]
) -> BaseException:
    """Return the exception for a failure within a batch."""
    if status == Status.REMOTE_ERROR:
        return _manager_errors.remote(details, key)
    return errors.of_status(status, f"{what}: {details[1] or details[0]}")


def _as_it_is(ref: Ref) -> Ref:
    return ref


def _begun(begin: Callable[[int], tuple[int, int]], timeout: float | None) -> tuple[int, int]:
    """Return the status and number of begin(ns), tried again after signals."""
    left = _waiting.Left(timeout)
    while True:
        seconds = left.seconds()
        ns = _waiting.FOREVER if seconds is None else _waiting.nanoseconds(seconds)
        status, number = begin(ns)
        if status != _INTERRUPTED:
            return status, number
        library.run_signal_handlers()


def _close(handle: int, of: int) -> None:
    """Close a handle, unless it is that of a parent: its death or close is nothing to a child."""
    if of == generation:
        c.close(handle)
