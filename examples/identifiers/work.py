"""Leases files from one queue and puts what it counted in them on another, until told to stop.

The Python twin of work/main.go, which see for what is handed over and for the order of things.
"""

from __future__ import annotations

import re
from collections import Counter

import polyipc
from polyipc import manager

IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
COLUMNS, ALL = 3, 3  # of the totals
NAMES = ("files", "bytes", "identifiers")


def main() -> None:
    """Works until the pipe says to stop."""
    jobs, results = polyipc.inherited("jobs"), polyipc.inherited("results")
    totals = polyipc.inherited("totals")
    control = polyipc.inherited("control")
    job = control.recv()
    row = job["row"]
    client = manager.connect(job["manager"])
    result = client.dict("result")
    cells = [
        (totals.atomic(8 * (COLUMNS * row + i)), totals.atomic(8 * (COLUMNS * ALL + i)))
        for i in range(COLUMNS)
    ]
    done = [0, 0, 0]
    polyipc.inherited("start").wait()
    while control not in polyipc.wait([control, jobs]):
        try:
            lease = jobs.lease(block=False)
        except polyipc.Empty:  # another worker was quicker
            continue
        with lease:  # acked at the end, given back on an exception
            data = lease.value["data"]
            counts = Counter(IDENTIFIER.findall(data))
            results.put(
                {
                    "id": lease.value["id"],
                    "worker": "python",
                    "bytes": len(data),
                    "counts": {word.decode(): n for word, n in counts.items()},
                }
            )
            share = (1, len(data), sum(counts.values()))
            for i, n in enumerate(share):
                for cell in cells[i]:
                    cell.add(n)
            with client.batch() as batch:  # one message, done at one go
                for column, n in (*zip(NAMES, share), ("python", 1)):
                    batch.add(result.increment, column, n)
        done = [a + b for a, b in zip(done, share)]
    control.send(dict(zip(NAMES, done)))


if __name__ == "__main__":
    main()
