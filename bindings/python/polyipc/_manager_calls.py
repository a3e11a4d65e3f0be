"""Calls that are not waited for at once: futures and batches."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from polyipc import _waiting, codec, errors
from polyipc._c import manager as c
from polyipc._codec_write import head
from polyipc._manager_link import Link, batch_failure
from polyipc._manager_proxy import Convert, Method, Proxy, method_name
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._manager import Manager


class Recorded(NamedTuple):
    """A call that was not made."""

    proxy: Proxy
    method: bytes
    args: list[Any]
    named: dict[str, Any]
    convert: Convert | None

    def value(self, result: Any) -> Any:
        """Return what the method would have returned for the result."""
        return result if self.convert is None else self.convert(result)

    @property
    def what(self) -> str:
        """What is called, for sentences."""
        return f"{self.proxy._type}.{self.method.decode()}"


class _Recorder(Proxy):
    """What stands for a proxy while one of its methods is recorded."""

    __slots__ = ()

    def _ask(self, method: bytes, args: list[Any], convert: Convert | None = None) -> Any:
        self._record(method, args, {}, convert)

    def _ask_named(self, method: bytes, args: list[Any], named: dict[str, Any]) -> Any:
        self._record(method, args, named, None)

    def _record(
        self, method: bytes, args: list[Any], named: dict[str, Any], convert: Convert | None
    ) -> None:
        # The proxy's own slot, which is not used for anything else here.
        calls: Any = self._call
        calls.append((method, args, named, convert))

    def __del__(self) -> None:
        """Release nothing: the reference is the proxy's."""


_recorders: dict[type[Proxy], type[Proxy]] = {}


def _recording(cls: type[Proxy]) -> type[Proxy]:
    made = _recorders.get(cls)
    if made is None:
        made = _recorders[cls] = type(cls.__name__, (_Recorder, cls), {"__slots__": ()})
    return made


def record(
    manager: Manager, function: Any, args: tuple[Any, ...], named: dict[str, Any]
) -> Recorded:
    """Return the call that function(*args, **named) makes, a method of a proxy of the manager.

    Raises TypeError if it is none, or makes more than one call, or none.
    """
    proxy = getattr(function, "__self__", None)
    if not isinstance(proxy, Proxy) or proxy._manager is not manager:
        raise TypeError(f"{function!r}: give a method of one of this manager's proxies")
    if isinstance(function, Method):
        return Recorded(proxy, method_name(function.__name__), list(args), named, None)
    cls = _recording(type(proxy))
    recorder = cls.__new__(cls)
    calls: list[Any] = []
    put = object.__setattr__
    for slot in ("_link", "_manager", "_object", "_type"):
        put(recorder, slot, getattr(proxy, slot))
    put(recorder, "_call", calls)
    getattr(recorder, function.__name__)(*args, **named)
    if len(calls) != 1:
        raise TypeError(f"{function.__name__} makes {len(calls)} calls: call it by itself")
    return Recorded(proxy, *calls[0])


class Future:
    """A call under way. With this object it is given up, unless it has ended."""

    def __init__(self, link: Link, call: int, recorded: Recorded) -> None:
        self._link, self._call = link, call
        self._recorded: Recorded | None = recorded
        self._what = recorded.what
        self._lock = threading.Lock()
        self._value: Any = None
        self._error: BaseException | None = None

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result and return it, or raise what the call raised.

        timeout -- seconds; when they are over TimedOutError is raised and the call goes on
        """
        self._wait(timeout)
        if self._error is not None:
            raise self._error
        return self._value

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the end, and return what the call raised; None if it has a result."""
        self._wait(timeout)
        return self._error

    def done(self) -> bool:
        """Report whether it has ended."""
        if self._recorded is not None and self._lock.acquire(blocking=False):
            try:
                self._take(self._link.calls.finish(self._call, _waiting.TRY))
            finally:
                self._lock.release()
        return self._recorded is None

    def cancel(self) -> bool:
        """Ask the server to give the call up; report whether it came to that."""
        if not self.done():
            c.cancel(self._link.handle, self._call)
            self._wait(None)
        return self.cancelled()

    def cancelled(self) -> bool:
        """Report whether it was cancelled before it had a result."""
        return self.done() and isinstance(self._error, errors.CancelledError)

    def _wait(self, timeout: float | None) -> None:
        if self._recorded is None:
            return
        left = _waiting.Left(timeout)
        if not self._lock.acquire(timeout=-1 if timeout is None else timeout):
            raise self._late()
        try:
            seconds = left.seconds()
            if self._recorded is not None:
                finish = self._link.calls.finish
                self._take(_waiting.call(finish, self._call, block=True, timeout=seconds))
        finally:
            self._lock.release()
        if self._recorded is not None:
            raise self._late()

    def _late(self) -> BaseException:
        return errors.TimedOutError(f"{self._what}: no result yet")

    def _take(self, found: Any) -> None:
        """Keep what finish returned, unless it is nothing yet."""
        recorded = self._recorded
        if recorded is None or (
            type(found) is int and found in (Status.TIMEOUT, Status.INTERRUPTED)
        ):
            return
        try:
            if type(found) is bytes:
                manager = recorded.proxy._manager
                self._value = recorded.value(manager._read(self._link, found))
            else:
                self._error = self._link.failure(found, self._what, recorded.args)
        except Exception as e:  # noqa: BLE001 - a result that cannot be read
            self._error = e
        self._recorded = None

    def __del__(self) -> None:
        if self._recorded is not None:
            self._link.forget(self._call)


class Reply:
    """What one call of a batch will have returned."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None

    def result(self) -> Any:
        """Return the result, or raise what the call raised; RuntimeError before the batch ran."""
        if not self._done:
            raise RuntimeError("the batch has not run: leave its with block first")
        if self._error is not None:
            raise self._error
        return self._value

    def _take(self, found: Any) -> None:
        self._done = True
        if found[0]:
            self._value = self._recorded.value(found[1])
            return
        _, status, *details = found
        recorded = self._recorded
        self._error = batch_failure(status, details, recorded.what, recorded.args)


class Batch:
    """Calls that are sent in one message as the with block ends, and done at one go.

        with manager.batch() as batch:
            for key in keys:
                batch.add(scores.increment, key)
        totals = batch.results()

    None of them waits: what would wait fails with TimedOutError, Empty or Full.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._replies: list[Reply] = []

    def add(self, method: Callable[..., Any], *args: Any, **named: Any) -> Reply:
        """Add a call of a method of a proxy. It is made as the block ends."""
        reply = Reply(record(self._manager, method, args, named))
        self._replies.append(reply)
        return reply

    def results(self) -> list[Any]:
        """Return the results of all calls, in order; raise the first failure."""
        return [reply.result() for reply in self._replies]

    def __len__(self) -> int:
        return len(self._replies)

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._replies:
            self._run()

    def _run(self) -> None:
        manager = self._manager
        link = manager._current()
        parts = [head(0x90, 16, 0xDC, len(self._replies))]
        for reply in self._replies:
            parts.extend(_one_of_batch(reply._recorded, link))
        left = _waiting.Left(manager._left())
        status, call = link.batch(b"".join(parts), left.seconds())
        found: Any = status
        if status == Status.OK:
            found = link.finish(call, left.seconds())
        if type(found) is not bytes:
            raise link.failure(found, "batch")
        for reply, one in zip(self._replies, manager._read(link, found)):
            reply._take(one)


def _one_of_batch(recorded: Recorded, link: Link) -> tuple[bytes, ...]:
    proxy, method, args, named, _ = recorded
    body = codec.pack_plain([proxy._object, method.decode()])[1:]
    if named:
        return b"\x94", body, link.packed(args), link.packed_named(named)
    return b"\x93", body, link.packed(args)
