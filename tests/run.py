"""Runs the test suites and says what came of them.

    .venv/bin/python tests/run.py [--long] [--minutes N] [SUITE ...]

Without names all suites run. Each one writes a report that a machine can read (tests/reports.py
knows the forms); a skip must stand in tests/skips.txt, and nothing may be left behind: no file of
polyipc, no process (tests/leftovers.py). The last line is

    tests: N passed, F failed, S skipped

and the exit code is 1 if F is not 0. Logs and reports stay in build/test-results/.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import leftovers
import reports
import skips
from reports import Result

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "test-results"
LONGER = 9
MEASURED = "measured: "  # what follows it in the output of a test is shown although it passed
SHOWN_LINES = 60  # of a failed test's output; the log has all of it


@dataclass(frozen=True)
class Suite:
    """A command that tests something, and what it needs to have been built before."""

    name: str
    kind: str  # "go", "ctest", "pytest" or "program": the form of its report
    arguments: tuple[str, ...]
    prepare: tuple[tuple[str, ...], ...] = ()
    minutes: float = 10  # after which it is stopped, and has failed; LONGER times that with --long

    def command(self, report: Path) -> list[str]:
        """The command line that leaves its report in the given file, or on stdout (go)."""
        if self.kind == "go":
            return ["go", "test", "-json", "-count=1", *self.arguments]
        if self.kind == "ctest":
            return ["ctest", "--no-tests=error", "--output-junit", str(report), *self.arguments]
        if self.kind == "program":
            return [sys.executable, *self.arguments, f"--junit={report}"]
        return [sys.executable, "-m", "pytest", f"--junitxml={report}", *self.arguments]


PREBUILT = "-DPOLYIPC_PREBUILT=build/lib/libpolyipc.so"

# The C tests once more with sanitizers, around the library as it is: Go's code cannot carry them.
SANITIZED = (
    ("cmake", "-S.", "-Bbuild/sanitized", "-DPOLYIPC_SANITIZE=address,undefined", PREBUILT),
    ("cmake", "--build", "build/sanitized", "--parallel"),
)

# The library and the command line with crash points in them.
CRASHING = (
    ("cmake", "-S.", "-Bbuild/crash", "-DPOLYIPC_TAGS=crash"),
    ("cmake", "--build", "build/crash", "--parallel"),
)

SUITES = (
    Suite("arch", "go", ("./tests/arch",)),
    Suite("abi", "go", ("./tests/abi",)),
    Suite("go", "go", ("./runtime/...", "./codec/...", "./capi/...", "./cmd/...")),
    Suite("race", "go", ("-race", "-short", "./runtime/...", "./codec/...")),
    Suite("c", "ctest", ("--test-dir", "build")),
    Suite("sanitized", "ctest", ("--test-dir", "build/sanitized"), prepare=SANITIZED),
    Suite(
        "python",
        "pytest",
        (
            *("bindings/python/tests", "tests/test_run.py", "tests/test_mutants.py"),
            "tests/test_compat_lists.py",
        ),
    ),
    # Apart: it loads the library before pytest puts its own signal handlers in place.
    Suite("fork", "pytest", ("tests/fork",)),
    Suite("ecosystem", "pytest", ("tests/ecosystem",)),
    # CPython's own tests of multiprocessing, over polyipc.multiprocessing.
    Suite("compat", "program", ("tests/compat/compat.py",)),
    Suite("cross", "go", ("./tests/cross/...", "./tests/scale")),
    Suite("chaos", "go", ("-tags=crash", "-timeout=90m", "./tests/chaos/..."), prepare=CRASHING),
    Suite("examples", "go", ("./examples/...",)),
    Suite("install", "go", ("./tests/install",)),
)


def run_suite(suite: Suite, environment: dict[str, str]) -> list[Result]:
    """Runs one suite in a root of its own and returns all results, leftovers among them."""
    report, log = RESULTS / f"{suite.name}.report", RESULTS / f"{suite.name}.log"
    report.unlink(missing_ok=True)
    patience = LONGER if environment["POLYIPC_TEST_LONG"] else 1
    deadline = time.monotonic() + suite.minutes * 60 * patience
    with leftovers.Watch() as watch, log.open("wb") as log_file:
        environment = {**environment, "POLYIPC_ROOT": watch.root}
        for command in (*suite.prepare, suite.command(report)):
            code = run_command(command, environment, log_file.fileno(), deadline)
            if code != 0:
                break
    results = reports.read(suite.kind, log if suite.kind == "go" else report)
    if code != 0 and not any(r.outcome == "failed" for r in results):
        why = "was stopped at its time limit" if code == -signal.SIGKILL else f"exited with {code}"
        text = f"{' '.join(command)} {why}:\n{log.read_text(errors='replace')}"
        results.append(Result("(suite)", "failed", text))
    elif not results:
        results.append(Result("(suite)", "failed", "the suite has no tests"))
    results += [Result("(left behind)", "failed", what) for what in watch.found]
    return results


def run_command(
    command: Sequence[str], environment: dict[str, str], output: int, deadline: float
) -> int:
    """Runs a command in a process group of its own, killed as a whole at the deadline."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        return process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()
    except BaseException:  # Ctrl-C: nothing of ours goes on running
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def show(suite: Suite, results: Sequence[Result], seconds: float) -> None:
    """Prints a line for the suite and a paragraph for each failure."""
    count = {o: sum(r.outcome == o for r in results) for o in ("passed", "failed", "skipped")}
    print(
        f"{suite.name:10} {seconds / 60:5.1f} min {count['passed']:6} passed"
        f" {count['failed']:4} failed {count['skipped']:4} skipped",
        flush=True,
    )
    for result in results:
        for line in result.text.splitlines() if result.outcome == "passed" else ():
            if MEASURED in line:
                print(f"  {line.partition(MEASURED)[2]}", flush=True)
        if result.outcome == "failed":
            lines = result.text.rstrip().splitlines()
            cut = len(lines) - SHOWN_LINES
            if cut > 0:
                lines = [f"... {cut} lines more in build/test-results/", *lines[-SHOWN_LINES:]]
            print(f"  FAILED {suite.name} {result.test}")
            print("\n".join(f"    {line}" for line in lines), flush=True)


def main() -> int:
    """Parses the arguments, runs the suites, prints the sum."""
    parser = argparse.ArgumentParser(description="Run the test suites of polyipc.")
    parser.add_argument("--long", action="store_true", help="as often as makes sense overnight")
    parser.add_argument("--minutes", type=float, default=0, help="repeat until then")
    names = [suite.name for suite in SUITES]
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(names))
    options = parser.parse_args()
    for name in options.suites:
        if name not in names:
            parser.error(f"there is no suite {name!r}; the suites are {', '.join(names)}")

    # A shell without job control starts what it puts in the background with these ignored, and so
    # would be the tests' programs, some of which are sent a SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    # Whoever stops it leaves nothing behind either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    RESULTS.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "POLYIPC_TEST_LONG": "1" if options.long else ""}
    listed = skips.read(ROOT / "tests" / "skips.txt")
    end = time.monotonic() + options.minutes * 60
    total = {"passed": 0, "failed": 0, "skipped": 0}
    while True:
        for suite in SUITES:
            if options.suites and suite.name not in options.suites:
                continue
            start = time.monotonic()
            results = run_suite(suite, environment)
            results += skips.check(suite.name, results, listed)
            show(suite, results, time.monotonic() - start)
            for result in results:
                total[result.outcome] += 1
        if time.monotonic() >= end:
            break
    print(f"tests: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
