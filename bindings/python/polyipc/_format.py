"""What one item of a segment is: canonical formats, as docs/spec/segment.md has them, read.

The library makes any format canonical; here it is only taken apart, for numpy and ctypes.
"""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(
    r"(?P<dims>\([\d,]+\))?(?:(?P<order>[<>])(?P<code>Z[fd]|.)|(?P<length>\d+)(?P<string>[sp])|T\{)"
)
_PAD = re.compile(r"(\d*)x")
_NAME = re.compile(r":([^:]+):")

SIZES = {
    **dict.fromkeys(("?", "c", "b", "B"), 1),
    **dict.fromkeys(("h", "H", "e"), 2),
    **dict.fromkeys(("i", "I", "f", "w"), 4),
    **dict.fromkeys(("q", "Q", "d", "Zf"), 8),
    "Zd": 16,
}

_NUMPY = {
    "?": "?",
    "c": "S1",
    "b": "i1",
    "B": "u1",
    "h": "i2",
    "H": "u2",
    "i": "i4",
    "I": "u4",
    "q": "i8",
    "Q": "u8",
    "e": "f2",
    "f": "f4",
    "d": "f8",
    "Zf": "c8",
    "Zd": "c16",
    "w": "U1",
}


class Item:
    """One item: a scalar, a string ("s", "p"), a structure ("T"), or an array of those."""

    def __init__(
        self,
        code: str,
        order: str = "<",
        dims: tuple[int, ...] = (),
        length: int = 0,
        size: int = 0,
    ) -> None:
        self.code = code
        self.order = order
        self.dims = dims
        self.length = length
        """Of a string."""
        self.fields: list[tuple[str, int, Item]] = []
        """Of a structure: name, offset and item of each; those without a name are f0, f1, ..."""
        self.size = size
        """Bytes of one, not of the array."""


def parse(text: str) -> Item:
    """Return what a canonical format says."""
    item, end = _item(text, 0)
    if end != len(text):
        raise ValueError(f"format {text!r} is not canonical")
    return item


def _item(text: str, at: int) -> tuple[Item, int]:
    token = _TOKEN.match(text, at)
    if token is None:
        raise ValueError(f"format {text!r} is not canonical at {at}")
    at = token.end()
    dims = tuple(int(n) for n in (token["dims"] or "()")[1:-1].split(",") if n)
    if token["string"]:
        length = int(token["length"])
        return Item(token["string"], dims=dims, length=length, size=length), at
    if token["code"]:
        return Item(token["code"], token["order"], dims, size=SIZES[token["code"]]), at
    structure = Item("T", dims=dims)
    while text[at] != "}":
        pad = _PAD.match(text, at)
        if pad is not None:
            structure.size += int(pad[1] or 1)
            at = pad.end()
            continue
        inner, at = _item(text, at)
        named = _NAME.match(text, at)
        name = f"f{len(structure.fields)}" if named is None else named[1]
        at = at if named is None else named.end()
        structure.fields.append((name, structure.size, inner))
        structure.size += whole_size(inner)
    return structure, at + 1


def whole_size(item: Item) -> int:
    """Return the bytes of the item, an array perhaps."""
    size = item.size
    for n in item.dims:
        size *= n
    return size


def numpy_dtype(item: Item) -> Any:
    """Return what numpy.dtype makes a dtype of."""
    kind: Any
    if item.code == "T":
        names, offsets, items = zip(*item.fields)
        kind = {
            "names": list(names),
            "formats": [numpy_dtype(i) for i in items],
            "offsets": list(offsets),
            "itemsize": item.size,
        }
    elif item.code in "sp":
        kind = f"{'S' if item.code == 's' else 'V'}{item.length}"
    else:
        kind = item.order + _NUMPY[item.code]
    return (kind, item.dims) if item.dims else kind


def native(text: str) -> str | None:
    """Return the code of a scalar as memoryviews of this machine have it; None for others."""
    code = text[1:]
    return code if text[:1] == "<" and len(code) == 1 and code not in "we" else None
