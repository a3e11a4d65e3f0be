"""Runs CPython's own tests of multiprocessing over polyipc.multiprocessing.

    .venv/bin/python tests/compat/run.py [--method fork] [--only TEXT] [--junit FILE]

Each start method has a worker process (worker.py). One that hangs in a test is killed together
with everything that it started; a new one does the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
METHODS = ("fork", "spawn", "forkserver")
PATIENCE = 120.0  # seconds for a test


@dataclass
class Outcome:
    """What came of one test."""

    method: str
    test: str
    outcome: str  # "passed", "failed" or "skipped"
    text: str
    seconds: float


class Method:
    """The tests of one start method, in a root and a temporary directory of their own."""

    def __init__(self, method: str, folder: str) -> None:
        self.method = method
        self.folder = Path(folder)
        self.root = tempfile.mkdtemp(prefix="compat-", dir="/dev/shm")
        self.temp = self.folder / method
        self.temp.mkdir()
        self.output = self.folder / f"{method}.log"
        self.outcomes: list[Outcome] = []

    def start(self, *tests: str) -> tuple[subprocess.Popen[bytes], Path]:
        """A worker, and the file that its events are in."""
        handle, events = tempfile.mkstemp(suffix=".events", dir=self.folder)
        os.close(handle)
        environment = {
            **os.environ,
            "COMPAT_METHOD": self.method,
            "POLYIPC_ROOT": self.root,
            "TMPDIR": str(self.temp),
        }
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "worker.py"), events, *tests],
                cwd=self.temp,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return process, Path(events)

    def collect(self) -> list[str]:
        """The names of all tests."""
        process, events = self.start()
        if process.wait() != 0:
            raise SystemExit(f"the tests could not be imported:\n{self.output.read_text()}")
        return [json.loads(line)["test"] for line in events.read_text().splitlines()]

    def run(self, tests: list[str]) -> None:
        """Runs the tests, with another worker where one hangs or dies."""
        while tests:
            done = self.run_worker(tests)
            tests = [test for test in tests if test not in done]

    def run_worker(self, tests: list[str]) -> set[str]:
        """Runs the tests until they are over or one hangs; returns those that need no other try."""
        process, events = self.start(*tests)
        seen, done, running = 0, set(), ""
        began = time.monotonic()
        while True:
            ended = process.poll() is not None
            lines = events.read_text().splitlines()
            for line in lines[seen:]:
                event = json.loads(line)
                if event["event"] == "start":
                    running, began = event["test"], time.monotonic()
                    continue
                self.note(event["test"], event["event"], event["text"], time.monotonic() - began)
                done.add(event["test"])
                running, began = "", time.monotonic()
            seen = len(lines)
            if ended:
                break
            if time.monotonic() - began > PATIENCE:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self.note(running or "(suite)", "failed", "hangs", time.monotonic() - began)
                return done | {running} if running else set(tests)
            time.sleep(0.05)
        if process.returncode != 0:
            self.note(running or "(suite)", "failed", f"worker: exit {process.returncode}", 0.0)
            return done | {running} if running else set(tests)
        return set(tests)

    def note(self, test: str, outcome: str, text: str, seconds: float) -> None:
        """Keeps and prints what came of a test."""
        self.outcomes.append(Outcome(self.method, test, outcome, text, seconds))
        print(f"{self.method} {outcome:7} {seconds:6.2f} s {test}", flush=True)
        if outcome == "failed":
            print("".join(f"    {line}\n" for line in text.splitlines()), end="", flush=True)


def write_junit(path: Path, outcomes: list[Outcome]) -> None:
    """Writes the report that tests/reports.py reads."""
    suite = ElementTree.Element("testsuite", name="compat", tests=str(len(outcomes)))
    for o in outcomes:
        case = ElementTree.SubElement(
            suite, "testcase", classname=o.method, name=o.test, time=f"{o.seconds:.3f}"
        )
        if o.outcome == "skipped":
            ElementTree.SubElement(case, "skipped", message=o.text)
        elif o.outcome == "failed":
            text = "".join(c for c in o.text if c.isprintable() or c in "\n\t")
            ElementTree.SubElement(case, "failure", message="").text = text
    ElementTree.ElementTree(suite).write(path)


def main() -> int:
    """Parses the arguments, runs, prints the sum."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--method", choices=METHODS, help="one start method instead of all")
    parser.add_argument("--only", default="", help="tests whose name contains this")
    parser.add_argument("--junit", type=Path, help="where to write a report")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compat-") as folder:
        methods = [Method(m, folder) for m in METHODS if options.method in (None, m)]
        with ThreadPoolExecutor() as pool:
            for _ in pool.map(
                lambda m: m.run([t for t in m.collect() if options.only.lstrip("_") in t]), methods
            ):
                pass
        for m in methods:
            print(f"== {m.method}: what the processes said\n{m.output.read_text(errors='replace')}")
            subprocess.run(["rm", "-rf", m.root], check=True)
        outcomes = [o for m in methods for o in m.outcomes]
    if options.junit:
        write_junit(options.junit, outcomes)
    count = {w: sum(o.outcome == w for o in outcomes) for w in ("passed", "failed", "skipped")}
    print(f"compat: {count}")
    return 1 if count["failed"] or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
