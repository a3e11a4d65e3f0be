"""A manager for a test: a server in this process, and a client."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Callable

import pytest

from polyipc import manager


@pytest.fixture
def server() -> Iterator[manager.Server]:
    """Runs a server named "test"."""
    with manager.Server("test") as s:
        yield s


@pytest.fixture
def m(server: manager.Server) -> Iterator[manager.Manager]:
    """Connects to it."""
    with server.connect() as client:
        yield client


def until(true: Callable[[], object]) -> None:
    """Waits for what takes a moment."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)
