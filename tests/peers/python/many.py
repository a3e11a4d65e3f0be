"""The commands that begin with "many.": waiting for the first of many, and child processes."""

from __future__ import annotations

import select
import subprocess
from typing import Any

import polyipc
from polyipc import errors

Words = list[str]


class Many:
    """What they have started so far."""

    def __init__(self, queues: list[polyipc.Queue[Any]]) -> None:
        self.queues = queues
        self.children: list[polyipc.Child] = []

    def do(self, verb: str, words: Words) -> str:
        """Do a command and return the words behind ok."""
        if verb == "wait":
            items = [self.item(word) for word in words[1:]]
            milliseconds = int(words[0])
            timeout = None if milliseconds < 0 else milliseconds / 1000
            ready = polyipc.wait(items, timeout)
            if not ready:
                raise errors.TimedOutError("wait: the time is over")
            return " ".join(w for w, item in zip(words[1:], items) if item in ready)
        if verb == "poll":
            return str(len(select.select([self.item(words[0])], [], [], 0)[0]))
        if verb == "spawn":
            pairs = [pair.split("=") for pair in words[0].split(",") if pair != "-"]
            objects = {role: self.queues[int(q)] for role, q in pairs}
            argv = [bytes.fromhex(word).decode() for word in words[1:]]
            self.children.append(polyipc.spawn(argv, objects))
            return str(len(self.children) - 1)
        if verb == "inherited":
            self.queues.append(polyipc.inherited(words[0]))
            return str(len(self.queues) - 1)
        child = self.children[int(words[0])]
        if verb == "kill":
            child.send_signal(int(words[1]))
            return ""
        if verb == "status":
            milliseconds = int(words[1])
            try:
                return str(child.wait(None if milliseconds < 0 else milliseconds / 1000))
            except subprocess.TimeoutExpired as e:
                raise errors.TimedOutError(str(e)) from None
        raise LookupError(verb)

    def item(self, word: str) -> Any:
        """Return what an item stands for."""
        number = int(word[1:])
        if word[0] == "c":
            return self.children[number]
        queue = self.queues[number]
        return polyipc.writable(queue) if word[0] == "w" else queue
