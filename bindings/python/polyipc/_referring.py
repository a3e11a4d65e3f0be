"""Messages that refer to open objects: a queue to answer to, within a request.

The message holds the objects until it is read; reading it opens them. polyipc/reference.h is how
the library does it.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from polyipc import _calls, codec
from polyipc._c import reference as c
from polyipc._c.reference import REFERENCES
from polyipc._codec_types import REFERABLE, opening

if TYPE_CHECKING:
    from polyipc._codec_values import Ref

__all__ = [
    "PIPE",
    "PIPE_END",
    "QUEUE",
    "REFERENCES",
    "SEGMENT",
    "Carrier",
    "opens",
    "read",
    "references",
]


class Carrier(NamedTuple):
    """What the object that carried a message passes on to those within it."""

    root: str | None
    root_for_c: bytes | None
    pickle: bool
    trust_group: bool


QUEUE = 1  # kinds of references, docs/spec/codec.md
PIPE = 2  # its end 0
PIPE_END = 13  # its end 1
SEGMENT = 3
LIVE = 4  # an object of a manager


class _Opened(Protocol):
    @classmethod
    def _of_handle(cls, number: int, carrier: Carrier) -> Any: ...


_classes: dict[int, type[_Opened]] = {}
_MODULES = {QUEUE: "queue", PIPE: "pipe", PIPE_END: "pipe", SEGMENT: "segment"}
_SYNC = range(5, 13)


def opens(kind: int, cls: type[_Opened]) -> None:
    """Have references of a kind opened as objects of a class."""
    _classes[kind] = cls
    REFERABLE.add(cls)


def _class_of(kind: int) -> type[_Opened] | None:
    """Return the class of a kind. Its module is imported now if it was not asked for so far."""
    if kind not in _classes and (kind in _MODULES or kind in _SYNC):
        importlib.import_module(f"polyipc.{_MODULES.get(kind, 'sync')}")
    return _classes.get(kind)


def references(met: list[Ref]) -> list[c.Reference]:
    """Return references as the library takes them. TypeError for objects of a manager."""
    if any(r.kind == LIVE for r in met):
        raise TypeError(
            "an object of a manager cannot go into a message by itself: give the message a pickle "
            "of it, or use pickle=True"
        )
    return [c.Reference(r.kind, r.uuid.bytes, r.name.encode()) for r in met]


def read(body: bytes | bytearray | memoryview, form: int, carrier: Carrier, own: bool) -> Any:
    """Return the object of a message whose format says that it refers to others; own as in unpack.

    Raises GoneError, naming it, for one that is not there any more, and what opening raises.
    """
    receipt = form >> c.RECEIPT_SHIFT
    before = opening.by
    opening.by = functools.partial(_open, receipt, carrier)
    try:
        return codec.unpack(body, carrier.pickle, own)
    finally:
        opening.by = before
        c.give_back(receipt)


def _open(receipt: int, carrier: Carrier, ref: Ref) -> Any:
    cls = _class_of(ref.kind)
    if cls is None:
        return ref
    wanted = c.Reference(ref.kind, ref.uuid.bytes, ref.name.encode())
    status, handle = c.open_(wanted, receipt, carrier.root_for_c)
    _calls.check(status)
    return cls._of_handle(handle, carrier)


def of_handle(kind: int, handle: int, carrier: Carrier) -> Any:
    """Return the object of a kind whose handle came with the process."""
    cls = _class_of(kind)
    assert cls is not None  # kinds are checked where they come from
    return cls._of_handle(handle, carrier)
