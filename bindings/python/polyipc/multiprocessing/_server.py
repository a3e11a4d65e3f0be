"""The server process of a manager: it hosts objects of the types that were registered."""

from __future__ import annotations

import errno
import hashlib
import re
import sys
import time
import traceback
import xmlrpc.client
from collections.abc import Callable, Iterable, Mapping
from multiprocessing import AuthenticationError
from typing import Any, NamedTuple, Union

from polyipc import _arguments, _manager, _manager_link, _pickling, errors
from polyipc import manager as native
from polyipc._manager_host import Host, public, serving
from polyipc._manager_link import Target

__all__ = [
    "ERROR",
    "GETVALUE",
    "METHODS",
    "PROXY",
    "RETURN",
    "SERIALIZERS",
    "SETTLED",
    "XML",
    "Address",
    "Registered",
    "Server",
    "connect",
    "in_xml",
    "run",
    "type_name",
]

Address = Union[str, tuple[str, int], None]

RETURN, ERROR, TRACEBACK, PROXY = "#RETURN", "#ERROR", "#TRACEBACK", "#PROXY"
SETTLED = "py.-settled"  # no typeid's name
_QUICK = 0.05  # seconds
GETVALUE, METHODS = "#GETVALUE", "#METHODS"

PICKLE, XML = "pickle", "xmlrpclib"
SERIALIZERS = PICKLE, XML

_DIALECT = "polyipc.multiprocessing._primitives"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", re.ASCII)


class _RefusedError(errors.NotFoundError, ConnectionRefusedError):
    """What multiprocessing calls it if nobody listens at an address."""

    _errno = errno.ECONNREFUSED


class Registered(NamedTuple):
    """What register was given."""

    callable: Callable[..., Any] | None
    exposed: tuple[str, ...] | None
    method_to_typeid: Mapping[str, str]
    proxytype: Any


def type_name(typeid: str) -> str:
    """Return the name of a type as the server knows it, which has types of its own, too."""
    return "py." + typeid


def target_of(address: Address) -> str:
    """Return what to connect to for an address as multiprocessing has them."""
    if isinstance(address, tuple):
        return f"tcp://{address[0]}:{address[1]}"
    if address is None:
        raise ValueError("no address: give that of a manager that runs")
    return _name_of(address)


def connect(address: Address, authkey: bytes, serializer: str) -> native.Manager:
    """Connect to the server at an address.

    AuthenticationError: it has another authkey; ConnectionRefusedError: nobody listens at host and
    port; NotFoundError, a FileNotFoundError: there is no server of that name
    """
    name = target_of(address)
    root = _arguments.root(None)
    target = Target(name, root, _manager.as_key(authkey), serializer == PICKLE, False, _DIALECT)
    try:
        manager = _manager.Manager(target, None)
    except errors.DeniedError as e:
        raise AuthenticationError(str(e)) from e
    except errors.NotFoundError as e:
        raise (_RefusedError(str(e)) if isinstance(address, tuple) else e) from None
    _manager.remember(name, manager)
    return manager


def in_xml(values: Any) -> Any:
    """Return lists, dicts and so on as they come out of xmlrpc.client; TypeError for others."""
    text = xmlrpc.client.dumps((values,), allow_none=True)
    (found,), _ = xmlrpc.client.loads(text, use_builtin_types=True)
    return found


def _name_of(path: str) -> str:
    if _NAME.fullmatch(path):
        return path
    return "mp-" + hashlib.sha256(path.encode()).hexdigest()[:32]


class Server:
    """Serves the types of a registry in this process, as BaseManager.get_server returns it."""

    def __init__(
        self, registry: Mapping[str, Registered], address: Address, authkey: bytes, serializer: str
    ) -> None:
        self.registry, self.serializer = dict(registry), serializer
        listen = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else None
        name = _name_of(address) if isinstance(address, str) else None
        pickle = serializer == PICKLE
        self._server = native.Server(name, key=authkey, listen=listen, pickle=pickle)
        self.address: Any = address
        if address is None:
            self.address = self._server.name
        elif listen is not None and self._server.address is not None:
            host, _, port = self._server.address[len("tcp://") :].rpartition(":")
            self.address = (host, int(port))
        self._client = self._server.connect()
        # Proxies that arrive here came by whichever way.
        _manager.remember(target_of(self.address), self._client)
        link = self._client._current()
        self._client._host = _Host(self._client, link, self.registry)
        for typeid, registered in self.registry.items():
            self._client._host.register(type_name(typeid), _made(registered), [], {})
        self._client._host.register(SETTLED, _settle, [], {})

    def serve_forever(self) -> None:
        """Serve until a client's shutdown, and end the process."""
        try:
            self._server.wait()
        except (KeyboardInterrupt, SystemExit):
            pass
        finally:
            self.close()
        sys.exit(0)

    @property
    def listener(self) -> Server:
        """What is closed to have the server end, as in multiprocessing."""
        return self

    def close(self) -> None:
        """Stop."""
        self._client.close()
        self._server.close()


def _settle() -> None:
    """Give back what is kept for processes that may be about to use it: none is left.

    And wait until other calls here are answered, for as long as one needs that does not wait.
    """
    _manager_link.drop_late(now=True)
    host = serving.host
    assert host is not None
    until = time.monotonic() + _QUICK
    while host._threads - host._idle > 1 and time.monotonic() < until:
        time.sleep(_QUICK / 50)


def _made(registered: Registered) -> Callable[..., Any]:
    """Return what makes objects of a type."""
    if registered.callable is not None:
        return registered.callable

    def given(obj: Any) -> Any:
        return obj

    return given


class _Host(Host):
    """Answers as multiprocessing's server does: exceptions travel as they are."""

    def __init__(
        self, client: native.Manager, link: Any, registry: Mapping[str, Registered]
    ) -> None:
        super().__init__(client, link)
        self._registry = {type_name(typeid): r for typeid, r in registry.items()}

    def _done(
        self, number: int, name: str, method: str, args: list[Any], named: dict[str, Any]
    ) -> Any:
        if method == "__init__":
            return super()._done(number, name, method, args, named)
        if number not in self._objects:
            raise errors.GoneError(f"the {name} {number} is gone")
        obj, _ = self._objects[number]
        registered = self._registry[name]
        exposed = _exposed(obj, registered)
        if method == METHODS:
            return RETURN, list(exposed)
        if method not in exposed:
            fallback = _FALLBACK.get(method)
            if fallback is None:
                text = f"AttributeError: method {method!r} of {type(obj)!r} is not in {exposed!r}"
                return TRACEBACK, text
            return RETURN, fallback(obj)
        try:
            result = getattr(obj, method)(*args, **(named or {}))
        except Exception as e:  # noqa: BLE001 - it is the caller's
            return _carried(e, self._link.pickle)
        returned = registered.method_to_typeid.get(method)
        if returned is None:
            return RETURN, [*result] if isinstance(result, _VIEWS) else result
        proxy = self.adopt(type_name(returned), result)
        return PROXY, returned, list(_exposed(result, self._registry[type_name(returned)])), proxy


_VIEWS: tuple[Any, ...] = (
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)  # which go as lists

_FALLBACK: dict[str, Callable[[Any], Any]] = {"__str__": str, "__repr__": repr}
_FALLBACK[GETVALUE] = lambda obj: obj


def _exposed(obj: Any, registered: Registered) -> Iterable[str]:
    return registered.exposed if registered.exposed is not None else public(obj)


def _carried(error: Exception, pickles: bool) -> tuple[Any, ...]:
    """Return an exception as a result: itself, if another process can have it, else its text."""
    text = traceback.format_exc()
    if not pickles:
        return TRACEBACK, text
    error.__traceback__ = None
    try:
        _pickling.loads(_pickling.dumps(error)[0])
    except Exception:  # noqa: BLE001
        return TRACEBACK, text
    return ERROR, error, text


def run(
    registry: Mapping[str, Registered],
    address: Address,
    authkey: bytes,
    serializer: str,
    writer: Any,
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
) -> None:
    """Do what the server process does."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if initializer is not None:
        initializer(*initargs)
    server = Server(registry, address, authkey, serializer)
    writer.send(server.address)
    writer.close()
    server.serve_forever()
