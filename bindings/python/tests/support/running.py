"""Python programs for tests: as threads, as forked children, and on their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

PATIENCE = 60.0  # seconds; bounds a failure


class InThread(threading.Thread):
    """Runs a function; result() waits and returns what it returned, or raises what it raised."""

    def __init__(self, function: Callable[..., Any], *args: object) -> None:
        super().__init__(daemon=True)
        self._function, self._args = function, args
        self._value: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._value = self._function(*self._args)
        except BaseException as e:
            self._error = e

    def result(self) -> Any:
        self.join(PATIENCE)
        assert not self.is_alive(), "the thread hangs"
        if self._error is not None:
            raise self._error
        return self._value


def fork(function: Callable[..., object], *args: object) -> int:
    """Runs a function in a forked child, which exits with 0 unless it raises. Returns its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        function(*args)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def reap(*pids: int) -> None:
    """Waits for forked children, all of which must exit with 0."""
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [0] * len(pids)


@contextmanager
def program(text: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a program, with warnings as errors, and wants it to exit with 0 at the end."""
    command = [sys.executable, "-W", "error", "-c", text, *args]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
            out, err = process.communicate(timeout=PATIENCE)
            assert (process.returncode, err) == (0, ""), out + err
        finally:
            process.kill()


def output(text: str, *args: str) -> str:
    """Runs a program and returns what it printed."""
    return _output("-c", text, *args)


def run(file: Path, *args: str) -> str:
    """Runs a program in a file, which spawn and forkserver run again, likewise."""
    return _output(str(file), *args)


def _output(*args: str) -> str:
    command = [sys.executable, "-W", "error", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout
