"""Events: what reaches Python's logging and the file of $POLYIPC_LOG, and silence without them."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from running import fork, output, reap

import polyipc

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

# A child takes a message on lease and is killed; then its parent gets the message.
REDELIVERY = """
import os, polyipc, signal, sys, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of fork beside threads
jobs, ready = polyipc.Queue(), polyipc.Queue()
jobs.put("job")
pid = os.fork()
if pid == 0:
    lease = jobs.lease()
    ready.put(os.getpid())
    time.sleep(60)
assert ready.get() == pid
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
with jobs.lease() as lease:
    assert lease.deliveries == 2
print(jobs.name, pid)
"""


def lose_a_lease(jobs: polyipc.Queue[str]) -> int:
    """Put a message, have a child take it on lease, and kill that; return the child's pid."""
    with polyipc.Queue[str]() as ready:
        jobs.put("job")

        def child() -> None:
            lease = jobs.lease()
            ready.put(lease.value)
            time.sleep(60)

        pid = fork(child)
        ready.get(timeout=60)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return pid


def messages(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    """What was logged, but for the new start of this process if it is a fork of another."""
    return [t for t in caplog.record_tuples if not t[2].startswith("reload ")]


def test_logging_hears_of_a_redelivery(caplog: pytest.LogCaptureFixture) -> None:
    with polyipc.Queue[str]() as jobs:
        pid = lose_a_lease(jobs)
        caplog.clear()
        with jobs.lease() as lease:
            assert lease.deliveries == 2
        text = f"redelivery object={jobs.name} messages=1 from={pid}"
        assert messages(caplog) == [("polyipc", logging.WARNING, text)]


def test_a_quick_verb_tells_what_the_one_before_met(caplog: pytest.LogCaptureFixture) -> None:
    with polyipc.Queue[str]() as jobs:
        lose_a_lease(jobs)
        assert jobs.get(timeout=5) == "job"
        caplog.clear()
        jobs.put("next")
        assert [m[2].split()[0] for m in messages(caplog)] == ["redelivery"]
        jobs.put("and no more")
        assert len(messages(caplog)) == 1


@pytest.mark.parametrize(
    "verb", ["put", "put_many", "get", "get_many", "lease", "ack", "nack", "stat", "close"]
)
def test_every_verb_tells(caplog: pytest.LogCaptureFixture, verb: str) -> None:
    with polyipc.Queue[object]() as q, polyipc.Queue[bytes]() as big:
        q.put_many([1, 2])
        held = q.lease()
        calls: dict[str, Callable[[], object]] = {
            "put": lambda: q.put(1),
            "put_many": lambda: q.put_many([1]),
            "get": q.get,
            "get_many": lambda: q.get_many(5),
            "lease": lambda: q.lease().ack(),
            "ack": held.ack,
            "nack": held.nack,
            "stat": q.stat,
            "close": q.close,
        }
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "polyipc"):
            big.put_many([bytes(4000)] * 100)  # grows
            assert messages(caplog) == []
            calls[verb]()
            assert next(m[2].split()[0] for m in messages(caplog)) == "growth"


def test_levels_are_the_loggers(caplog: pytest.LogCaptureFixture) -> None:
    for level, heard in ((logging.INFO, 0), (logging.DEBUG, 1)):
        caplog.clear()
        with caplog.at_level(level, "polyipc"), polyipc.Queue[bytes]() as q:
            q.put_many([bytes(4000)] * 100)
            q.stat()
            assert len(messages(caplog)) == heard


def test_a_forked_child_has_its_own_events(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "polyipc"), polyipc.Queue[bytes]() as q:
        q.put_many([bytes(4000)] * 100)  # an event of the parent's, not told yet
        caplog.clear()

        def child() -> None:
            caplog.clear()
            q.get()
            q.stat()
            assert [r[2] for r in caplog.record_tuples] == ["reload object=libpolyipc.so forks=1"]

        reap(fork(child))
        assert messages(caplog) == []
        q.stat()
        assert [m[2].split()[0] for m in messages(caplog)] == ["growth"]


def test_what_a_handler_raises_comes_out_and_loses_nothing() -> None:
    """A Ctrl-C, say, while the log is written."""

    class Interrupted(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            raise KeyboardInterrupt

    logger, handler = logging.getLogger("polyipc"), Interrupted(logging.WARNING)
    with polyipc.Queue[str]() as jobs:
        lose_a_lease(jobs)
        logger.addHandler(handler)
        try:
            assert jobs.get(timeout=5) == "job"  # meets the event
            with pytest.raises(KeyboardInterrupt):
                jobs.put("next")
            assert jobs.stat().messages == 0
            jobs.put("next")
            assert jobs.get() == "next"
        finally:
            logger.removeHandler(handler)


def test_a_handler_that_logs_into_a_queue() -> None:
    logger = logging.getLogger("polyipc")
    with polyipc.Queue[str]() as jobs, polyipc.Queue[str]() as log:

        class IntoQueue(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                log.put(record.getMessage())

        handler = IntoQueue(logging.WARNING)
        logger.addHandler(handler)
        try:
            pid = lose_a_lease(jobs)
            assert jobs.get(timeout=5) == "job"
            jobs.stat()
        finally:
            logger.removeHandler(handler)
        assert log.get_many(10) == [f"redelivery object={jobs.name} messages=1 from={pid}"]


# ---- without Python's logging ----


def test_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYIPC_LOG", raising=False)
    output(REDELIVERY)  # wants stderr empty: logging has a last resort that writes there


def run(variable: str, text: str = REDELIVERY) -> tuple[str, str]:
    """Run a program with $POLYIPC_LOG; return what it wrote to stdout and to stderr."""
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "POLYIPC_LOG": variable},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


def test_the_file(tmp_path: Path) -> None:
    file = tmp_path / "log"
    said, errors = run(f"warn:{file}")
    assert errors == ""
    name, pid = said.split()
    line = rf"time=\S+Z level=WARN msg=redelivery pid=\d+ object={name} messages=1 from={pid}\n"
    assert re.fullmatch(line, file.read_text())


def test_stderr() -> None:
    _, errors = run("warn")
    assert "msg=redelivery pid=" in errors
    assert len(errors.splitlines()) == 1


def test_a_child_writes_too(tmp_path: Path) -> None:
    file = tmp_path / "log"
    said, errors = run(f"debug:{file}")
    assert errors == ""
    assert f"msg=reload pid={said.split()[1]} object=libpolyipc.so forks=1" in file.read_text()


def test_set_by_the_program_itself(tmp_path: Path) -> None:
    file = tmp_path / "log"
    text = f"import os; os.environ['POLYIPC_LOG'] = 'warn:{file}'\n" + REDELIVERY
    run("off", text)
    assert "msg=redelivery" in file.read_text()


@pytest.mark.parametrize("value", ["loud", "debug:", "warn:/nowhere/log"])
def test_a_bad_value_is_said_once(value: str) -> None:
    """Once, though a child reads it again."""
    said, errors = run(value)
    assert said != ""
    assert errors.startswith(f'polyipc: POLYIPC_LOG="{value}": ')
    assert len(errors.splitlines()) == 1
