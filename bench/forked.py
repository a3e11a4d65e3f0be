"""Runs the workers of a peer in Python, as forked children of this process, since most of these
queues can only be inherited. Speaks the harness's protocol as one program for all its roles: says
"ready" and its workers' process ids, waits for a line, "go" and a time, prints a list of results,
and ends when its standard input does. Before that a line may say how many turns all took together.

    python -m bench.forked MODULE JOB      with JOB as JSON
"""

from __future__ import annotations

import importlib
import itertools
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Sequence
from itertools import repeat
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from bench.peers.api import Ends, Job, Peer, Turns

TRIPS_PER_SAMPLE = 10
OBJECT = {"id": 4711, "name": "sensor-17", "value": 21.375, "ok": True}

now = time.monotonic_ns


def cpu() -> int:
    """CPU time of this process so far, in ns."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int((used.ru_utime + used.ru_stime) * 1e9)


def produce(job: Job, ends: Ends, message: Any, n: int) -> None:
    """Put n messages."""
    if job.batch == 1:
        put = ends.put
        for _ in repeat(None, n):
            put(message)
        return
    messages = [message] * job.batch
    while n > 0:
        ends.put_many(messages[:n] if n < job.batch else messages)
        n -= job.batch


def consume(job: Job, ends: Ends, n: int) -> None:
    """Get n messages."""
    if job.batch == 1:
        get = ends.get
        message = None
        for _ in repeat(None, n):
            message = get()
        if n > 0 and job.payload == "bytes" and (message is None or len(message) != job.size):
            raise ValueError(f"no message of {job.size} bytes, but {message!r:.80}")
        return
    while n > 0:
        n -= len(ends.get_many(min(n, job.batch)))


def echo(job: Job, ends: Ends, n: int) -> None:
    """Send n messages back; with pauses each says how long the one before it took."""
    for _ in repeat(None, n):
        message = ends.get()
        if job.pause:
            took = now() - message[0]
            time.sleep(job.pause / 1e9)
            message = (now(), took)
        ends.put(message)


def trips(job: Job, ends: Ends, message: Any, n: int) -> list[int]:
    """Make n round trips; return their times in ns, without pauses the mean of several each."""
    notes = []
    if job.pause:
        for _ in repeat(None, n):
            time.sleep(job.pause / 1e9)
            ends.put((now(), 0))
            sent, there = ends.get()
            notes.append(now() - sent + there)
        return notes
    put, get = ends.put, ends.get
    for made in range(0, n, TRIPS_PER_SAMPLE):
        some = min(TRIPS_PER_SAMPLE, n - made)
        begin = now()
        for _ in repeat(None, some):
            put(message)
            get()
        notes.append((now() - begin) // some)
    return notes


def work(job: Job, ends: Ends, role: str) -> dict[str, Any]:
    """Do a role's work."""
    message = OBJECT if job.payload == "object" else b"x" * job.size
    result: dict[str, Any] = {"trips": []}
    if role == "producer":
        produce(job, ends, message, job.warm)
        used, result["begin"] = cpu(), now()
        produce(job, ends, message, job.count)
    elif role == "consumer":
        consume(job, ends, job.warm)
        used, result["begin"] = cpu(), now()
        consume(job, ends, job.count)
    elif role == "client":
        trips(job, ends, message, job.warm)
        used, result["begin"] = cpu(), now()
        result["trips"] = trips(job, ends, message, job.count)
    elif role == "echo":
        used, result["begin"] = cpu(), now()
        echo(job, ends, job.warm + job.count)
    else:
        used, result["begin"] = cpu(), now()
        ends.get()  # for ever: the harness ends this process
    result["end"], result["cpu"] = now(), cpu() - used
    return result


def take_turns(job: Job, turns: Turns, start: int) -> dict[str, Any]:
    """Warm up until the start, and count the turns from there on for as long as the job says."""
    make, step = turns.make, job.step
    warm = counted = longest = 0
    at = now()
    while at < start:
        make(step)
        warm += step
        at = now()
    used, begin = cpu(), at
    while at < begin + job.lasts:
        make(step)
        counted += step
        then = now()
        longest = max(longest, then - at)
        at = then
    result = {"begin": begin, "end": at, "cpu": cpu() - used, "turns": counted}
    return {**result, "all": warm + counted, "longest": longest}


def worker(peer: Peer, job: Job, role: str, index: int, parent: Connection) -> None:
    """The main of a forked worker: it says when it is ready, and what came of its work."""
    opened: Any = peer.open(role, index)
    parent.send("ready")
    start = parent.recv()
    holds = role == "holder"
    result = take_turns(job, opened, start) if holds else work(job, opened, role)
    parent.send({"role": role, **result})
    total = parent.recv()
    if holds and opened.counted() not in (None, total):
        raise ValueError(f"{total} turns were taken, and {opened.counted()} counted")
    opened.close()


def main(arguments: Sequence[str]) -> int:
    """Start the workers, and let them go."""
    module, text = arguments
    fields = json.loads(text)
    roles: list[str] = fields.pop("roles")
    job = Job(**fields)
    peer: Peer = importlib.import_module(f"bench.peers.{module}").Peer(job)
    context = multiprocessing.get_context("fork")
    workers: list[tuple[Any, Connection]] = []  # processes, and the pipes to them
    try:
        # Those who get come first, and are ready before the others open: see measure.py.
        for role, group in itertools.groupby(roles):
            first = len(workers)
            for index, _ in enumerate(group):
                ours, theirs = context.Pipe()
                its = (peer, job, role, index, theirs)
                process = context.Process(target=worker, args=its, daemon=True)
                process.start()
                theirs.close()
                workers.append((process, ours))
            for _, pipe in workers[first:]:
                pipe.recv()
        print("ready", *[process.pid for process, _ in workers], flush=True)
        go = sys.stdin.readline().split()
        if not go:
            return 1
        for _, pipe in workers:
            pipe.send(int(go[1]))
        if "idle" not in roles:
            results = []
            waiting = [pipe for _, pipe in workers]
            while waiting:  # for all at once, so that a dead worker shows, whichever it is
                spoke = connection.wait(waiting)
                results += [pipe.recv() for pipe in waiting if pipe in spoke]
                waiting = [pipe for pipe in waiting if pipe not in spoke]
            print(json.dumps(results), flush=True)
        total = int(sys.stdin.read() or 0)
        if "idle" in roles:
            return 0
        for _, pipe in workers:
            pipe.send(total)
        for process, _ in workers:
            process.join()
        return int(any(process.exitcode != 0 for process, _ in workers))
    except EOFError:
        return 1  # a worker ended before its time, and has said why
    finally:
        for process, _ in workers:
            process.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
