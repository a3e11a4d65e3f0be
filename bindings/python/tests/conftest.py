"""A root of its own for every test, and a look at what the test left behind."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

GRACE = 5.0  # seconds for threads and descriptors that are just ending


def descriptors() -> dict[str, str]:
    """The open descriptors and what they are, of which the listing's own is one."""
    found = {}
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found[path.name] = str(path.readlink())
    return found


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives the test an empty root, and wants it empty afterwards, but for the registry."""
    path = Path(tempfile.mkdtemp(prefix="test-root-", dir="/dev/shm"))
    monkeypatch.setenv("POLYIPC_ROOT", str(path))
    before = set(descriptors().values())
    yield path
    gc.collect()  # closes what is no longer referenced
    try:
        deadline = time.monotonic() + GRACE
        while leftovers(path, before) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert leftovers(path, before) == []
    finally:
        shutil.rmtree(path)


def leftovers(root: Path, before: set[str]) -> list[str]:
    """What should not be there."""
    found = [f"file {p}" for p in root.iterdir() if p.name != "members"]
    here = str(root)
    found += [
        f"descriptor {number}: {what}"
        for number, what in descriptors().items()
        if what not in before
        and what.startswith((here, "/dev/shm", "socket:", "pipe:"))
        and what != f"{here}/members"
    ]
    found += [f"thread {t}" for t in threading.enumerate() if t is not threading.main_thread()]
    with contextlib.suppress(ChildProcessError):
        pid, _ = os.waitpid(-1, os.WNOHANG)
        found.append(f"child process {pid or ''}")
    return found
