"""Arguments on their way to C: checked where C could not tell that something is wrong."""

from __future__ import annotations

import operator
import os
from typing import Union

from polyipc._c import library
from polyipc.errors import InvalidError

Path = Union[str, "os.PathLike[str]"]

_INT64_MAX = 2**63 - 1


def name(given: str) -> bytes:
    """Return a name for C, which sees to all but NULs: there it would end at one."""
    if not isinstance(given, str):
        raise TypeError(f"name {given!r}: give a str, or None for an anonymous queue")
    if "\0" in given:
        raise InvalidError(f"name {given!r}: a NUL in it: give 1 to 128 of [A-Za-z0-9._-]")
    return given.encode("utf-8", "surrogatepass")


def name_or_none(given: str | None) -> bytes | None:
    """Return a name for C, or None for an anonymous object."""
    return None if given is None else name(given)


def flags(transient: bool | None = None, *, pickle: bool = False, trust_group: bool = False) -> int:
    """Return the flags of C that options are."""
    lifetime = 0 if transient is None else library.TRANSIENT if transient else library.KEPT
    return (
        lifetime | (library.PICKLE if pickle else 0) | (library.TRUST_GROUP if trust_group else 0)
    )


def root(given: Path | None) -> str | None:
    """Return the directory's path, good in every process and after a chdir; None: the default."""
    path = os.environ.get("POLYIPC_ROOT") or None if given is None else os.fspath(given)
    if path is None:
        return None
    if not isinstance(path, str):
        raise TypeError(f"root {path!r}: give a str or a Path")
    if "\0" in path or not path:
        raise InvalidError(f"root {path!r}: give the path of a directory")
    return os.path.abspath(path)  # noqa: PTH100 - a Path keeps the ".."


def root_for_c(path: str | None) -> bytes | None:
    """Return root()'s result for C."""
    return None if path is None else os.fsencode(path)


def file(what: str, given: Path | None) -> bytes | None:
    """Return a file's path for C, good after a chdir."""
    if given is None:
        return None
    path = os.fspath(given)
    if not isinstance(path, str):
        raise TypeError(f"{what} {path!r}: give a str or a Path")
    if "\0" in path or not path:
        raise InvalidError(f"{what} {path!r}: give the path of a file")
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - a Path keeps the ".."


def limit(what: str, given: int) -> int:
    """Return a limit in the range of C's int64, where the library checks the range it has."""
    number = operator.index(given)
    if not -_INT64_MAX <= number <= _INT64_MAX:
        raise InvalidError(f"{what} {number}: far out of range; 0 is no limit")
    return number


def part(buf: bytes | bytearray | memoryview, offset: int, size: int | None) -> bytes:
    """Return size bytes of a buffer from offset on; None: all that follow."""
    with memoryview(buf) as view:
        n = view.nbytes
        if offset < 0:
            raise InvalidError("offset is negative")
        if n < offset:
            raise InvalidError("buffer length < offset")
        if size is None:
            size = n - offset
        elif size < 0:
            raise InvalidError("size is negative")
        elif offset + size > n:
            raise InvalidError("buffer length < offset + size")
        if not view.c_contiguous:
            return view.tobytes()[offset : offset + size]
        with view.cast("B") as plain:
            return bytes(plain[offset : offset + size])
