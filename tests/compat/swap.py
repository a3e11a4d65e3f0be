"""Imports CPython's own tests of multiprocessing with their import lines changed.

Nothing of the tests is copied or edited: the module is CPython's file, but where it imports
multiprocessing, in whatever form and at whatever time, it gets polyipc.multiprocessing.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

SUITE = "test._test_multiprocessing"
THEIRS, OURS = "multiprocessing", "polyipc.multiprocessing"


def suite() -> ModuleType:
    """CPython's tests over polyipc; ImportError with the cure if this Python lacks them."""
    if SUITE in sys.modules:
        return sys.modules[SUITE]
    spec = importlib.util.find_spec(SUITE)
    if spec is None or spec.loader is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ImportError(
            f"{sys.executable} has no {SUITE}: install CPython's own tests"
            f" (Debian's package is libpython{version}-testsuite)"
        )
    fill()
    module = importlib.util.module_from_spec(spec)
    # A function takes its builtins from the module that defines it, once: so this comes first.
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": changed_import}
    sys.modules[SUITE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[SUITE]
        raise
    return module


def changed_import(
    name: str,
    globals: Any = None,  # noqa: A002 - called like the builtin
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    """__import__, for import lines that say polyipc.multiprocessing."""
    if level or name.partition(".")[0] != THEIRS:
        return __import__(name, globals, locals, fromlist, level)
    ours = __import__(f"polyipc.{name}", globals, locals, fromlist, 0)
    # Without names to import from it, the statement binds the top of what it imports.
    return ours if fromlist else sys.modules[OURS]


def fill() -> None:
    """Lets CPython's modules stand in for those that polyipc.multiprocessing does not have yet."""
    import multiprocessing
    import pkgutil

    ours = importlib.import_module(OURS)
    for found in pkgutil.iter_modules(multiprocessing.__path__):
        if "win32" in found.name:
            continue
        try:
            importlib.import_module(f"{OURS}.{found.name}")
        except ModuleNotFoundError:
            sys.modules[f"{OURS}.{found.name}"] = module = importlib.import_module(
                f"{THEIRS}.{found.name}"
            )
            setattr(ours, found.name, module)
