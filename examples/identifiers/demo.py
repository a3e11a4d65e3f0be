"""polyipc at work: Go, C and Python processes count the identifiers in a source tree together.

    demo.py [--input DIR] [--top N]

A Go process walks the tree and puts every file on a queue. Two workers each in Go, C and Python
lease files from it and put what they counted on a second queue. One more process adds that up.
Midway, a worker that holds a lease is killed with SIGKILL: its file is delivered again, and nothing
is lost. At the end the sums are compared with those of a single process that did all the work.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polyipc

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "examples" / "identifiers"
BIN = TOP / "build" / "bin"
LANGUAGES = ("go", "c", "python")
FILES, RESULTS = "demo-files", "demo-results"


def stat(name: str) -> dict[str, Any]:
    """What the command line tool says of a queue."""
    command: list[str | Path] = [BIN / "polyipc", "--json", "stat", name, "--interval", "0"]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    said: dict[str, Any] = json.loads(out.stdout)
    return said


class Crew:
    """The processes of the demo; whatever happens, none outlives it."""

    def __init__(self) -> None:
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str | Path, stdout: Any = None) -> subprocess.Popen[bytes]:
        """Starts a process; its standard input is empty."""
        process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.DEVNULL, stdout=stdout
        )
        self.all.append(process)
        return process

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.all:
            if process.poll() is None:
                process.kill()
            process.wait()


def worker(language: str) -> list[str | Path]:
    """The command line of a worker."""
    program: dict[str, list[str | Path]] = {
        "go": [BIN / "examples" / "go" / "work"],
        "c": [BIN / "examples" / "work"],
        "python": [sys.executable, HERE / "work.py"],
    }
    return [*program[language], FILES, RESULTS]


def progress(text: str) -> None:
    """Shows a line on the terminal in place of the one before."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


Workers = dict[int, tuple[str, "subprocess.Popen[bytes]"]]


def kill_a_lease_holder(workers: Workers) -> bool:
    """Kills a worker while stat shows it to hold a lease, if there is one.

    All are stopped for the moment, so that what stat shows is still true when one dies.
    """
    running = {pid: worker for pid, worker in workers.items() if worker[1].poll() is None}
    for _, process in running.values():
        process.send_signal(signal.SIGSTOP)
    try:
        # None if one of them was stopped with a lock in its hands: then another time.
        for lease in stat(FILES)["leases"] or ():
            if int(lease["pid"]) in running:
                language, process = running[int(lease["pid"])]
                process.kill()
                process.wait()
                progress("")
                print(
                    f"killed {language} worker {process.pid}, which held message "
                    f"{lease['sequence']} on lease",
                    file=sys.stderr,
                )
                return True
    finally:
        for _, process in running.values():
            process.send_signal(signal.SIGCONT)
    return False


def run(tree: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Counts the tree twice, together and alone, and returns both sums and the redeliveries."""
    total = sum(len(names) for _, _, names in os.walk(tree))
    # The files wait in at most 16 MiB of memory; the results take what they need.
    files: polyipc.Queue[Any] = polyipc.Queue.create(name=FILES, capacity=16 << 20, transient=True)
    results: polyipc.Queue[Any] = polyipc.Queue.create(name=RESULTS, transient=True)
    with files, results, Crew() as crew, ExitStack() as stack:
        together = stack.enter_context(tempfile.TemporaryFile())
        alone = stack.enter_context(tempfile.TemporaryFile())
        adder = crew.start(BIN / "examples" / "go" / "add", RESULTS, stdout=together)
        workers: Workers = {}
        for language in LANGUAGES * 2:
            process = crew.start(*worker(language))
            workers[process.pid] = (language, process)
        walker = crew.start(BIN / "examples" / "go" / "walk", FILES, tree)
        killed = False
        while any(process.poll() is None for _, process in workers.values()):
            now = files.stat()
            progress(f"{now.taken:,} of {total:,} files counted, {now.leased} being worked on")
            if not killed and now.taken > total // 3:
                killed = kill_a_lease_holder(workers)
            for language, process in [*workers.values(), ("walking", walker)]:
                if process.poll() not in (None, 0, -signal.SIGKILL):
                    sys.exit(f"demo: the {language} process {process.pid} failed")
            time.sleep(0.01)
        progress("")
        redelivered = files.stat().redelivered
        results.shutdown()  # every worker has left: what is there is all there will be
        progress("counting again, in one process")
        if (
            adder.wait() != 0
            or crew.start(BIN / "examples" / "go" / "count", tree, stdout=alone).wait() != 0
        ):
            sys.exit("demo: adding up failed")
        progress("")
        return read_json(together), read_json(alone), redelivered


def read_json(file: Any) -> dict[str, Any]:
    """Reads what a process wrote to a file."""
    file.seek(0)
    loaded: dict[str, Any] = json.load(file)
    return loaded


def table(sums: dict[str, Any], redelivered: int, top: int) -> Iterator[str]:
    """The report, line by line."""
    yield f"{'worker':<10}{'files':>10}{'MB':>10}"
    for language in LANGUAGES:
        share = sums["workers"].get(language, {"files": 0, "bytes": 0})
        yield f"{language:<10}{share['files']:>10,}{share['bytes'] / 1e6:>10.1f}"
    yield f"{'all':<10}{sums['files']:>10,}{sums['bytes'] / 1e6:>10.1f}"
    yield ""
    rate = 2 * sums["files"] / max(sums["seconds"], 1e-9)
    yield f"{rate:,.0f} messages a second over both queues"
    yield f"{redelivered} redelivered, {sums['duplicates']} duplicates dropped"
    yield ""
    yield f"{top} commonest of {len(sums['counts']):,} identifiers"
    ranked = sorted(sums["counts"].items(), key=lambda item: (-item[1], item[0]))
    for word, n in ranked[:top]:
        yield f"{n:>10,}  {word}"


def main() -> int:
    """Runs the demo; 0 if the kill showed something and the sums are right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--input", type=Path, metavar="DIR", help="tree to count (default: Go's standard library)"
    )
    parser.add_argument(
        "--top", type=int, default=20, metavar="N", help="how many identifiers to print"
    )
    args = parser.parse_args()
    tree = args.input
    if tree is None:
        go = shutil.which("go") or sys.exit("demo: no go command; give a tree with --input DIR")
        tree = (
            Path(
                subprocess.run(
                    [go, "env", "GOROOT"], check=True, capture_output=True, text=True
                ).stdout.strip()
            )
            / "src"
        )
    if not tree.is_dir():
        sys.exit(f"demo: {tree} is no directory")
    with tempfile.TemporaryDirectory(prefix="polyipc-demo-", dir="/dev/shm") as root:
        os.environ["POLYIPC_ROOT"] = root
        sums, alone, redelivered = run(tree)
    print("\n".join(table(sums, redelivered, args.top)))
    same = all(sums[key] == alone[key] for key in ("files", "bytes", "counts"))
    print(f"\nthe same as one process alone: {'yes' if same else 'NO'}")
    if not redelivered:
        print("demo: nothing was redelivered, so the kill showed nothing", file=sys.stderr)
    return 0 if same and redelivered else 1


if __name__ == "__main__":
    sys.exit(main())
