"""Measures polyipc and its peers side by side: make bench.

    python -m bench.run [--quick] [--only KEY,...] [--no-docs]

Prints the tables; writes build/bench/report.md, report.json and plots; a full run also puts the
tables into docs/benchmarks.md. Exit code 1 if a figure is missing: a peer that could not be
measured is a failure; a target that is missed is not.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import blocked, machine, plots, prepare, redis_benchmark, report, servers
from bench.measure import ROOT, Bench, PeerError
from bench.results import Results
from bench.scenarios import BY_KEY, FULL, QUICK, SCENARIOS, Scenario, Series
from bench.targets import TARGETS

OUTPUT = ROOT / "build" / "bench"
DOCS = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: made by make bench -->", "<!-- end of the figures -->"


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A place in memory for the queues of this run, of which nothing is left behind."""
    path = Path(tempfile.mkdtemp(prefix="polyipc-bench-", dir="/dev/shm"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        for left in path.parent.glob(f"polyipc-bench-{os.getpid()}-*"):  # Boost's
            left.unlink()


def measure(bench: Bench, chosen: Sequence[Scenario]) -> Results:
    """Runs all scenarios, round after round: in each, every series once.

    A virtual machine may be several times slower for a minute or two. That is a round then, not
    all of a scenario.
    """
    results = Results()
    for scenario in chosen:
        if scenario.kind == "blocked":
            try:
                results.rests = blocked.watch(bench, everybody(scenario), scenario)
            except PeerError as e:
                results.failures[scenario.key, "all"] = str(e)
    flows = [scenario for scenario in chosen if scenario.kind != "blocked"]
    for number in range(bench.effort.runs):
        for scenario in flows:
            began = time.monotonic()
            for series in everybody(scenario):
                run(bench, series, scenario, results)
            took = time.monotonic() - began
            print(f"{number + 1} {scenario.key:20} {took:6.1f} s", file=sys.stderr, flush=True)
    return results


def everybody(scenario: Scenario) -> list[Series]:
    """Who takes part in it."""
    return [BY_KEY[key] for key in scenario.series]


def run(bench: Bench, series: Series, scenario: Scenario, results: Results) -> None:
    """Lets one do it once more, unless it failed before."""
    key = (scenario.key, series.key)
    if key in results.failures:
        return
    try:
        make = redis_benchmark.run if series.tool else Bench.run
        results.samples.setdefault(key, []).append(make(bench, series, scenario))
    except PeerError as e:
        results.failures[key] = str(e)
        results.samples.pop(key, None)


def into_docs(text: str) -> None:
    """Replaces the figures in docs/benchmarks.md."""
    page = DOCS.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def main() -> int:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="bench", description="measure polyipc beside its peers")
    parser.add_argument(
        "--quick", action="store_true", help="a minute or two; docs stay as they are"
    )
    parser.add_argument(
        "--only", default="", help="scenarios, by how their keys begin: trip,flow-64"
    )
    parser.add_argument("--no-docs", action="store_true", help="leave docs/benchmarks.md as it is")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else FULL
    starts = tuple(arguments.only.split(","))
    chosen = [
        s
        for s in SCENARIOS
        if s.key.startswith(starts) and (s.quick or not arguments.quick or arguments.only)
    ]
    if not chosen:
        parser.error(f"--only {arguments.only}: no scenario begins so")

    # Whoever stops it leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        prepare.everything()
    except prepare.MissingError as e:
        print(f"bench: {e}", file=sys.stderr)
        return 1
    about = machine.describe()
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    with directory() as place, servers.running(place, chosen):
        results = measure(Bench(place, effort), chosen)

    text = report.whole(results, about, date, effort)
    print(text)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "report.md").write_text(text)
    rows = [t.row(results) for t in TARGETS]
    summary = [dict(zip(("what", "target", "figure", "met"), row)) for row in rows]
    everything = {"date": date, "machine": about, "targets": summary, **results.json()}
    (OUTPUT / "report.json").write_text(json.dumps(everything, indent=1) + "\n")
    drawn = plots.draw(results, OUTPUT)
    print(
        f"report.md, report.json, {', '.join(p.name for p in drawn)} in {OUTPUT.relative_to(ROOT)}"
    )
    if not arguments.quick and not arguments.only and not arguments.no_docs:
        into_docs(text)
        print(f"the figures of {DOCS.relative_to(ROOT)} are these")
    if results.failures:
        print(f"{len(results.failures)} figures are missing", file=sys.stderr)
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
