"""What importing brings, and what it leaves for later: a program's start is everybody's cost."""

from __future__ import annotations

import pytest
from running import PATIENCE, output

# Over what `import multiprocessing` brings. What comes here is paid for by every child that is
# spawned.
ALLOWED = {
    *("atexit", "contextlib", "ctypes", "heapq", "importlib", "queue", "typing", "warnings"),
    "weakref",
    # multiprocessing.util's, which a child has in any case
    *("subprocess", "fcntl", "grp", "locale", "pwd"),
    *("polyipc", "multiprocessing"),
}
HEAVY = {
    *("dataclasses", "inspect", "ast", "dis", "tokenize", "logging", "pathlib", "urllib"),
    *("traceback", "uuid", "platform", "datetime", "hashlib", "decimal", "json", "asyncio"),
    *("numpy", "ormsgpack", "msgspec", "typing_extensions"),
}

BROUGHT = """
import sys
{before}
there = set(sys.modules)
{line}
brought = {{name.partition(".")[0] for name in set(sys.modules) - there}}
print(*sorted(name for name in brought if not name.startswith("_")))
"""


def brought(line: str, before: str = "") -> set[str]:
    return set(output(BROUGHT.format(before=before, line=line)).split())


@pytest.mark.parametrize("module", ["polyipc", "polyipc.multiprocessing"])
def test_importing_brings_little(module: str) -> None:
    found = brought(f"import {module}", "import multiprocessing")
    assert found - ALLOWED == set()


@pytest.mark.parametrize("name", ["queues", "synchronize"])
def test_a_spawned_childs_modules_bring_little(name: str) -> None:
    found = brought(f"import polyipc.multiprocessing.{name}", f"import multiprocessing.{name}")
    assert found - ALLOWED == set()


def test_a_queue_and_a_word_bring_little() -> None:
    """The first call, and messages that are simple."""
    found = brought("""
import polyipc.multiprocessing as mp
q = mp.Queue()
for message in ("hello", 1, None, {"a": [1.5, True]}, ("task", -5, b"bytes")):
    q.put(message)
    assert q.get() == message
q.close()
""")
    assert found & HEAVY == set()


@pytest.mark.parametrize("message", ["[1] * 1000", "{1, 2}", "2**70", "'x' * 300", "{1: 2}"])
def test_any_message_may_be_the_first(message: str) -> None:
    said = output(f"""
import polyipc
with polyipc.Queue() as q:
    q.put({message})
    print(q.get() == {message})
""")
    assert said == "True\n"


def test_many_messages_bring_the_libraries() -> None:
    said = output("""
import sys, polyipc
with polyipc.Queue() as q:
    for n in range(200):
        q.put(n)
        assert q.get() == n
print("ormsgpack" in sys.modules, "msgspec" in sys.modules)
""")
    assert said == "True True\n"


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_forked_children_have_the_libraries_imported(method: str) -> None:
    """Each of them would import them for itself."""
    said = output(f"""
import polyipc.multiprocessing as mp
with mp.get_context({method!r}).Pool(1) as pool:
    names = ("ormsgpack", "msgspec")
    print(*(pool.apply(eval, (f"{{name!r}} in __import__('sys').modules",)) for name in names))
""")
    assert said == "True True\n"


def test_events_before_logging_is_imported_are_nobodys() -> None:
    """And what comes after is logged."""
    said = output("""
import sys, polyipc
polyipc.Queue().close()
print("logging" in sys.modules)
import logging
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(levelname)s %(message)s")
from polyipc import _events
_events.tell("4 something")
""")
    assert said == "False\nWARNING something\n"


def test_a_fork_while_another_thread_imports_the_libraries() -> None:
    """Its child would wait for ever for the lock of a module, which that thread has."""
    said = output("""
import importlib.abc, os, sys, threading, time
import polyipc
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "ormsgpack":
            begun.set()
            time.sleep(0.3)
sys.meta_path.insert(0, Slow())
begun = threading.Event()
q = polyipc.Queue()
thread = threading.Thread(target=q.put, args=({1},))
thread.start()
begun.wait()
pid = os.fork()
if pid == 0:
    q.put({2})
    os._exit(0)
got = [q.get(timeout=10) for _ in range(2)]
os.waitpid(pid, 0)
thread.join()
print(sorted(map(list, got)))
""")
    assert said == "[[1], [2]]\n"


@pytest.mark.parametrize("size", [1 << 16, 1 << 20])
def test_large_messages_reuse_their_memory(size: int) -> None:
    """Pages mapped anew for each would be one fault for 4 KiB."""
    faults = output(f"""
import resource
from polyipc import codec

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

message = {{"text": "some", "data": bytes({size})}}
for _ in range(10):
    codec.unpackb(codec.packb(message))
before = faults()
for _ in range(100):
    codec.unpackb(codec.packb(message))
print(faults() - before)
""")
    assert int(faults) < 100 * (size >> 12) // 4


def test_a_second_load_does_nothing() -> None:
    """Each fork asks for it; the block of 4 MiB would then be zeroed, page after page."""
    peak = output("""
import tracemalloc
from polyipc import codec
codec.load()
tracemalloc.start()
codec.load()
print(tracemalloc.get_traced_memory()[1])
""")
    assert int(peak) < 1 << 20


def test_libraries_import_nothing_from_within_c() -> None:
    """A signal handler that raises meanwhile may end the process by SIGSEGV."""
    said = output("""
import builtins, sys
from polyipc import codec

theirs = builtins.__import__

def imports(name, *others):
    # An extension module's code has no frame of its own.
    if sys._getframe(1).f_code.co_name == "_call_with_frames_removed" and name not in sys.modules:
        print(name)
    return theirs(name, *others)

builtins.__import__ = imports
codec.load()
""")
    # CPython's own decimal can be interrupted; of msgspec docs/limits.md tells.
    assert set(said.split()) - {"numbers"} == {"msgspec._utils"}


@pytest.mark.parametrize("needing", ["codec.load()", "import polyipc.manager"])
def test_signals_that_come_while_ormsgpack_is_imported(needing: str) -> None:
    """Their handlers raise, again and again; each time a little later."""
    said = output(f"""
import faulthandler, os, signal
import msgspec  # which must not be interrupted and imported again: docs/limits.md
from polyipc import codec

faulthandler.dump_traceback_later({PATIENCE / 2}, exit=True)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # warnings of half-made classes, of files left open

class Tick(Exception):
    pass

def needs():
    {needing}

def handler(_, frame):
    while frame is not None:
        if frame.f_code is needs.__code__:
            raise Tick
        frame = frame.f_back

ticks = 0
signal.signal(signal.SIGALRM, handler)
while True:
    period = 0.0002 * (ticks + 1)
    signal.setitimer(signal.ITIMER_REAL, period, period)
    try:
        needs()
        break
    except Exception:  # of a tick within a class's making: RuntimeError
        ticks += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(ticks > 0, codec.unpackb(codec.packb({{"a": [1.5, None]}})))
""")
    assert said == "True {'a': [1.5, None]}\n"
