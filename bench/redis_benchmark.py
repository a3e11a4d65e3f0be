"""Redis's own benchmark tool, which is client and clock in one."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

from bench.measure import LIMIT, Bench, PeerError, Sample
from bench.peers.api import BATCH, KEPT, REDIS_SOCKET, place
from bench.scenarios import Scenario, Series

PROGRAM = "/usr/bin/redis-benchmark"
COMMANDS = {
    **dict.fromkeys(("set", *KEPT), ("HSET", "benchmark.hash", "key", "7")),
    "get": ("HGET", "benchmark.hash", "key"),
    "append": ("RPUSH", "benchmark.list", "7"),
    "increment": ("INCR", "benchmark.number"),
    "batch": ("HSET", "benchmark.hash", "key", "7"),
}
FIRST = 2000  # requests of the run that finds out how many fill the time


def run(bench: Bench, series: Series, scenario: Scenario) -> Sample:
    """Lets it take turns for about the time that a run should take."""
    del series
    rate = once(bench.directory, scenario, FIRST * scenario.holders)
    requests = max(FIRST, int(rate * bench.effort.seconds))
    rate = once(bench.directory, scenario, requests)
    return Sample(messages=requests, duration=int(requests / rate * 1e9))


def once(directory: Path, scenario: Scenario, requests: int) -> float:
    """Makes so many requests; returns how many a second it says that there were."""
    pipeline = BATCH if scenario.verb == "batch" else 1
    options = ["-c", str(scenario.holders), "-P", str(pipeline), "-n", str(requests), "--csv"]
    command = [
        PROGRAM,
        "-s",
        str(directory / place(REDIS_SOCKET, scenario.verb)),
        *options,
        *COMMANDS[scenario.verb],
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    if done.returncode != 0 or len(rows) != 1:
        raise PeerError(f"{PROGRAM} ended with {done.returncode}: {done.stderr}{done.stdout}")
    return float(rows[0]["rps"])
