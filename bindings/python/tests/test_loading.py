"""Loading: on first use, from the right place, of the right version, where polyipc runs at all."""

from __future__ import annotations

import ctypes.util
import subprocess
from pathlib import Path

import pytest
from running import output

import polyipc
from polyipc import _find, _platform
from polyipc._c import library

SAY_WHY = """
import polyipc
try:
    polyipc.Queue()
except ImportError as e:
    print(e)
"""


def test_import_does_not_load_the_library() -> None:
    said = output("""
import os, polyipc
def threads():
    return len(os.listdir("/proc/self/task"))
before = threads()
polyipc.Queue().close()
print(before, threads() > 1)
""")
    assert said == "1 True\n"


def test_all_names_are_there_from_the_start() -> None:
    """Modules are imported when they are asked for, which nobody notices."""
    said = output("""
import sys, polyipc
print("polyipc.sync" in sys.modules, "Lock" in dir(polyipc), "sync" in dir(polyipc))
for name in polyipc.__all__:
    getattr(polyipc, name)
from polyipc import *
from polyipc import Lock as same
import polyipc.wait
print(same is Lock is polyipc.sync.Lock, callable(polyipc.wait), hasattr(polyipc, "nothing"))
""")
    assert said == "False True True\nTrue True False\n"


def test_a_message_brings_what_it_needs() -> None:
    """The reader of a message with a lock in it has not used locks so far."""
    said = output("""
import subprocess, sys, polyipc
code = "import polyipc, sys; q = polyipc.Queue(name='q'); print(q.get().acquire())"
with polyipc.Queue(name="q") as q, polyipc.Lock() as lock:
    q.put(lock)
    lock.release()
    print(subprocess.run([sys.executable, "-c", code], stdout=-1, text=True).stdout, end="")
    q.unlink()
    lock.acquire(timeout=10)
""")
    assert said == "True\n"


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(_find.VARIABLE, str(tmp_path / "missing.so"))
    said = output(SAY_WHY)
    assert "missing.so" in said
    assert "make build" in said


def test_a_file_that_is_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "text.so"
    path.write_text("hello")
    monkeypatch.setenv(_find.VARIABLE, str(path))
    assert output(SAY_WHY).startswith(f"polyipc cannot load its library: {path}: ")


def test_a_library_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ctypes.util.find_library("m")
    assert other is not None
    monkeypatch.setenv(_find.VARIABLE, other)
    assert output(SAY_WHY).startswith(f"{other} is not a libpolyipc: ")


@pytest.mark.parametrize(("version", "abi"), [("0.0.9", 1), ("0.1.0", 77)])
def test_a_library_of_another_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, abi: int
) -> None:
    source, path = tmp_path / "other.c", tmp_path / "libpolyipc.so.0"
    source.write_text(
        f'const char *polyipc_version(void) {{ return "{version}"; }}\n'
        f"unsigned polyipc_abi(void) {{ return {abi}; }}\n"
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", path, source], check=True)
    monkeypatch.setenv(_find.VARIABLE, str(path))
    said = output(SAY_WHY)
    for part in (version, str(abi), str(path), polyipc.__version__, str(library.ABI)):
        assert part in said
    assert str(Path(library.__file__).parents[1]) in said


def test_where_it_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(_find.VARIABLE, "/named/by/the/user.so")
    assert list(_find.candidates()) == ["/named/by/the/user.so"]
    monkeypatch.delenv(_find.VARIABLE)
    package = tmp_path / "bindings/python/polyipc"
    beside, built = package / _find.SONAME, tmp_path / "build/lib" / _find.SONAME
    package.mkdir(parents=True)
    built.parent.mkdir(parents=True)
    monkeypatch.setattr(_find, "_HERE", package)
    assert list(_find.candidates()) == [_find.SONAME]
    built.touch()
    assert list(_find.candidates()) == [str(built), _find.SONAME]
    beside.touch()
    assert list(_find.candidates()) == [str(beside), str(built), _find.SONAME]


def test_threads_that_load_at_once() -> None:
    said = output("""
import polyipc, threading
start = threading.Barrier(8)
def use():
    start.wait()
    with polyipc.Queue() as q:
        q.put(1)
        names.append(q.get())
names = []
threads = [threading.Thread(target=use) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(names)
""")
    assert said == f"{[1] * 8}\n"


def test_the_logger_says_what_was_loaded() -> None:
    said = output("""
import logging, polyipc, sys
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(name)s %(message)s")
polyipc.Queue().close()
""")
    assert said.startswith(f"polyipc loaded libpolyipc {polyipc.__version__} from /")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("sys.platform = 'darwin'", "this is darwin"),
        ("sys.maxsize = 2**31 - 1", "32-bit"),
        ("sys.implementation.name = 'pypy'", "pypy"),
        ("os.confstr = lambda _: None", "not glibc"),
    ],
)
def test_elsewhere_the_import_fails_with_a_sentence(change: str, why: str) -> None:
    said = output(f"""
import ctypes, logging, os, queue, sys, threading, uuid
{change}
try:
    import polyipc
except ImportError as e:
    print(e)
""")
    assert said.startswith("polyipc runs on 64-bit Linux with glibc and CPython only: ")
    assert why in said


def test_here_it_is_supported() -> None:
    assert _platform.why_unsupported() is None
