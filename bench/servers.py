"""The servers that benchmarks of managers need beside the processes of a run: polyipc's managers,
with hosts of a type in each language, and Redis. Each is started once, and ended."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.measure import LIMIT, PROGRAMS, ROOT, PeerError
from bench.peers.api import KEPT, MANAGER, REDIS_SOCKET, place
from bench.scenarios import Scenario

# Debian's redis-tools has the server, which goes by its own name only in a package that also
# installs it as a service. Told that it is redis-server, it is.
REDIS = Path("/usr/bin/redis-check-rdb")


def ours(disk: Path) -> Iterator[tuple[Sequence[str | Path], str]]:
    """Our servers and hosts: command lines, and what each says when it is ready."""
    polyipc = ROOT / "build" / "bin" / "polyipc"
    yield [polyipc, "manager", "--name", MANAGER], f"ready {MANAGER}"
    for verb, (sync, _) in KEPT.items():
        name = place(MANAGER, verb)
        words = ("--name", name, "--data", str(disk / name), "--sync", sync)
        yield [polyipc, "manager", *words], f"ready {name}"
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
        disk = Path(started.enter_context(tempfile.TemporaryDirectory(dir=ROOT / "build")))
        for command, says in ours(disk):
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
        started.callback(end, redis(directory / REDIS_SOCKET, directory, "--appendonly", "no"))
        for verb, (_, fsync) in KEPT.items():
            path = directory / place(REDIS_SOCKET, verb)
            data = disk / verb
            data.mkdir()
            started.callback(end, redis(path, data, "--appendonly", "yes", "--appendfsync", fsync))
        yield


def redis(path: Path, data: Path, *persistence: str) -> subprocess.Popen[bytes]:
    """Redis at a Unix socket."""
    words = ["--port", "0", "--unixsocket", str(path), "--save", "", *persistence]
    process = subprocess.Popen(
        ["redis-server", *words, "--dir", str(data)],
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
