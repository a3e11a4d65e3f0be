"""What the Python fork tests share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from library import BAD_HANDLE, OK, Queue


@pytest.fixture
def queue() -> Iterator[Queue]:
    """A queue that is closed, and with it gone, behind the test."""
    q = Queue()
    yield q
    assert q.close() in (OK, BAD_HANDLE)
