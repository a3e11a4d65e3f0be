"""Signals in Python: in a child that never calls, in one that does, and in its child, as without
the library."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest
from library import (
    FOREVER,
    INTERRUPTED,
    OK,
    Queue,
    await_status,
    in_child,
    plain,
    start,
)

CONTEXTS = ("no call", "call", "grandchild")


def raises(number: int) -> Callable[[], None]:
    def act() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.3)  # never slept through where the signal ends the process

    return act


def interrupt_is_an_exception() -> None:
    with pytest.raises(KeyboardInterrupt):
        raises(signal.SIGINT)()


def handler_runs(number: int) -> Callable[[], None]:
    def act() -> None:
        seen: list[int] = []
        signal.signal(number, lambda n, _: seen.append(n))
        os.kill(os.getpid(), number)
        assert seen == [number]

    return act


def broken_pipe_is_an_exception() -> None:
    r, w = os.pipe()
    os.close(r)
    with pytest.raises(BrokenPipeError):
        os.write(w, b"x")


def sigwait_gets_it() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD])
    for number in (signal.SIGUSR1, signal.SIGCHLD) * 20:
        os.kill(os.getpid(), number)
        info = signal.sigtimedwait([number], 5)
        assert info is not None
        assert info.si_signo == number


def ends(number: int, act: Callable[[], None]) -> tuple[Callable[[], None], int]:
    return act, number


CASES: dict[str, tuple[Callable[[], None], int]] = {
    "interrupt": (interrupt_is_an_exception, 0),
    "terminate": ends(signal.SIGTERM, raises(signal.SIGTERM)),
    "hang up": ends(signal.SIGHUP, raises(signal.SIGHUP)),
    "quit": ends(signal.SIGQUIT, raises(signal.SIGQUIT)),
    "user signal": ends(signal.SIGUSR1, raises(signal.SIGUSR1)),
    "alarm": ends(signal.SIGALRM, raises(signal.SIGALRM)),
    "urgent": (raises(signal.SIGURG), 0),
    "urgent, handled": (handler_runs(signal.SIGURG), 0),
    "user signal, handled": (handler_runs(signal.SIGUSR1), 0),
    "child, handled": (handler_runs(signal.SIGCHLD), 0),
    "broken pipe": (broken_pipe_is_an_exception, 0),
    "fault": ends(signal.SIGSEGV, raises(signal.SIGSEGV)),
    "fault, handled": (handler_runs(signal.SIGSEGV), 0),
    "abort": ends(signal.SIGABRT, os.abort),
    "sigwait": (sigwait_gets_it, 0),
}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("case", CASES)
def test_dispositions(queue: Queue, case: str, context: str) -> None:
    act, want = CASES[case]

    def child() -> None:
        faulthandler.disable()  # pytest's, which writes to our output
        if context != "no call":
            queue.use()
        act()

    def judge() -> None:
        status = await_status(start(child))
        assert (os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0) == want, status
        assert want or status == 0, status

    queue.use()
    if context != "grandchild":
        judge()
        return

    def parent() -> None:
        queue.use()
        judge()

    in_child(parent)


@pytest.mark.parametrize("generations", [0, 1, 2])
def test_waiting_main_thread_is_interrupted(queue: Queue, generations: int) -> None:
    """Ctrl-C reaches a main thread that waits, within the time that people do not notice."""

    def wait() -> None:
        main = threading.main_thread().ident
        assert main is not None
        plain.polyipc_thread_interruptible(1)
        threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        began = time.monotonic()
        try:
            while queue.get(FOREVER) == INTERRUPTED:
                pass
        except KeyboardInterrupt:
            assert 0.1 < time.monotonic() - began < 5
        else:
            raise AssertionError("no KeyboardInterrupt")

    def descend(left: int) -> None:
        queue.use()
        in_child(wait if left == 0 else lambda: descend(left - 1))

    descend(generations)


def test_faulthandler_writes_its_traceback(queue: Queue) -> None:
    """Enabled before the library was loaded or after, in a child that calls."""
    r, w = os.pipe()

    def child() -> None:
        queue.use()
        with os.fdopen(w, "w") as out:
            faulthandler.enable(out)
            os.kill(os.getpid(), signal.SIGSEGV)

    status = await_status(start(child))
    os.close(w)
    with os.fdopen(r) as lines:
        text = lines.read()
    assert os.WTERMSIG(status) == signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in text
    assert queue.put(b"x") == OK
