"""ctypes types and formats: what Value and Array are made of."""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any

from polyipc import _format
from polyipc._format import Item

Structure = ctypes.Structure


class Half(ctypes.c_uint16):
    """A float of two bytes, which ctypes has not."""

    def __init__(self, value: float = 0.0) -> None:
        ctypes.c_uint16.__init__(self, _bits(value))  # super() confuses the metaclass

    @property  # type: ignore[override]
    def value(self) -> float:
        return _float(int(_half_bits.__get__(self)))

    @value.setter
    def value(self, value: float) -> None:
        _half_bits.__set__(self, _bits(value))


_half_bits: Any = (
    ctypes.c_uint16.__dict__.get("value") or ctypes.c_uint16.__mro__[1].__dict__["value"]
)


def _half(value: Any) -> Any:
    return value if isinstance(value, Half) else Half(value)


def _bits(value: float) -> int:
    return int(struct.unpack("<H", struct.pack("<e", value))[0])


def _float(bits: int) -> float:
    return float(struct.unpack("<e", struct.pack("<H", bits))[0])


TYPES: dict[str, Any] = {
    "c": ctypes.c_char,
    "u": ctypes.c_wchar,
    "w": ctypes.c_wchar,
    "?": ctypes.c_bool,
    "b": ctypes.c_byte,
    "B": ctypes.c_ubyte,
    "h": ctypes.c_short,
    "H": ctypes.c_ushort,
    "i": ctypes.c_int,
    "I": ctypes.c_uint,
    "l": ctypes.c_long,
    "L": ctypes.c_ulong,
    "q": ctypes.c_longlong,
    "Q": ctypes.c_ulonglong,
    "n": ctypes.c_ssize_t,
    "N": ctypes.c_size_t,
    "e": Half,
    "f": ctypes.c_float,
    "d": ctypes.c_double,
}


def type_of(typecode_or_type: Any) -> Any:
    """Return the ctypes type; TypeError if it is none."""
    kind: Any = (
        TYPES.get(typecode_or_type) if isinstance(typecode_or_type, str) else typecode_or_type
    )
    try:
        ctypes.sizeof(kind)
    except TypeError:
        raise TypeError(
            f"{typecode_or_type!r}: give a ctypes type, or one of {' '.join(TYPES)}"
        ) from None
    return kind


@functools.lru_cache(maxsize=256)
def array_of(kind: Any, length: int) -> Any:
    """Return the type of an array."""
    plain = kind * length
    if kind is not Half:
        return plain

    def get(self: Any, index: Any) -> Any:
        found = plain.__getitem__(self, index)
        return [h.value for h in found] if isinstance(index, slice) else found.value

    def put(self: Any, index: Any, value: Any) -> None:
        many = isinstance(index, slice)
        plain.__setitem__(self, index, [_half(v) for v in value] if many else _half(value))

    def begin(self: Any, *values: float) -> None:
        plain.__init__(self, *values)

    return type(
        f"Half_Array_{length}",
        (plain,),
        {"__getitem__": get, "__setitem__": put, "__init__": begin},
    )


def size_of(kind: Any) -> int:
    """Return the bytes of a type."""
    return ctypes.sizeof(kind)


def format_of(kind: Any) -> str:
    """Return the format of a ctypes type, with all padding spelled out.

    What has no format, such as a union or bit fields, is a string of bytes.
    """
    if kind is Half:
        return "<e"
    if issubclass(kind, ctypes.Array):
        dims = []
        while issubclass(kind, ctypes.Array):
            dims.append(str(kind._length_))
            kind = kind._type_
        return f"({','.join(dims)}){format_of(kind)}"
    if issubclass(kind, ctypes.Structure):
        return _structure_format(kind)
    if issubclass(kind, ctypes.Union):
        return f"{ctypes.sizeof(kind)}s"
    return memoryview(kind()).format


def _structure_format(kind: Any) -> str:
    size, at, parts = ctypes.sizeof(kind), 0, []
    for owner in reversed(kind.__mro__):
        for name, of, *bits in owner.__dict__.get("_fields_", ()):
            place = getattr(owner, name)
            if bits or ":" in name:
                return f"{size}s"
            if ctypes.sizeof(of) == 0:
                continue
            parts.append(_pad(place.offset - at) + f"{format_of(of)}:{name}:")
            at = place.offset + ctypes.sizeof(of)
    if not parts:
        return f"{size}s"
    return f"T{{{''.join(parts)}{_pad(size - at)}}}"


def _pad(size: int) -> str:
    return f"{size}x" if size else ""


def of_format(text: str) -> Any:
    """Return a ctypes type for a canonical format; None if there is none."""
    return _of_item(_format.parse(text))


def _of_item(item: Item) -> Any:
    if item.code == "T":
        kind = _structure(item)
    elif item.code in "sp":
        kind = ctypes.c_char * item.length
    else:
        kind = TYPES.get(item.code)
        if kind is not None and item.order == ">":
            kind = getattr(kind, "__ctype_be__", None)
    for n in reversed(item.dims):
        kind = None if kind is None else array_of(kind, n)
    return kind


def _structure(item: Item) -> Any:
    """Return a Structure with the fields at their places, packed with padding if need be."""
    fields: list[tuple[str, Any]] = []
    at = 0
    for name, offset, inner in item.fields:
        kind = _of_item(inner)
        if kind is None:
            return None
        if offset > at:
            fields.append((f"_pad{at}", ctypes.c_char * (offset - at)))
        fields.append((name, kind))
        at = offset + ctypes.sizeof(kind)
    if item.size > at:
        fields.append((f"_pad{at}", ctypes.c_char * (item.size - at)))
    return type("Item", (ctypes.Structure,), {"_pack_": 1, "_layout_": "ms", "_fields_": fields})


def make(kind: Any, *args: Any) -> Any:
    """Return a new object of a type, in memory of this process alone."""
    return kind(*args)


def place(kind: Any, memory: Any) -> Any:
    """Return an object of a type that lies in the memory of a base, and keeps it."""
    return kind.from_buffer(memory)


def is_simple(obj: Any) -> bool:
    """Report whether obj is a single number or character."""
    return isinstance(obj, ctypes._SimpleCData)  # noqa: SLF001


def is_array(obj: Any) -> bool:
    """Report whether obj is an array."""
    return isinstance(obj, ctypes.Array)


def is_string(obj: Any) -> bool:
    """Report whether obj is an array of characters, which has value and raw."""
    return isinstance(obj, ctypes.Array) and obj._type_ is ctypes.c_char


def field_names(kind: Any) -> list[str]:
    """Return the names of a structure's or union's fields, inherited ones too."""
    owners = reversed(kind.__mro__)
    return [f[0] for owner in owners for f in owner.__dict__.get("_fields_", ())]


def portable(kind: Any) -> Any:
    """Return a type as pickle can have it: types of arrays have no name."""
    if isinstance(kind, type) and issubclass(kind, ctypes.Array):
        return portable(kind._type_), kind._length_
    return kind


def of_portable(kind: Any) -> Any:
    """Return the type that portable made something of."""
    return array_of(of_portable(kind[0]), kind[1]) if isinstance(kind, tuple) else kind
