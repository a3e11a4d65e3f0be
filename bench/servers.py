"""The servers that benchmarks of managers need beside the processes of a run: polyipc's own manager
with the hosts of a type in each language, and Redis. Each is started once, and ended."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.measure import LIMIT, PROGRAMS, ROOT, PeerError
from bench.peers.api import MANAGER, REDIS_SOCKET
from bench.scenarios import Scenario

# Debian's redis-tools has the server, which goes by its own name only in a package that also
# installs it as a service. Told that it is redis-server, it is.
REDIS = Path("/usr/bin/redis-check-rdb")


def ours() -> Iterator[tuple[Sequence[str | Path], str]]:
    """Our server and its hosts: command lines, and what each says when it is ready."""
    yield [ROOT / "build" / "bin" / "polyipc", "manager", "--name", MANAGER], f"ready {MANAGER}"
    yield [PROGRAMS / "polyipc_manager_host_go"], "ready"
    yield [PROGRAMS / "polyipc_manager_host_c"], "ready"
    yield [sys.executable, "-m", "bench.peers.polyipc_manager_host"], "ready"


@contextlib.contextmanager
def running(directory: Path, chosen: Iterable[Scenario]) -> Iterator[None]:
    """Runs them, if one of the chosen scenarios needs them."""
    if not any(scenario.key.startswith("manager") for scenario in chosen):
        yield
        return
    with contextlib.ExitStack() as started:
        for command, says in ours():
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "POLYIPC_ROOT": str(directory)},
            )
            started.callback(end, process)
            assert process.stdout is not None
            if not select.select([process.stdout], [], [], LIMIT)[0]:
                raise PeerError(f"{command[0]} is not ready after {LIMIT:.0f} s")
            said = process.stdout.readline().decode().strip()
            if said != says:
                raise PeerError(f"{command[0]} says {said!r}, not {says!r}")
        started.callback(end, redis(directory))
        yield


def redis(directory: Path) -> subprocess.Popen[bytes]:
    """Redis at a Unix socket, without persistence."""
    path = directory / REDIS_SOCKET
    words = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        ["redis-server", *words, "--dir", str(directory)],
        executable=REDIS,
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
    )
    late = time.monotonic() + LIMIT
    while not path.exists():
        if process.poll() is not None or time.monotonic() > late:
            end(process)
            raise PeerError(f"redis-server is not ready; exit code {process.returncode}")
        time.sleep(0.01)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends one of them."""
    with process:
        process.terminate()
        try:
            process.wait(5.0)
        except subprocess.TimeoutExpired:
            process.kill()
