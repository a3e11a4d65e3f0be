"""Imports CPython's own tests of multiprocessing with their import lines changed.

Nothing of the tests is copied or edited: the module is CPython's file, but where it imports
multiprocessing, in whatever form and at whatever time, it gets polyipc.multiprocessing.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

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


def unchanged() -> bool:
    """Whether the tests are to run over multiprocessing itself, to compare."""
    return "COMPAT_THEIRS" in os.environ


def changed_import(
    name: str,
    globals: Any = None,  # noqa: A002 - called like the builtin
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    """__import__, for import lines that say polyipc.multiprocessing."""
    if level or name.partition(".")[0] != THEIRS or unchanged():
        return __import__(name, globals, locals, fromlist, level)
    ours = __import__(f"polyipc.{name}", globals, locals, fromlist, 0)
    # Without names to import from it, the statement binds the top of what it imports.
    return ours if fromlist else sys.modules[OURS]


def import_star(case: Any) -> None:
    """Has a test of all modules find those of polyipc.multiprocessing under the old names."""
    if unchanged():
        return
    listed = case.get_module_names
    case.get_module_names = lambda self: [name for name in listed(self) if "._" not in name]
    ours = {THEIRS: importlib.import_module(OURS)}
    for found in pkgutil.iter_modules(ours[THEIRS].__path__):
        if "win32" not in found.name:
            ours[f"{THEIRS}.{found.name}"] = importlib.import_module(f"{OURS}.{found.name}")
    case.test_import = mock.patch.dict(sys.modules, ours)(case.test_import)


def program(text: str) -> str:
    """A program with its import lines changed."""
    if unchanged():
        return text
    text = re.sub(r"\bfrom multiprocessing\b", "from polyipc.multiprocessing", text)
    text = re.sub(r"\bimport multiprocessing(?=\.| as )", "import polyipc.multiprocessing", text)
    return re.sub(
        r"\bimport multiprocessing\b", "import polyipc.multiprocessing as multiprocessing", text
    )


# Programs of these tests are left as they are: they show that multiprocessing's resource tracker
# removes what a process that is killed leaves. polyipc leaves nothing, and needs no tracker.
TRACKED = ("test_resource_tracker", "test_shared_memory_cleaned_after_process_termination")


def popen(args: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process like subprocess.Popen; a Python program with its import lines changed."""
    tracked = sys._getframe(1).f_code.co_name in TRACKED
    # With -S only what CPython brings is found.
    if args[0] == sys.executable and "-S" not in args and not tracked:
        for i, word in enumerate(args[1:], 1):
            if args[i - 1] == "-c":
                args[i] = program(word)
            elif word.endswith(".py") or word == temporary_name():
                changed = Path(os.environ["COMPAT_PROGRAMS"], Path(word).name)
                changed.write_text(program(Path(word).read_text()))
                args[i] = str(changed)
    return subprocess.Popen(args, **options)


def temporary_name() -> str:
    """What tests call the files that they write; Python 3.9 has it elsewhere."""
    name: str = getattr(suite(), "os_helper", suite().support).TESTFN
    return name


def change_programs() -> None:
    """Changes the import lines also of the programs that the tests start."""
    changed = ModuleType("subprocess")
    vars(changed).update(vars(subprocess), Popen=popen)
    for module in (suite(), importlib.import_module("test.support.script_helper")):
        vars(module)["subprocess"] = changed
