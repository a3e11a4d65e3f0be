"""The library's events on their way to Python's logging, as the logger "polyipc".

Called by polyipc._c.library with what it fetched. What happens, and at which level, is listed in
docs/howto/watching.md. logging is not imported for it: where nothing else has imported it, nobody
listens.
"""

from __future__ import annotations

import sys
from typing import Any


def _log() -> Any:
    """Return the logger, or None."""
    logging = sys.modules.get("logging")
    if logging is None or not hasattr(logging, "NullHandler"):  # it is being imported
        return None
    log = logging.getLogger("polyipc")
    if not log.handlers:  # or logging would write to stderr in programs without a log
        log.addHandler(logging.NullHandler())
    return log


def loaded(version: str, path: str) -> None:
    """Log that the library was loaded."""
    log = _log()
    if log is not None:
        log.debug("loaded libpolyipc %s from %s", version, path)


def tell(lines: str) -> None:
    """Log events, each a line of its level's number and its text."""
    log = _log()
    if log is None:
        return
    for line in lines.split("\n"):
        level, _, text = line.partition(" ")
        if text:
            log.log(_LEVELS[int(level)], "%s", text)


_LEVELS = {-4: 10, 0: 20, 4: 30, 8: 40}  # logging's DEBUG, INFO, WARNING, ERROR
