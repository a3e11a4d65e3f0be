"""multiprocessing.sharedctypes on top of polyipc's segments."""

from __future__ import annotations

from typing import Any

from polyipc import segment as native

__all__ = ["Array", "RawArray", "RawValue", "Value"]

RawValue = native.RawValue
RawArray = native.RawArray


def Value(
    typecode_or_type: Any,
    *args: Any,
    lock: Any = True,
    ctx: Any = None,  # noqa: ARG001
    **options: Any,
) -> Any:
    """Return a synchronized ctypes object."""
    return native.Value(typecode_or_type, *args, lock=lock, **options)


def Array(
    typecode_or_type: Any,
    size_or_initializer: Any,
    *,
    lock: Any = True,
    ctx: Any = None,  # noqa: ARG001
    **options: Any,
) -> Any:
    """Return a synchronized ctypes array."""
    return native.Array(typecode_or_type, size_or_initializer, lock=lock, **options)
