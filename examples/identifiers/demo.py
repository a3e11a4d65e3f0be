"""polyipc at work: Go, C and Python processes count the identifiers in a source tree together.

    demo.py [--input DIR] [--top N]

A Go process walks the tree and puts every file on a queue. Two workers each in Go, C and Python lease
files from it and put what they counted on a second queue. One more process adds that up. Midway, a
worker that holds a lease is killed with SIGKILL: its file is delivered again, and nothing is lost. At
the end the sums are compared with those of a single process that did all the work alone.
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
from pathlib import Path
from typing import Any, Iterator

import polyipc

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "examples" / "identifiers"
BIN = TOP / "build" / "bin"
LANGUAGES = ("go", "c", "python")
FILES, RESULTS = "demo-files", "demo-results"


def stat(name: str) -> dict[str, Any]:
    """What the command line tool says of a queue."""
    command = [BIN / "polyipc", "--json", "stat", name, "--interval", "0"]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    said: dict[str, Any] = json.loads(out.stdout)
    return said


class Crew:
    """The processes of the demo; whatever happens, none outlives it."""

    def __init__(self) -> None:
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str | Path, stdout: Any = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=stdout)
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
    program: dict[str, list[str | Path]] = {
        "go": [BIN / "examples" / "go" / "work"],
        "c": [BIN / "examples" / "work"],
        "python": [sys.executable, HERE / "work.py"],
    }
    return [*program[language], FILES, RESULTS]


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


Workers = dict[int, tuple[str, "subprocess.Popen[bytes]"]]


def kill_a_lease_holder(workers: Workers) -> bool:
    """Kills a worker while stat shows it to hold a lease, if there is one. It is stopped first, so
    that what stat shows is still true when it dies."""
    for lease in stat(FILES)["leases"]:
        pid = int(lease["pid"])
        if pid not in workers:
            continue
        language, process = workers[pid]
        process.send_signal(signal.SIGSTOP)
        for held in stat(FILES)["leases"]:
            if int(held["pid"]) == pid:
                process.kill()
                process.wait()
                progress("")
                print(f"killed {language} worker {pid}, which held message {held['sequence']} on lease", file=sys.stderr)
                return True
        process.send_signal(signal.SIGCONT)
    return False


def run(tree: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Counts the tree twice, together and alone, and returns both sums and the redeliveries."""
    total = sum(len(names) for _, _, names in os.walk(tree))
    # The files wait in at most 16 MiB of memory; the results take what they need.
    files: polyipc.Queue[Any] = polyipc.Queue.create(name=FILES, capacity=16 << 20, transient=True)
    results: polyipc.Queue[Any] = polyipc.Queue.create(name=RESULTS, transient=True)
    with files, results, Crew() as crew, tempfile.TemporaryFile() as together, tempfile.TemporaryFile() as alone:
        adder = crew.start(BIN / "examples" / "go" / "add", RESULTS, stdout=together)
        workers: Workers = {}
        for language in LANGUAGES * 2:
            process = crew.start(*worker(language))
            workers[process.pid] = (language, process)
        walker = crew.start(BIN / "examples" / "go" / "walk", FILES, tree)
        killed = False
        while any(process.poll() is None for _, process in workers.values()):
            now = stat(FILES)["counts"]
            progress(f"{now['taken']:,} of {total:,} files counted, {now['leased']} being worked on")
            if not killed and now["taken"] > total // 2:
                killed = kill_a_lease_holder(workers)
            for language, process in [*workers.values(), ("walking", walker)]:
                if process.poll() not in (None, 0, -signal.SIGKILL):
                    sys.exit(f"demo: the {language} process {process.pid} failed")
            time.sleep(0.05)
        progress("")
        redelivered = int(stat(FILES)["counts"]["redelivered"])
        results.shutdown()  # every worker has left: what is there is all there will be
        progress("counting again, in one process")
        if adder.wait() != 0 or crew.start(BIN / "examples" / "go" / "count", tree, stdout=alone).wait() != 0:
            sys.exit("demo: adding up failed")
        progress("")
        return read_json(together), read_json(alone), redelivered


def read_json(file: Any) -> dict[str, Any]:
    file.seek(0)
    loaded: dict[str, Any] = json.load(file)
    return loaded


def table(sums: dict[str, Any], redelivered: int, top: int) -> Iterator[str]:
    yield f"{'worker':<10}{'files':>10}{'MB':>10}"
    for language in LANGUAGES:
        share = sums["workers"].get(language, {"files": 0, "bytes": 0})
        yield f"{language:<10}{share['files']:>10,}{share['bytes'] / 1e6:>10.1f}"
    yield f"{'all':<10}{sums['files']:>10,}{sums['bytes'] / 1e6:>10.1f}"
    yield ""
    yield f"{2 * sums['files'] / max(sums['seconds'], 1e-9):,.0f} messages a second over both queues"
    yield f"{redelivered} redelivered, {sums['duplicates']} duplicates dropped"
    yield ""
    yield f"{top} commonest of {len(sums['counts']):,} identifiers"
    ranked = sorted(sums["counts"].items(), key=lambda item: (-item[1], item[0]))
    for word, n in ranked[:top]:
        yield f"{n:>10,}  {word}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=Path, metavar="DIR", help="tree to count (default: Go's standard library)")
    parser.add_argument("--top", type=int, default=20, metavar="N", help="how many identifiers to print")
    args = parser.parse_args()
    tree = args.input
    if tree is None:
        go = shutil.which("go") or sys.exit("demo: no go command; give a tree with --input DIR")
        tree = Path(subprocess.run([go, "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()) / "src"
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
