"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One way to break the code."""

    name: str
    file: str
    old: str
    new: str
    tests: str
