"""Installs the peers and compiles the programs: what a benchmark needs beyond make build."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from bench.measure import PROGRAMS, ROOT
from bench.peers.api import MANY
from bench.servers import REDIS

REQUIREMENTS = ROOT / "bench" / "requirements.txt"
MODULES = ("faster_fifo", "zmq", "redis", "hiredis", "matplotlib")
# Debian's package, and a C++ program that compiles if it is there.
PACKAGES = (
    ("libzmq3-dev", "#include <zmq.h>"),
    ("libboost-dev", "#include <boost/interprocess/ipc/message_queue.hpp>"),
)
PEERS = ROOT / "bench" / "peers"
GO_PROGRAMS = (
    "polyipc_go", "polyipc_pipe_go", "polyipc_wait_go", "polyipc_lock_go", "polyipc_segment_go",
    "polyipc_manager_go", "polyipc_manager_host_go",
)  # fmt: skip
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror")


class MissingError(Exception):
    """Something has to be installed by a person."""


def run(*command: str | os.PathLike[str], **environment: str) -> None:
    """Run a command; what it prints is shown if it fails."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    if done.returncode != 0:
        words = " ".join(map(str, command))
        raise MissingError(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}")


def python_packages() -> None:
    """Install the peers in Python into the environment that runs this."""
    missing = [m for m in MODULES if importlib.util.find_spec(m) is None]
    if missing:
        print(f"installing {', '.join(missing)} from PyPI", flush=True)
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "-r", REQUIREMENTS)
        importlib.invalidate_caches()


def compiles(source: str) -> bool:
    """Whether g++ can compile that."""
    command = ["g++", "-x", "c++", "-fsyntax-only", "-"]
    return subprocess.run(command, input=source.encode(), capture_output=True).returncode == 0


def system_packages() -> None:
    """Install the peers in C and C++, if root; else say which."""
    missing = [package for package, source in PACKAGES if not compiles(source)]
    if not REDIS.exists():
        missing.append("redis-tools")
    if not missing:
        return
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        raise MissingError(
            f"install these packages, then try again: {' '.join(missing)} (Debian's names)"
        )
    print(f"installing {' '.join(missing)}", flush=True)
    run("apt-get", "update", "-qq")
    install = ("apt-get", "install", "-qq", "-y", "--no-install-recommends")
    run(*install, *missing, DEBIAN_FRONTEND="noninteractive")


def msgpack() -> list[str]:
    """Flags for msgpack-c, whose name depends on the distribution."""
    for name in ("msgpack-c", "msgpack"):
        command = ["pkg-config", "--cflags", "--libs", name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return [*done.stdout.split(), "-pthread"]
    raise MissingError("install msgpack's library for C: make build names its package")


def programs() -> None:
    """Compile the programs: those in C and C++ each with worker.c and its work."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    c: Sequence[str] = ("gcc", "-std=c11", *FLAGS)
    library = ROOT / "build" / "lib"
    ours = ("-Iinclude", f"-L{library}", "-lpolyipc", f"-Wl,-rpath,{library}")
    helpers = ("-Ibindings/c/include", *ours, *msgpack())
    objects = {name: PROGRAMS.parent / f"{name}.o" for name in ("worker", "messages", "turns")}
    for name, path in objects.items():
        run(*c, "-c", PEERS / f"{name}.c", "-o", path)
    for name, source, work, flags in (
        ("polyipc_c", "polyipc.c", "messages", ours),
        ("polyipc_pipe_c", "polyipc_pipe.c", "messages", ours),
        ("polyipc_wait_c", "polyipc_wait.c", "messages", (f"-DMANY={MANY}", *ours)),
        ("polyipc_lock_c", "polyipc_lock.c", "turns", ours),
        ("polyipc_segment_c", "polyipc_segment.c", "turns", ours),
        ("polyipc_manager_c", "polyipc_manager.c", "turns", helpers),
        ("zeromq", "zeromq.c", "messages", ("-lzmq",)),
        (
            "zeromq_pair", "zeromq.c", "messages",
            ("-DSENDER=ZMQ_PAIR", "-DRECEIVER=ZMQ_PAIR", "-lzmq"),
        ),
        ("unixsocket", "unixsocket.c", "messages", ()),
        ("unixsocket_poll", "unixsocket.c", "messages", (f"-DMANY={MANY}",)),
        ("futex", "futex.c", "messages", ()),
        ("memcpy", "memcpy.c", "messages", ()),
        ("mutex", "mutex.c", "turns", ("-pthread",)),
        ("semaphore", "semaphore.c", "turns", ("-pthread",)),
        ("atomic", "atomic.c", "turns", ()),
    ):  # fmt: skip
        both = (objects["worker"], objects[work])
        run(*c, PEERS / source, *both, "-o", PROGRAMS / name, *flags)
    host = PROGRAMS / "polyipc_manager_host_c"
    run(*c, PEERS / "polyipc_manager_host.c", "-o", host, *helpers)
    both = (objects["worker"], objects["messages"])
    boost = ("g++", "-std=c++17", *FLAGS, PEERS / "boost.cpp", *both, "-pthread", "-lrt")
    run(*boost, "-o", PROGRAMS / "boost")
    for name in GO_PROGRAMS:
        build = ("go", "build", "-trimpath", "-o", PROGRAMS / name, f"./bench/peers/{name}")
        run(*build, CGO_ENABLED="0")


def everything() -> None:
    """Do all of it; MissingError says what a person has to do."""
    python_packages()
    system_packages()
    programs()
