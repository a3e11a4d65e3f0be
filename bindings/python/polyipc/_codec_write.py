"""Writing what the fast path of polyipc.codec cannot, and explaining what cannot be written at all.

Nothing here calls itself: messages may be deeper than the interpreter's stack has room for.
"""

from __future__ import annotations

# ormsgpack imports some of these from within C, where an exception of a signal handler would end
# the process by SIGSEGV. Here it is raised.
import dataclasses  # noqa: F401
import datetime
import enum  # noqa: F401
import sys
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Any

import ormsgpack

from polyipc._codec_heads import ext_head, head
from polyipc._codec_types import (
    BIG_INT,
    CONTAINERS,
    FROZEN_SET,
    MAX_DEPTH,
    NDARRAY,
    REF,
    REFERABLE,
    SET,
    TIMESTAMP,
    TUPLE,
    UUID,
    CodecError,
    Live,
    Referable,
    ReferencesMetError,
)
from polyipc._codec_values import Ext, NDArray, Ref

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

# Everything but the plainest exact types goes to the hook of polyipc.codec or makes ormsgpack fail.
OPTIONS = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
fast, new_ext = ormsgpack.packb, ormsgpack.Ext

_SCALARS = frozenset((type(None), bool, int, float, str, bytes))
_MEMBERS: dict[type, int] = {tuple: TUPLE, set: SET, frozenset: FROZEN_SET}
_KEYS = ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_PASSTHROUGH_BIG_INT

_only_scalars = _SCALARS.issuperset


def too_deep(obj: object) -> bool:
    """Report whether a tree of containers has more than MAX_DEPTH levels."""
    level: list[Any] = [obj] if type(obj) in CONTAINERS else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            x
            for c in level
            for x in (chain(c, c.values()) if type(c) is dict else c)
            if type(x) in CONTAINERS
        ]
    return bool(level)


_PLAIN = _SCALARS | CONTAINERS | {uuid.UUID, Ref, datetime.datetime}
_TEXTS = frozenset((str, bytes))

LONG = 4096
"""The length from which a str or bytes that is there twice is worth a pickle, which has it once."""


def is_plain(obj: Any, live: bool = False) -> bool:
    """Report whether obj can go without pickle and come back the same, shared parts included.

    live -- of objects that go as references, whether those of a manager do, or all others

    Goes level by level, so that the interpreter's own loops do most of the work: object by object,
    this took ten times as long as pickling.
    """
    if type(obj) in _SCALARS:
        return True
    level: list[Any] = [obj]
    seen: set[int] = set()
    while True:
        kinds = set(map(type, level))
        others = kinds - _PLAIN
        if not (all(issubclass(k, Live) for k in others) if live else others <= REFERABLE):
            return False
        if datetime.datetime in kinds and not all(map(_is_utc, level)):
            return False
        boxes = [x for x in level if type(x) in CONTAINERS or type(x) in others]
        if tuple in kinds or frozenset in kinds:
            # The empty ones are the same object everywhere, which nobody can tell.
            boxes = [x for x in boxes if x or type(x) not in (tuple, frozenset)]
        once = boxes
        if not kinds.isdisjoint(_TEXTS):
            once = boxes + [x for x in level if type(x) in _TEXTS and len(x) >= LONG]
        ids = set(map(id, once))
        if len(ids) < len(once) or not seen.isdisjoint(ids):
            return False
        if not boxes:
            return True
        seen |= ids
        level = list(chain.from_iterable(b for b in boxes if type(b) not in others))
        if dict in kinds:
            level.extend(chain.from_iterable(b.values() for b in boxes if type(b) is dict))


def _is_utc(x: Any) -> bool:
    if type(x) is not datetime.datetime:
        return True
    return x.tzinfo is datetime.timezone.utc and not x.fold


def ext_body(obj: Any, met: list[Ref] | None = None) -> tuple[int, bytes]:
    """Return extension type and body of a value that has one. TypeError says why it has none.

    met -- takes the references to open objects; ReferencesMetError if there is one and met is None
    """
    kind = type(obj)
    if isinstance(obj, Referable):
        if met is None:
            raise ReferencesMetError
        obj = obj._reference()  # noqa: SLF001 - it is for this place
        met.append(obj)
        kind = Ref
    if kind is datetime.datetime:
        return TIMESTAMP, _time_body(obj)
    if kind is uuid.UUID:
        return UUID, obj.bytes
    if kind is int:
        return BIG_INT, bytes((obj < 0,)) + abs(obj).to_bytes((obj.bit_length() + 7) // 8, "big")
    try:
        if kind is Ref:
            obj.check()
            return REF, bytes((obj.kind,)) + obj.uuid.bytes + obj.name.encode()
        if kind is Ext:
            obj.check()
            return obj.type, obj.data
        if kind is NDArray or is_array(obj):
            parts = array_parts(obj)
            return NDARRAY, b"".join(parts)
    except CodecError:
        raise
    except ValueError as err:
        raise TypeError(str(err)) from None
    raise TypeError(_why_not(kind))


def _why_not(kind: type) -> str:
    name = (
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    )
    for base in (dict, list, tuple, str, bytes, int, float, set, frozenset, datetime.datetime):
        if issubclass(kind, base):
            back = f"a {name} would come back as a plain {base.__name__}"
            return f"{back}: convert it, or use pickle=True"
    return f"a {name} cannot be carried in a message: convert it, or use pickle=True"


def is_array(obj: object) -> bool:
    """Report whether obj is exactly a numpy array, without importing numpy."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(obj) is numpy.ndarray


def array_parts(array: Any) -> list[bytes | memoryview]:
    """Return the pieces of an array's body; the last one is its data, not copied if contiguous."""
    if type(array) is NDArray:
        plain, data = array, memoryview(array.data).cast("B")
    else:
        dtype, shape = array.dtype.str, tuple(int(n) for n in array.shape)
        if array.dtype.fields is not None or array.dtype.hasobject:
            raise ValueError(
                f"array type {array.dtype} is not carried: send its numeric fields one by one"
            )
        numpy = sys.modules["numpy"]
        data = memoryview(numpy.ascontiguousarray(array).reshape(-1).view("u1"))
        plain = NDArray(dtype, shape, data)
    plain.check()
    body = [
        ormsgpack.packb(plain.dtype),
        head(0x90, 16, 0xDC, len(plain.shape)) + b"".join(map(ormsgpack.packb, plain.shape)),
        head(0, 0, 0xC4, data.nbytes, True),
    ]
    return [*body, data]


def pack_array_whole(array: Any) -> bytes:
    """Return a message that is one array, copying its data once."""
    try:
        parts = array_parts(array)
    except CodecError:
        raise
    except ValueError as err:
        raise TypeError(f"$: {err}") from None
    return b"".join([ext_head(NDARRAY, sum(map(len, parts))), *parts])


def _time_body(time: datetime.datetime) -> bytes:
    if time.utcoffset() is None:
        raise TypeError("a datetime without time zone names no moment: give it one (timezone.utc)")
    since = time - _EPOCH
    seconds, nanoseconds = since.days * 86400 + since.seconds, since.microseconds * 1000
    if nanoseconds == 0 and 0 <= seconds < 1 << 32:
        return seconds.to_bytes(4, "big")
    if 0 <= seconds < 1 << 34:
        return (nanoseconds << 34 | seconds).to_bytes(8, "big")
    return nanoseconds.to_bytes(4, "big") + seconds.to_bytes(8, "big", signed=True)


class _Frame:
    """A container being written: what is left of it, and where in it we are."""

    __slots__ = ("box", "ext", "index", "key", "mark", "on_key", "rest")

    def __init__(self, box: Any, ext: int, mark: int) -> None:
        self.box = box
        self.ext = ext  # 0: no extension to close
        self.mark = mark  # where its chunks start
        self.rest: Iterator[Any] = (
            chain.from_iterable(box.items()) if type(box) is dict else iter(box)
        )
        self.index = -1
        self.key: Any = None
        self.on_key = False

    def next(self) -> Any:
        value = next(self.rest)
        if type(self.box) is dict:
            self.on_key = not self.on_key
            if self.on_key:
                self.key = value
        self.index += 1
        return value

    def step(self) -> str:
        if type(self.box) is dict:
            if self.on_key:
                return ".(key)"
            return f".{self.key}" if type(self.key) is str else f"[{self.key!r:.40}]"
        return f"[{self.index}]"


def _path(frames: list[_Frame]) -> str:
    path = "$" + "".join(f.step() for f in frames)
    return path if len(path) <= 200 else f"{path[:100]}...{path[-60:]}"


def pack_exactly(root: object, met: list[Ref] | None = None) -> bytes:
    """Return root as a message, or raise what is wrong with it and where. met as in ext_body."""
    out: list[bytes] = []
    frames: list[_Frame] = []
    open_ids: set[int] = set()
    value: Any = root
    while True:
        try:
            frame = _write(value, out, len(frames), open_ids, met)
        except TypeError as err:
            raise TypeError(f"{_path(frames)}: {err}") from None
        except CodecError as err:
            raise CodecError(err.code, f"{_path(frames)}: {err.text}") from None
        if frame is not None:
            frames.append(frame)
            open_ids.add(id(value))
        while frames:
            try:
                value = frames[-1].next()
                break
            except StopIteration:
                done = frames.pop()
                open_ids.discard(id(done.box))
                if done.ext:
                    body = b"".join(out[done.mark :])
                    out[done.mark :] = [ext_head(done.ext, len(body)), body]
        else:
            return b"".join(out)


def _write(
    value: Any, out: list[bytes], depth: int, open_ids: set[int], met: list[Ref] | None
) -> _Frame | None:
    """Append a value to out, or just its head, returning a frame for the rest."""
    kind = type(value)
    if kind in _SCALARS:
        try:
            out.append(ormsgpack.packb(value))
            return None
        except ormsgpack.MsgpackEncodeError as err:
            if kind is not int:
                raise TypeError(f"{value!r:.40} is not text: {err}") from None
    elif kind is bytearray or kind is memoryview:
        out.append(ormsgpack.packb(bytes(value)))
        return None
    elif kind in CONTAINERS:
        if id(value) in open_ids:
            raise TypeError("this holds itself, which only pickle=True can carry")
        if depth >= MAX_DEPTH:
            raise CodecError("TOO_LARGE", f"nested deeper than {MAX_DEPTH} levels: flatten it")
        return _open(value, kind, out)
    ext, body = ext_body(value, met)
    out.append(ext_head(ext, len(body)))
    out.append(body)
    return None


def _open(value: Any, kind: type, out: list[bytes]) -> _Frame | None:
    ext, mark = _MEMBERS.get(kind, 0), len(out)
    if _only_scalars(map(type, value)) and (
        kind is not dict or _only_scalars(map(type, value.values()))
    ):
        # Nothing but scalars: ormsgpack knows them all, unless one is a big integer or no text.
        try:
            body = ormsgpack.packb(list(value) if ext else value, option=_KEYS)
        except ormsgpack.MsgpackEncodeError:
            pass
        else:
            if ext:
                out.append(ext_head(ext, len(body)))
            out.append(body)
            return None
    if kind is dict:
        out.append(head(0x80, 16, 0xDE, len(value)))
    else:
        out.append(head(0x90, 16, 0xDC, len(value)))
    return _Frame(value, ext, mark)
