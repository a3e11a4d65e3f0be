"""Messages: Python objects to MessagePack and back, with the same meaning in Go, C and Python.

packb refuses what it cannot carry faithfully, with a TypeError that names the place; what unpackb
gives back equals what went in and is of the same type. Two conversions only: bytearray and
memoryview come back as bytes, an aware datetime in UTC. docs/spec/codec.md is the format.

Exact types only: an instance of a subclass (an enum member, a namedtuple, a numpy scalar) would
come back as its base, so it is refused, or pickled if asked for.

Limits: MAX_DEPTH containers in each other, MAX_SIZE bytes. All functions may be called from any
thread.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Callable

from polyipc import _codec_first, _later, _pickling
from polyipc._codec_heads import EXTENSIONS, ext_head, pickle_in
from polyipc._codec_types import (
    CONTAINERS,
    FROZEN_SET,
    MAX_DEPTH,
    MAX_SIZE,
    PICKLE,
    SET,
    TUPLE,
    Buffer,
    CodecError,
    Packed,
    PickleMetError,
    ReferencesMetError,
    opening,
)

if TYPE_CHECKING:
    from polyipc._codec_values import Ext, NDArray, Ref

__all__ = ["MAX_DEPTH", "MAX_SIZE", "CodecError", "Ext", "NDArray", "Ref", "packb", "unpackb"]

# ---- the libraries -------------------------------------------------------------------------------

# ormsgpack and msgspec are imported for the first message that is not simple, or one of many.

_MANY = 64  # simple messages, written or read, that go without them

_simple = 0  # so many did; threads may lose count

Hook = Callable[[Any], Any]


_LARGE = 4 << 20
"""Bytes of a block that is freed at first, untouched, for glibc to raise a threshold of its malloc.

It has blocks of 128 KiB or more mapped anew each time, whose pages cost more than what they carry,
until it sees a larger one freed: mallopt(3), M_MMAP_THRESHOLD. Packing doubles its buffer as it
grows, and shrinks it at the end, so that glibc would never see one of messages of 64 KiB.
"""


def load() -> None:
    """Import what carries all messages, unless it is there: a child that is forked then has it."""
    global _fast, _options, _Ext, _ext_body, _read, decode
    if _read is not _read_at_first:
        return
    with _loading:
        from polyipc._codec_read import decode, read
        from polyipc._codec_write import OPTIONS, ext_body, fast, new_ext

        bytes(_LARGE)
        _Ext, _ext_body, _options = new_ext, ext_body, OPTIONS  # before those who use them
        _fast, _read = fast, read


# A child that is forked while another thread imports a module could never import it: nobody would
# give back the module's lock. So a fork waits for a load.
_loading = threading.RLock()
os.register_at_fork(
    before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release
)


def _pack_at_first(obj: Any, hook: Hook, _none: int) -> bytes:
    """Be ormsgpack.packb until it is there."""
    global _simple
    if _simple < _MANY:
        _simple += 1
        packed = _codec_first.pack(obj)
        if packed is not None:
            return packed
    load()
    return _fast(obj, hook, _options)


def _decode_at_first(data: Buffer) -> Any:
    """Be decode until msgspec is there."""
    global _simple
    if _simple < _MANY:
        _simple += 1
        found = _codec_first.read(data)
        if found is not _codec_first.OTHER:
            return found
    load()
    return decode(data)


def _read_at_first(data: Buffer) -> Any:
    """Be _codec_read.read until it is there."""
    load()
    return _read(data)


# polyipc.queue's quick way: reads a message of at most MAX_DEPTH bytes, which cannot be nested too
# deeply, as unpackb does, but its exceptions say little.
decode: Callable[[Buffer], Any] = _decode_at_first

_read: Callable[[Buffer], Any] = _read_at_first
_fast: Callable[[Any, Hook, int], bytes] = _pack_at_first
_options = 0
_Ext: Any = None
_ext_body: Any = None


# ---- writing ------------------------------------------------------------------------------------

_MEMBERS: dict[type, int] = {tuple: TUPLE, set: SET, frozenset: FROZEN_SET}

# A new object whenever the hook met a tuple or set, whose levels ormsgpack does not add up. An
# identity, unlike a counter, can be compared across threads without a lock.
_nested: object = object()


def _special(obj: Any) -> Any:
    """Ormsgpack's hook for what it does not know."""
    global _nested
    ext = _MEMBERS.get(type(obj))
    if ext is None:
        return _Ext(*_ext_body(obj))
    _nested = object()
    return _Ext(ext, _fast(list(obj), _special, _options))


def packb(obj: object, *, pickle: bool = False) -> bytes:
    """Return obj as a message.

    Carried, and equal when read: None, bool, int of any size, float, str, bytes, list, dict, tuple,
    set, frozenset, aware datetime (as UTC), uuid.UUID, numpy arrays of numbers (in C order),
    NDArray, Ref, Ext. bytearray and memoryview are carried as bytes, open objects of polyipc as
    the Ref to them.

    With pickle=True an object that holds anything but exact builtin types, UUIDs, UTC datetimes,
    Refs and polyipc's own objects, or that holds a container twice, or a str or bytes of 4,096
    characters or bytes or more, is pickled whole; only a Python reader that opted in opens it.
    Errors of pickling are pickle's own. Where the program imported multiprocessing, what its
    reduction knows (sockets, registered types) is pickled, too.

    Raises TypeError, naming the place ("$.a[3]: ..."), for what cannot be carried, and CodecError
    (a ValueError) of code TOO_LARGE for more than MAX_DEPTH levels or MAX_SIZE bytes.
    """
    try:
        out = pack_pickling(obj) if pickle else pack_plain(obj)
    except ReferencesMetError:
        out = b"".join(pack_referring(obj, pickle=pickle).pieces)
    if len(out) > MAX_SIZE:
        raise CodecError("TOO_LARGE", f"the message has {len(out)} bytes; the limit is {MAX_SIZE}")
    return out


def pack_plain(obj: object) -> bytes:
    """Do what packb does, without pickle and the look at MAX_SIZE: polyipc.queue's quick way."""
    before = _nested
    try:
        out = _fast(obj, _special, _options)
    except (TypeError, RecursionError):  # ormsgpack's own error is a TypeError
        # Keys other than str, a big array, or an error to explain.
        from polyipc._codec_write import is_array, pack_array_whole, pack_exactly

        return pack_array_whole(obj) if is_array(obj) else pack_exactly(obj)
    if _nested is not before and len(out) > MAX_DEPTH:
        from polyipc._codec_write import pack_exactly, too_deep

        if too_deep(obj):
            return pack_exactly(obj)  # raises, and says where
    return out


def pack_referring(obj: object, *, pickle: bool = False) -> Packed:
    """Return obj as a message in pieces, and the references to the open objects that it holds."""
    if _Ext is None:
        load()
    from polyipc._codec_write import is_plain, pack_exactly

    if not pickle or is_plain(obj):
        met: list[Ref] = []
        try:
            return Packed([pack_exactly(obj, met)], met)
        except (TypeError, CodecError):
            if not pickle:
                raise
    return headed(pickled(obj))


class _Packing(threading.local):
    """What becomes of the open objects that this thread pickles: see Handle.__reduce__."""

    met: list[Ref] | None = None  # takes the references to them; None: no message is pickled


packing = _Packing()


# Types of which the library sees at once that they need no pickle: first those that hold others,
# then those that may be long.
TREE = (dict, list, tuple, str, bytes, int, float, bool, type(None))


# Reports whether an object is made of TREE alone and holds nothing twice: quickly, or not at all.
is_tree: Callable[[object], Any] = lambda _obj: False  # noqa: E731


def quicken(look: Callable[[object], Any]) -> None:
    """Take the library's look, which is there once it is loaded."""
    global is_tree
    is_tree = look


def pack_pickling(obj: object) -> bytes:
    """Do what pack_plain does, or pickle obj."""
    if is_tree(obj) or _is_plain(obj):
        try:
            return pack_plain(obj)
        except (TypeError, CodecError):
            pass  # a lone surrogate, or too deep: both are pickle's then
    packed = headed(pickled(obj))
    if packed.met or len(packed.pieces) > 1:
        raise ReferencesMetError(packed)
    return bytes(packed.pieces[0])


def _is_plain(obj: object) -> bool:
    if _Ext is None:
        load()
    from polyipc._codec_write import is_plain

    return is_plain(obj)


def pickled(obj: object) -> Packed:
    """Return the pickle of obj, the first piece, with what is beside it; it has no head."""
    met: list[Ref] = []
    before, packing.met = packing.met, met
    try:
        return Packed(_pickling.dumps(obj, apart=True), met)
    except RecursionError:
        raise CodecError("TOO_LARGE", "the object is nested too deeply even for pickle") from None
    finally:
        packing.met = before


def headed(packed: Packed) -> Packed:
    """Return a pickle as a message."""
    size = sum(map(len, packed.pieces))
    if size > MAX_SIZE:
        text = f"the message has {size} bytes; the limit is {MAX_SIZE}: put less at a time"
        raise CodecError("TOO_LARGE", text)
    first, *rest = packed.pieces
    return Packed([ext_head(PICKLE, size) + first, *rest], packed.met)


def unpackb(data: Buffer, *, pickle: bool = False) -> Any:
    """Return the object of a message.

    numpy arrays (NDArray if numpy cannot be imported) are read-only views of data, which must then
    stay as it is for as long as they live; all else is copied. Timestamps are rounded to
    microseconds. Set pickle=True only for messages of processes that you trust: opening a pickle
    may run any code. Without it, a pickle is an error.

    Raises CodecError (a ValueError) of code INVALID for bytes that are not exactly one message, and
    TOO_LARGE for more than MAX_DEPTH levels or MAX_SIZE bytes, or if data is nested and this
    thread's stack nearly used up.
    """
    return unpack(data, pickle, False)


def unpack(data: Buffer, pickle: bool, own: bool) -> Any:
    """Do what unpackb does.

    own -- whether data is bytes that nobody else has or will have: objects may then write to it
    """
    if len(data) > MAX_SIZE:
        raise CodecError("TOO_LARGE", f"the message has {len(data)} bytes; the limit is {MAX_SIZE}")
    if pickle and type(data) is bytes and _is_pickle(data):
        return _pickling.loads(pickle_in(data), own)
    try:
        obj = _read(data)
    except PickleMetError:
        body = pickle_in(data)
        if pickle:
            return _pickling.loads(body, own)
        raise CodecError(
            "INVALID",
            "the message is a Python pickle; to open it, its reader must be made with pickle=True",
        ) from None
    except RecursionError:
        raise CodecError("TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels") from None
    if len(data) <= MAX_DEPTH or type(obj) not in CONTAINERS or opening.pickle is not None:
        return obj  # what was pickled within may be deep, or a cycle; the manager has looked before
    if _may_be_deep(data):
        from polyipc._codec_write import too_deep

        if too_deep(obj):
            raise CodecError("TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels")
    return obj


def _is_pickle(data: bytes) -> bool:
    """Report whether a message looks like a pickle, which the decoder need not find out then."""
    start = EXTENSIONS.get(data[0], 0) if data else 0
    return 0 < start <= len(data) and data[start - 1] == PICKLE


if not TYPE_CHECKING:  # the value types come with the first message that has one
    __getattr__, __dir__ = _later.of(globals(), {"polyipc._codec_values": "Ext NDArray Ref"})


# All bytes that are no head of a container.
_NO_HEADS = bytes(
    b
    for b in range(256)
    if not (0x80 <= b <= 0x9F or 0xC7 <= b <= 0xC9 or 0xD4 <= b <= 0xD8 or 0xDC <= b <= 0xDF)
)


def _may_be_deep(data: Buffer) -> bool:
    """Report whether there may be over MAX_DEPTH containers, which bytes alone can rule out."""
    return len(data) > 1 << 16 or len(bytes(data).translate(None, _NO_HEADS)) > MAX_DEPTH
