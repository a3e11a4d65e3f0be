"""What a module of multiprocessing has besides what is polyipc's here: CPython's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Callable

__all__ = ["of"]


def of(
    theirs: ModuleType, ours: Mapping[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return __getattr__ and __dir__ of a module that falls back to one of CPython's.

    ours -- the module's globals
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - these are to be a module's
        if name.startswith("__") or not hasattr(theirs, name):
            raise AttributeError(f"module {ours['__name__']!r} has no attribute {name!r}")
        return getattr(theirs, name)

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*ours, *dir(theirs)})

    return __getattr__, __dir__
