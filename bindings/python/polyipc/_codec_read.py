"""Reading messages: msgspec's decoder, with hooks for our extension types and for errors."""

from __future__ import annotations

# msgspec imports these from within C. If a signal handler raised there, and it was then imported
# again, it would end the process by SIGSEGV.
import contextlib
import datetime  # noqa: F401
import decimal  # noqa: F401
import enum  # noqa: F401
import numbers  # noqa: F401
import re  # noqa: F401
import uuid
from typing import Any, Callable

with contextlib.suppress(ImportError):
    import typing_extensions  # noqa: F401

import msgspec

from polyipc._codec_types import (
    BIG_INT,
    FROZEN_SET,
    NDARRAY,
    PICKLE,
    REF,
    RESERVED,
    SET,
    TUPLE,
    UUID,
    Buffer,
    CodecError,
    PickleMetError,
    opening,
)
from polyipc._codec_values import Ext, NDArray, Ref


def _hook(code: int, data: memoryview) -> Any:
    """Read an extension other than the timestamp, which msgspec knows."""
    if code == TUPLE:
        return _as_tuple(data)
    if code == SET:
        return _as_set(data)
    if code == FROZEN_SET:
        return _as_frozenset(data)
    if code == UUID:
        if len(data) != 16:
            raise CodecError("INVALID", f"a UUID of {len(data)} bytes; it has 16")
        return uuid.UUID(bytes=bytes(data))
    if code == BIG_INT:
        return _read_big(data)
    if code == REF:
        return _read_ref(data)
    if code == NDARRAY:
        return _read_array(data)
    if code == PICKLE:
        if opening.pickle is None:
            raise PickleMetError
        return opening.pickle(data)
    if 0 <= code < RESERVED:
        return Ext(code, bytes(data))
    raise CodecError(
        "INVALID",
        f"extension type {code} is not known; a later version of polyipc may have written it",
    )


# polyipc.queue's quick way: reads a message of at most MAX_DEPTH bytes, which cannot be nested too
# deeply, as unpackb does, but its exceptions say little.
decode: Callable[[Buffer], Any] = msgspec.msgpack.Decoder(ext_hook=_hook).decode
_as_tuple: Callable[[Buffer], Any] = msgspec.msgpack.Decoder(tuple, ext_hook=_hook).decode
_as_set: Callable[[Buffer], Any] = msgspec.msgpack.Decoder(set, ext_hook=_hook).decode
_as_frozenset: Callable[[Buffer], Any] = msgspec.msgpack.Decoder(frozenset, ext_hook=_hook).decode


def read(data: Buffer) -> Any:
    """Return the value of a message; CodecError for what is none, PickleMetError for a pickle."""
    try:
        return decode(data)
    except CodecError:
        raise
    except (
        msgspec.DecodeError,
        ValueError,
        OverflowError,
    ) as err:  # also text, and years over 9999
        raise CodecError("INVALID", str(err)) from None
    except TypeError as err:
        if "unhashable" not in str(err):
            raise
        raise CodecError("INVALID", f"this cannot be a key or a set's member: {err}") from None


def _read_big(data: memoryview) -> int:
    if len(data) < 9 or data[0] > 1 or data[1] == 0:
        raise CodecError(
            "INVALID",
            "a malformed big integer; it is a sign (0, 1) and 8 bytes or more, the first not 0",
        )
    n = int.from_bytes(data[1:], "big")
    if data[0]:
        n = -n
    if -(1 << 63) <= n < 1 << 64:
        raise CodecError("INVALID", f"big integer {n} fits 64 bits and must be an ordinary integer")
    return n


def _read_ref(data: memoryview) -> Ref:
    if len(data) < 17:
        raise CodecError("INVALID", f"a reference of {len(data)} bytes; it has at least 17")
    try:
        ref = Ref(data[0], uuid.UUID(bytes=bytes(data[1:17])), str(data[17:], "ascii"))
        ref.check()
    except ValueError as err:
        raise CodecError("INVALID", str(err)) from None
    return ref if opening.by is None else opening.by(ref)


class _Body:
    """A cursor over the body of an array: a str, an array of integers and a bin in a row."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.pos = 0

    def number(self, width: int) -> int:
        if self.pos + width > len(self.data):
            raise CodecError("INVALID", "a truncated n-dimensional array")
        self.pos += width
        return int.from_bytes(self.data[self.pos - width : self.pos], "big")

    def head(self, fix: int, fixes: int, first_sized: int, widths: tuple[int, ...]) -> int:
        """Read the head of one kind: fix | n for n < fixes, or first_sized... followed by n."""
        first = self.number(1)
        if fix <= first < fix + fixes:
            return first - fix
        form = first - first_sized
        if 0 <= form < len(widths):
            return self.number(widths[form])
        raise CodecError(
            "INVALID", "a malformed n-dimensional array; it is a str, an array and a bin"
        )

    def dimension(self) -> int:
        first = self.data[self.pos] if self.pos < len(self.data) else 0
        if 0xD0 <= first <= 0xD3:  # a signed form, which nobody writes but every reader takes
            n = self.head(0, 0, 0xD0, (1, 2, 4, 8))
            bits = 8 << (first - 0xD0)
            return n - (1 << bits) if n >> (bits - 1) else n
        return self.head(0, 128, 0xCC, (1, 2, 4, 8))

    def take(self, n: int) -> memoryview:
        if self.pos + n > len(self.data):
            raise CodecError("INVALID", "a truncated n-dimensional array")
        self.pos += n
        return self.data[self.pos - n : self.pos]


def _read_array(data: memoryview) -> Any:
    body = _Body(data)
    dtype = str(body.take(body.head(0xA0, 32, 0xD9, (1, 2, 4))), "latin-1")
    dimensions = body.head(0x90, 16, 0xDC, (2, 4))
    if dimensions > len(data):
        raise CodecError("INVALID", "a truncated n-dimensional array")
    shape = tuple(body.dimension() for _ in range(dimensions))
    array = NDArray(dtype, shape, body.take(body.head(0, 0, 0xC4, (1, 2, 4))))
    if body.pos != len(data):
        raise CodecError("INVALID", "bytes follow the data of an n-dimensional array")
    try:
        array.check()
    except ValueError as err:
        raise CodecError("INVALID", str(err)) from None
    try:
        import numpy
    except ImportError:
        return array
    return numpy.frombuffer(array.data, dtype).reshape(shape)
