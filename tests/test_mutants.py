"""The mutants fit the code as it is: one that does not can't be tried out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("mutants")))

from mutant import Mutant
from mutate import misplaced
from mutations import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: str(m.name))
def test_mutant_fits(mutant: Mutant) -> None:
    assert misplaced(mutant) == ""


def test_names_are_unique() -> None:
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
