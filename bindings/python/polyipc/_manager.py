"""A manager's client."""

from __future__ import annotations

import contextlib
import functools
import importlib
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Callable, Union

from polyipc import _arguments, _manager_link, _manager_proxy, _manager_values, _waiting, errors
from polyipc._c import manager as c
from polyipc._manager_batch import Batch
from polyipc._manager_calls import Future
from polyipc._manager_host import Host
from polyipc._manager_link import Link, Target
from polyipc._manager_make import Makes
from polyipc._manager_proxy import deadlines
from polyipc._manager_record import record
from polyipc._manager_values import Each, Pairs
from polyipc.errors import Status

Key = Union[bytes, bytearray, str]

_connections: weakref.WeakValueDictionary[tuple[str, str | None], Manager] = (
    weakref.WeakValueDictionary()
)
"""What this process connected to, for proxies that it unpickles."""


def connect(
    name: str,
    *,
    key: Key | None = None,
    tls_ca: _arguments.Path | None = None,
    tls_cert: _arguments.Path | None = None,
    tls_key: _arguments.Path | None = None,
    tls_server_name: str | None = None,
    root: _arguments.Path | None = None,
    pickle: bool = False,
    trust_group: bool = False,
    timeout: float | None = None,
) -> Manager:
    """Connect to a manager's server.

    name -- the server's, or "tcp://host:port"
    key -- the secret that it asks for, 1 to 1,024 bytes, or text
    tls_ca -- file with the certificate, in PEM, of the CA that signed the server's, or with the
        server's own: TLS 1.3 instead of what can be read on the way. For "tcp://host:port" only
    tls_cert, tls_key -- files with a certificate and its key, if the server asks for one
    tls_server_name -- name or IP address in the server's certificate; None: the host of the name
    root -- directory of the server; None: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid>
    pickle -- whether what MessagePack cannot carry is pickled, and pickles are opened, which may
        run any code: only if the server says so, too, and all who use it trust each other
    trust_group -- whether pickle=True is meant also in a root that is shared with a group
    timeout -- seconds to wait for the server's answer

    Raises NotFoundError (no such server, or it is dead), DeniedError (refused; the server's log
    says why; or its certificate is not accepted), TimedOutError, PeerDiedError (also where the
    server wants TLS, or does not accept our certificate), VersionError (also where no TLS is
    spoken), InvalidError (also for files of TLS), LimitError.
    """
    where = _arguments.root(root)
    secret = None if key is None else as_key(key)
    tls = as_tls(tls_ca, tls_cert, tls_key, tls_server_name)
    target = Target(name, where, secret, bool(pickle), bool(trust_group), tls=tls)
    manager = Manager(target, timeout)
    remember(name, manager)
    return manager


def remember(name: str, manager: Manager) -> None:
    """Have proxies of a server of that name, or at that address, use a manager when unpickled."""
    _connections[_place(name, manager._target.root)] = manager


def known(target: Target) -> Manager | None:
    """Return the manager that this process has for a target, if it is open."""
    manager = _connections.get(_place(target.name, target.root))
    return None if manager is None or manager.closed else manager


def _place(name: str, root: str | None) -> tuple[str, str | None]:
    return name, None if name.startswith("tcp://") else root


def as_key(key: Key) -> bytes:
    """Return a key for C."""
    secret = key.encode() if isinstance(key, str) else bytes(key)
    if not secret:
        raise errors.InvalidError("key: empty: give 1 to 1,024 bytes, or None for none")
    return secret


def as_tls(
    ca: _arguments.Path | None,
    cert: _arguments.Path | None,
    key: _arguments.Path | None,
    server_name: str | None = None,
) -> c.TLS:
    """Return what is said of TLS for C."""
    if server_name is not None and ("\0" in server_name or not server_name):
        raise errors.InvalidError(f"tls_server_name {server_name!r}: give a name or an IP address")
    return c.TLS(
        _arguments.file("tls_ca", ca),
        _arguments.file("tls_cert", cert),
        _arguments.file("tls_key", key),
        None if server_name is None else server_name.encode(),
    )


def connected(target: Target) -> Manager:
    """Return a manager for a proxy that is unpickled: one that this process has, if it can be."""
    manager = known(target)
    if manager is None:
        if target.key is None:
            target = target._replace(key=importlib.import_module(target.dialect).usual_key())
        manager = Manager(target, None)
        remember(target.name, manager)
    return manager


class Manager(Makes):
    """A connection to a server, and what makes objects there. close ends it, as does a with block.

    timeout is for all calls: seconds, and TimedOutError when they are over; None: for ever.
    deadline sets one for a block. Calls that take a timeout of their own end by that before.
    """

    __slots__ = ("__weakref__", "_classes", "_host", "_link", "_target", "_timeout")

    def __init__(self, target: Target, timeout: float | None) -> None:
        self._target = target
        self._classes: Mapping[str, type[_manager_proxy.Proxy]]
        self._classes = importlib.import_module(target.dialect).classes
        self._timeout: float | None = None
        self._host: Host | None = None
        self._link: Link | None = Link(target, timeout)

    # ---- the connection ----

    def _current(self) -> Link:
        """Return the connection; in a forked child, one of its own."""
        link = self._link
        if link is None:
            raise errors.ClosedConnectionError(
                "the manager is closed in this process: connect again"
            )
        if link.own:
            return link
        with _manager_link.lock:
            if self._link is link:
                self._link, self._host = Link(self._target, self._left()), None
        return self._current()

    @property
    def name(self) -> str:
        """The server's name or address."""
        return self._target.name

    @property
    def closed(self) -> bool:
        """Whether it was closed in this process."""
        return self._link is None

    @property
    def client(self) -> int:
        """The number that the server knows this client by."""
        return self._current().client

    @property
    def pickle(self) -> bool:
        """Whether pickles pass."""
        return self._current().pickle

    def reconnect(self, timeout: float | None = None) -> None:
        """Connect anew, when the server died or the way to it broke.

        What a server had that died is gone, and proxies of its objects raise GoneError. A server
        that is still there gives back what the former connection held, as soon as it hears of its
        end: proxies go on, but raise GoneError once nothing refers to an object without a name.
        Raises as connect.
        """
        with _manager_link.lock:
            link, self._link, self._host = self._link, Link(self._target, timeout), None
        if link is not None:
            link.close()

    def close(self) -> None:
        """End the connection: what this client held is given back. Again is allowed.

        Other threads' calls raise ClosedError, as do all later ones.
        """
        link, host, self._link, self._host = self._link, self._host, None, None
        if link is not None:
            link.close()
        if host is not None:
            host.wait(1)  # for threads that wait for calls, not for methods that take long

    def __enter__(self) -> Manager:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        closed = ", closed" if self.closed else ""
        return f"<polyipc.manager.Manager {self._target.name!r}{closed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return connected, (self._passed_on(),)

    def _passed_on(self) -> Target:
        """Return what another process connects to: with the key if it is this one's child."""
        from multiprocessing import context

        child = context.get_spawning_popen() is not None
        return self._target if child else self._target._replace(key=None)

    # ---- calls ----

    @property
    def timeout(self) -> float | None:
        """Seconds that each call may take; None: any time."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = None if seconds is None else _waiting.checked(seconds)

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Return a context manager in which this thread's calls may take so long all together."""
        before = deadlines.at
        at = time.monotonic() + _waiting.checked(seconds)
        deadlines.at = at if before is None else min(at, before)
        try:
            yield
        finally:
            deadlines.at = before

    def _left(self) -> float | None:
        """Return how many seconds a call may take now."""
        if deadlines.at is None:
            return self._timeout
        seconds = deadlines.at - time.monotonic()
        if seconds <= 0:
            raise errors.TimedOutError("the deadline is over")
        return seconds if self._timeout is None else min(seconds, self._timeout)

    def _read(self, link: Link, found: bytes) -> Any:
        """Return the value of a result."""
        opening = functools.partial(_manager_proxy.opened, self, link)
        return _manager_values.read(found, opening, link.pickle)

    def _own(self, method: bytes, args: list[Any], named: dict[str, Any] | None = None) -> Any:
        link = self._current()
        _manager_link.drop_late()
        names = link.packed_named(named) if named else b""
        found = link.run(c.SELF, method, link.packed(args), names, self._left())
        if type(found) is not bytes:
            raise link.failure(found, f"manager.{method.decode()}", args)
        return self._read(link, found)

    def _each(self, values: Iterable[Any]) -> list[Any]:
        return Each(values) if self._current().pickle else list(values)

    def _pairs(self, entries: Any) -> dict[Any, Any]:
        return Pairs(entries) if self._current().pickle else dict(entries)

    def submit(self, method: Callable[..., Any], *args: Any, **named: Any) -> Future:
        """Begin a call of a method of a proxy, and return its future.

            later = m.submit(scores.get, "ann")
            ...
            print(later.result())

        Keep it: a call whose future nobody has is given up. Up to 1,024 calls of a client may be
        under way: LimitError.
        """
        recorded = record(self, method, args, named)
        link = self._current()
        packed, names = link.packed(recorded.args), link.packed_named(recorded.named)
        number = recorded.proxy._object
        status, call = link.start(number, recorded.method, packed, names, self._left())
        if status != Status.OK:
            raise link.failure(status, recorded.what)
        return Future(link, call, recorded)

    def batch(self) -> Batch:
        """Return what collects calls and sends them in one message."""
        return Batch(self)

    # ---- what is there ----

    def names(self) -> dict[str, str]:
        """Return the names of objects, and their types."""
        return self._own(b"names", [])  # type: ignore[no-any-return]

    def types(self) -> dict[str, list[str]]:
        """Return the types of objects, hosted ones too, and their methods."""
        return self._own(b"types", [])  # type: ignore[no-any-return]

    def unlink(self, name: str) -> bool:
        """Remove a name, and report whether there was one. Who refers to the object goes on."""
        return self._own(b"unlink", [name])  # type: ignore[no-any-return]

    def stat(self) -> dict[str, Any]:
        """Return figures: clients, objects, references, calls, ...: docs/spec/manager.md."""
        return self._own(b"stat", [])  # type: ignore[no-any-return]

    def ping(self, value: Any = None) -> Any:
        """Return value, which went to the server and back."""
        return self._own(b"ping", [value])

    def stop(self) -> None:
        """Stop the server."""
        self._own(b"stop", [])

    # ---- hosting ----

    def register(
        self,
        type_name: str,
        make: Callable[..., Any],
        exposed: Iterable[str] | None = None,
        *,
        returns: Mapping[str, str] | None = None,
    ) -> None:
        """Host a type from now on, until this manager is closed: others create its objects by name.

        type_name -- 1 to 128 of [A-Za-z0-9._-]
        make -- a class or function that makes an object of what create was given
        exposed -- the methods that may be called; None: all that do not begin with "_"
        returns -- methods whose results are to be live objects, and the hosted types of those

        Methods run in threads of this process, several at once. They may take long; cancelled()
        tells whether the caller has given up. What they raise is raised by the caller, with the
        traceback of here as its cause.

        Raises ExistsError if there is a type of that name.
        """
        link = self._current()
        if self._host is None or self._host.link is not link:
            self._host = Host(self, link)
        self._host.register(type_name, make, exposed, returns or {})

    def adopt(self, type_name: str, obj: Any) -> Any:
        """Return a proxy of an object of this process, of a type that it hosts."""
        if self._host is None:
            raise errors.NotFoundError(f"adopt a {type_name}: this manager hosts no types")
        return self._host.adopt(type_name, obj)

    def serve(self, timeout: float | None = None) -> bool:
        """Wait while hosted objects are called, until the connection ends; report whether it has.

        A program that has nothing else to do calls it after register.
        """
        if self._host is None:
            raise errors.NotFoundError("serve: this manager hosts no types: register some first")
        return self._host.wait(timeout)
