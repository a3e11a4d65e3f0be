"""The value types of the codec; polyipc.codec is the public name for them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from polyipc._codec_types import MAX_SIZE, RESERVED

_NAME = re.compile(r"[A-Za-z0-9._-]{0,128}", re.ASCII)
_DTYPE = re.compile(r"\|[biu]1|[<>](?:[iu][248]|f[248]|c8|c16)", re.ASCII)
_MAX_DIMENSIONS = 32


@dataclass(frozen=True)
class Ref:
    """A reference to an object of the same root, such as a queue inside a message.

    kind is 1 to 255 (docs/spec/codec.md lists them); name has 0 to 128 of [A-Za-z0-9._-]. A
    reference of a kind that this version cannot open stays a Ref.
    """

    kind: int
    uuid: uuid.UUID
    name: str = ""

    def check(self) -> None:
        """Raise ValueError if a field is out of its range."""
        if type(self.kind) is not int or not 1 <= self.kind <= 255:
            raise ValueError(f"a reference of kind {self.kind!r}; it is 1 to 255")
        if type(self.uuid) is not uuid.UUID:
            raise ValueError(f"a reference whose uuid is a {type(self.uuid).__name__}")
        if type(self.name) is not str or _NAME.fullmatch(self.name) is None:
            raise ValueError(f"a reference named {self.name!r}; it has 0 to 128 of [A-Za-z0-9._-]")


@dataclass(frozen=True)
class Ext:
    """An extension type of the application, numbered 0 to 95."""

    type: int
    data: bytes

    def check(self) -> None:
        """Raise ValueError if a field is out of its range."""
        if type(self.type) is not int or not 0 <= self.type < RESERVED:
            raise ValueError(
                f"extension type {self.type!r}; an application's are 0 to {RESERVED - 1}"
            )
        if type(self.data) is not bytes:
            raise ValueError(f"an extension whose data is a {type(self.data).__name__}, not bytes")


@dataclass
class NDArray:
    """An n-dimensional array of numbers in C order, for programs without numpy.

    dtype is numpy's: byte order "<", ">" or "|" (for single bytes), kind b, i, u, f or c, bytes an
    element. With numpy installed, unpackb returns numpy arrays instead.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview

    def check(self) -> None:
        """Raise ValueError if type, shape and data do not fit each other."""
        size = item_size(self.dtype)
        if len(self.shape) > _MAX_DIMENSIONS:
            raise ValueError(f"{len(self.shape)} dimensions; the limit is {_MAX_DIMENSIONS}")
        for n in self.shape:
            if type(n) is not int or not 0 <= n <= MAX_SIZE:
                raise ValueError(f"a dimension of {n!r}; it is 0 to {MAX_SIZE}")
            size *= n
        have = memoryview(self.data).nbytes
        if have != size:
            raise ValueError(
                f"an array of type {self.dtype} and shape {self.shape} "
                f"needs {size} bytes; it has {have}"
            )


def item_size(dtype: str) -> int:
    """Return the bytes of an element; ValueError for a type that messages do not carry."""
    if type(dtype) is not str or _DTYPE.fullmatch(dtype) is None:
        raise ValueError(
            f"array type {dtype!r} is not carried; "
            "it is like '<f8': order <, > or | (single bytes), kind b, i, u, f or c, bytes"
        )
    return int(dtype[2:])
