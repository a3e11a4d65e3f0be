"""Putting what is more than bytes: with references, whose objects the message holds, or pieces."""

# ruff: noqa: SLF001 - a part of polyipc.queue
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polyipc import _referring, _waiting, codec, errors
from polyipc._c import pieces as c
from polyipc._c.queue import MSGPACK
from polyipc._codec_types import Packed

if TYPE_CHECKING:
    from polyipc.queue import Queue


def put(queue: Queue[Any], what: object, block: bool, timeout: float | None) -> None:
    """Do queue.put for an object, or for one that is packed."""
    packed = what if type(what) is Packed else codec.pack_referring(what, pickle=queue._pickle)
    args = (c.put, queue._id, packed.pieces, MSGPACK, _referring.references(packed.met))
    status = _waiting.call(*args, block=block, timeout=timeout)
    if status != 0:
        raise queue._failure(status, "put to", errors.Full)


def put_each(queue: Queue[Any], objects: Sequence[Any], block: bool, timeout: float | None) -> None:
    """Do queue.put_many, one by one."""
    # All are packed first: a TypeError comes before the first put.
    packed = [codec.pack_referring(obj, pickle=queue._pickle) for obj in objects]
    waits = _waiting.Left(timeout if block else None)
    for done, one in enumerate(packed):
        try:
            put(queue, one, block, waits.seconds())
        except (errors.Full, errors.ShutDown) as error:
            error.put = done
            raise
