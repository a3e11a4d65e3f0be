"""A proxy: what refers to an object of a manager, and what all of them have in common."""

from __future__ import annotations

import functools
import sys
import threading
import time
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from polyipc import errors
from polyipc._codec_read import decode
from polyipc._codec_types import Live, ReferencesMetError, opening
from polyipc._codec_values import Ref
from polyipc._manager_link import Link, drop, keep
from polyipc._manager_values import SIMPLE, Each, Pairs
from polyipc._referring import LIVE
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._manager import Manager

Self = TypeVar("Self", bound="Proxy")
Convert = Callable[[Any], Any]

_CLOSED = (int(Status.CLOSED), int(Status.BAD_HANDLE))

classes: dict[str, type[Proxy]] = {}
"""The class of the proxies of a type, unless the manager's target names another module for them.
Hosted types have Hosted."""


class Deadlines(threading.local):
    """The deadline that a thread set for its calls."""

    at: float | None = None


deadlines = Deadlines()


class Proxy(Live):
    """A reference to an object of a manager, which lives as long as somebody refers to it.

    A proxy may be an argument of any method of the same manager, by itself or within something
    else, and comes out as a proxy. Pickling one, as multiprocessing does with arguments of a
    process, gives one in the other process. A forked child may go on using it.

    proxy == other, unless a class says otherwise: whether both refer to the same object.
    """

    __slots__ = ("__weakref__", "_call", "_link", "_manager", "_object", "_pack", "_type")

    _call: Callable[..., Any]
    _link: Link
    _manager: Manager
    _object: int
    _pack: Callable[[list[Any]], bytes]
    _type: str

    def __init_subclass__(cls, of: str | None = None) -> None:
        super().__init_subclass__()
        if of is not None:
            classes[of] = cls

    @classmethod
    def _of(cls: type[Self], manager: Manager, link: Link, number: int, type_name: str) -> Self:
        """Return a proxy that owns one reference that the server counts."""
        self = cls.__new__(cls)
        self._use(link)
        # Not by name: a namespace's __setattr__ is its object's.
        put = object.__setattr__
        put(self, "_manager", manager)
        put(self, "_object", number)
        put(self, "_type", type_name)
        self._prepare()
        return self

    def _prepare(self) -> None:
        """Set what a class has besides."""

    def _use(self, link: Link) -> None:
        put = object.__setattr__
        put(self, "_link", link)
        put(self, "_call", link.calls.call)
        put(self, "_pack", link.pack)

    def __del__(self) -> None:
        if drop is not None:  # as it is when Python exits and this module was taken down first
            drop(self._link, self._object)

    # ---- calls ----

    def _ask(self, method: bytes, args: list[Any], convert: Convert | None = None) -> Any:
        """Call a method, and return its result as convert returns it."""
        try:
            packed = self._pack(args)
        except ReferencesMetError:
            packed = self._link.packed(args)
        manager = self._manager
        if manager._timeout is None and deadlines.at is None:
            found = self._call(self._object, method, packed, b"", -1)
        else:
            found = self._run(method, packed, b"")
        if type(found) is bytes and SIMPLE[found[0]]:
            value = decode(found)
        else:
            value = self._value(found, method, packed, b"", args)
        return value if convert is None else convert(value)

    def _ask_named(self, method: bytes, args: list[Any], named: dict[str, Any]) -> Any:
        """Do the same with named arguments."""
        packed, names = self._link.packed(args), self._link.packed_named(named)
        found = self._run(method, packed, names)
        return self._value(found, method, packed, names, args)

    def _run(self, method: bytes, packed: bytes, names: bytes) -> Any:
        timeout = self._manager._left()
        return self._link.run(self._object, method, packed, names, timeout)

    def _value(
        self, found: Any, method: bytes, packed: bytes, names: bytes, args: list[Any]
    ) -> Any:
        """Return the value of what a call returned, or raise."""
        if type(found) is int and found in _CLOSED and self._renewed():
            found = self._run(method, packed, names)
        if type(found) is bytes:
            return self._manager._read(self._link, found)
        raise self._link.failure(found, f"{self._type}.{method.decode()}", args)

    def _renewed(self) -> bool:
        """Take the manager's present connection, if that is another one: as in a forked child."""
        link = self._manager._current()
        if link is self._link:
            return False
        self._retain(link)
        return True

    def _retain(self, link: Link) -> None:
        """Own a reference that is counted for the link."""
        if link.epoch != self._link.epoch:
            raise errors.GoneError(
                f"the {self._type} was a server's that is dead: open or create it anew"
            )
        found = link.run(0, b"retain", link.packed([self._object]), b"", self._manager._left())
        if type(found) is not bytes:
            raise link.failure(found, f"refer to a {self._type}")
        self._use(link)

    def _each(self, values: Iterable[Any]) -> list[Any]:
        """Return an argument whose values the server takes apart."""
        return Each(values) if self._link.pickle else list(values)

    def _pairs(self, entries: Any) -> dict[Any, Any]:
        """Return the same for what dict() takes."""
        return Pairs(entries) if self._link.pickle else dict(entries)

    def _equals(self, value: Any) -> bool:
        """Report whether all of the object is equal to a value. Pickles are compared here."""
        if self._link.pickle:
            return bool(self._ask(b"copy", []) == value)
        return self._ask(b"equals", [value])  # type: ignore[no-any-return]

    # ---- what it is ----

    def _reference(self) -> Ref:
        number = self._object.to_bytes(8, "big")
        return Ref(LIVE, uuid.UUID(bytes=self._link.epoch + number), self._type)

    def _same(self, other: object) -> bool:
        """Report whether another proxy refers to the same object."""
        return (
            isinstance(other, Proxy)
            and other._object == self._object
            and other._link.epoch == self._link.epoch
        )

    def __eq__(self, other: object) -> bool:
        return self._same(other)

    def __hash__(self) -> int:
        return hash((self._link.epoch, self._object))

    def __repr__(self) -> str:
        where = self._manager._target.name
        return f"<polyipc.manager.{type(self).__name__} {self._type} {self._object} of {where!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        _keep_for_reader(self)
        target = self._manager._passed_on()
        return _rebuilt, (target, self._link.epoch, self._object, self._type)

    def __copy__(self: Self) -> Self:
        return self

    def __deepcopy__(self: Self, _memo: Any) -> Self:
        return self


class Hosted(Proxy):
    """A proxy of an object that one of the manager's clients hosts: its methods are attributes."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Method:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return Method(self, name)

    def __dir__(self) -> list[str]:
        _, methods = self._manager._own(b"describe", [self._object])
        return [*super().__dir__(), *methods]


class Method:
    """A method of a hosted object, bound to its proxy."""

    __slots__ = ("__name__", "__self__")

    def __init__(self, proxy: Proxy, name: str) -> None:
        self.__self__ = proxy
        self.__name__ = name

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call it."""
        proxy: Any = self.__self__
        method = method_name(self.__name__)
        if named:
            return proxy._ask_named(method, list(args), named)
        return proxy._ask(method, list(args))

    def __repr__(self) -> str:
        return f"<method {self.__name__} of {self.__self__!r}>"


def method_name(name: str) -> bytes:
    """Return a method's name for C."""
    if "\0" in name:
        raise errors.InvalidError(f"method {name!r}: a NUL in it")
    return name.encode("utf-8", "surrogatepass")


def opened(manager: Manager, link: Link, ref: Ref) -> Any:
    """Return the proxy for a reference that came in a result."""
    if ref.kind != LIVE:
        return ref
    number = int.from_bytes(ref.uuid.bytes[8:], "big")
    return manager._classes.get(ref.name, Hosted)._of(manager, link, number, ref.name)


def _keep_for_reader(proxy: Proxy) -> None:
    """Keep a proxy that is being pickled: a process that is being started refers once it runs."""
    context = sys.modules.get("multiprocessing.context")
    popen = context.get_spawning_popen() if context is not None else None
    if popen is not None:
        popen.__dict__.setdefault("_polyipc_kept", []).append(proxy)
    else:
        keep(proxy)


def usual_key() -> None:
    """Return the key of servers that a pickle is silent about: none, without multiprocessing's."""


def _rebuilt(target: Any, epoch: bytes, number: int, type_name: str) -> Proxy:
    """Return the proxy that a pickle stands for."""
    from polyipc import _manager

    by = opening.by
    if isinstance(by, functools.partial) and by.func is opened and by.args[1].epoch == epoch:
        m: Manager = by.args[0]  # it came by that one
    else:
        m = _manager.connected(target)
    link = m._current()
    if link.epoch != epoch:
        raise errors.GoneError(f"the {type_name} was a server's that is dead")
    found = link.run(0, b"retain", link.packed([number]), b"", m._left())
    if type(found) is not bytes:
        raise link.failure(found, f"refer to a {type_name}")
    proxy: Proxy = m._read(link, found)
    return proxy


def seconds_left() -> float | None:
    """Return how long this thread's calls may still take; None: for ever."""
    return None if deadlines.at is None else deadlines.at - time.monotonic()
