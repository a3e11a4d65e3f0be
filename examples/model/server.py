"""A model in Python, for programs in any language: server.py NAME

Serves a manager of that name, with one object of a class of this process in it: "mail". It says
"ready", and ends with its standard input.
"""

from __future__ import annotations

import math
import re
import sys
import threading
from collections import Counter
from typing import Any

from polyipc import manager

WORD = re.compile(r"[a-z]+")


class Classifier:
    """Learns from texts that have a label to say which label another text has (naive Bayes).

    What it has learned is its state, which all who call it share. It is called in several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: Counter[str] = Counter()  # by label
        self._words: dict[str, Counter[str]] = {}  # by label

    def learn(self, text: str, label: str) -> int:
        """Learn a text; how many there are by now."""
        with self._lock:
            self._words.setdefault(label, Counter()).update(WORD.findall(text.lower()))
            self._texts[label] += 1
            return sum(self._texts.values())

    def classify(self, text: str) -> dict[str, Any]:
        """Return the likeliest label and its probability."""
        with self._lock:
            if not self._texts:
                raise ValueError("nothing has been learned yet")
            scores = self._scores(WORD.findall(text.lower()))
        best = max(scores, key=lambda label: scores[label])
        others = sum(math.exp(score - scores[best]) for score in scores.values())
        return {"label": best, "probability": 1 / others}

    def _scores(self, text: list[str]) -> dict[str, float]:
        """Logarithms of how likely each label is."""
        known = len({word for words in self._words.values() for word in words})
        scores = {}
        for label, words in self._words.items():
            total = sum(words.values()) + known
            score = math.log(self._texts[label])
            scores[label] = score + sum(math.log((words[word] + 1) / total) for word in text)
        return scores


def main() -> None:
    """Serve until standard input ends."""
    with manager.Server(sys.argv[1]) as server, server.connect() as own:
        own.register("Classifier", Classifier)
        own.create("Classifier", name="mail")
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
