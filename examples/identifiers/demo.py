"""polyipc at work: Go, C and Python processes count the identifiers in a source tree together.

    demo.py [--input DIR] [--top N]

A Go process walks the tree and puts every file on a queue. Two workers each in Go, C and Python
lease files from it, put what they counted on a second queue, and add it to totals in shared memory,
and to a result that a manager in this process keeps, whose changes the line on the terminal shows.
One more process adds up what is on the second queue. This one starts them all, hands them the
objects that they work with, and talks with each over a pipe.

Midway, a worker that holds a lease is killed with SIGKILL: its file is delivered again, and nothing
is lost. At the end the sums are compared with those of a single process that did all the work, and
the shared totals and the result with the sums.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polyipc
from polyipc import manager

TOP = Path(__file__).resolve().parents[2]
HERE = TOP / "examples" / "identifiers"
BIN = TOP / "build" / "bin"
WALK, ADD, COUNT = (BIN / "examples" / "go" / name for name in ("walk", "add", "count"))
WORKERS: dict[str, list[str | Path]] = {
    "go": [BIN / "examples" / "go" / "work"],
    "c": [BIN / "examples" / "work"],
    "python": [sys.executable, HERE / "work.py"],
}
ROWS = [*WORKERS, "all"]  # of the shared totals
COLUMNS = ["files", "bytes", "identifiers"]


def stat(name: str) -> dict[str, Any]:
    """What the command line tool says of a queue."""
    command: list[str | Path] = [BIN / "polyipc", "--json", "stat", name, "--interval", "0"]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    said: dict[str, Any] = json.loads(out.stdout)
    return said


class Member:
    """A process of the demo, and our end of the pipe to it."""

    def __init__(
        self, name: str, command: list[str | Path], objects: Mapping[str, Any], job: Any = None
    ) -> None:
        self.name = name
        self.killed = False
        self.report: Any = None
        self.control, theirs = polyipc.Pipe()
        if job is not None:
            self.control.send(job)  # waits in the pipe
        with theirs:  # then only the child has it: when it ends, we read the end of file
            everything = {**objects, "control": theirs}
            self.child = polyipc.spawn(command, everything, stdin=subprocess.DEVNULL)

    @property
    def busy(self) -> bool:
        """Whether its report is still to come."""
        return not self.control.closed

    def listen(self) -> None:
        """Receives the report, the last thing it does; without one it has died."""
        with self.control, contextlib.suppress(EOFError):
            self.report = self.control.recv()
        if self.child.wait() != 0 and not self.killed:
            sys.exit(f"demo: the {self.name} process {self.child.pid} failed")

    def stop(self) -> None:
        """Tells it to stop; if it is gone, its silence says so."""
        with contextlib.suppress(BrokenPipeError):
            self.control.send("stop")


class Crew(list[Member]):
    """The processes of the demo; whatever happens, none outlives it."""

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *exc: object) -> None:
        for member in self:
            if member.child.poll() is None:
                member.child.kill()
            member.child.wait()

    def start(self, *args: Any) -> Member:
        """Starts one; the arguments are those of Member."""
        self.append(Member(*args))
        return self[-1]

    def listen(self, timeout: float) -> None:
        """Waits for reports, and receives those that have come."""
        ready = polyipc.wait([member.control for member in self if member.busy], timeout)
        for member in self:
            if member.control in ready:
                member.listen()


class Watcher(threading.Thread):
    """Shows each change of the result, until the with block ends."""

    def __init__(self, result: manager.DictProxy, total: int) -> None:
        super().__init__(name="watcher")
        self._result, self._total = result, total
        self._over = threading.Event()

    def run(self) -> None:
        """Watch."""
        now: dict[str, int] = {}
        with self._result.watch() as changes:
            while not self._over.is_set():
                with contextlib.suppress(polyipc.TimedOutError):
                    change = changes.next(timeout=0.1)
                    if change.what == "snapshot":
                        now = change.value
                    elif change.what == "set":
                        now[change.key] = change.value
                shares = ", ".join(f"{language} {now.get(language, 0):,}" for language in WORKERS)
                progress(f"{now.get('files', 0):,} of {self._total:,} files counted: {shares}")

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self.join()


def progress(text: str) -> None:
    """Shows a line on the terminal in place of the one before."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def kill_a_lease_holder(jobs: str, workers: list[Member]) -> bool:
    """Kills a worker while stat shows it to hold a lease, if there is one.

    All are stopped for the moment, so that what stat shows is still true when one dies.
    """
    running = {worker.child.pid: worker for worker in workers if worker.child.poll() is None}
    for worker in running.values():
        worker.child.send_signal(signal.SIGSTOP)
    try:
        # None if one of them was stopped with a lock in its hands: then another time.
        for lease in stat(jobs)["leases"] or ():
            if int(lease["pid"]) in running:
                worker = running[int(lease["pid"])]
                worker.killed = True
                worker.child.kill()
                worker.child.wait()
                progress("")
                print(
                    f"killed {worker.name} worker {worker.child.pid}, which held message "
                    f"{lease['sequence']} on lease",
                    file=sys.stderr,
                )
                return True
    finally:
        for worker in running.values():
            worker.child.send_signal(signal.SIGCONT)
    return False


@dataclass
class Outcome:
    """What came of it."""

    sums: dict[str, Any]  # what was added up: see Sums in add/main.go
    alone: dict[str, Any]  # what a single process counted
    totals: dict[str, dict[str, int]]  # what is in shared memory
    result: dict[str, int]  # what the manager keeps: the columns, and files by language
    workers: list[Member]
    redelivered: int


def run(tree: Path) -> Outcome:
    """Counts the tree together, then alone."""
    total = sum(len(names) for _, _, names in os.walk(tree))
    # None of them needs a name: they go with their last user. The files wait in at most 16 MiB of
    # memory; the results take what they need.
    jobs: polyipc.Queue[Any] = polyipc.Queue(capacity=16 << 20)
    results: polyipc.Queue[Any] = polyipc.Queue()
    totals = polyipc.Segment(format="q", shape=(len(ROWS), len(COLUMNS)))
    start = polyipc.Barrier(2 * len(WORKERS) + 1)
    server = manager.Server()
    with server, server.connect() as own, jobs, results, totals, start, Crew() as crew:
        result = own.dict("result")
        adder = crew.start("adding", [ADD], {"results": results})
        objects = {"jobs": jobs, "results": results, "totals": totals, "start": start}
        workers = [
            crew.start(
                language,
                WORKERS[language],
                objects,
                {"row": ROWS.index(language), "manager": server.name},
            )
            for language in [*WORKERS] * 2
        ]
        walker = crew.start("walking", [WALK, tree], {"jobs": jobs, "start": start})
        files = totals.atomic(8 * ROWS.index("all") * len(COLUMNS))  # the first cell of the row
        killed = stopped = False
        with Watcher(result, total):
            while any(worker.busy for worker in workers):
                crew.listen(timeout=0.01)
                if not killed and files.load() > total // 3:
                    killed = kill_a_lease_holder(jobs.name, workers)
                if not stopped and not walker.busy and jobs.stat().unfinished == 0:
                    stopped = True
                    for worker in workers:
                        if worker.busy:
                            worker.stop()
        results.shutdown()  # every worker has left: what is there is all there will be
        while adder.busy:
            crew.listen(timeout=1)
        progress("counting again, in one process")
        alone = subprocess.run([COUNT, tree], check=True, stdout=subprocess.PIPE)
        progress("")
        rows: Any = totals.items().tolist()
        return Outcome(
            sums=adder.report,
            alone=json.loads(alone.stdout),
            totals={name: dict(zip(COLUMNS, cells)) for name, cells in zip(ROWS, rows)},
            result=result.copy(),
            workers=workers,
            redelivered=jobs.stat().redelivered,
        )


def totals_agree(o: Outcome) -> bool:
    """Whether the shared totals are what they must be.

    They count work. If a worker died after it had put its result, the file was counted twice, and
    the second result was dropped as a duplicate: the totals have the first one too, as far as the
    worker had added it when it died. Else they are the sums.
    """
    for column in COLUMNS:
        found, wanted = o.totals["all"][column], o.sums["all"][column]
        if found not in (wanted, wanted + o.sums["duplicates"][column]):
            return False
        for language in WORKERS:
            theirs = [worker for worker in o.workers if worker.name == language]
            reported = sum(worker.report[column] for worker in theirs if worker.report)
            died = any(worker.killed for worker in theirs)  # what it did is in no report
            found = o.totals[language][column]
            if found < reported or (found != reported and not died):
                return False
    return True


def result_agrees(o: Outcome) -> bool:
    """Whether the manager's result is between the sums and the shared totals.

    Who added to the totals adds to the result next, and acks the file after that. So each file
    that was added up is in the result, and what a worker did not live to add is in the totals only.
    """
    return all(
        o.sums["all"][column] <= o.result.get(column, 0) <= o.totals["all"][column]
        for column in COLUMNS
    ) and all(
        o.totals[language]["files"] - o.result.get(language, 0)
        in range(1 + sum(worker.name == language and worker.killed for worker in o.workers))
        for language in WORKERS
    )


def table(o: Outcome, top: int) -> Iterator[str]:
    """The report, line by line."""
    sums = o.sums
    nothing = dict.fromkeys(COLUMNS, 0)
    rows = {language: sums["workers"].get(language, nothing) for language in WORKERS}
    rows["all"] = sums["all"]
    rows["shared totals"] = o.totals["all"]
    rows["the result"] = {**nothing, **o.result}
    yield f"{'worker':<15}{'files':>10}{'MB':>10}{'identifiers':>15}"
    for name, row in rows.items():
        megabytes = row["bytes"] / 1e6
        yield f"{name:<15}{row['files']:>10,}{megabytes:>10.1f}{row['identifiers']:>15,}"
    yield ""
    rate = 2 * sums["all"]["files"] / max(sums["seconds"], 1e-9)
    yield f"{rate:,.0f} messages a second over both queues"
    yield f"{o.redelivered} redelivered, {sums['duplicates']['files']} duplicates dropped"
    yield ""
    yield f"{top} commonest of {len(sums['counts']):,} identifiers"
    ranked = sorted(sums["counts"].items(), key=lambda item: (-item[1], item[0]))
    for word, n in ranked[:top]:
        yield f"{n:>10,}  {word}"


def main() -> int:
    """Runs the demo; 0 if the kill showed something and the sums and totals are right."""
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
        outcome = run(tree)
    print("\n".join(table(outcome, args.top)))
    sums, alone = outcome.sums, outcome.alone
    same = sums["counts"] == alone["counts"] and all(
        sums["all"][key] == alone[key] for key in ("files", "bytes")
    )
    agree, result = totals_agree(outcome), result_agrees(outcome)
    print(f"\nthe same as one process alone: {'yes' if same else 'NO'}")
    print(f"the shared totals agree: {'yes' if agree else 'NO'}")
    print(f"the manager's result agrees: {'yes' if result else 'NO'}")
    if not outcome.redelivered:
        print("demo: nothing was redelivered, so the kill showed nothing", file=sys.stderr)
    return 0 if same and agree and result and outcome.redelivered else 1


if __name__ == "__main__":
    sys.exit(main())
