"""Watches readers that wait for a message which never comes: what they cost while they sleep."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Bench
from bench.scenarios import Scenario, Series

SETTLING = 1.0  # seconds between the start of the wait and the first look


@dataclass(frozen=True)
class Rest:
    """What a blocked reader did, all its threads together."""

    cpu: float  # percent of one CPU
    wakeups: float  # voluntary context switches a second


def counters(pid: int) -> tuple[int, int]:
    """CPU time in ns and voluntary context switches of all threads of a process so far."""
    ran = switches = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        ran += int((task / "schedstat").read_text().split()[0])
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                switches += int(line.split()[1])
    return ran, switches


def watch(bench: Bench, everybody: list[Series], scenario: Scenario) -> dict[str, Rest]:
    """Starts a reader of each series and looks at all of them over the same seconds."""
    with contextlib.ExitStack() as stack:
        pids = {}
        for series in everybody:
            for _, worker, ids in stack.enter_context(bench.workers(series, scenario)):
                worker.go()
                pids[series.key] = ids[0]
        time.sleep(SETTLING)
        began, before = time.monotonic(), {key: counters(pid) for key, pid in pids.items()}
        time.sleep(bench.effort.blocked)
        after = {key: counters(pid) for key, pid in pids.items()}
        seconds = time.monotonic() - began
    return {
        key: Rest(
            cpu=(after[key][0] - before[key][0]) / 1e7 / seconds,
            wakeups=(after[key][1] - before[key][1]) / seconds,
        )
        for key in pids
    }
