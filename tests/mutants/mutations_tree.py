"""Mutants of the quick look at what is to be packed."""

from __future__ import annotations

from mutant import Mutant
from suites import python

SUITES_TREE = {
    "tree": python("test_codec_tree.py"),
}

TREE = "capi/pyshim_tree.c"

MUTANTS_TREE = (
    Mutant(
        "a container met twice goes without pickle",
        TREE,
        "if (m->slots[i] == o)\n            return false;",
        "if (m->slots[i] == o)\n            return true;",
        "tree",
    ),
    Mutant(
        "a long str that is there twice is copied twice",
        TREE,
        "(!is_long(type, o) || first(m, o))",
        "(!is_long(type, o) || first(m, o) || true)",
        "tree",
    ),
    Mutant(
        "what was met is forgotten as the table grows",
        TREE,
        "            insert(&larger, m->slots[i]);",
        "            larger.count++;",
        "tree",
    ),
    Mutant(
        "keys are not looked at",
        TREE,
        "*good = type >= BOXES &&",
        "*good = (type >= BOXES || true) &&",
        "tree",
    ),
    Mutant(
        "a type's reference is kept",
        TREE,
        "py->Py_DecRef(type); /* the object has it */",
        "(void)0;",
        "tree",
    ),
)
