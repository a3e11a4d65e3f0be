"""What a test left behind: processes, threads, descriptors, files of polyipc, temporary files."""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import resource_sharer
from pathlib import Path

GRACE = 5.0  # seconds for what is just ending
# Processes that multiprocessing starts once and keeps until its own ends.
LASTING = ("multiprocessing.forkserver", "multiprocessing.resource_tracker")
# Go's runtime opens one of each when it first needs a timer, whenever that is.
POLLER = ("descriptor of anon_inode:[eventpoll]", "descriptor of anon_inode:[eventfd]")
# A forkserver that is killed, or that a child started, leaves its socket in the main process's
# temporary directory, as it does without polyipc.
ABANDONED = re.compile(r"pymp-\w+/listener-\w+$")


def descendants(pid: int) -> list[int]:
    """The processes that a process started, those that they started, and so on."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            mine = [int(word) for word in path.read_text().split()]
        except OSError:  # the thread or process ended
            continue
        for child in mine:
            found += [child, *descendants(child)]
    return found


def look(served: bool) -> Counter[str]:
    """What there is now, counted, each under a name that is the same if it is there once more.

    served -- whether a manager that goes with the test's class is there: connections to it, and
        what it has not collected yet, are not what the test left behind
    """
    found = processes_and_temporary_files()
    if served:
        return found
    root = Path(os.environ["POLYIPC_ROOT"])
    for path in below(root):
        if path.name != "members":
            found[f"file {path.name} in the root"] += 1
    for fd in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")  # noqa: PTH115
        except OSError:  # the one that listed the directory
            continue
        found["descriptor of " + re.sub(r"\[\d+\]", "", target)] += 1
    for once in POLLER:
        found[once] = max(found[once], 1)
    for thread in threading.enumerate():
        found[f"thread {thread.name}"] += 1
    return found


def below(top: Path) -> Iterator[Path]:
    """All files and folders in a folder. Unlike rglob, walk minds none that goes meanwhile."""
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            yield Path(folder, name)


def processes_and_temporary_files() -> Counter[str]:
    """What of these there is now."""
    found: Counter[str] = Counter()
    for pid in descendants(os.getpid()):
        command = command_line(pid)
        if not any(name in command for name in LASTING):
            found[f"process {pid}"] += 1  # not what it runs, which an exec changes
    for path in below(Path(os.environ["TMPDIR"])):
        if os.environ["COMPAT_METHOD"] != "forkserver" or not ABANDONED.search(str(path)):
            found[f"temporary file {path}"] += 1
    return found


def since(before: Counter[str], served: bool) -> list[str]:
    """What is there beyond what was there before, once it had time to go; a line each."""
    resource_sharer.stop(timeout=GRACE)  # whose thread and socket serve on until then
    deadline = time.monotonic() + GRACE
    while (more := look(served) - before) and time.monotonic() < deadline:
        gc.collect()
        reap(more)
        time.sleep(0.01)
    return sorted(described(name) for name in more.elements())


def described(name: str) -> str:
    """What look found; of a process, also what it was started as."""
    kind, _, pid = name.partition(" ")
    return f"{name}: {command_line(int(pid))}" if kind == "process" else name


def reap(found: Counter[str]) -> None:
    """Waits for the dead that nobody else waits for: orphans, which come to this process."""
    mine = {child.pid for child in multiprocessing.active_children()}
    for name in found:
        pid = int(name.split()[1]) if name.startswith("process ") else 0
        if pid and pid not in mine:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:  # another's child
                continue


def command_line(pid: int) -> str:
    """What a process was started as; of a zombie nothing is left but its name."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return words.strip() or Path(f"/proc/{pid}/comm").read_text().strip() + " (a zombie)"
    except OSError:
        return "(gone)"
