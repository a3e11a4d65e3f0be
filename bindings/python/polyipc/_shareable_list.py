"""Lists in shared memory, as multiprocessing.shared_memory.ShareableList.

docs/spec/segment.md has the layout. Each item has two places for its value, of which its word names
one; so an item changes as a whole, whoever dies. The segment's lock is held around each access.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from types import GenericAlias
from typing import Any, ClassVar

from polyipc import _arguments, errors
from polyipc._segment import Segment

_MAGIC = b"polylist"
_HEAD = struct.Struct("<8sQ")
_PLACE = struct.Struct("<QQ")
_WORD = struct.Struct("<Q")

_NONE, _BOOL, _INT, _FLOAT, _STR, _BYTES = range(6)
_KINDS = {type(None): _NONE, bool: _BOOL, int: _INT, float: _FLOAT, str: _STR, bytes: _BYTES}
_FORMATS = {_NONE: "xxxxxx?x", _BOOL: "xxxxxxx?", _INT: "q", _FLOAT: "d"}


def _encode(value: object) -> tuple[int, bytes]:
    """Return the kind and the bytes of a value."""
    kind = _KINDS.get(type(value))
    if kind is None:
        raise TypeError(f"{value!r}: give None, a bool, int, float, str or bytes")
    if isinstance(value, (bool, int)) and kind in (_BOOL, _INT):
        if not -(2**63) <= value < 2**63:
            raise errors.InvalidError(f"{value}: an int must have at most 64 bits with its sign")
        return kind, bytes((value,)) if kind == _BOOL else value.to_bytes(8, "little", signed=True)
    if isinstance(value, float):
        return kind, struct.pack("<d", value)
    if isinstance(value, str):
        return kind, value.encode()
    return kind, value if isinstance(value, bytes) else b""


def _decode(kind: int, data: bytes) -> Any:
    if kind == _INT and len(data) == 8:
        return int.from_bytes(data, "little", signed=True)
    if kind == _FLOAT and len(data) == 8:
        return struct.unpack("<d", data)[0]
    if kind == _STR:
        return data.decode()
    if kind == _BYTES:
        return data
    if kind == _BOOL and len(data) == 1:
        return data != b"\0"
    if kind == _NONE and not data:
        return None
    raise ValueError(f"kind {kind} with {len(data)} bytes")


class ShareableList:
    """A list of fixed length in shared memory: None, bools, ints, floats, strs and bytes.

    ShareableList(sequence) makes one; ShareableList(name=name) opens one that exists. Items change,
    also their types; a str or bytes may take as much room as its item has: 8 bytes for each 8
    characters or bytes of the first value and for the rest of them, and what its UTF-8 needs.

    Each access takes the segment's lock; `with shareable.shm.lock:` makes several of them one.
    """

    __slots__ = ("_cells", "_places", "_segment", "shm")

    shm: Segment
    """The segment that it lies in."""

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    def __init__(
        self,
        sequence: Iterable[Any] | None = None,
        *,
        name: str | None = None,
        transient: bool | None = None,
        root: _arguments.Path | None = None,
    ) -> None:
        """Make a list of what is in sequence, or open that of a name.

        name, transient, root -- as of Segment. With a sequence ExistsError if the name is taken.

        Raises NotFoundError; CorruptError if the segment holds no list.
        """
        if sequence is None and name is not None:
            self._find(Segment.open(name, root=root))
        else:
            whole = laid_out(sequence or ())
            self._find(
                Segment.create(len(whole), name=name, initial=whole, transient=transient, root=root)
            )

    def _find(self, segment: Segment) -> None:
        """Find the items in a segment."""
        self.shm = self._segment = segment
        self._places = self._find_places()
        self._cells = [segment.atomic(at, "Q") for at, _ in self._places]

    def _find_places(self) -> list[tuple[int, int]]:
        buf = self._segment.buf
        size = len(buf)
        try:
            magic, count = _HEAD.unpack_from(buf)
            if magic != _MAGIC or count > size:
                raise ValueError("no list")
            end = _HEAD.size + count * _PLACE.size
            places = list(_PLACE.iter_unpack(buf[_HEAD.size : end]))
            for at, room in places:
                if at % 8 or room % 8 or at < end or room > size or at + 8 + 2 * room > size:
                    raise ValueError(f"an item of {room} bytes at {at}")
        except (ValueError, struct.error) as e:
            raise errors.CorruptError(
                f'open list "{self._segment.name}": the segment holds no list ({e}): use Segment'
            ) from None
        return places

    def _index(self, position: int, what: str) -> int:
        index = position + len(self._places) if position < 0 else position
        if not 0 <= index < len(self._places):
            raise IndexError(what)
        return index

    def _read(self, index: int) -> tuple[int, bytes]:
        """Return kind and bytes of an item. The lock is held."""
        at, room = self._places[index]
        word = self._cells[index].load()
        kind, half, length = word & 0xFF, word >> 8 & 0xFF, word >> 24
        if half > 1 or length > room:
            raise errors.CorruptError(
                f'read list "{self._segment.name}": item {index} says that it has {length} bytes '
                f"in half {half}: damaged by another program"
            )
        start = at + 8 + half * room
        return kind, bytes(self._segment.buf[start : start + length])

    def __getitem__(self, position: int) -> Any:
        index = self._index(position, "index out of range")
        with self._segment.lock:
            kind, data = self._read(index)
        try:
            return _decode(kind, data)
        except ValueError as e:
            raise errors.CorruptError(
                f'read list "{self._segment.name}": item {index} makes no sense ({e}): damaged by '
                "another program"
            ) from None

    def __setitem__(self, position: int, value: Any) -> None:
        index = self._index(position, "assignment index out of range")
        kind, data = _encode(value)
        at, room = self._places[index]
        if len(data) > room:
            raise ValueError(
                f"item {index} has room for {room} bytes, not {len(data)}: "
                "bytes/str item exceeds available storage"
            )
        with self._segment.lock:
            half = 1 - (self._cells[index].load() >> 8 & 1)
            start = at + 8 + half * room
            # Killed before the store: the item is as it was. The store is the commit.
            self._segment.buf[start : start + len(data)] = data
            self._cells[index].store(kind | half << 8 | len(data) << 24)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self)):
            yield self[i]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)}, name={self._segment.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        self._segment._pickled()  # noqa: SLF001
        return _opened, (type(self), self._segment)

    @property
    def format(self) -> str:
        """The items' types as struct formats, as multiprocessing has them."""
        return "".join(self._format_of(i) for i in range(len(self)))

    def _format_of(self, index: int) -> str:
        with self._segment.lock:
            kind, _ = self._read(index)
        return _FORMATS.get(kind, f"{self._places[index][1]}s")

    def count(self, value: Any) -> int:
        """Return how often value is in it."""
        return sum(value == entry for entry in self)

    def index(self, value: Any) -> int:
        """Return the first place of value; ValueError if it is not in it."""
        for i, entry in enumerate(self):
            if value == entry:
                return i
        raise ValueError(f"{value!r} not in this container")


def _opened(cls: type[ShareableList], segment: Segment) -> ShareableList:
    """Return the list of a segment that was opened again, in another process perhaps."""
    shareable = cls.__new__(cls)
    shareable._find(segment)  # noqa: SLF001
    return shareable


def laid_out(sequence: Iterable[Any]) -> bytes:
    """Return the contents of a new list."""
    values = list(sequence)
    items = [_encode(v) for v in values]
    places = []
    at = _HEAD.size + len(items) * _PLACE.size
    for value, (kind, data) in zip(values, items):
        # multiprocessing counts characters; what they need in UTF-8 may be more.
        room = 8 if kind < _STR else max(8 * (len(value) // 8 + 1), -(-len(data) // 8) * 8)
        places.append((at, room))
        at += 8 + 2 * room
    whole = bytearray(at)
    _HEAD.pack_into(whole, 0, _MAGIC, len(items))
    for i, ((kind, data), (place, room)) in enumerate(zip(items, places)):
        _PLACE.pack_into(whole, _HEAD.size + i * _PLACE.size, place, room)
        _WORD.pack_into(whole, place, kind | len(data) << 24)
        whole[place + 8 : place + 8 + len(data)] = data
    return bytes(whole)
