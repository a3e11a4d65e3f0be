"""polyipc's queue from Python in an event loop's selector, which is epoll."""

from __future__ import annotations

import selectors
from typing import Any

import polyipc
from bench.peers import polyipc_python
from bench.peers.api import Job


class Peer(polyipc_python.Peer):
    """polyipc.Queue, opened by name in each worker."""

    def open(self, role: str, index: int) -> Ends:
        """Open or make both ways."""
        del index
        return Ends(self.job, role)


class Ends(polyipc_python.Ends):
    """As without a selector, but for the waiting."""

    def __init__(self, job: Job, role: str) -> None:
        super().__init__(job, role)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._from, selectors.EVENT_READ)
        self.get: Any = self._selected

    def _selected(self) -> Any:
        while True:
            self._selector.select()
            try:
                return self._from.get_nowait()
            except polyipc.Empty:
                pass  # the descriptor is unreadable from now on

    def close(self) -> None:
        """Close the selector first."""
        self._selector.close()
        super().close()
