"""The library's events on their way to Python's logging, as the logger "polyipc".

Called by polyipc._c.library with what it fetched. What happens, and at which level, is listed in
docs/howto/watching.md.
"""

from __future__ import annotations

import logging

log = logging.getLogger("polyipc")
log.addHandler(logging.NullHandler())  # or logging would write to stderr in programs without a log

_LEVELS = {-4: logging.DEBUG, 0: logging.INFO, 4: logging.WARNING, 8: logging.ERROR}


def tell(lines: str) -> None:
    """Log events, each a line of its level's number and its text."""
    for line in lines.split("\n"):
        level, _, text = line.partition(" ")
        if text:
            log.log(_LEVELS[int(level)], "%s", text)
