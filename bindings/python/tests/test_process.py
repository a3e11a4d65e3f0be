from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import fork, reap

import polyipc
from polyipc.process import VARIABLE


def python(text: str, **objects: Any) -> polyipc.Child:
    code = "import polyipc, os, sys, subprocess\n" + text
    return polyipc.spawn([sys.executable, "-W", "error", "-c", code], objects)


def test_hands_over() -> None:
    jobs, results = polyipc.Queue[str](), polyipc.Queue[str]()
    child = python(
        """
jobs, results = polyipc.inherited("jobs"), polyipc.inherited("results")
results.put(jobs.get() + "!")
with polyipc.inherited("jobs") as again:
    again.put("more")
results.put(jobs.get())
""",
        jobs=jobs,
        results=results,
    )
    jobs.put("hello")
    jobs.close()  # anonymous, and gone if the child did not hold it
    assert results.get(timeout=60) == "hello!"
    assert results.get(timeout=60) == "more"
    assert child.wait(60) == 0
    results.close()


def test_of_all_kinds() -> None:
    lock, event, semaphore = polyipc.Lock(), polyipc.Event(), polyipc.Semaphore(0)
    child = python(
        """
lock, event = polyipc.inherited("lock"), polyipc.inherited("event")
semaphore = polyipc.inherited("semaphore")
semaphore.acquire()
assert lock.locked()
event.set()
""",
        lock=lock,
        event=event,
        semaphore=semaphore,
    )
    with lock:
        semaphore.release()
        assert event.wait(60)
    assert child.wait(60) == 0
    for obj in (lock, event, semaphore):
        obj.close()


def test_held_until_the_end() -> None:
    q = polyipc.Queue[int]()
    child = python("sys.stdin.read()", q=q)
    name = q.name
    q.close()
    with polyipc.Queue[int].open(name) as same:
        assert same.name == name
    child.kill()
    assert child.wait(60) == -signal.SIGKILL
    with pytest.raises(polyipc.NotFoundError):
        polyipc.Queue.open(name)


def test_pickles() -> None:
    with polyipc.Queue[complex](pickle=True) as q:
        child = python("polyipc.inherited('q', pickle=True).put(1j)", q=q)
        assert q.get(timeout=60) == 1j
        assert child.wait(60) == 0
    with polyipc.Queue[int]() as plain:
        text = "try: polyipc.inherited('q', pickle=True)\nexcept polyipc.MismatchError: sys.exit(3)"
        assert python(text, q=plain).wait(60) == 3


def test_unlinked_and_gone() -> None:
    with polyipc.Queue[str](name="name") as q:
        q.unlink()
        with polyipc.Queue[str](name="name") as other:
            assert python("polyipc.inherited('q').put('x')", q=q).wait(60) == 0
            assert (q.get(timeout=60), other.empty()) == ("x", True)
            other.unlink()
    with polyipc.Queue[str]() as q:
        text = """
q = polyipc.inherited("q")
q.close()
try: polyipc.inherited("q")
except polyipc.NotFoundError as e: sys.exit(str(e.status.name) != "GONE")
"""
        child = polyipc.spawn(
            [sys.executable, "-c", "input()\nimport polyipc, sys" + text],
            {"q": q},
            stdin=subprocess.PIPE,
        )
    child.communicate(b"\n")
    assert child.returncode == 0


def test_roles() -> None:
    with polyipc.Queue[int]() as q:
        text = """
try: polyipc.inherited("c")
except FileNotFoundError as e: print(e)
"""
        code = "import polyipc\n" + text
        command = [sys.executable, "-c", code]
        child = polyipc.spawn(command, {"a": q, "b": q}, stdout=subprocess.PIPE, text=True)
        out, _ = child.communicate(timeout=60)
        assert "a, b" in out
        for bad in ("", "a b", "a\0", "é", "x" * 129):
            with pytest.raises(polyipc.InvalidError, match="role"):
                polyipc.spawn(["true"], {bad: q})
        with pytest.raises(TypeError, match="object"):
            polyipc.spawn(["true"], {"a": 1})  # type: ignore[dict-item]
    with pytest.raises(polyipc.ClosedError):
        polyipc.spawn(["true"], {"a": q})
    with pytest.raises(FileNotFoundError):
        polyipc.inherited("a")


def test_is_a_popen() -> None:
    child = polyipc.spawn(
        ["sh", "-c", "cat; echo $X; pwd; exit 7"],
        env={"X": "y", VARIABLE: "of somebody else"},
        cwd="/dev",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.poll() is None
    assert polyipc.wait([child], 0) == []
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.01)
    assert child.communicate("in\n", timeout=60) == ("in\ny\n/dev\n", None)
    assert child.returncode == 7
    assert polyipc.wait([child, child.sentinel]) == [child, child.sentinel]
    with pytest.raises(FileNotFoundError):
        polyipc.spawn(["/nonexistent/program"])


def test_nothing_is_left_open() -> None:
    def descriptors() -> list[Path]:
        return sorted(Path("/proc/self/fd").iterdir())

    with polyipc.Queue[int]() as q:
        before = descriptors()
        for start_new_session in (False, True):
            child = polyipc.spawn(
                ["ls", "/proc/self/fd"],
                {"q": q},
                stdout=subprocess.PIPE,
                start_new_session=start_new_session,
            )
            out, _ = child.communicate(timeout=60)
            assert len(out.split()) == 5  # three, the listing's own, and the queue's
            del child
        with pytest.raises(FileNotFoundError):
            polyipc.spawn(["/nonexistent/program"], {"q": q})
        assert descriptors() == before


def test_grandchildren() -> None:
    """A shell in between passes on what it knows nothing of; who has asked passes on nothing."""
    with polyipc.Queue[str]() as q:
        code = "import polyipc; polyipc.inherited('q').put('from afar')"
        child = polyipc.spawn(["sh", "-c", '"$0" -c "$1"; exit $?', sys.executable, code], {"q": q})
        assert q.get(timeout=60) == "from afar"
        assert child.wait(60) == 0
        text = """
q = polyipc.inherited("q")
out = subprocess.run(["ls", "-l", "/proc/self/fd"], stdout=-1, close_fds=False).stdout
sys.exit(os.environ["POLYIPC_ROOT"].encode() in out)
"""
        assert python(text, q=q).wait(60) == 0


def test_in_a_forked_child() -> None:
    def work() -> None:
        child = python("polyipc.inherited('q').put('from a grandchild')", q=q)
        assert child.wait(60) == 0

    with polyipc.Queue[str]() as q:
        q.put("before")
        reap(fork(work))
        assert [q.get(), q.get()] == ["before", "from a grandchild"]
