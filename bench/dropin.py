"""The same program before and after its import line is changed, and what importing costs.

    python -m bench.dropin [--quick]

Prints the page; a full run also writes docs/benchmarks-multiprocessing.md. Exit code 1 if a program
failed.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.measure import ROOT
from bench.report import grouped

DOCS = ROOT / "docs" / "benchmarks-multiprocessing.md"
BEFORE, AFTER = "multiprocessing", "polyipc.multiprocessing"
METHODS = ("fork", "spawn", "forkserver")
PROGRAMS = {
    "queue": "Queue: messages, child to parent",
    "queue-trip": "Queue: round trips",
    "pipe": "Pipe: messages, child to parent",
    "pipe-trip": "Pipe: round trips",
    "value": "Value: increments under its lock, two processes",
    "manager": "Manager: gets and sets of a dict",
    "pool": "Pool: items of map(f, items, 1), two workers",
    "start": "Process: started, heard of, joined",
}
LIMIT = 120  # seconds after which a program hangs


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    runs: int
    seconds: float
    imports: int


FULL, QUICK = Effort(5, 0.5, 11), Effort(1, 0.2, 5)

INTRO = """# Before and after the import line

A program written for `multiprocessing` runs on polyipc when its import line is changed. These are
the figures of one program (`bench/peers/program.py`) with either import line, made by `make bench`:
operations a second, medians of {runs} runs that took turns, and the median of the ratios within the
rounds. Messages are a small dict. How to migrate, and what differs, is in
[howto/migrate-from-multiprocessing.md](howto/migrate-from-multiprocessing.md).
"""

COSTS = """
## What importing costs

A fresh interpreter each time, medians of {imports}. Time is that of the line alone; memory is what
the line added to the process's own pages (`RssAnon`). The library is loaded by the first call that
needs it, and what carries all messages is imported for the first one that is not simple, such as a
set.

| line | time, ms | memory, MiB |
|---|---:|---:|
"""

# What is run, and before it: one line is measured in the place of the other.
LINES = (
    ("", "import multiprocessing"),
    ("", "import polyipc"),
    ("", "import polyipc.multiprocessing"),
    ("import multiprocessing", "multiprocessing.Queue()"),
    ("import polyipc", "polyipc.Queue()"),
    ("import polyipc.multiprocessing as mp", "mp.Queue()"),
    ("import polyipc.multiprocessing as mp; q = mp.Queue()", "q.put('a word')"),
    ("import polyipc.multiprocessing as mp; q = mp.Queue()", "q.put({1})"),
)

COST = """
import sys, time
def memory():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
{before}
m, t = memory(), time.perf_counter()
{line}
print(time.perf_counter() - t, memory() - m)
"""


class ProgramError(Exception):
    """A program failed or hung."""


def said(command: Sequence[str], place: Path) -> str:
    """Run Python and return what it printed."""
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, "POLYIPC_ROOT": str(place)},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise ProgramError(f"{' '.join(command)} has said nothing for {LIMIT} s") from e
    if done.returncode != 0:
        raise ProgramError(f"{' '.join(command)}: {done.stderr.strip()[-2000:]}")
    return done.stdout


def programs(place: Path, effort: Effort) -> Iterator[str]:
    """The table of programs, line by line."""
    yield "| | start method | multiprocessing | polyipc | ratio |"
    yield "|---|---|---:|---:|---:|"
    for what, title in PROGRAMS.items():
        for method in METHODS:
            rounds = []
            for _ in range(effort.runs):
                each = [
                    float(
                        said(
                            ["-m", "bench.peers.program", m, method, what, str(effort.seconds)],
                            place,
                        )
                    )
                    for m in (BEFORE, AFTER)
                ]
                rounds.append(each)
            before, after = (statistics.median(column) for column in zip(*rounds))
            ratio = statistics.median(b / a for a, b in rounds)
            yield f"| {title} | {method} | {grouped(before)} | {grouped(after)} | {ratio:.1f} |"


def costs(place: Path, effort: Effort) -> Iterator[str]:
    """The table of what importing costs."""
    for before, line in LINES:
        code = COST.format(before=before, line=line)
        runs = [said(["-c", code], place).split() for _ in range(effort.imports)]
        ms, mib = (
            statistics.median(float(c) * f for c in column)
            for column, f in zip(zip(*runs), (1e3, 1 / 1024))
        )
        yield f"| `{line}` | {ms:.1f} | {mib:.1f} |"


def page(place: Path, effort: Effort) -> str:
    """The whole page."""
    now = datetime.datetime.now(datetime.timezone.utc)
    about = machine.describe()
    wanted = ("CPU", "kernel", "load before", "polyipc", "Python")
    facts = ", ".join(f"{key} {about[key]}" for key in wanted)
    lines = [
        INTRO.format(runs=effort.runs),
        f"Measured {now:%Y-%m-%d %H:%M UTC}: {facts}.\n",
        *programs(place, effort),
        COSTS.format(imports=effort.imports).rstrip("\n"),
        *costs(place, effort),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="bench.dropin", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a minute; docs stay as they are")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="polyipc-bench-", dir="/dev/shm") as place:
            text = page(Path(place), QUICK if arguments.quick else FULL)
    except ProgramError as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    print(text)
    if not arguments.quick:
        DOCS.write_text(text)
        print(f"this is {DOCS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
