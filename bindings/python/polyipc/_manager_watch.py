"""Watching an object of a manager change."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from polyipc import _waiting
from polyipc.errors import Status

if TYPE_CHECKING:
    from types import TracebackType

    from polyipc._manager_proxy import Proxy


class Change(NamedTuple):
    """One change of a watched object.

    what       key        value
    "snapshot"            all of it: how it is when the watch begins, and after "lagged"
    "lagged"              how many changes were left out, since the watcher was slow
    "set"      the key    the new value
    "delete"   the key
    "clear"
    "insert"   the index  the new value
    "replace"             all of a list, which changed as a whole
    """

    what: str
    key: Any = None
    value: Any = None


_VALUE_ONLY = frozenset(("snapshot", "lagged", "replace"))


def change_of(event: list[Any]) -> Change:
    """Return the change that an event tells of."""
    what, *rest = event
    return Change(what, None, *rest) if what in _VALUE_ONLY else Change(what, *rest)


class Watch:
    """An iterator over changes, which first shows all of the object; a context manager.

    The server keeps up to 1,280 changes for a watcher that is slow. If there are more it drops
    them, says how many, and shows all of it again: it never waits for a watcher.
    """

    def __init__(self, proxy: Proxy, timeout: float | None) -> None:
        self._proxy = proxy  # the object lives as long as it is watched
        self._manager = proxy._manager
        self._timeout = None if timeout is None else _waiting.checked(timeout)
        self._subscription: int = self._manager._own(b"watch", [proxy._object])
        self._link = self._manager._current()
        self._closed = False

    def __iter__(self) -> Watch:
        return self

    def __next__(self) -> Change:
        if self._closed:
            raise StopIteration
        return self.next(self._timeout)

    def next(self, timeout: float | None = None) -> Change:
        """Wait for the next change, for so many seconds; None: for ever.

        Raises TimedOutError; PeerDiedError when the server died; ClosedError.
        """
        found: Any = _waiting.call(
            self._link.calls.next_event, self._subscription, block=True, timeout=timeout
        )
        if type(found) is not bytes:
            raise self._link.failure(found, "watch")
        return change_of(self._manager._read(self._link, found))

    def close(self) -> None:
        """End the watch."""
        if not self._closed:
            self._closed = True
            if self._link.own:
                packed = self._link.packed([self._subscription])
                found = self._link.run(0, b"unwatch", packed, b"", None)
                if type(found) is not bytes and found not in (Status.PEER_DIED, Status.CLOSED):
                    raise self._link.failure(found, "unwatch")

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # without begin, or at Python's end
            if not self._closed:
                self._closed = True
                self._abandon()

    def _abandon(self) -> None:
        """End the watch without waiting for the answer: Python may be collecting garbage."""
        link = self._link
        if link.own:
            packed = link.packed([self._subscription])
            status, call = link.start(0, b"unwatch", packed, b"", 0)
            if status == Status.OK:
                link.forget(call)
