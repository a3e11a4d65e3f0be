"""Programs with the drop-in, in files that spawn and forkserver run again, under each start method.

What they show is in programs/; each step that one gets through is a line.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from running import PATIENCE, run

import polyipc

PROGRAMS = Path(__file__).parent / "programs"
STEPS = {
    "objects": [
        *("arguments", "attributes", "nested", "handed on", "over a queue", "over a pipe"),
        "dropped",
    ],
    "pools": ["calls", "initializers", "deaths", "threads"],
    "exits": ["[0, 1, 4]", "1", "late", "over"],
    "executors": ["calls", "initializers", "tasks_per_child", "deaths", "proxies", "cancelling"],
}

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


@METHODS
@pytest.mark.parametrize("name", STEPS)
def test_of(name: str, method: str) -> None:
    assert run(PROGRAMS / f"{name}.py", method).splitlines() == STEPS[name]


@METHODS
def test_the_workers_of_a_killed_parent_end(method: str) -> None:
    command = [sys.executable, "-W", "error", str(PROGRAMS / "orphans.py"), method]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            workers = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        finally:
            parent.kill()
    try:
        assert len(workers) == 2
        for worker in workers:
            assert select.select([worker], [], [], PATIENCE)[0], "a worker goes on"
    finally:
        for worker in workers:
            os.close(worker)
    polyipc.gc()  # what a killed process had, its successor in the root removes
