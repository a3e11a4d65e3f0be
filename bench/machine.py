"""On what and with what it was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path

from bench.measure import ROOT


def first_line(*command: str) -> str:
    """What a command says first."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0].strip()


def macro(header: str, name: str) -> str:
    """The value of a macro in a system header."""
    path = Path("/usr/include") / header
    found = re.search(rf"#define\s+{name}\s+(\S+)", path.read_text()) if path.exists() else None
    return found.group(1).strip('"') if found else "?"


def cpu_model() -> str:
    """The CPU's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def load() -> float:
    """Processes that ran or wanted to, over the last minute, before the benchmark began."""
    return os.getloadavg()[0]


def describe() -> dict[str, str]:
    """Machine and versions, in the order in which they are shown."""
    zmq = ".".join(macro("zmq.h", f"ZMQ_VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH"))
    changed = "" if not first_line("git", "status", "--porcelain", "-uno") else ", with changes"
    return {
        "CPU": f"{cpu_model()}, {len(os.sched_getaffinity(0))} usable",
        "kernel": platform.release(),
        "load before": f"{load():.2f}",
        "polyipc": first_line("git", "rev-parse", "--short", "HEAD") + changed,
        "Go": first_line("go", "env", "GOVERSION").removeprefix("go"),
        "glibc": platform.libc_ver()[1],
        "gcc": first_line("gcc", "-dumpfullversion"),
        "Python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "Boost": macro("boost/version.hpp", "BOOST_LIB_VERSION").replace("_", "."),
        "libzmq": zmq,
        "pyzmq": importlib.metadata.version("pyzmq"),
        "faster-fifo": importlib.metadata.version("faster-fifo"),
        "Redis": first_line("redis-benchmark", "--version").removeprefix("redis-benchmark "),
        "redis-py": importlib.metadata.version("redis"),
    }
