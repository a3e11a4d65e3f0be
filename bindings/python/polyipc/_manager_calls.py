"""Calls whose result comes later: futures."""

from __future__ import annotations

import threading
from typing import Any

from polyipc import _waiting, errors
from polyipc._c import manager as c
from polyipc._manager_link import Link
from polyipc._manager_record import Recorded
from polyipc.errors import Status


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
