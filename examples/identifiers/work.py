"""Leases files from one queue and puts what it counted in them on another: work.py FILES RESULTS.

The Python twin of work/main.go and c/work.c, which see for the order of put and ack.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

import polyipc

IDENTIFIER = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def main(in_name: str, out_name: str) -> None:
    """Works until the first queue is shut down and empty."""
    files: polyipc.Queue[dict[str, Any]] = polyipc.Queue.open(in_name)
    results: polyipc.Queue[dict[str, Any]] = polyipc.Queue.open(out_name)
    with files, results:
        while True:
            try:
                lease = files.lease()
            except polyipc.ShutDown:
                return
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


if __name__ == "__main__":
    main(*sys.argv[1:])
