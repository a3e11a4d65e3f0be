"""Hosting: objects of this process that others call through a manager.

Threads take the calls, each one at a time; there is always one that waits for the next call, so
that a method may take as long as it likes.
"""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from polyipc import _manager_values, _waiting, errors
from polyipc._c import manager as c
from polyipc._manager_link import Link, drop_late
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._manager import Manager

_IDLE = 4  # threads that wait for calls, at most: more are of no use
_EARLY = 1024  # calls that a host may have under way

_STOPPED = (Status.PEER_DIED, Status.CLOSED, Status.BAD_HANDLE)


class Type(NamedTuple):
    """A type whose objects this process hosts."""

    name: str
    make: Callable[..., Any]
    exposed: frozenset[str] | None  # None: what is public in each object
    returns: Mapping[str, str]  # methods whose result is an object of another hosted type

    def allows(self, obj: Any, method: str) -> bool:
        """Report whether a method may be called."""
        if self.exposed is not None:
            return method in self.exposed
        return not method.startswith("_") and callable(getattr(obj, method, None))


def public(cls: Any) -> list[str]:
    """Return the names of a class's or object's public methods."""
    return [n for n in dir(cls) if not n.startswith("_") and callable(getattr(cls, n, None))]


class _Serving(threading.local):
    """The call that this thread does."""

    host: Host | None = None
    call = 0
    client = 0


serving = _Serving()


def cancelled() -> bool:
    """Report, within a hosted method, whether who called it gave up or is gone."""
    return serving.host is not None and serving.call in serving.host.cancelled


class Host:
    """What one connection hosts."""

    def __init__(self, manager: Manager, link: Link) -> None:
        self._manager, self._link = manager, link
        self._types: dict[str, Type] = {}
        self._objects: dict[int, tuple[Any, Type]] = {}
        self._lock = threading.Lock()
        self._idle = 0
        self._threads = 0
        self._over = threading.Condition(self._lock)
        self._running: set[int] = set()
        self._early: dict[int, None] = {}  # given up, and not among those; the oldest first
        self.cancelled: set[int] = set()  # given up, and running

    @property
    def link(self) -> Link:
        """The connection."""
        return self._link

    def register(
        self,
        name: str,
        make: Callable[..., Any],
        exposed: Iterable[str] | None,
        returns: Mapping[str, str],
    ) -> None:
        """Host a type from now on."""
        known = list(exposed) if exposed is not None else public(make) if _is_class(make) else []
        kept = None if exposed is None and not _is_class(make) else frozenset(known)
        type_ = Type(name, make, kept, returns)
        before = self._types.get(name)
        self._types[name] = type_
        try:
            self._own(b"register", [name, known])
        except BaseException:
            if before is None:
                del self._types[name]
            else:
                self._types[name] = before
            raise
        with self._lock:
            if self._idle == 0 and self._threads == 0:
                self._start()

    def adopt(self, name: str, obj: Any) -> Any:
        """Return a proxy for an object of a hosted type that this process made by itself."""
        proxy = self._own(b"adopt", [name])
        self._objects[proxy._object] = obj, self._types[name]
        return proxy

    def wait(self, timeout: float | None) -> bool:
        """Wait until the connection has ended, and report whether it has."""
        with self._over:
            return self._over.wait_for(lambda: self._threads == 0, timeout)

    def _own(self, method: bytes, args: list[Any]) -> Any:
        found = self._link.run(c.SELF, method, self._link.packed(args), b"", None)
        if type(found) is not bytes:
            raise self._link.failure(found, method.decode(), args)
        return self._manager._read(self._link, found)

    # ---- threads ----

    def _start(self) -> None:
        """Start a thread; the lock is held."""
        self._threads += 1
        self._idle += 1  # it will be: nobody need start another one
        threading.Thread(target=self._work, name="polyipc host", daemon=True).start()

    def _work(self) -> None:
        try:
            while self._take():
                pass
        finally:
            with self._over:
                self._threads -= 1
                self._over.notify_all()

    def _take(self) -> bool:
        """Take one thing and do it. Report whether to come again; this thread is counted idle."""
        found: Any = self._link.calls.next_call(_waiting.FOREVER)
        if type(found) is int:
            if found == Status.INTERRUPTED:
                return True
            with self._lock:
                self._idle -= 1
            return False
        with self._lock:
            self._idle -= 1
            if self._idle == 0:
                self._start()
            what, call, number, client, _, body = found
            if what == c.CALL:
                self._begin(call)
            elif what == c.CANCEL:
                self._cancel(call)
        if what == c.CALL:
            self._answer(call, number, client, body)
        elif what == c.DROP:
            self._objects.pop(number, None)
        found = body = None
        with self._lock:
            if what == c.CALL:
                self._running.discard(call)
                self.cancelled.discard(call)
            if self._idle >= _IDLE:
                return False
            self._idle += 1
            return True

    def _begin(self, call: int) -> None:
        """Note that a call runs; the lock is held."""
        self._running.add(call)
        if call in self._early:
            del self._early[call]
            self.cancelled.add(call)

    def _cancel(self, call: int) -> None:
        """Note that a call was given up; the lock is held.

        One that does not run is about to, in a thread that has taken it and waits for the lock, or
        was answered while its cancel was under way. Nothing tells which. Of the latter there is no
        end, so only as many are kept as there may be of the former.
        """
        if call in self._running:
            self.cancelled.add(call)
            return
        self._early[call] = None
        if len(self._early) > _EARLY:
            del self._early[next(iter(self._early))]

    # ---- calls ----

    def _answer(self, call: int, number: int, client: int, body: bytes) -> None:
        serving.host, serving.call, serving.client = self, call, client
        try:
            value = self._done(number, *self._manager._read(self._link, body))
            result = _manager_values.one(value, self._link.epoch, self._link.pickle)
        except BaseException as e:  # noqa: BLE001 - SystemExit, too, is the caller's
            kind, message = _described(e)
            text = "".join(traceback.format_exception(type(e), e, _own_part(e)))
            status = c.fail(self._link.handle, call, kind, message, _text(text))
        else:
            status = self._link.calls.reply(call, result)
            if status == Status.TOO_LARGE:
                message = b"the result is larger than the manager's frames may be"
                c.fail(self._link.handle, call, b"ValueError", message, b"")
        finally:
            value = None  # kept until it is sent: it may be a proxy
            drop_late()
            serving.host = None

    def _done(
        self, number: int, name: str, method: str, args: list[Any], named: dict[str, Any]
    ) -> Any:
        """Do a call, and return its result."""
        if method == "__init__":
            type_ = self._types[name]
            self._objects[number] = type_.make(*args, **(named or {})), type_
            return None
        if number not in self._objects:
            raise errors.GoneError(f"the {name} {number} is gone")
        obj, type_ = self._objects[number]
        if not type_.allows(obj, method):
            raise AttributeError(f"{name!r} object has no exposed method {method!r}")
        result = getattr(obj, method)(*args, **(named or {}))
        returned = type_.returns.get(method)
        return result if returned is None else self.adopt(returned, result)


def _is_class(make: Any) -> bool:
    return isinstance(make, type)


def _own_part(error: BaseException) -> Any:
    """Return the traceback of an exception from where the method begins."""
    tb = error.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename == __file__ and tb.tb_next is not None:
        tb = tb.tb_next
    return tb


def _described(error: BaseException) -> tuple[bytes, bytes]:
    """Return an exception's type and message."""
    message = ""
    with contextlib.suppress(Exception):
        # A KeyError's str is the repr of the key.
        one_text = len(error.args) == 1 and isinstance(error.args[0], str)
        message = error.args[0] if one_text else str(error)
    kind = type(error)
    return _text(kind.__qualname__.rpartition(".")[2]), _text(message)


def _text(text: str) -> bytes:
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
