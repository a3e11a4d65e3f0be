"""Putting objects that refer to open ones, which the message then holds."""

# ruff: noqa: SLF001 - a part of polyipc.queue
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polyipc import _referring, _waiting, codec, errors
from polyipc._c import reference as c
from polyipc._c.queue import MSGPACK

if TYPE_CHECKING:
    from polyipc.queue import Queue


def put(queue: Queue[Any], obj: object, block: bool, timeout: float | None) -> None:
    """Do queue.put."""
    body, met = codec.pack_referring(obj, pickle=queue._pickle)
    args = (c.put, queue._id, body, MSGPACK, _referring.references(met))
    status = _waiting.call(*args, block=block, timeout=timeout)
    if status != 0:
        raise queue._failure(status, "put to", errors.Full)


def put_each(queue: Queue[Any], objects: Sequence[Any], block: bool, timeout: float | None) -> None:
    """Do queue.put_many, one by one."""
    for obj in objects:
        codec.pack_referring(obj, pickle=queue._pickle)  # a TypeError comes before the first put
    waits = _waiting.Left(timeout if block else None)
    for done, obj in enumerate(objects):
        try:
            queue.put(obj, block, waits.seconds())
        except (errors.Full, errors.ShutDown) as error:
            error.put = done
            raise
