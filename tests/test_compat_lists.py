"""tests/compat counts CPython's tests by version, and lists deviations only where the test is."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "compat"))

import expected


@pytest.mark.parametrize(
    ("version", "tests", "skipped", "wrong"),
    [
        ("3.11.7", 380, 41, ""),
        ("3.11.7", 381, 41, "where collected.txt has 380 and 41"),
        ("3.11.7", 380, 40, "where collected.txt has 380 and 41"),
        ("3.11.2", 375, 37, ""),
        ("3.11.5", 375, 37, ""),  # one that is not listed: no fewer than of the one before it
        ("3.11.5", 400, 37, ""),
        ("3.11.5", 374, 37, "fewer run than the 338 that collected.txt has for 3.11.2"),
        ("3.11.20", 380, 42, "fewer run than the 339 that collected.txt has for 3.11.7"),
        ("3.11.0", 374, 37, "fewer run than the 338 that collected.txt has for 3.11.2"),
        ("3.11.20rc1", 390, 42, ""),
        ("3.99.0", 999, 0, "has nothing for Python 3.99"),
    ],
)
def test_counts(
    monkeypatch: pytest.MonkeyPatch, version: str, tests: int, skipped: int, wrong: str
) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: version)
    said = expected.miscounted("fork", tests, skipped)
    assert wrong in said
    assert bool(said) == bool(wrong)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("version", ["3.9.18", "3.11.2", "3.11.7", "3.13.0", "3.14.0"])
def test_deviations(monkeypatch: pytest.MonkeyPatch, method: str, version: str) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: version)
    found = expected.deviations(method)
    mixed = "TestStartMethod.test_mixed_startmethod"
    has = method == "spawn" and expected.number(version) >= (3, 11, 4)
    assert (mixed in found) == has
    assert 2 <= len(found) <= expected.MOST
    assert all(deviation.why for deviation in found.values())
