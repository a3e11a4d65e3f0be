"""multiprocessing.managers on top of polyipc: objects in a server process, used by others.

    from polyipc.multiprocessing import managers

    with managers.SyncManager() as m:
        d = m.dict()
        Process(target=work, args=(d, m.Lock())).start()

Names, signatures and semantics are multiprocessing's. Dicts, lists, namespaces, values and arrays
are Python's own objects in the server process. Queues, locks and their kin are those of
polyipc.manager, so what a process holds that dies is released at once.

Everybody with the authkey may run code in the server, and it in them: what MessagePack cannot
carry travels as pickles.
"""

from __future__ import annotations

import array
import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from multiprocessing import context, process, util
from multiprocessing import managers as _theirs
from multiprocessing.managers import Namespace, RemoteError
from multiprocessing.process import AuthenticationString  # type: ignore[attr-defined]
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from polyipc import _manager_link, errors
from polyipc import manager as native
from polyipc._manager_errors import RemoteTraceback
from polyipc.multiprocessing import _rest, _server, shared_memory
from polyipc.multiprocessing._proxies import (
    AcquirerProxy,
    ArrayProxy,
    AutoProxy,
    BarrierProxy,
    BaseProxy,
    ConditionProxy,
    DictProxy,
    EventProxy,
    IteratorProxy,
    ListProxy,
    MakeProxyType,
    NamespaceProxy,
    PoolProxy,
    SetProxy,
    Token,
    ValueProxy,
)
from polyipc.multiprocessing._server import Address, Registered, Server

__all__ = [
    "AcquirerProxy",
    "Array",
    "ArrayProxy",
    "AutoProxy",
    "BarrierProxy",
    "BaseManager",
    "BaseProxy",
    "ConditionProxy",
    "DictProxy",
    "EventProxy",
    "IteratorProxy",
    "ListProxy",
    "MakeProxyType",
    "Manager",
    "Namespace",
    "NamespaceProxy",
    "PoolProxy",
    "RemoteError",
    "SetProxy",
    "SharedMemoryManager",
    "SyncManager",
    "Token",
    "Value",
    "ValueProxy",
]

Self = TypeVar("Self", bound="BaseManager")

_SETTLES = 0.1  # seconds within which a server knows of processes that ended

_INITIAL, _STARTED, _SHUTDOWN = "initial", "started", "shutdown"


class BaseManager:
    """A base for managers; register says which types of objects one has."""

    _registry: ClassVar[dict[str, Registered]] = {}
    _Server = Server

    def __init__(
        self,
        address: Address = None,
        authkey: bytes | None = None,
        serializer: str = "pickle",
        ctx: Any = None,
        *,
        shutdown_timeout: float = 1.0,
    ) -> None:
        if serializer not in _server.SERIALIZERS:
            raise KeyError(serializer)
        key = process.current_process().authkey if authkey is None else authkey
        self._address, self._authkey = address, AuthenticationString(key)
        self._serializer, self._ctx = serializer, ctx or context._default_context
        self._shutdown_timeout = shutdown_timeout
        self._state = _INITIAL
        self._client: native.Manager | None = None
        self._process: Any = None
        self._owned: list[Any] = []  # segments that go with the server
        self.shutdown: Callable[[], None] = _not_started

    # ---- the server ----

    def get_server(self) -> Server:
        """Return a server for this process; its serve_forever serves."""
        if self._state != _INITIAL:
            raise AssertionError(f"already {self._state}")
        return Server(self._registry, self._address, bytes(self._authkey), self._serializer)

    def connect(self) -> None:
        """Connect to a server that runs."""
        self._client = _server.connect(self._address, bytes(self._authkey), self._serializer)
        self._state = _STARTED

    def start(
        self, initializer: Callable[..., object] | None = None, initargs: Sequence[Any] = ()
    ) -> None:
        """Start a server process."""
        if self._state != _INITIAL:
            raise context.ProcessError(f"already {self._state}")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        from polyipc.multiprocessing import connection

        reader, writer = connection.Pipe(duplex=False)
        what = (self._registry, self._address, bytes(self._authkey), self._serializer)
        self._process = self._ctx.Process(
            target=_server.run, args=(*what, writer, initializer, tuple(initargs))
        )
        self._process.name = f"{type(self).__name__}-{':'.join(map(str, self._process._identity))}"
        self._process.start()
        writer.close()
        try:
            self._address = reader.recv()
        finally:
            reader.close()
        self.connect()
        what_ends = (self._process, self._client, self._shutdown_timeout, self._owned)
        self.shutdown = util.Finalize(self, _end, args=what_ends, exitpriority=0)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the server process to end, if this started one."""
        if self._process is not None:
            self._process.join(timeout)
            if not self._process.is_alive():
                self._process = None

    @property
    def address(self) -> Any:
        """What others connect to."""
        return self._address

    def __enter__(self: Self) -> Self:
        if self._state == _INITIAL:
            self.start()
        assert self._state == _STARTED
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()

    def __reduce__(self) -> tuple[Any, ...]:
        return _connected_as, (type(self), self._address, self._serializer)

    def _debug_info(self) -> str:
        return "\n".join(f"{k}: {v}" for k, v in self._native().stat()["types"].items())

    def _number_of_objects(self) -> int:
        objects = int(self._native().stat()["objects"])
        if any(child is not self._process for child in process.active_children()):
            return objects
        until = time.monotonic() + _SETTLES
        while objects and time.monotonic() < until:
            self._native().create(_server.SETTLED)
            _manager_link.drop_late(now=True)
            objects = int(self._native().stat()["objects"])
            time.sleep(_SETTLES / 20)
        return objects

    # ---- objects ----

    def _native(self) -> native.Manager:
        if self._client is None:
            raise AssertionError("server not yet started")
        return self._client

    def _create(self, typeid: str, /, *args: Any, **kwds: Any) -> Token:
        if self._serializer == _server.XML:
            args, kwds = _server.in_xml([args, kwds])
        try:
            ref = self._native().create(_server.type_name(typeid), *args, **kwds)
        except Exception as e:  # multiprocessing knows what a maker raises as this alone
            if isinstance(e.__cause__, RemoteTraceback):
                raise RemoteError(e.__cause__.args[0]) from None
            raise
        return Token(typeid, self._address, f"{ref._object:x}", ref)

    @classmethod
    def register(
        cls,
        typeid: str,
        callable: Callable[..., Any] | None = None,  # noqa: A002 - multiprocessing's name
        proxytype: Any = None,
        exposed: Sequence[str] | None = None,
        method_to_typeid: Mapping[str, str] | None = None,
        create_method: bool = True,
    ) -> None:
        """Have managers of this class make objects of a type."""
        if "_registry" not in cls.__dict__:
            cls._registry = cls._registry.copy()
        make = AutoProxy if proxytype is None else proxytype
        known = exposed or getattr(make, "_exposed_", None)
        returns = method_to_typeid or getattr(make, "_method_to_typeid_", None) or {}
        cls._registry[typeid] = Registered(
            callable, None if known is None else tuple(known), dict(returns), make
        )
        if create_method:

            def made(self: BaseManager, /, *args: Any, **kwds: Any) -> Any:
                token = self._create(typeid, *args, **kwds)
                more = {"manager": self, "authkey": self._authkey}
                return make(token, self._serializer, exposed=exposed or known, **more)

            made.__name__ = typeid
            setattr(cls, typeid, made)


def _connected_as(cls: type[BaseManager], address: Any, serializer: str) -> BaseManager:
    manager = cls(address, serializer=serializer)
    manager.connect()
    return manager


def _not_started() -> None:
    raise AssertionError("server not yet started")


def _end(server: Any, client: native.Manager, timeout: float, owned: list[Any]) -> None:
    """Stop a server process, at the latest by a kill, and remove what goes with it."""
    while owned:
        with contextlib.suppress(FileNotFoundError):
            owned.pop().unlink()
    if server.is_alive():
        with contextlib.suppress(errors.Error), client.deadline(_SETTLES):
            client.create(_server.SETTLED)  # what others' calls did is answered before this is
        with contextlib.suppress(errors.Error):  # it is gone, or does not listen: see below
            client.stop()
        server.join(timeout)
        for end in (server.terminate, server.kill):
            if server.is_alive():
                end()
                server.join(timeout)
    if client._link is not None:
        _manager_link.forget(client._link)
    client.close()


class Value:
    """What a value is in the server process."""

    def __init__(self, typecode: Any, value: Any, lock: bool = True) -> None:  # noqa: ARG002
        self._typecode, self._value = typecode, value

    def get(self) -> Any:
        return self._value

    def set(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Value({self._typecode!r}, {self._value!r})"

    @property
    def value(self) -> Any:
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = value


def Array(typecode: str, sequence: Iterable[Any], lock: bool = True) -> Any:  # noqa: ARG001
    """Return what an array is in the server process."""
    return array.array(typecode, sequence)


class SyncManager(BaseManager):
    """A manager of dicts, lists, sets, namespaces, values, arrays, queues, locks and their kin."""

    def Queue(self, maxsize: int = 0) -> Any:
        """Return a queue, as queue.Queue."""
        return self._native().JoinableQueue(None, max(0, maxsize))

    def JoinableQueue(self, maxsize: int = 0) -> Any:
        """Return a queue, as queue.Queue."""
        return self._native().JoinableQueue(None, max(0, maxsize))

    def Lock(self) -> Any:
        """Return a lock."""
        return self._native().Lock()

    def RLock(self) -> Any:
        """Return a lock that its thread may acquire again."""
        return self._native().RLock()

    def Semaphore(self, value: int = 1) -> Any:
        """Return a semaphore."""
        return self._native().Semaphore(None, value)

    def BoundedSemaphore(self, value: int = 1) -> Any:
        """Return a bounded semaphore."""
        return self._native().BoundedSemaphore(None, value)

    def Condition(self, lock: Any = None) -> Any:
        """Return a condition."""
        return self._native().Condition(None, lock)

    def Event(self) -> Any:
        """Return an event."""
        return self._native().Event()

    def Barrier(self, parties: int, action: Any = None, timeout: float | None = None) -> Any:
        """Return a barrier; one that has something to do is threading's, in the server."""
        if action is None:
            return self._native().Barrier(None, parties, timeout)
        return self._barrier(parties, action, timeout)  # type: ignore[attr-defined]


def _pool(*args: Any, **kwds: Any) -> Any:
    from polyipc.multiprocessing.context import _default_context

    return _default_context.Pool(*args, **kwds)


def _barrier(*args: Any) -> Any:
    import threading

    return threading.Barrier(*args)


SyncManager.register("_barrier", _barrier, BarrierProxy)
SyncManager.register("Pool", _pool, PoolProxy)
SyncManager.register("AsyncResult", create_method=False)
SyncManager.register("list", list, ListProxy)
SyncManager.register("dict", dict, DictProxy, method_to_typeid={"__iter__": "Iterator"})
SyncManager.register("set", set, SetProxy, method_to_typeid={"__iter__": "Iterator"})
SyncManager.register("Value", Value, ValueProxy)
SyncManager.register("Array", Array, ArrayProxy)
SyncManager.register("Namespace", Namespace, NamespaceProxy)
SyncManager.register("Iterator", proxytype=IteratorProxy, create_method=False)


class SharedMemoryManager(BaseManager):
    """A manager whose shared memory goes with it: also if this process is killed."""

    def SharedMemory(self, size: int) -> shared_memory.SharedMemory:
        """Return a block of so many bytes, which others open by its name until shutdown."""
        self._must_run()
        made = shared_memory.SharedMemory(None, create=True, size=size, transient=True)
        self._owned.append(made)
        return made

    def ShareableList(self, sequence: Iterable[Any]) -> shared_memory.ShareableList:
        """Return a shareable list, which others open by its shm.name until shutdown."""
        self._must_run()
        made = shared_memory.ShareableList(sequence, transient=True)
        self._owned.append(made.shm)
        return made

    def _must_run(self) -> None:
        if self._process is None:
            raise ValueError("start the SharedMemoryManager first")


def Manager() -> SyncManager:
    """Return a SyncManager whose server process is started."""
    m = SyncManager()
    m.start()
    return m


__getattr__, __dir__ = _rest.of(_theirs, globals())
