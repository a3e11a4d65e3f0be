"""Runs one series in one scenario once, in processes of its own, and says what came of it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.scenarios import Effort, Scenario, Series

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench" / "bin"
TRIPS_UNIT = 50  # round trips: whole samples
LEAD = 30_000_000  # ns from "go" to the start of turns, by which all holders are at it
LIMIT = 60.0  # seconds without an answer that say that a peer hangs


class PeerError(Exception):
    """A peer did not do what it was told."""


@dataclass(frozen=True)
class Sample:
    """What one run gave. Times are in ns."""

    messages: int = 0  # or turns
    duration: int = 0
    cpu: int = 0  # of all processes together
    trips: list[int] = field(default_factory=list)
    each: list[int] = field(default_factory=list)  # turns of each holder
    longest: int = 0  # that a holder was at one step

    @property
    def rate(self) -> float:
        """Messages or turns a second."""
        return self.messages / (self.duration / 1e9)

    @property
    def trip(self) -> float:
        """Median of the round trips, in ns."""
        return statistics.median(self.trips)

    @property
    def least(self) -> float:
        """Turns of the holder that had the fewest, in percent of its fair share."""
        return min(self.each) / statistics.mean(self.each) * 100


class Worker:
    """A process that speaks the protocol: "ready", "go", results, end of input."""

    def __init__(self, command: Sequence[str], scenario: Scenario, directory: Path) -> None:
        self.hosts = "bench.forked" in command
        self.what = command[3] if self.hosts else Path(command[0]).name
        if scenario.one_cpu:
            cpu = min(os.sched_getaffinity(0))
            command = ["taskset", "-c", str(cpu), *command]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "POLYIPC_ROOT": str(directory)},
        )

    def line(self) -> str:
        """The next line it says."""
        out = self.process.stdout
        assert out is not None
        if not select.select([out], [], [], LIMIT)[0]:
            raise PeerError(f"{self.what} has said nothing for {LIMIT:.0f} s")
        text = out.readline().decode()
        if not text:
            self.process.kill()
            assert self.process.stderr is not None
            said = self.process.stderr.read().decode().strip()
            self.process.wait()
            raise PeerError(f"{self.what} ended with {self.process.returncode}: {said[-2000:]}")
        return text

    def tell(self, line: str) -> None:
        """Say a line to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def go(self, start: int = 0) -> None:
        """Let it begin: with turns that count at a time of the clock."""
        self.tell(f"go {start}")

    def close(self) -> None:
        """All have done their work: let it close and end."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.wait(LIMIT) != 0:
            said = self.process.stderr.read().decode().strip()
            raise PeerError(
                f"{self.what} ended with {self.process.returncode} when it closed: {said[-2000:]}"
            )

    def drop(self) -> None:
        """End it, however far it is. A host of forked workers ends them when its input ends."""
        with self.process:  # which closes the pipes and waits
            if self.process.poll() is None:
                assert self.process.stdin is not None
                self.process.stdin.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(1.0 if self.hosts else 0.0)
                self.process.kill()


def roles(scenario: Scenario) -> list[str]:
    """Who takes part. Those who get come first, so that they are there when it begins."""
    if scenario.kind == "trip":
        return ["echo", "client"]
    if scenario.kind == "blocked":
        return ["idle"]
    if scenario.kind == "turns":
        return ["holder"] * scenario.holders
    return ["consumer"] * scenario.consumers + ["producer"] * scenario.producers


def commands(
    series: Series, scenario: Scenario, directory: Path, name: str, numbers: dict[str, int]
) -> Iterator[tuple[str, list[str]]]:
    """The role and the command line of each process to start; a host of all roles is called ""."""
    who = roles(scenario)
    job = {
        "name": name,
        "dir": str(directory),
        "verb": scenario.verb,
        "size": scenario.size,
        **numbers,
        "batch": series.batch,
        "step": scenario.step,
        "pause": scenario.pause,
        "producers": scenario.producers,
        "consumers": scenario.consumers,
    }
    if series.module:
        text = json.dumps(
            {**job, "payload": scenario.payload, "flow": scenario.kind != "trip", "roles": who}
        )
        yield "", [sys.executable, "-m", "bench.forked", series.module, text]
        return
    for number, role in enumerate(who):
        words = [f"{key}={value}" for key, value in job.items()]
        index = who[:number].count(role)
        yield role, [str(PROGRAMS / series.program), f"role={role}", f"index={index}", *words]


class Bench:
    """Makes runs, each with a name of its own, in one directory."""

    def __init__(self, directory: Path, effort: Effort) -> None:
        self.directory = directory
        self.effort = effort
        self.counts: dict[tuple[str, str], int] = {}  # by series and scenario
        self.rates: dict[tuple[str, str, str, int], float] = {}  # messages a second
        self._made = 0

    @contextlib.contextmanager
    def workers(
        self, series: Series, scenario: Scenario, warm: int = 0, count: int = 0, lasts: int = 0
    ) -> Iterator[list[tuple[str, Worker, list[int]]]]:
        """The processes of a run, ready to begin: role, worker, process ids of who works."""
        self._made += 1
        name = f"polyipc-bench-{os.getpid()}-{self._made}"
        started: list[tuple[str, Worker]] = []
        ready: list[tuple[str, Worker, list[int]]] = []
        try:
            # Those who get are ready before those who put begin to open: a socket that connects
            # where nobody listens yet tries again only after a while.
            numbers = {"warm": warm, "count": count, "lasts": lasts}
            everybody = commands(series, scenario, self.directory, name, numbers)
            for _, group in itertools.groupby(everybody, key=lambda pair: pair[0]):
                for role, command in group:
                    started.append((role, Worker(command, scenario, self.directory)))
                for role, worker in started[len(ready) :]:
                    pids = [int(word) for word in worker.line().split()[1:]]
                    ready.append((role, worker, pids or [worker.process.pid]))
            yield ready
        finally:
            for _, worker in started:
                worker.drop()

    def turns(self, series: Series, scenario: Scenario) -> Sample:
        """Lets all holders take turns for the time that a run should take."""
        results: list[dict[str, Any]] = []
        lasts = int(self.effort.seconds * 1e9)
        with self.workers(series, scenario, lasts=lasts) as ready:
            start = time.monotonic_ns() + LEAD
            for _, worker, _ in ready:
                worker.go(start)
            for role, worker, _ in ready:
                answer = json.loads(worker.line())
                results += [answer] if role else answer
            for _, worker, _ in ready:
                worker.tell(str(sum(r["all"] for r in results)))
            for _, worker, _ in ready:
                worker.close()
        return Sample(
            messages=sum(r["turns"] for r in results),
            duration=max(r["end"] for r in results) - min(r["begin"] for r in results),
            cpu=sum(r["cpu"] for r in results),
            each=[r["turns"] for r in results],
            longest=max(r["longest"] for r in results),
        )

    def once(self, series: Series, scenario: Scenario, warm: int, count: int) -> Sample:
        """Makes one run of so many messages of each producer, or so many round trips."""
        results: list[dict[str, Any]] = []
        with self.workers(series, scenario, warm, count) as ready:
            for _, worker, _ in ready:
                worker.go()
            for role, worker, _ in ready:
                answer = json.loads(worker.line())
                results += [{"role": role, **answer}] if role else answer
            for _, worker, _ in ready:
                worker.close()
        cpu = sum(r["cpu"] for r in results)
        trips = [t for r in results for t in r["trips"]]
        began = min(r["begin"] for r in results if r["role"] in ("producer", "client"))
        # What was warming up is still on its way when the producers' clock starts, so this is
        # rather too long than too short.
        last = [r["end"] for r in results if r["role"] == "consumer"] or [r["end"] for r in results]
        return Sample(count * scenario.producers, max(last) - began, cpu, trips)

    def count(self, series: Series, scenario: Scenario) -> int:
        """How many messages or round trips fill the time that a run should take."""
        if scenario.pause:
            return self.effort.sleeps
        unit = TRIPS_UNIT if scenario.kind == "trip" else max(scenario.consumers, 1)
        most = max(1, scenario.most_bytes // scenario.size // scenario.producers // unit) * unit
        wanted = self.effort.seconds * 1e9
        # What it did in another situation is a guess; without one, feel the way from little on.
        alike = (series.key, scenario.kind, scenario.payload, scenario.size)
        guess = self.rates.get(alike, 0.0) * self.effort.seconds / scenario.producers
        n = min(-(-max(series.batch, 50, int(guess)) // unit) * unit, most)
        if most <= 50:
            return most  # so few that there is nothing to find out
        while True:
            sample = self.once(series, scenario, warm(scenario, n), n)
            if sample.duration >= wanted / 2 or n == most:
                break
            # What it took to get going counts more in short runs: come near step by step.
            n = min(int(n * min(10.0, max(2.0, wanted / sample.duration))) // unit * unit, most)
        self.rates[alike] = sample.rate
        return max(1, min(int(n * wanted / sample.duration), most) // unit) * unit

    def run(self, series: Series, scenario: Scenario) -> Sample:
        """Makes a run that takes the time it should."""
        if scenario.kind == "turns":
            return self.turns(series, scenario)
        key = (series.key, scenario.key)
        if key not in self.counts:
            self.counts[key] = self.count(series, scenario)
        n = self.counts[key]
        return self.once(series, scenario, warm(scenario, n), n)


def warm(scenario: Scenario, count: int) -> int:
    """How many messages or round trips go before so many that count."""
    unit = max(scenario.consumers, 1)
    return max(count // 10 // unit, scenario.warm) * unit
