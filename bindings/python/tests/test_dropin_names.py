"""polyipc.multiprocessing has the names of multiprocessing, module by module."""

from __future__ import annotations

import importlib
import types
from pathlib import Path

import pytest
from running import output

import polyipc.multiprocessing as ours

MODULES = (
    *("connection", "context", "dummy", "dummy.connection", "forkserver", "heap", "managers"),
    *("pool", "popen_fork", "popen_forkserver", "popen_spawn_posix", "process", "queues"),
    *("reduction", "resource_sharer", "resource_tracker", "shared_memory", "sharedctypes"),
    *("spawn", "synchronize", "util"),
)


def public(module: types.ModuleType) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


@pytest.mark.parametrize("name", MODULES)
def test_of_each_module(name: str) -> None:
    theirs = importlib.import_module(f"multiprocessing.{name}")
    module = importlib.import_module(f"polyipc.multiprocessing.{name}")
    assert public(theirs) - public(module) == set()
    for attribute in public(theirs):
        assert hasattr(module, attribute)
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        getattr(module, "no_such_name")  # noqa: B009 - an import, to a type checker


def test_of_the_package() -> None:
    """In a program of its own, where nothing else has imported modules into the packages."""
    said = output("""
import multiprocessing
there = {n for n in dir(multiprocessing) if not n.startswith("_")}
import polyipc.multiprocessing as ours
print(there - set(dir(ours)) - {"sys"}, set(multiprocessing.__all__) ^ set(ours.__all__))
""")
    assert said == "set() set()\n"


def test_a_module_that_nobody_imported() -> None:
    said = output("""
import polyipc.multiprocessing as mp
print(mp.connection.wait([], 0), mp.spawn.__name__, hasattr(mp, "popen_spawn_win32"))
""")
    assert said == "[] multiprocessing.spawn False\n"


def test_each_module_says_what_is_public() -> None:
    """As a test of CPython's wants of all files of the package."""
    assert ours.__file__ is not None
    for file in Path(ours.__file__).parent.glob("[!_]*.py"):
        if file.stem != "popen_spawn_win32":
            module = importlib.import_module(f"polyipc.multiprocessing.{file.stem}")
            assert all(hasattr(module, name) for name in module.__all__), file


def test_what_talks_is_polyipcs() -> None:
    """And not what a module falls back to."""
    wanted = {
        "queues": ("Queue", "JoinableQueue", "SimpleQueue"),
        "connection": ("Connection", "Pipe", "Listener", "Client", "wait"),
        "synchronize": (
            *("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier"),
        ),
        "sharedctypes": ("Value", "Array", "RawValue", "RawArray", "synchronized"),
        "shared_memory": ("SharedMemory", "ShareableList"),
        "managers": ("BaseManager", "SyncManager", "SharedMemoryManager", "BaseProxy", "Token"),
        "pool": ("Pool",),
    }
    for name, names in wanted.items():
        module = importlib.import_module(f"polyipc.multiprocessing.{name}")
        for attribute in names:
            assert getattr(module, attribute).__module__.startswith("polyipc."), attribute


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_of_each_context(method: str) -> None:
    import multiprocessing

    context = ours.get_context(method)
    assert set(dir(multiprocessing.get_context(method))) <= set(dir(context))
    assert context.get_start_method() == method
    assert context.get_context() is context
    assert context.get_context("spawn") is ours.get_context("spawn")
    assert isinstance(context, multiprocessing.context.BaseContext)
    with pytest.raises(ValueError, match="cannot find context for 'thread'"):
        context.get_context("thread")


def test_the_start_method_is_one_for_both() -> None:
    said = output("""
import multiprocessing
import polyipc.multiprocessing as mp
print(mp.get_start_method(allow_none=True))
mp.set_start_method("spawn")
print(multiprocessing.get_start_method(), type(mp.get_context()).__name__)
try:
    mp.set_start_method("fork")
except RuntimeError as e:
    print(e)
multiprocessing.set_start_method("fork", force=True)
print(mp.get_start_method(), mp.Process is multiprocessing.Process)
print(mp.get_all_start_methods() == multiprocessing.get_all_start_methods())
""")
    assert said.splitlines() == [
        "None",
        "spawn SpawnContext",
        "context has already been set",
        "fork True",
        "True",
    ]


def test_what_is_cpythons_own_is_the_same_object() -> None:
    import multiprocessing.process
    import multiprocessing.util

    for name in ("current_process", "parent_process", "active_children", "Process"):
        assert getattr(ours, name) == getattr(multiprocessing, name)
    util = importlib.import_module("polyipc.multiprocessing.util")
    assert util is multiprocessing.util
    assert ours.process is multiprocessing.process
    assert ours.get_logger() is multiprocessing.get_logger()


@pytest.mark.parametrize(("ask", "has"), [("", "False True"), ("ask", "True True")])
def test_the_fork_server_has_polyipc_imported(ask: str, has: str) -> None:
    """Its children begin with what it has: what the program asks for, and what they need anyway."""
    said = output(f"""
import polyipc.multiprocessing as mp
if {ask!r}:
    mp.set_forkserver_preload(["colorsys"])
with mp.get_context("forkserver").Pool(1) as pool:
    names = ("colorsys", "polyipc.multiprocessing.synchronize")
    print(*(pool.apply(eval, (f"{{name!r}} in __import__('sys').modules",)) for name in names))
""")
    assert said == has + "\n"
