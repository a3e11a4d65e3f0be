"""Breaks the code in one-line ways and says which tests notice; fails if one survives.

    .venv/bin/python tests/mutants/mutate.py [--only TEXT]

Works in a copy of the tree. A test that hangs until its time is over has noticed, too.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutant import Mutant
from mutations import MUTANTS, SUITES

TOP = Path(__file__).resolve().parents[2]


def copy_tree(to: Path) -> None:
    """Copies what git tracks, or would."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (TOP / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, to / name)


def failing(suite: str, tree: Path) -> str:
    """Runs a suite and names the first test that failed, or is empty."""
    done = subprocess.run(
        shlex.split(SUITES[suite]),
        cwd=tree,
        capture_output=True,
        text=True,
        errors="replace",  # a broken codec prints what is no text
    )
    if done.returncode == 0:
        return ""
    said = done.stdout + done.stderr
    if "[build failed]" in said or "[setup failed]" in said:
        sys.exit(f"mutants: {suite} does not build:\n{said}")
    if "panic: test timed out" in said:
        running = re.search(r"running tests:\n\s+(\S+)", said)
        return (running.group(1) if running else suite) + " (hangs)"
    failed = re.findall(r"--- FAIL: (\S+)", said)
    failed += re.findall(r"^\s+\d+ - (\S+) \(", said, re.MULTILINE)  # as ctest lists them
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
        return failing(mutant.tests, tree)
    finally:
        path.write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only mutants with TEXT in their name or suite"
    )
    args = parser.parse_args()
    chosen = [m for m in MUTANTS if args.only in m.name or args.only == m.tests]
    for said in filter(None, map(misplaced, MUTANTS)):
        sys.exit(f"mutants: {said}")
    survivors = []
    with tempfile.TemporaryDirectory(prefix="polyipc-mutants-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        for suite in sorted({m.tests for m in chosen}):
            if noticed := failing(suite, tree):
                sys.exit(f"mutants: {suite} fails before anything is broken: {noticed}")
        for mutant in chosen:
            began = time.monotonic()
            noticed = try_out(mutant, tree)
            print(
                f"{mutant.name:<52} {noticed or 'SURVIVES'}  ({time.monotonic() - began:.0f} s)",
                flush=True,
            )
            if not noticed:
                survivors.append(mutant.name)
    print(f"\n{len(chosen)} mutants, {len(survivors)} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
