"""Where the tasks of a loop wait for what has a descriptor.

A Watch is one descriptor in one loop, for all tasks that wait for it: they stand in line, and the
first is called when the descriptor is readable. A task tries when it is called, and never between
its try and its return is there an await: what it took it returns, or it took nothing. So nothing is
lost by a cancellation. A call that comes to nothing, its task being cancelled, is made up for by
the descriptor, which stays readable as long as there is something.
"""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

import asyncio
import collections
import os
import select
import weakref
from collections.abc import Iterable
from typing import Callable, TypeVar

from polyipc._c import wait as c
from polyipc._handle import Handle
from polyipc.sync import Event

T = TypeVar("T")

READABLE, WRITABLE = c.READABLE, c.WRITABLE

# A task that never has to wait lets others run as often as this.
_BREATH = 128

# A put of a large message may fail while the descriptor says that there is room, for a small one.
# Then it is tried by the clock.
_PATIENCE = 2  # such failures
_SHORTEST, _LONGEST = 0.001, 0.05  # seconds between two tries


class Place:
    """A task's place in line."""

    __slots__ = ("called", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self.called: asyncio.Future[bool] | None = None

    def call(self) -> None:
        """Have the task try."""
        if self.called is not None and not self.called.done():
            self.called.set_result(True)

    async def until_called(self, end: float | None) -> bool:
        """Wait for the call, or for the loop's time; report whether it came."""
        loop = asyncio.get_running_loop()
        self.called = loop.create_future()
        if end is None:
            return await self.called
        timer = loop.call_at(end, expire, self.called)
        try:
            return await self.called
        finally:
            timer.cancel()


def expire(future: asyncio.Future[bool]) -> None:
    """Say that the time is over."""
    if not future.done():
        future.set_result(False)


class Watch:
    """A descriptor in a loop. It is a duplicate: the object may be closed by any thread.

    The loop's reader stays as long as that saves making it anew: it goes when the descriptor is
    readable and nobody waits, and with it the watch when the object is gone.
    """

    __slots__ = ("__weakref__", "_all", "_called", "_fd", "_line", "_listens")

    def __init__(self, fd: int, all_: bool) -> None:
        self._fd = os.dup(fd)
        self._all = all_  # all are called at once: none takes from the others
        self._line: collections.deque[Place] = collections.deque()
        self._called: Place | None = None  # who was called and has not tried yet
        self._listens = False
        _watches.add(self)

    def __del__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Close the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def waited_for(self) -> bool:
        """Whether somebody is in line."""
        return bool(self._line)

    def enter(self, place: Place) -> None:
        """Stand in line, at its end."""
        self._line.append(place)

    def leave(self, place: Place) -> None:
        """Leave the line."""
        self._line.remove(place)
        self.tried(place)

    def tried(self, place: Place) -> None:
        """Say that a task that was called has tried."""
        if self._called is place:
            self._called = None

    def listen(self) -> None:
        """Have the loop call when the descriptor is readable."""
        if not self._listens:
            asyncio.get_running_loop().add_reader(self._fd, self._ready)
            self._listens = True

    def _deafen(self) -> None:
        if self._listens:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._listens = False

    def _ready(self) -> None:
        if not self._line:
            self._deafen()
        elif self._all:
            for place in self._line:
                place.call()
        elif self._called is None:
            self._called = self._line[0]
            self._called.call()

    async def turn(self, place: Place, end: float | None) -> bool:
        """Wait until it is worth a try; False: the time is over."""
        if place.failures > _PATIENCE:
            self._deafen()
            pause = min(_SHORTEST * 2 ** (place.failures - _PATIENCE), _LONGEST)
            at = now() + pause
            late = end is not None and end <= at
            return await place.until_called(end if late else at) or not late
        self.listen()
        return await place.until_called(end)

    def failed(self, place: Place) -> None:
        """Say that a task that was called found nothing, or not enough."""
        self.tried(place)
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        place.failures = place.failures + 1 if poll.poll(0) else 0


_watches: weakref.WeakSet[Watch] = weakref.WeakSet()


class Hub:
    """What a loop has of watches. It knows nothing of the loop, which it would keep otherwise."""

    __slots__ = ("_turns", "_watches")

    def __init__(self) -> None:
        self._watches: weakref.WeakKeyDictionary[Handle, dict[int, Watch]] = (
            weakref.WeakKeyDictionary()
        )
        self._turns = 0

    def known(self, handle: Handle, events: int) -> Watch | None:
        """Return the watch of an object if it was waited for already."""
        found = self._watches.get(handle)
        return None if found is None else found.get(events)

    def watch(self, handle: Handle, events: int) -> Watch:
        """Return the watch of an object."""
        watch = self.known(handle, events)
        if watch is None:
            fd = handle._poll_fd(events)
            watch = self._watches.setdefault(handle, {})[events] = Watch(
                fd, isinstance(handle, Event)
            )
        return watch

    async def breathe(self) -> None:
        """Let others run, now and then: a task that finds something each time would keep them."""
        self._turns += 1
        if self._turns % _BREATH == 0:
            await asyncio.sleep(0)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """Return that of the running loop."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found


def _in_child() -> None:
    """Forget a parent's loops: the descriptors of their epolls are the parent's as well."""
    for watch in list(_watches):
        watch.forget()
    _hubs.clear()


os.register_at_fork(after_in_child=_in_child)


def running() -> bool:
    """Report whether a loop runs in this thread."""
    return asyncio._get_running_loop() is not None


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


def end_of(timeout: float | None) -> float | None:
    """Return the loop's time when a timeout is over."""
    return None if timeout is None else now() + timeout


async def until(
    handle: Handle,
    events: int,
    attempt: Callable[[], T],
    nothing: type[Exception],
    timeout: float | None,
) -> T:
    """Return what attempt returns as soon as it does not raise nothing; raise that in the end."""
    here = hub()
    await here.breathe()
    watch = here.known(handle, events)
    if watch is None or not watch.waited_for:
        try:
            return attempt()
        except nothing:
            if timeout is not None and timeout <= 0:
                raise
    end = end_of(timeout)
    if watch is None:
        watch = here.watch(handle, events)
    place = Place()
    watch.enter(place)
    try:
        while True:
            in_time = await watch.turn(place, end)
            try:
                return attempt()
            except nothing:
                if not in_time:
                    raise
            watch.failed(place)
    finally:
        watch.leave(place)


async def first(watches: Iterable[Watch], end: float | None) -> bool:
    """Wait until one of the watches' objects may be ready; False: the time is over."""
    place = Place()
    entered = list(watches)
    for watch in entered:
        watch.enter(place)
    try:
        for watch in entered:
            watch.listen()
        return await place.until_called(end)
    finally:
        for watch in entered:
            watch.leave(place)
