"""Runs CPython's own tests of multiprocessing over polyipc.multiprocessing.

    .venv/bin/python tests/compat/compat.py [--method fork] [--only TEXT] [--times N] [--junit FILE]

Each start method has a worker process (worker.py). One that hangs in a test is killed together
with everything that it started; a new one does the rest. deviations.txt lists what fails.

With COMPAT_THEIRS=1 in the environment the tests are CPython's over multiprocessing itself: to see
what comes from it.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from method import METHODS, Method, Outcome


def write_junit(path: Path, outcomes: list[Outcome]) -> None:
    """Writes the report that tests/reports.py reads."""
    suite = ElementTree.Element("testsuite", name="compat", tests=str(len(outcomes)))
    for o in outcomes:
        case = ElementTree.SubElement(
            suite, "testcase", classname=o.method, name=o.test, time=f"{o.seconds:.3f}"
        )
        if o.outcome == "deviates":
            text = f"measured: {o.method}.{o.test} deviates: {o.text}"  # tests/run.py shows it
            ElementTree.SubElement(case, "system-out").text = text
        elif o.outcome == "skipped":
            ElementTree.SubElement(case, "skipped", message=o.text)
        elif o.outcome == "failed":
            text = "".join(c for c in o.text if c.isprintable() or c in "\n\t")
            ElementTree.SubElement(case, "failure", message="").text = text
    ElementTree.ElementTree(suite).write(path)


def main() -> int:
    """Parses the arguments, runs, prints the sum."""
    # What a shell puts in the background may ignore it, and so would the tests that are sent one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--method", choices=METHODS, help="one start method instead of all")
    parser.add_argument("--only", default="", help="tests whose name contains this")
    parser.add_argument("--times", type=int, default=1, help="how often, unless one fails")
    parser.add_argument("--junit", type=Path, help="where to write a report")
    options = parser.parse_args()
    only = options.only.lstrip("_")  # CPython's _TestQueue is TestQueue in the names here
    outcomes: list[Outcome] = []
    for _ in range(options.times):
        outcomes = run([m for m in METHODS if options.method in (None, m)], only)
        if options.junit:
            write_junit(options.junit, outcomes)
        kinds = ("passed", "failed", "skipped", "deviates")
        counts = [f"{sum(o.outcome == kind for o in outcomes)} {kind}" for kind in kinds]
        print(f"compat: {', '.join(counts)}", flush=True)
        if not outcomes or any(o.outcome == "failed" for o in outcomes):
            return 1
    return 0


def run(names: list[str], only: str) -> list[Outcome]:
    """Runs the start methods beside each other: most of the tests sleep most of the time."""
    with tempfile.TemporaryDirectory(prefix="compat-") as folder, ThreadPoolExecutor() as pool:
        methods = [Method(name, Path(folder)) for name in names]
        try:
            list(pool.map(lambda method: method.run(only), methods))
        except BaseException:  # whoever stops it leaves nothing behind
            for method in methods:
                method.cancel()
            raise
    return [outcome for method in methods for outcome in method.outcomes]


if __name__ == "__main__":
    sys.exit(main())
