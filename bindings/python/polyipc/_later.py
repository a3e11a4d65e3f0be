"""Names of a module that are imported when they are first asked for, which nobody notices.

So a program that has just been started, a child of multiprocessing perhaps, is sooner at its work.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Callable

__all__ = ["of"]


def of(
    ours: dict[str, Any], modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return __getattr__ and __dir__ of a module.

    ours -- the module's globals
    modules -- names, separated by spaces, by the module that has them, or is one
    """
    where = {name: module for module, names in modules.items() for name in names.split()}

    def __getattr__(name: str) -> Any:  # noqa: N807 - these are to be a module's
        module = where.get(name)
        if module is None:
            raise AttributeError(f"module {ours['__name__']!r} has no attribute {name!r}")
        found: Any = importlib.import_module(module)
        if not module.endswith(f".{name}"):
            found = getattr(found, name)
        ours[name] = found
        return found

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*ours, *where})

    return __getattr__, __dir__
