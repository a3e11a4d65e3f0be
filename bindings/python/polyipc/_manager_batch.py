"""Batches: many calls in one message. All of it, there and back, is packed and unpacked at once."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable

from polyipc import _waiting, codec
from polyipc._codec_heads import head
from polyipc._codec_types import ReferencesMetError
from polyipc._manager_link import Link, batch_failure
from polyipc._manager_record import Recording
from polyipc.errors import Status

if TYPE_CHECKING:
    from polyipc._manager import Manager


class Reply:
    """What one call of a batch will have returned."""

    __slots__ = ("_at", "_batch")

    def __init__(self, batch: Batch, at: int) -> None:
        self._batch, self._at = batch, at

    def result(self) -> Any:
        """Return the result, or raise what the call raised; RuntimeError before the batch ran."""
        return self._batch._result(self._at)


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
        self._recording = Recording(manager)
        self._calls = self._recording.calls
        self._recorders = self._recording.recorders
        self._method: Any = None  # the latest, whose function and recorder are known
        self._function: Any = None
        self._recorder: Any = None
        self._found: list[Any] | None = None
        self._errors: dict[int, BaseException] = {}

    def add(self, method: Callable[..., Any], /, *args: Any, **named: Any) -> Reply:
        """Add a call of a method of a proxy. It is made as the block ends."""
        calls = self._calls
        at = len(calls)
        if method is not self._method:
            try:
                self._recorder = self._recorders[id(method.__self__)]  # type: ignore[attr-defined]
                self._function = method.__func__  # type: ignore[attr-defined]
            except (AttributeError, KeyError):
                self._recording.add(method, args, named)
                return Reply(self, at)
            self._method = method
        try:
            if named:
                self._function(self._recorder, *args, **named)
            else:
                self._function(self._recorder, *args)
        except BaseException:
            self._recording.forget(at)
            raise
        if len(calls) != at + 1:
            self._recording.forget(at)
            self._recording.add(method, args, named)  # says what is wrong
        return Reply(self, at)

    def results(self) -> list[Any]:
        """Return the results of all calls, in order; raise the first failure."""
        return [self._result(at) for at in range(len(self._calls))]

    def __len__(self) -> int:
        return len(self._calls)

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._calls:
            self._run()

    def _run(self) -> None:
        manager = self._manager
        link = manager._current()
        left = _waiting.Left(manager._left())
        status, call = link.batch(self._message(link), left.seconds())
        found: Any = status
        if status == Status.OK:
            found = link.finish(call, left.seconds())
        self._ran(link, found)

    def _message(self, link: Link) -> bytes:
        """Return the calls as the library takes them."""
        return _packed(self._calls, link)

    def _ran(self, link: Link, found: Any) -> None:
        """Take what the message was answered with."""
        if type(found) is not bytes:
            raise link.failure(found, "batch")
        results = self._manager._read(link, found)
        for at, convert in self._recording.converts.items():
            one = results[at]
            if one[0]:
                one[1] = convert(one[1])
        self._found = results

    def _result(self, at: int) -> Any:
        if self._found is None:
            raise RuntimeError("the batch has not run: leave its with block first")
        one = self._found[at]
        if one[0]:
            return one[1]
        raise self._errors.setdefault(at, self._failure(at))

    def _failure(self, at: int) -> BaseException:
        assert self._found is not None
        _, status, *details = self._found[at]
        number, method, args, *_ = self._calls[at]
        of = next(r._type for r in self._recorders.values() if r._object == number)
        return batch_failure(status, details, f"{of}.{method}", args)


def _packed(calls: list[list[Any]], link: Link) -> bytes:
    """Return calls as the library takes them."""
    if not link.pickle or codec.is_tree(calls):
        try:
            return codec.pack_plain(calls)
        except (TypeError, codec.CodecError, ReferencesMetError):
            pass  # live objects; or what is wrong is said of the arguments that have it
    return head(0x90, 16, 0xDC, len(calls)) + b"".join([_one(link, *call) for call in calls])


def _one(
    link: Link, number: int, method: str, args: list[Any], named: dict[str, Any] | None = None
) -> bytes:
    body = codec.pack_plain([number, method])[1:]
    if named:
        return b"\x94" + body + link.packed(args) + link.packed_named(named)
    return b"\x93" + body + link.packed(args)
