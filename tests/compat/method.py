"""The tests of one start method: its workers, and what is made of what they tell."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import expected
import residue

HERE = Path(__file__).resolve().parent
METHODS = ("fork", "spawn", "forkserver")
PATIENCE = 90.0  # seconds that a test may take
HANGS = 10.0  # likewise, for one that is known to deviate, as by a hang


@dataclass
class Outcome:
    """What came of one test."""

    method: str
    test: str
    outcome: str  # "passed", "failed", "skipped", or "deviates"
    text: str
    seconds: float


class Method:
    """The tests of one start method, in a root and a temporary directory of their own."""

    def __init__(self, method: str, folder: Path) -> None:
        self.method = method
        self.folder = folder / method
        self.folder.mkdir()
        self.output, self.foreign = self.folder / "output", self.folder / "foreign"
        self.temp, self.programs = self.folder / "temp", self.folder / "programs"
        self.temp.mkdir()
        self.programs.mkdir()
        self.root = ""
        self.outcomes: list[Outcome] = []
        self.deviations = expected.deviations(method)
        self.process: subprocess.Popen[bytes] | None = None
        self.cancelled = False

    def run(self, only: str) -> None:
        """Runs the tests whose name contains a text, with another worker where one hangs."""
        self.root = tempfile.mkdtemp(prefix="compat-", dir="/dev/shm")
        try:
            tests = [test for test in self.collect() if only in test]
            while tests and not self.cancelled:
                done = self.run_worker(tests)
                tests = [test for test in tests if test not in done]
            if not only:
                self.check_lists()
        finally:
            self.stop()
            shutil.rmtree(self.root)

    def start(self, tests: list[str] | None = None) -> Path:
        """Starts a worker; the file that it tells its events in."""
        handle, events = tempfile.mkstemp(suffix=".events", dir=self.folder)
        os.close(handle)
        arguments = [str(HERE / "worker.py"), events]
        if tests is not None:
            arguments.append(f"{events}.tests")
            Path(arguments[-1]).write_text("\n".join(tests))
        # Not sys.path: a forkserver is not told its parent's.
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        environment = {
            **os.environ,
            "COMPAT_METHOD": self.method,
            "COMPAT_OUTPUT": str(self.output),
            "COMPAT_FOREIGN": str(self.foreign),
            "COMPAT_PROGRAMS": str(self.programs),
            "POLYIPC_ROOT": self.root,
            "PYTHONPATH": path,
            "TMPDIR": str(self.temp),
        }
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.temp,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return Path(events)

    def collect(self) -> list[str]:
        """The names of all tests."""
        events = self.start()
        assert self.process is not None
        if self.process.wait() != 0:
            raise SystemExit(f"the tests could not be imported:\n{self.output.read_text()}")
        return [json.loads(line)["test"] for line in events.read_text().splitlines()]

    def run_worker(self, tests: list[str]) -> set[str]:
        """Runs the tests until they are over or one hangs; returns those that were begun."""
        path = self.start(tests)
        process = self.process
        assert process is not None
        done, running, began = set(), "", time.monotonic()
        said = 0  # where the output of the running test begins
        with path.open() as events:
            while True:
                ended = process.poll() is not None
                size = self.output.stat().st_size
                for line in events:
                    event = json.loads(line)
                    if event["event"] == "start":
                        running = event["test"]
                        said = size
                    else:
                        self.judge(event, time.monotonic() - began)
                        done.add(event["test"])
                        running = ""
                    began = time.monotonic()
                patience = HANGS if running in self.deviations else PATIENCE
                if ended or time.monotonic() - began > patience:
                    break
                time.sleep(0.05)
        if ended and process.returncode == 0:
            return set(tests)
        text = f"the worker's exit code is {process.returncode}" if ended else "it hangs"
        self.stop()
        text += "\n" + self.output.read_bytes()[said:].decode(errors="replace")
        self.note(running or "(start or end)", "failed", text, time.monotonic() - began)
        return done | {running} if running else set(tests)

    def cancel(self) -> None:
        """Ends a run from another thread."""
        self.cancelled = True
        self.stop()

    def stop(self) -> None:
        """Kills the worker and what it started, if it runs; their stacks go to the output."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        pids = [process.pid, *residue.descendants(process.pid)]
        for number in (signal.SIGRTMAX, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(1)  # for the stacks to be written; nothing tells when they are
        process.wait()

    def judge(self, event: dict[str, Any], seconds: float) -> None:
        """Decides whether a test that is over has passed."""
        outcome, test, text = event["event"], event["test"], event["text"]
        problems = [f"left behind: {what}" for what in event["left"]]
        # The tests say nothing themselves: this is a child's traceback, or a warning.
        problems += [f"said: {line}" for line in expected.unexpected(test, event["said"])]
        if "COMPAT_THEIRS" not in os.environ:
            problems += [
                f"not polyipc's: {made['made']}, by {' '.join(made['calls'][-9:])}"
                for made in event["made"]
                if expected.foreign(test, made["calls"])
            ]
        if problems:
            outcome, text = "failed", "\n".join([text, *problems]).lstrip()
        self.note(test, outcome, text, seconds)

    def note(self, test: str, outcome: str, text: str, seconds: float) -> None:
        """Keeps and prints what came of a test."""
        known = self.deviations.pop(test, None)
        if known is not None and outcome == "failed":
            outcome, text = "deviates", known.why
        elif known is not None and not (known.may_pass and outcome == "passed"):
            outcome, text = "failed", f"deviations.txt lists it, but it was: {outcome}"
        self.outcomes.append(Outcome(self.method, test, outcome, text, seconds))
        lines = [f"{self.method} {outcome:8} {seconds:6.2f} s {test}"]
        if text and outcome != "skipped":
            lines += [f"    {line}" for line in text.splitlines()]
        print("\n".join(lines), flush=True)

    def check_lists(self) -> None:
        """Looks, after a whole run, for what the lists say and the tests do not."""
        for test in list(self.deviations):
            self.note(test, "not run", "", 0)
        tests = [o for o in self.outcomes if "(" not in o.test]
        skipped = sum(o.outcome == "skipped" for o in tests)
        if text := expected.miscounted(self.method, len(tests), skipped):
            self.note("(count)", "failed", text, 0)
