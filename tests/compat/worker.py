"""Runs test cases under one start method and says what comes of each, a JSON object a line.

    worker.py EVENTS [TESTS]

EVENTS is a file that compat.py reads; TESTS one with a name a line. Without it, all names are told.
This file is the main module of what the tests start.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing.forkserver
import multiprocessing.heap
import multiprocessing.resource_tracker
import os
import sys
import traceback
import unittest
import warnings
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import cases
import residue

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def collect() -> list[str]:
    """The names of all tests, class by class."""
    names = []
    for name, case in list(vars(cases).items()):
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            names += [f"{name}.{t}" for t in unittest.defaultTestLoader.getTestCaseNames(case)]
    return names


class Grown:
    """A file that processes append to, and what was appended lately."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen = self._path.stat().st_size if self._path.exists() else 0

    def news(self) -> str:
        """What was written since it was asked last."""
        sys.stdout.flush()
        sys.stderr.flush()
        if not self._path.exists():
            return ""
        with self._path.open("rb") as file:
            file.seek(self._seen)
            data = file.read()
        self._seen += len(data)
        return data.decode(errors="replace")


class Reporter(unittest.TestResult):
    """Writes an event when a test starts and one when it is over and what it left was looked at."""

    def __init__(self, events: TextIO) -> None:
        super().__init__()
        self._events = events
        self._output = Grown(os.environ["COMPAT_OUTPUT"])
        self._foreign = Grown(cases.FOREIGN)
        self._outcome, self._text = "passed", ""
        self._before_class = residue.look(served=False)
        self._before = self._before_class

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._outcome, self._text = "passed", ""
        self.tell("start", name(test))
        ensure_tracker()  # a test may have killed it
        self._output.news()
        self._foreign.news()
        self._before = residue.look(served(test))

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        left = residue.since(self._before, served(test))
        self.finish(name(test), self._outcome, self._text, left)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._note(test, "failed", "".join(traceback.format_exception(*err)))

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self.addError(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, "failed", f"{subtest}\n" + "".join(traceback.format_exception(*err)))

    def _note(self, test: Any, outcome: str, text: str) -> None:
        if not isinstance(test, unittest.TestCase):  # what happens around the tests of a class
            self.tell(outcome, name(test), text)
            return
        if self._outcome != "failed":
            self._outcome = outcome
        self._text += text

    def finish_class(self, case: str) -> None:
        """Tells what is left behind, now that also the fixtures of the class are gone."""
        left = residue.since(self._before_class, served=False)
        self.finish(f"{case}.(class)", "passed", "", left)

    def finish(self, test: str, outcome: str, text: str, left: list[str]) -> None:
        """Tells what came of a test, what it left behind, and what its processes said and made."""
        self.tell(outcome, test, text, left, self._output.news(), self._foreign.news())

    def tell(
        self,
        event: str,
        test: str,
        text: str = "",
        left: Sequence[str] = (),
        said: str = "",
        made: str = "",
    ) -> None:
        """Writes an event."""
        told = {"event": event, "test": test, "text": text, "left": left, "said": said}
        made_by = [json.loads(line) for line in made.splitlines()]
        self._events.write(json.dumps({**told, "made": made_by}) + "\n")
        self._events.flush()


def name(test: Any) -> str:
    """A test's name without its module; for what happens around tests, that of the class."""
    if isinstance(test, unittest.TestCase):
        return ".".join(test.id().split(".")[-2:])
    # unittest calls it "setUpClass (cases.WithManagerTestPool)".
    when, _, where = str(test).partition(" ")
    return f"{where.strip('()').rpartition('.')[2]}.({when})"


def served(test: unittest.TestCase) -> bool:
    """Whether a test's class has a manager."""
    return getattr(test, "TYPE", "") == "manager"


def ensure_tracker() -> None:
    """Starts multiprocessing's resource tracker, if it does not run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its predecessor's death
        multiprocessing.resource_tracker.ensure_running()


def run(tests: list[str], events: TextIO) -> None:
    """Runs tests, class by class."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    cases.set_up()
    # What multiprocessing starts or takes once should not count as what the first test left behind.
    ensure_tracker()
    multiprocessing.forkserver.ensure_running()
    block = multiprocessing.heap.BufferWrapper(1)
    for case, names in groupby(tests, lambda test: test.partition(".")[0]):
        reporter = Reporter(events)
        unittest.defaultTestLoader.loadTestsFromNames([*names], cases).run(reporter)
        reporter.finish_class(case)
    del block
    cases.tear_down()


def main() -> None:
    """Runs the tests that the command line names, or names them all."""
    with Path(sys.argv[1]).open("a") as events:
        if len(sys.argv) == 2:
            for test in collect():
                events.write(json.dumps({"test": test}) + "\n")
        else:
            os.register_at_fork(after_in_child=events.close)
            run(Path(sys.argv[2]).read_text().split(), events)


if __name__ == "__main__":
    main()
