"""The numbers of the codec, and what its modules say to each other.

Imported with the package, so without what only some messages need: polyipc._codec_values.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Union

from polyipc.errors import Error, Status

if TYPE_CHECKING:
    from polyipc._codec_values import Ref

Buffer = Union[bytes, bytearray, memoryview]

MAX_DEPTH = 255
"""How many lists, dicts, tuples and sets may contain each other: [[1]] has depth 2."""

MAX_SIZE = 2**32 - 1
"""The most bytes a message may have."""

# Extension types; docs/spec/codec.md has the bytes of each.
TIMESTAMP = -1
RESERVED = 96  # below: the application's own
REF = 100
UUID = 101
BIG_INT = 102
NDARRAY = 103
TUPLE = 104
SET = 105
FROZEN_SET = 106
PICKLE = 107

CONTAINERS = frozenset((list, dict, tuple, set, frozenset))


class CodecError(Error, ValueError):
    """Bytes that are no message (code "INVALID"), or a limit exceeded (code "TOO_LARGE")."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text, Status[code])
        self.code = code
        self.text = text

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return CodecError, (self.code, self.text)


class Referable:
    """What goes into a message as a reference: open objects of polyipc."""

    __slots__ = ()

    def _reference(self) -> Ref:
        raise NotImplementedError


REFERABLE: set[type] = set()
"""The classes that references are opened as. An object of a subclass would come back as one of
these: with pickle=True it is pickled."""


class Live(Referable):
    """What refers to an object of a manager, and goes into messages to that manager alone."""

    __slots__ = ()


class Packed(NamedTuple):
    """A message in pieces, and the references to the open objects that it holds."""

    pieces: list[bytes | memoryview]
    met: list[Ref]


class ReferencesMetError(Exception):
    """The object holds some that go as references, or large buffers: see codec.pack_referring.

    packed -- it already, if pickling found that out: to pickle it again may have effects.
    """

    def __init__(self, packed: Packed | None = None) -> None:
        super().__init__()
        self.packed = packed


class PickleMetError(Exception):
    """The message holds a pickle; the caller looks whether it is one as a whole."""


class _Opening(threading.local):
    """How this thread opens what it reads."""

    by: Callable[[Ref], Any] | None = None  # references
    pickle: Callable[[Buffer], Any] | None = None  # pickles, wherever they are


opening = _Opening()
