"""Finds what a test suite left behind: files of polyipc and processes."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

SHARED_MEMORY = Path("/dev/shm")
GRACE = 5.0  # seconds for processes that are just ending
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


class Watch:
    """Gives a suite a fresh root and looks, once it is over, at what is still there.

    Orphans of the suite become children of this process, so that none is overlooked, and none
    survives: what is found is killed and removed.
    """

    def __init__(self, grace: float = GRACE) -> None:
        self.root = ""
        self.grace = grace
        self.found: list[str] = []  # a sentence each
        self._before: set[str] = set()

    def __enter__(self) -> Watch:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
        self.root = tempfile.mkdtemp(prefix="test-root-", dir=SHARED_MEMORY)
        self._before = default_root_files()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        processes = wait_for_children(self.grace)
        for pid in processes:
            self.found.append(f"process {pid}: {command_line(pid)}")
        kill(processes)
        # The registry of processes belongs to the root and stays as long as the root does.
        files = [p for p in Path(self.root).rglob("*") if p.is_file() and p.name != "members"]
        self.found += [f"file {path}" for path in files]
        self.found += [f"file {path}" for path in sorted(default_root_files() - self._before)]
        shutil.rmtree(self.root)


def default_root_files() -> set[str]:
    """The objects in the root that programs use when they are told nothing else."""
    root = SHARED_MEMORY / f"polyipc-{os.getuid()}"
    return {str(path) for path in root.glob("*") if path.name != "members"}


def children() -> list[int]:
    """The processes whose parent this one is, the dead ones among them reaped."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                break
        except ChildProcessError:
            return []
    mine = []
    for path in Path("/proc/self/task").glob("*/children"):
        mine += [int(word) for word in path.read_text().split()]
    return mine


def wait_for_children(grace: float) -> list[int]:
    """Those children that do not end by themselves in a while."""
    deadline = time.monotonic() + grace
    while (pids := children()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return pids


def kill(pids: list[int]) -> None:
    """Kills processes and, as they become ours, their children."""
    while pids:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        pids = children()


def command_line(pid: int) -> str:
    """What a process was started as."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "(gone)"
    return b" ".join(words).decode(errors="replace").strip()


if sys.platform != "linux":
    raise SystemExit("polyipc runs on 64-bit Linux with glibc only")
