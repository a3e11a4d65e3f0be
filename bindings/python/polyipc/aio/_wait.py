"""Waiting for the first of many things."""

# ruff: noqa: SLF001 - the objects of polyipc, seen from another side
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from polyipc._handle import Handle
from polyipc.aio import _loop
from polyipc.aio._base import Over
from polyipc.wait import Writable
from polyipc.wait import wait as sync_wait
from polyipc.wait import writable as sync_writable

T = TypeVar("T")


def writable(of: Any) -> Writable:
    """Return what waits until a put or send of a small message finds room: polyipc.writable."""
    return sync_writable(of.sync if isinstance(of, Over) else of)


async def wait(object_list: Iterable[T], timeout: float | None = None) -> list[T]:
    """Wait until one of the objects is ready, and return all that are, in their order.

    As polyipc.wait, which says what can be waited for: objects of polyipc and of polyipc.aio,
    writable(queue), sockets and other descriptors.
    """
    objects = list(object_list)
    things = [obj.sync if isinstance(obj, Over) else obj for obj in objects]
    end = _loop.end_of(timeout)
    here = _loop.hub()
    await here.breathe()
    watches: list[_loop.Watch] | None = None
    in_time = timeout is None or timeout > 0
    while True:
        found = {id(thing) for thing in sync_wait(things, 0)}
        if found or not in_time:
            return [obj for obj, thing in zip(objects, things) if id(thing) in found]
        if watches is None:
            watches = [_watch(here, thing) for thing in things]
        in_time = await _loop.first(watches, end)


def _watch(here: _loop.Hub, thing: Any) -> _loop.Watch:
    """Return the watch of an object, or one of its own for a descriptor."""
    if isinstance(thing, Handle):
        return here.watch(thing, _loop.READABLE)
    if isinstance(thing, Writable):
        return here.watch(thing._of, _loop.WRITABLE)
    return _loop.Watch(thing if isinstance(thing, int) else thing.fileno(), True)
