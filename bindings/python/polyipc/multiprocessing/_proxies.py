"""Proxies of hosted objects, with multiprocessing's names and methods."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, MutableMapping, MutableSequence, MutableSet
from multiprocessing.managers import RemoteError
from typing import Any, ClassVar, TypeVar

from polyipc import _waiting, errors
from polyipc._manager_errors import RemoteTraceback
from polyipc.multiprocessing import _server

__all__ = [
    "AcquirerProxy",
    "ArrayProxy",
    "AutoProxy",
    "BarrierProxy",
    "BaseDictProxy",
    "BaseListProxy",
    "BasePoolProxy",
    "BaseProxy",
    "BaseSetProxy",
    "ConditionProxy",
    "DictProxy",
    "EventProxy",
    "IteratorProxy",
    "ListProxy",
    "MakeProxyType",
    "NamespaceProxy",
    "PoolProxy",
    "SetProxy",
    "Token",
    "ValueProxy",
]

T = TypeVar("T")


class Token:
    """Says which object a proxy is of."""

    __slots__ = ("address", "id", "ref", "typeid")

    def __init__(self, typeid: str, address: Any, id: Any, ref: Any = None) -> None:  # noqa: A002
        self.typeid, self.address, self.id, self.ref = typeid, address, id, ref

    def __repr__(self) -> str:
        return f"Token(typeid={self.typeid!r}, address={self.address!r}, id={self.id!r})"


class BaseProxy:
    """A base for proxies of objects that a manager's process hosts."""

    _exposed_: ClassVar[tuple[str, ...] | None] = None

    def __init__(
        self,
        token: Token,
        serializer: str,
        manager: Any = None,
        authkey: bytes | None = None,
        exposed: Iterable[str] | None = None,
        incref: bool = True,  # noqa: ARG002 - as in multiprocessing: the reference counts by itself
        manager_owned: bool = False,  # noqa: ARG002
    ) -> None:
        self._token, self._id, self._ref = token, token.id, token.ref
        self._serializer, self._manager, self._authkey = serializer, manager, authkey
        self._exposed = None if exposed is None else tuple(exposed)

    def _callmethod(self, methodname: str, args: Iterable[Any] = (), kwds: Any = None) -> Any:
        """Call a method of the object, and return a copy of its result or a proxy of it."""
        values, named = list(args), dict(kwds or {})
        if self._serializer == _server.XML:
            values, named = _server.in_xml([values, named])
        ask, name = self._ref, methodname.encode()
        try:
            kind, *rest = ask._ask_named(name, values, named) if named else ask._ask(name, values)
        except errors.ClosedError as e:
            raise errors.PeerDiedError(f"{methodname}: the manager was shut down") from e
        if kind == _server.RETURN:
            return _server.in_xml(rest[0]) if self._serializer == _server.XML else rest[0]
        if kind == _server.PROXY:
            typeid, exposed, ref = rest
            token = Token(typeid, self._token.address, f"{ref._object:x}", ref)
            known = getattr(self._manager, "_registry", {}).get(typeid)
            make = AutoProxy if known is None else known.proxytype
            return make(
                token,
                self._serializer,
                manager=self._manager,
                authkey=self._authkey,
                exposed=exposed,
            )
        if kind == _server.ERROR:
            error, text = rest
            error.__cause__ = RemoteTraceback(text)
            raise error
        raise RemoteError(rest[0])

    def _getvalue(self) -> Any:
        """Return a copy of the object."""
        return self._callmethod(_server.GETVALUE)

    def __reduce__(self) -> tuple[Any, ...]:
        auto = getattr(self, "_isauto", False)
        make: Any = AutoProxy if auto else type(self)
        target = self._ref._manager._passed_on()
        where = (target, self._ref._link.epoch, self._ref._object, self._ref._type)
        _keep(self._ref)
        exposed = self._exposed if auto or self._exposed_ is None else None
        token = self._token.typeid, self._token.address
        return _rebuilt, (make, *token, where, exposed, self._serializer)

    def __deepcopy__(self, _memo: Any) -> Any:
        return self._getvalue()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object, typeid {self._token.typeid!r} at {id(self):#x}>"

    def __str__(self) -> str:
        try:
            return str(self._callmethod("__repr__"))
        except Exception:  # noqa: BLE001 - as multiprocessing's
            return repr(self)[:-1] + "; '__str__()' failed>"


def _keep(ref: Any) -> None:
    from polyipc._manager_proxy import _keep_for_reader

    _keep_for_reader(ref)


def _rebuilt(
    make: Any, typeid: str, address: Any, where: Any, exposed: Any, serializer: str
) -> BaseProxy:
    """Return the proxy that a pickle stands for."""
    from polyipc import _manager_proxy

    ref = _manager_proxy._rebuilt(*where)
    token = Token(typeid, address, f"{ref._object:x}", ref)
    return make(token, serializer, exposed=exposed)  # type: ignore[no-any-return]


def _forwarding(name: str) -> Callable[..., Any]:
    def method(self: BaseProxy, /, *args: Any, **kwds: Any) -> Any:
        return self._callmethod(name, args, kwds)

    method.__name__ = method.__qualname__ = name
    return method


_made: dict[tuple[str, tuple[str, ...]], type[BaseProxy]] = {}


def MakeProxyType(name: str, exposed: Iterable[str]) -> type[BaseProxy]:
    """Return a proxy type whose methods are those that are exposed."""
    exposed = tuple(exposed)
    if (name, exposed) not in _made:
        body: dict[str, Any] = {method: _forwarding(method) for method in exposed}
        body["_exposed_"] = exposed
        body["__module__"] = sys._getframe(1).f_globals.get("__name__", __name__)
        _made[name, exposed] = type(name, (BaseProxy,), body)
    return _made[name, exposed]


def AutoProxy(
    token: Token,
    serializer: str,
    manager: Any = None,
    authkey: bytes | None = None,
    exposed: Iterable[str] | None = None,
    incref: bool = True,
    manager_owned: bool = False,
) -> BaseProxy:
    """Return a proxy with the methods that the object has."""
    if exposed is None:
        exposed = token.ref._ask(_server.METHODS.encode(), [])[1]
    cls = MakeProxyType(f"AutoProxy[{token.typeid}]", tuple(exposed))
    proxy = cls(token, serializer, manager, authkey, exposed, incref, manager_owned)
    proxy._isauto = True  # type: ignore[attr-defined]
    return proxy


class IteratorProxy(BaseProxy):
    """A proxy of an iterator or generator."""

    _exposed_ = ("__next__", "send", "throw", "close")

    def __iter__(self) -> IteratorProxy:
        return self

    def __next__(self, *args: Any) -> Any:
        return self._callmethod("__next__", args)

    send, throw, close = (_forwarding(name) for name in ("send", "throw", "close"))


class AcquirerProxy(BaseProxy):
    """A proxy of a lock or semaphore."""

    _exposed_: ClassVar[tuple[str, ...] | None] = ("acquire", "release", "locked")

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> Any:
        return self._callmethod("acquire", (blocking,) if timeout is None else (blocking, timeout))

    release = _forwarding("release")
    locked = _forwarding("locked")

    def __enter__(self) -> Any:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class ConditionProxy(AcquirerProxy):
    """A proxy of a condition."""

    _exposed_ = ("acquire", "release", "locked", "wait", "notify", "notify_all")

    wait, notify, notify_all = (_forwarding(name) for name in ("wait", "notify", "notify_all"))

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        left = _waiting.Left(None if timeout is None else max(0.0, timeout))
        result = predicate()
        while not result:
            seconds = left.seconds()
            if seconds is not None and seconds <= 0:
                break
            self.wait(seconds)
            result = predicate()
        return result


EventProxy = MakeProxyType("EventProxy", ("is_set", "set", "clear", "wait"))


class BarrierProxy(BaseProxy):
    """A proxy of a barrier."""

    _exposed_ = ("__getattribute__", "wait", "abort", "reset")

    wait, abort, reset = (_forwarding(name) for name in ("wait", "abort", "reset"))

    @property
    def parties(self) -> Any:
        return self._callmethod("__getattribute__", ("parties",))

    @property
    def n_waiting(self) -> Any:
        return self._callmethod("__getattribute__", ("n_waiting",))

    @property
    def broken(self) -> Any:
        return self._callmethod("__getattribute__", ("broken",))


class NamespaceProxy(BaseProxy):
    """A proxy of a namespace."""

    _exposed_ = ("__getattribute__", "__setattr__", "__delattr__")

    def __getattr__(self, key: str) -> Any:
        if key.startswith("_"):
            raise AttributeError(key)
        return self._callmethod("__getattribute__", (key,))

    def __setattr__(self, key: str, value: Any) -> None:
        if key.startswith("_"):
            object.__setattr__(self, key, value)
        else:
            self._callmethod("__setattr__", (key, value))

    def __delattr__(self, key: str) -> None:
        if key.startswith("_"):
            object.__delattr__(self, key)
        else:
            self._callmethod("__delattr__", (key,))


class ValueProxy(BaseProxy):
    """A proxy of a value."""

    _exposed_ = ("get", "set")

    get, set = (_forwarding(name) for name in ("get", "set"))
    value = property(lambda self: self.get(), lambda self, value: self.set(value))

    def __class_getitem__(cls, _item: Any) -> Any:
        return cls


_LIST = (
    *("__add__", "__contains__", "__delitem__", "__getitem__", "__imul__", "__len__", "__mul__"),
    *("__reversed__", "__rmul__", "__setitem__", "append", "clear", "copy", "count", "extend"),
    *("index", "insert", "pop", "remove", "reverse", "sort"),
)
_DICT = (
    *("__contains__", "__delitem__", "__getitem__", "__ior__", "__iter__", "__len__", "__or__"),
    *(
        "__reversed__",
        "__ror__",
        "__setitem__",
        "clear",
        "copy",
        "fromkeys",
        "get",
        "items",
        "keys",
    ),
    *("pop", "popitem", "setdefault", "update", "values"),
)
_SET = (
    *("__and__", "__contains__", "__ge__", "__gt__", "__iand__", "__ior__", "__isub__", "__iter__"),
    *("__ixor__", "__le__", "__len__", "__lt__", "__or__", "__rand__", "__ror__", "__rsub__"),
    *("__rxor__", "__sub__", "__xor__", "add", "clear", "copy", "difference", "difference_update"),
    *("discard", "intersection", "intersection_update", "isdisjoint", "issubset", "issuperset"),
    *("pop", "remove", "symmetric_difference", "symmetric_difference_update", "union", "update"),
)
_POOL = (
    *("apply", "apply_async", "close", "imap", "imap_unordered", "join", "map", "map_async"),
    *("starmap", "starmap_async", "terminate"),
)

BaseListProxy = MakeProxyType("BaseListProxy", _LIST)
BaseDictProxy = MakeProxyType("BaseDictProxy", _DICT)
BaseSetProxy = MakeProxyType("BaseSetProxy", _SET)
ArrayProxy = MakeProxyType("ArrayProxy", ("__len__", "__getitem__", "__setitem__"))


class ListProxy(BaseListProxy):  # type: ignore[valid-type, misc]
    """A proxy of a list."""

    def __iadd__(self, value: Any) -> ListProxy:
        self._callmethod("extend", (value,))
        return self

    def __imul__(self, value: int) -> ListProxy:
        self._callmethod("__imul__", (value,))
        return self

    def __class_getitem__(cls, _item: Any) -> Any:
        return cls


class DictProxy(BaseDictProxy):  # type: ignore[valid-type, misc]
    """A proxy of a dict."""

    def __ior__(self, value: Any) -> DictProxy:
        self._callmethod("__ior__", (value,))
        return self

    def __class_getitem__(cls, _item: Any) -> Any:
        return cls


class SetProxy(BaseSetProxy):  # type: ignore[valid-type, misc]
    """A proxy of a set, which multiprocessing has from Python 3.14 on."""

    def __ior__(self, value: Any) -> SetProxy:
        self._callmethod("update", (value,))
        return self

    def __iand__(self, value: Any) -> SetProxy:
        self._callmethod("intersection_update", (value,))
        return self

    def __ixor__(self, value: Any) -> SetProxy:
        self._callmethod("symmetric_difference_update", (value,))
        return self

    def __isub__(self, value: Any) -> SetProxy:
        self._callmethod("difference_update", (value,))
        return self

    def __class_getitem__(cls, _item: Any) -> Any:
        return cls


MutableSequence.register(BaseListProxy)
MutableMapping.register(BaseDictProxy)
MutableSet.register(BaseSetProxy)

BasePoolProxy = MakeProxyType("PoolProxy", _POOL)
BasePoolProxy._method_to_typeid_ = {  # type: ignore[attr-defined]
    **dict.fromkeys(("apply_async", "map_async", "starmap_async"), "AsyncResult"),
    **dict.fromkeys(("imap", "imap_unordered"), "Iterator"),
}


class PoolProxy(BasePoolProxy):  # type: ignore[valid-type, misc]
    """A proxy of a pool of processes, which are children of the manager's."""

    def __enter__(self) -> PoolProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()
