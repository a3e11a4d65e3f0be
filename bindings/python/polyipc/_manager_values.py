"""Arguments and results of a manager's calls: the codec, with live objects and pickles in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable

from polyipc import _pickling, codec, errors
from polyipc._c import codec as c_codec  # noqa: F401 - makes the codec quicker
from polyipc._codec_heads import ext_head, head
from polyipc._codec_read import decode
from polyipc._codec_types import PICKLE, opening
from polyipc._codec_values import Ref
from polyipc._codec_write import is_plain, pack_exactly
from polyipc._referring import LIVE

NIL = b"\xc0"

# First bytes of values that cannot hold others: neither a container nor an extension.
SIMPLE = bytes(
    not (0x80 <= b <= 0x9F or 0xC7 <= b <= 0xC9 or 0xD4 <= b <= 0xD8 or 0xDC <= b <= 0xDF)
    for b in range(256)
)


class Each(list[Any]):
    """Values of an argument that the server takes apart: with pickle=True each goes by itself."""


class Pairs(dict[Any, Any]):
    """The same for keys and values."""


def pack_referring(values: list[Any], epoch: bytes) -> bytes:
    """Return an array of values, some of which are references; codec.pack_plain does it for others.

    epoch -- of the server that the references must be for
    """
    (body,), met = codec.pack_referring(values)
    check(met, epoch)
    return bytes(body)


def pack_pickling(values: Sequence[Any], epoch: bytes) -> bytes:
    """Do the same; what MessagePack cannot carry becomes a pickle, each value by itself."""
    if codec.is_tree(values):
        try:
            return codec.pack_plain(values)
        except (TypeError, codec.CodecError):
            pass  # a lone surrogate, or too deep: one of them is pickle's
    return head(0x90, 16, 0xDC, len(values)) + b"".join(one(v, epoch, True) for v in values)


def pack_named(named: Mapping[str, Any], epoch: bytes, pickle: bool) -> bytes:
    """Return named arguments as a map; nothing for none."""
    if not named:
        return b""
    return one(Pairs(named), epoch, pickle)


def one(value: Any, epoch: bytes, pickle: bool) -> bytes:
    """Return a single value, by itself a pickle if need be."""
    if type(value) is Each:
        return pack_pickling(value, epoch)
    if type(value) is Pairs:
        rows = (one(k, epoch, pickle) + one(v, epoch, pickle) for k, v in value.items())
        return head(0x80, 16, 0xDE, len(value)) + b"".join(rows)
    tree = pickle and codec.is_tree(value)
    if pickle and not tree and not is_plain(value, live=True):
        return _pickled(value)
    met: list[Ref] = []
    try:
        body = codec.pack_plain(value) if tree else pack_exactly(value, met)
    except (TypeError, codec.CodecError):
        if not pickle:
            raise
        return _pickled(value)  # a lone surrogate, or too deep
    check(met, epoch)
    return body


def _pickled(value: Any) -> bytes:
    (body,) = _pickling.dumps(value)
    return ext_head(PICKLE, len(body)) + bytes(body)


def check(met: list[Ref], epoch: bytes) -> None:
    """Raise TypeError for references to anything but objects of the manager."""
    for ref in met:
        if ref.kind != LIVE:
            raise TypeError(
                "only the manager's own objects can be kept within each other: "
                "of others give the name, or bytes"
            )
        if ref.uuid.bytes[:8] != epoch:
            raise errors.GoneError(
                f"the {ref.name} belongs to another manager, or to one that is dead"
            )


def read(data: bytes, by: Callable[[Ref], Any], pickle: bool) -> Any:
    """Return a value; by opens the references within it.

    Raises DecodeError, which has the bytes.
    """
    if SIMPLE[data[0]]:
        return decode(data)
    before = opening.by, opening.pickle
    opening.by, opening.pickle = by, _pickling.loads if pickle else None
    try:
        return codec.unpackb(data)
    except codec.CodecError as e:
        error = errors.DecodeError(f"what a manager sent cannot be read: {e}")
        error.taken = (data,)
        raise error from e
    finally:
        opening.by, opening.pickle = before
