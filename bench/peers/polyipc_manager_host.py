"""Hosts a type of the benchmarks' manager until standard input ends."""

from __future__ import annotations

import sys

from bench.peers.api import MANAGER
from bench.peers.mp_manager import Account
from polyipc import manager


def main() -> None:
    """Host it."""
    with manager.connect(MANAGER) as own:
        own.register("account.py", Account)
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
