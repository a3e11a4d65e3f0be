"""Where the tasks of a loop wait for what has no descriptor: locks and their kin.

The library waits, in a thread of its own, and one descriptor of the loop is readable when a wait
has ended. Of the tasks that wait for one thing only the first has the library wait: Line.

What a wait got belongs to nobody before a task has it: one whose task is cancelled gives it back,
also when both come at once, or the loop ends.
"""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

import asyncio
import collections
import os
import weakref
from typing import Callable

from polyipc import _waiting, errors
from polyipc._c import library
from polyipc._c import loop as c
from polyipc._handle import Handle
from polyipc._sync_base import DIED, OK, TIMEOUT

Outcome = tuple[int, int]
"""Two numbers of a wait that ended well: capi/pyshim.h."""


class Pending:
    """The waits of a loop. The loop's reader keeps it: with the loop it ends, and cancels all."""

    __slots__ = ("__weakref__", "_fd", "_number", "_told")

    def __init__(self) -> None:
        status, self._number, self._fd = c.open_()
        if status != 0:
            raise errors.of_status(status, library.detail())
        self._told: dict[int, Callable[[c.Ended, str], None]] = {}
        asyncio.get_running_loop().add_reader(self._fd, self._ready)

    def __del__(self) -> None:
        self.end()

    def end(self) -> None:
        """Cancel all waits."""
        number, self._number = self._number, 0
        if number:
            c.close(number)

    def forget(self) -> None:
        """Leave a parent's waits to it."""
        self._number = 0

    def begin(
        self,
        verb: int,
        handle: int,
        tell: Callable[[c.Ended, str], None],
        *,
        lock: int = 0,
        owner: int = 0,
        timeout: float | None = None,
    ) -> tuple[int, int]:
        """Begin a wait, whose end and the detail of its failure are told; its status and number."""
        ns = _waiting.FOREVER if timeout is None else _waiting.nanoseconds(max(0.0, timeout))
        status, wait = c.begin(self._number, verb, handle, lock, owner, ns)
        if status == 0:
            self._told[wait] = tell
        return status, wait

    def cancel(self, wait: int) -> None:
        """End a wait that was not told of. What it got is given back when this returns."""
        if self._told.pop(wait, None) is not None:
            c.cancel(self._number, wait)

    def interrupt(self, wait: int) -> None:
        """End the wait of a condition, which then is told of."""
        if wait in self._told:
            c.interrupt(self._number, wait)

    def _ready(self) -> None:
        while (ended := c.next_(self._number)) is not None:
            detail = library.detail() if ended.status != 0 else ""
            self._told.pop(ended.wait)(ended, detail)


class Waits:
    """What a loop has of waits: its Pending, and the lines of tasks."""

    __slots__ = ("_lines", "_pending")

    def __init__(self) -> None:
        self._pending: weakref.ref[Pending] | None = None
        self._lines: weakref.WeakKeyDictionary[Handle, dict[int, Line]] = (
            weakref.WeakKeyDictionary()
        )

    def pending(self) -> Pending:
        """Return the loop's, made if need be."""
        found = self.known()
        if found is None:
            found = Pending()
            _all.add(found)
            self._pending = weakref.ref(found)
        return found

    def known(self) -> Pending | None:
        """Return the loop's; None before the first wait, and behind the loop's end."""
        return None if self._pending is None else self._pending()

    def line(self, handle: Handle, verb: int) -> Line:
        """Return the line of those who wait for one thing."""
        lines = self._lines.setdefault(handle, {})
        line = lines.get(verb)
        if line is None:
            line = lines[verb] = Line(self, verb)
        return line


_all: weakref.WeakSet[Pending] = weakref.WeakSet()
_waits: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Waits] = weakref.WeakKeyDictionary()


def waits() -> Waits:
    """Return that of the running loop."""
    loop = asyncio.get_running_loop()
    found = _waits.get(loop)
    if found is None:
        found = _waits[loop] = Waits()
    return found


def _in_child() -> None:
    """Leave a parent's loops to it."""
    for pending in list(_all):
        pending.forget()
    _waits.clear()


os.register_at_fork(after_in_child=_in_child)


class Want:
    """What a task wants that stands in a line.

    attempt returns what came of a try, None for nothing; undo gives that back.
    """

    __slots__ = ("attempt", "future", "handle", "owner", "undo", "wait")

    def __init__(
        self,
        handle: Handle,
        attempt: Callable[[], Outcome | None],
        undo: Callable[[], None],
        owner: int = 0,
    ) -> None:
        self.handle, self.owner = handle, owner
        self.attempt, self.undo = attempt, undo
        self.future: asyncio.Future[Outcome | None] | None = None
        self.wait = 0  # the library's number of it, once it waits


class Line:
    """Tasks that wait for one thing, the longest first. For the first one the library waits."""

    __slots__ = ("_line", "_verb", "_waits")

    def __init__(self, waits: Waits, verb: int) -> None:
        self._waits, self._verb = waits, verb
        self._line: collections.deque[Want] = collections.deque()

    async def get(self, want: Want, timeout: float | None) -> Outcome | None:
        """Return what was got; None if the time was over first."""
        if not self._line:
            found = want.attempt()
            if found is not None:
                return found
        if timeout is not None and timeout <= 0:
            return None
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome | None] = loop.create_future()
        want.future = future
        self._line.append(want)
        timer = None
        try:
            if self._line[0] is want:
                self._begin(want)
            if timeout is not None:
                timer = loop.call_later(timeout, _settle, future, None)
            return await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                _give_back(want, future.result())
            raise
        finally:
            if timer is not None:
                timer.cancel()
            self._leave(want)

    def _leave(self, want: Want) -> None:
        if want not in self._line:
            return
        was_first = self._line[0] is want
        self._line.remove(want)
        pending = self._waits.known()
        if was_first and pending is not None:
            if want.wait:
                pending.cancel(want.wait)
            self._go_on()

    def _begin(self, want: Want) -> None:
        """Have the library wait."""

        def tell(ended: c.Ended, detail: str) -> None:
            want.wait = 0
            if want in self._line:
                self._line.remove(want)
            if ended.status != 0:
                _fail(want, errors.of_status(ended.status, detail))
            else:
                _hand(want, (ended.first, ended.second))
            self._go_on()

        status, want.wait = self._waits.pending().begin(
            self._verb,
            want.handle._id,
            tell,
            owner=want.owner,
        )
        if status != 0:
            raise want.handle._failure(status, "wait for")

    def _go_on(self) -> None:
        """Turn to those who are first now."""
        while self._line:
            want = self._line[0]
            try:
                found = want.attempt()
                if found is None:
                    self._begin(want)
                    return
            except Exception as e:  # noqa: BLE001 - the waiting task raises it
                self._line.popleft()
                _fail(want, e)
            else:
                self._line.popleft()
                _hand(want, found)


def tried(handle: Handle, status: int, operation: str) -> Outcome | None:
    """Return what came of a try to take something."""
    if status in (OK, DIED):
        return int(status == DIED), 0
    if status == TIMEOUT:
        return None
    raise handle._failure(status, operation)


def _hand(want: Want, found: Outcome) -> None:
    """Hand over what was got, unless the task is about to leave."""
    future = want.future
    if future is None or future.done():
        want.undo()
    else:
        future.set_result(found)


def _fail(want: Want, error: BaseException) -> None:
    if want.future is not None and not want.future.done():
        want.future.set_exception(error)


def _give_back(want: Want, found: Outcome | None) -> None:
    if found is not None:
        want.undo()


def _settle(future: asyncio.Future[Outcome | None], result: None) -> None:
    if not future.done():
        future.set_result(result)
