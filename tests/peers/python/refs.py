"""The commands on objects in messages, which begin with "ref."."""

from __future__ import annotations

from typing import Any

import polyipc


class Refs:
    """Knows where the objects of each noun are kept."""

    def __init__(self, **kept: list[Any]) -> None:
        self.kept = kept

    def object(self, word: str) -> Any:
        noun, _, number = word.partition(".")
        return self.kept[noun][int(number)]

    def keep(self, obj: Any) -> str:
        nouns = {polyipc.Queue: "queue", polyipc.Segment: "segment", polyipc.Connection: "pipe"}
        noun = nouns.get(type(obj), "sync")
        self.kept[noun].append(obj)
        return f"{noun}.{len(self.kept[noun]) - 1}"

    def do(self, verb: str, words: list[str]) -> str:
        queue, ms = self.kept["queue"][int(words[0])], int(words[1])
        timeout = None if ms <= 0 else ms / 1000
        if verb == "put":
            queue.put([self.object(word) for word in words[2:]], ms != 0, timeout)
            return ""
        return " ".join(self.keep(obj) for obj in queue.get(ms != 0, timeout))
