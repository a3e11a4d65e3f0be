"""Breaks the code in one-line ways and says which tests notice; fails if one survives.

    .venv/bin/python tests/mutants/mutate.py [--list] [--only TEXT...] [--since COMMIT] [--jobs N]

Works in copies of the tree, one for each job. A test that hangs until its time is over has noticed,
too: on a busy machine look whether it is the one that was meant to.

One mutant takes 2 to 30 seconds on two idle processors, 5 as a rule, and one that hangs a minute or
more: three quarters of an hour for them all, as reckoned from one of each of ten suites. On a busy
machine that is many times as long: try out those of the files that changed since the last time.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from mutant import Mutant
from mutations import MUTANTS, SUITES
from suites import TOP

# With paths trimmed, what one copy compiled is not compiled again in another. Vet would only say
# that a mutant is odd.
FLAGS = "-trimpath -vet=off"

SURVIVES, UNBUILT = "SURVIVES", "DOES NOT BUILD"


def tracked() -> list[str]:
    """What git tracks, or would."""
    return _git("ls-files", "-z", "--cached", "--others", "--exclude-standard")


def changed(since: str) -> set[str]:
    """The files that are no longer as they were at a commit."""
    return set(_git("diff", "--name-only", "-z", since, "--"))


def _git(*arguments: str) -> list[str]:
    said = subprocess.run(["git", *arguments], cwd=TOP, check=True, capture_output=True, text=True)
    return [name for name in said.stdout.split("\0") if name]


def copy_tree(to: Path) -> None:
    """Copies the tree without what is built in it."""
    for name in tracked():
        if (TOP / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, to / name)


def failing(suite: str, tree: Path) -> str:
    """Runs a suite and names the first test that failed, or is empty."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:  # a broken codec prints no text
        running = subprocess.Popen(
            shlex.split(SUITES[suite]),
            cwd=tree,
            env={**os.environ, "GOFLAGS": FLAGS, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = running.wait()
        finally:  # what a test that hangs has started may outlive it, and grow without end
            subprocess.run(["pkill", "-KILL", "-s", str(running.pid)], check=False)
        output.seek(0)
        said = output.read()
    if code == 0:
        return ""
    if "[build failed]" in said or "[setup failed]" in said:
        return UNBUILT
    if "panic: test timed out" in said:
        at = re.search(r"running tests:\n\s+(\S+)", said)
        return (at.group(1) if at else suite) + " (hangs)"
    if code == 124:  # as `timeout` says it; pytest said before where it stands
        standing = re.search(r" in (test_\w+)$", said, re.MULTILINE)
        return (standing.group(1) if standing else suite) + " (hangs)"
    failed = re.findall(r"--- FAIL: (\S+)", said)
    failed += re.findall(r"^\s+\d+ - (\S+) \(", said, re.MULTILINE)  # as ctest lists them
    failed += re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", said, re.MULTILINE)  # as pytest does
    failed += re.findall(r"^\w+ failed +[\d.]+ s (\S+)", said, re.MULTILINE)  # as compat.py does
    return max(failed, key=lambda name: name.count("/")) if failed else f"{suite} (crashes)"


def misplaced(mutant: Mutant) -> str:
    """Says if a mutant does not fit the code, which changed under it; empty if it does."""
    times = (TOP / mutant.file).read_text().count(mutant.old)
    return "" if times == 1 else f"{mutant.name}: stands {times} times in {mutant.file}"


def try_out(mutant: Mutant, tree: Path) -> str:
    """Applies the mutant, runs its tests, takes it back; returns the test that noticed."""
    path = tree / mutant.file
    text = path.read_text()
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        return failing(mutant.tests, tree) or SURVIVES
    finally:
        path.write_text(text)


def work(suites: queue.SimpleQueue[list[Mutant]], bad: list[str], end: threading.Event) -> None:
    """Tries out the mutants of one suite after the other, in a copy of the tree."""
    with tempfile.TemporaryDirectory(prefix="polyipc-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        while not end.is_set():
            try:
                mutants = suites.get_nowait()
            except queue.Empty:
                return
            suite = mutants[0].tests
            began = time.monotonic()
            if noticed := failing(suite, tree):
                bad.append(suite)
                print(f"{suite}: fails before anything is broken: {noticed}", flush=True)
                continue
            print(f"{suite}: {time.monotonic() - began:.0f} s as it is", flush=True)
            for mutant in mutants:
                if end.is_set():
                    return
                began = time.monotonic()
                noticed = try_out(mutant, tree)
                if noticed in (SURVIVES, UNBUILT):
                    bad.append(mutant.name)
                took = time.monotonic() - began
                print(f"{mutant.name:<52} {noticed}  ({took:.0f} s)", flush=True)


def main() -> int:
    # What a shell puts in the background may ignore it, and so would the tests that are sent one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="TEXT",
        help="only those of a suite, or with a TEXT in their name",
    )
    parser.add_argument(
        "--since", metavar="COMMIT", help="only mutants of files that changed since then"
    )
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="try out N at a time, each in its own copy"
    )
    parser.add_argument("--list", action="store_true", help="say which they are, and their suites")
    args = parser.parse_args()
    only = args.only or [""]
    chosen = [
        m
        for m in MUTANTS
        if any(text == m.tests if text in SUITES else text in m.name for text in only)
    ]
    if args.since:
        files = changed(args.since)
        chosen = [m for m in chosen if m.file in files]
    if args.list:
        for mutant in chosen:
            print(f"{mutant.tests:<24} {mutant.name}")
        return 0
    for said in filter(None, map(misplaced, MUTANTS)):
        sys.exit(f"mutants: {said}")
    by_suite: dict[str, list[Mutant]] = {}
    for mutant in chosen:
        by_suite.setdefault(mutant.tests, []).append(mutant)
    suites: queue.SimpleQueue[list[Mutant]] = queue.SimpleQueue()
    for mutants in sorted(by_suite.values(), key=len, reverse=True):
        suites.put(mutants)
    bad: list[str] = []
    end = threading.Event()
    workers = [threading.Thread(target=work, args=(suites, bad, end)) for _ in range(args.jobs)]
    for worker in workers:
        worker.start()
    try:
        for worker in workers:
            worker.join()
    finally:  # the copies go also if the user interrupts
        end.set()
    print(f"\n{len(chosen)} mutants; not caught: {', '.join(bad) or 'none'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
