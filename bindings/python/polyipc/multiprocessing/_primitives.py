"""Proxies of a manager's own queues, locks and their kin, with what multiprocessing's have besides.

Wherever a reference to one comes from, a proxy of these classes comes of it, in every process that
uses a manager of this package: polyipc._manager_link.Target says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from multiprocessing import process
from typing import Any, ClassVar

from polyipc import _manager_queue, _manager_sync
from polyipc._manager_proxy import Proxy
from polyipc._manager_proxy import classes as _natives
from polyipc.multiprocessing import _proxies

__all__ = ["classes", "usual_key"]


def usual_key() -> bytes:
    """Return the key of servers that a pickle is silent about."""
    return bytes(process.current_process().authkey)


class _Both(Proxy):
    """What multiprocessing's proxies have."""

    __slots__ = ()
    _typeid: ClassVar[str]
    _shown: ClassVar[str]

    @property
    def _id(self) -> str:
        return f"{self._object:x}"

    @property
    def _token(self) -> _proxies.Token:
        return _proxies.Token(self._typeid, self._manager.name, self._id, self)

    def _callmethod(self, methodname: str, args: Iterable[Any] = (), kwds: Any = None) -> Any:
        return getattr(self, methodname)(*args, **(kwds or {}))

    def _getvalue(self) -> Any:
        raise TypeError(f"{self!r} has no value that could be copied")

    def __repr__(self) -> str:
        return f"<{self._shown} object, typeid {self._typeid!r} at {id(self):#x}>"

    __str__ = __repr__


class _Acquirer(_Both, _manager_sync._Held):
    """multiprocessing calls the argument blocking, and with binds what acquire returns."""

    __slots__ = ()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        return super().acquire(blocking, timeout)

    def __enter__(self) -> Any:
        return self.acquire()


def _made(native: type[Proxy], theirs: Any, typeid: str, shown: str = "") -> type[Proxy]:
    own = _Acquirer if issubclass(native, _manager_sync._Held) else _Both
    body = {"_typeid": typeid, "_shown": shown or theirs.__name__}
    return type(native.__name__, (own, native, theirs), body)


_p, _q, _s = _proxies, _manager_queue, _manager_sync

classes: dict[str, type[Proxy]] = {
    **_natives,
    "lock": _made(_s.LockProxy, _p.AcquirerProxy, "Lock"),
    "rlock": _made(_s.RLockProxy, _p.AcquirerProxy, "RLock"),
    "semaphore": _made(_s.SemaphoreProxy, _p.AcquirerProxy, "Semaphore"),
    "bounded_semaphore": _made(_s.BoundedSemaphoreProxy, _p.AcquirerProxy, "BoundedSemaphore"),
    "condition": _made(_s.ConditionProxy, _p.ConditionProxy, "Condition"),
    "event": _made(_s.EventProxy, _p.EventProxy, "Event"),
    "barrier": _made(_s.BarrierProxy, _p.BarrierProxy, "Barrier"),
    "queue": _made(_q.QueueProxy, _p.BaseProxy, "Queue", "AutoProxy[Queue]"),
    "joinable_queue": _made(_q.JoinableQueueProxy, _p.BaseProxy, "Queue", "AutoProxy[Queue]"),
}
