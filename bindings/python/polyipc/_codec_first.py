"""The first messages of a process, before the libraries that carry the others are imported.

Importing those takes several times as long as starting a process does, and many a process says a
word or two and ends. So small messages of scalars, lists, tuples and dicts are written and read
here at first, byte for byte as by the libraries. What is anything else, or wrong, is left to them.
"""

from __future__ import annotations

import struct
from typing import Any

from polyipc._codec_heads import ext_head, head
from polyipc._codec_types import TUPLE

OTHER: Any = object()  # what read returns for a message that is not for here

_LEVELS = 8  # containers in each other
_LONGEST = 255  # bytes of a message, or of a text in one

_FLOAT = struct.Struct(">d")


class _OtherError(Exception):
    """What was met is not for here."""


def pack(obj: object) -> bytes | None:
    """Return obj as a message, or None."""
    try:
        body = _packed(obj, _LEVELS)
    except (_OtherError, UnicodeEncodeError):
        return None
    return body if len(body) <= _LONGEST else None


def _packed(obj: Any, levels: int) -> bytes:
    kind = type(obj)
    if kind is str:
        text: bytes = obj.encode()
        return _sized(text) + text
    if kind is int:
        return _packed_int(obj)
    if obj is None:
        return b"\xc0"
    if kind is bool:
        return b"\xc3" if obj else b"\xc2"
    if kind is float:
        return b"\xcb" + _FLOAT.pack(obj)
    if kind is bytes and len(obj) <= _LONGEST:
        return b"".join((head(0, 0, 0xC4, len(obj), True), obj))
    if levels == 0 or kind not in (list, tuple, dict) or len(obj) > 15:
        raise _OtherError
    levels -= 1
    if kind is dict:
        parts = [head(0x80, 16, 0, len(obj))]
        for key, value in obj.items():
            if type(key) is not str:
                raise _OtherError
            parts += _packed(key, levels), _packed(value, levels)
        return b"".join(parts)
    body = head(0x90, 16, 0, len(obj)) + b"".join([_packed(x, levels) for x in obj])
    return body if kind is list else ext_head(TUPLE, len(body)) + body


def _sized(text: bytes) -> bytes:
    if len(text) > _LONGEST:
        raise _OtherError
    return head(0xA0, 32, 0xD9, len(text), True)


def _packed_int(n: int) -> bytes:
    if -32 <= n < 128:
        return bytes((n & 0xFF,))
    for form in range(4):
        bits = 8 << form
        if 0 <= n < 1 << bits:
            return bytes((0xCC + form,)) + n.to_bytes(bits // 8, "big")
        if n < 0 and n >= -(1 << (bits - 1)):
            return bytes((0xD0 + form,)) + n.to_bytes(bits // 8, "big", signed=True)
    raise _OtherError


def read(data: Any) -> Any:
    """Return the object of a message, or OTHER."""
    if type(data) is not bytes or len(data) > _LONGEST:
        return OTHER
    try:
        value, end = _read(data, 0, _LEVELS)
    except (_OtherError, IndexError, UnicodeDecodeError):
        return OTHER
    return value if end == len(data) else OTHER


def _read(data: bytes, at: int, levels: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends."""
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 0x100, at
    if first in _CONSTANTS:
        return _CONSTANTS[first], at
    if 0xA0 <= first < 0xC0:
        return str(_part(data, at, first & 31), "utf-8"), at + (first & 31)
    if 0xCC <= first <= 0xD3:
        width = 1 << (first & 3)
        return int.from_bytes(_part(data, at, width), "big", signed=first >= 0xD0), at + width
    if first == 0xCB:
        return _FLOAT.unpack(_part(data, at, 8))[0], at + 8
    if first == 0xD9 or first == 0xC4:
        n = data[at]
        part = _part(data, at + 1, n)
        return part if first == 0xC4 else str(part, "utf-8"), at + 1 + n
    if levels == 0:
        raise _OtherError
    if first < 0xA0:
        return _read_box(data, at, first, levels - 1)
    return _read_tuple(data, at, first, levels)


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def _part(data: bytes, at: int, n: int) -> bytes:
    if at + n > len(data):
        raise _OtherError
    return data[at : at + n]


def _read_box(data: bytes, at: int, first: int, levels: int) -> tuple[Any, int]:
    values = []
    for _ in range((first & 15) << (first < 0x90)):
        value, at = _read(data, at, levels)
        values.append(value)
    if first >= 0x90:
        return values, at
    keys = values[::2]
    if not all(type(key) is str for key in keys):
        raise _OtherError
    return dict(zip(keys, values[1::2])), at


def _read_tuple(data: bytes, at: int, first: int, levels: int) -> tuple[Any, int]:
    if first == 0xC7:
        n = data[at]
        at += 1
    elif 0xD4 <= first <= 0xD8:
        n = 1 << (first - 0xD4)
    else:
        raise _OtherError
    if data[at] != TUPLE or not 0x90 <= data[at + 1] < 0xA0:
        raise _OtherError
    value, end = _read(data, at + 1, levels)
    if end != at + 1 + n:
        raise _OtherError
    return tuple(value), end
