"""Pickles of what MessagePack cannot carry.

A program that uses multiprocessing has taught its pickler more than pickle knows: sockets and
descriptors come with it, and types that were registered with its reduction. So that pickler is
used, once it is there; importing it is left to the program.

Large buffers, as numpy arrays have, stay out of the pickle and follow it: they are copied into the
message, out of it, and nowhere in between. docs/spec/codec.md has the layout.
"""

from __future__ import annotations

import io
import pickle
import struct
import sys
from typing import Any, Union

from polyipc._c.pieces import MOST, memory_of
from polyipc._codec_types import CodecError

Buffer = Union[bytes, memoryview]

PROTOCOL = 5  # the highest that all supported Pythons read

_LARGE = 64 << 10  # bytes from which a buffer goes by itself: smaller ones would pin the message
_ALIGNED = 16  # as what malloc returns is; the memory of a bytes object is aligned likewise
_HEAD = 6  # bytes before a pickle of over 64 KiB in its message

# A pickle ends with "."; one that buffers follow ends with 0.
_ENTRY = struct.Struct(
    ">QQB"
)  # where a buffer begins in the pickle's body, bytes, whether read-only
_END = struct.Struct(">IB")  # how many entries come before this, 0


def dumps(obj: object, apart: bool = False) -> list[Buffer]:
    """Return the pickle of obj in pieces, the first of which is bytes. Errors are pickle's own.

    apart -- whether large buffers are pieces of their own; else there is one piece
    """
    large: list[memoryview] = []

    def is_small(buffer: pickle.PickleBuffer) -> bool:
        try:
            view = buffer.raw()
        except BufferError:  # not contiguous: pickle says so, too
            return True
        if view.nbytes < _LARGE:
            return True
        large.append(view)
        return False

    callback = is_small if apart else None
    file = io.BytesIO()
    reduction = getattr(sys.modules.get("multiprocessing.context"), "reduction", None)
    pickler = pickle.Pickler if reduction is None else reduction.ForkingPickler
    pickler(file, PROTOCOL, True, callback).dump(obj)
    body = file.getvalue()
    return _laid_out(body, large) if large else [body]


def _laid_out(body: bytes, large: list[memoryview]) -> list[Buffer]:
    pieces: list[Buffer] = [body]
    entries = []
    at = len(body)
    for view in large:
        pad = -(_HEAD + at) % _ALIGNED
        entries.append(_ENTRY.pack(at + pad, view.nbytes, view.readonly))
        pieces += bytes(pad), view
        at += pad + view.nbytes
    pieces.append(b"".join(entries) + _END.pack(len(entries), 0))
    return pieces if len(pieces) <= MOST else [b"".join(pieces)]


def loads(body: Any, own: bool = False) -> Any:
    """Return the object of a pickle.

    own -- whether body is of a bytes object that nobody else has: buffers then stay in it
    """
    view = memoryview(body)
    if not len(view) or view[-1] != 0:
        return pickle.loads(view)
    return pickle.loads(view, buffers=_buffers(view, own))


def _buffers(body: memoryview, own: bool) -> list[Any]:
    table = len(body) - _END.size
    count = _END.unpack_from(body, table)[0] if table >= 0 else 0
    table -= count * _ENTRY.size
    if count == 0 or table < 0:
        raise CodecError("INVALID", "a malformed end of a pickle that buffers follow")
    found: list[Any] = []
    for at, size, readonly in _ENTRY.iter_unpack(body[table : -_END.size]):
        if at + size > table:
            raise CodecError("INVALID", "a buffer behind a pickle reaches beyond its message")
        part = body[at : at + size]
        buffer = memory_of(part) if own else bytearray(part)
        found.append(memoryview(buffer).toreadonly() if readonly else buffer)
    return found
