"""The mutants of segments."""

from __future__ import annotations

from mutant import Mutant
from suites import c

SEGMENT = "runtime/segment/segment.go"
CELLS = "runtime/segment/atomic.go"
FORMAT = "runtime/segment/format.go"
OPTIONS = "runtime/segment/options.go"

SUITES_SEGMENT = {
    "segment": "go test -count=1 -failfast -timeout 60s ./runtime/segment",
    "c segment": c("c-test_segment*"),
}

MUTANTS_SEGMENT = (
    Mutant(
        "a segment grows without reserving pages",
        SEGMENT,
        'if err := s.obj.File.Reserve("grow segment", pages(old), pages(size)); err != nil {',
        "if err != nil {",
        "segment",
    ),
    Mutant(
        "a size that others wrote is believed",
        SEGMENT,
        "if n > uint64(len(s.data)) {",
        "if n > 1<<62 {",
        "segment",
    ),
    Mutant(
        "a shape that is larger than the segment is believed",
        SEGMENT,
        " || uint64(whole) > size {",
        " || whole < 0 {",
        "segment",
    ),
    Mutant(
        "what is asked for need not be what is there",
        OPTIONS,
        "differs = differs || !slices.Equal(s.shape, p.Shape)",
        "_ = slices.Equal(s.shape, p.Shape)",
        "segment",
    ),
    Mutant(
        "a structure ends with its last field",
        FORMAT,
        "s.size = up(s.size, s.align)\n\t\t\t\t}",
        "_ = up\n\t\t\t\t}",
        "segment",
    ),
    Mutant(
        "a notify wakes nobody",
        CELLS,
        "park.WakeAll(s.word(offset))",
        "_ = s.word(offset)",
        "segment",
    ),
    Mutant(
        "half of a wide cell is looked at",
        CELLS,
        "load = layout.View[atomic.Uint64](s.data, int(offset)).Load",
        "expected = uint64(uint32(expected))",
        "segment",
    ),
    Mutant(
        "a closed segment's waiters are not told",
        SEGMENT,
        "object.Kick(&s.h.Cell[i].Word)",
        "_ = i",
        "segment",
    ),
    Mutant(
        "a lock taken over from a dead thread can't be freed",
        "runtime/segment/lock.go",
        "|| uint32(s.h.Lock.Owner.Load()>>32) == s.obj.Me {",
        "|| s.h.Lock.Owner.Load() != 0 {",
        "segment",
    ),
    Mutant(
        "what was left is in use as long as it is mapped",
        "runtime/internal/shm/object.go",
        "_ = mapOver(o.Mem, c.fd)",
        "_ = mapOver",
        "segment",
    ),
    Mutant(
        "C: a cell is changed before its result has a place",
        "capi/quick_segment.c",
        "            *(volatile uint64_t *)out = *(volatile uint64_t *)out;",
        "            (void)out;",
        "c segment",
    ),
    Mutant(
        "C: a handle of another kind will do",
        "capi/quick.c",
        "return atomic_load(&k->handle) == handle && k->kind == kind &&",
        "return atomic_load(&k->handle) == handle &&",
        "c segment",
    ),
    Mutant(
        "C: a notify goes to another word",
        "capi/quick_segment.c",
        "pi_quick_wake(&h->cell[(n ^ n / PI_CELL_WORDS) % PI_CELL_WORDS].word, INT32_MAX);",
        "pi_quick_wake(&h->cell[n % PI_CELL_WORDS].word, INT32_MAX);",
        "c segment",
    ),
    Mutant(
        "C: a cell may lie outside",
        "capi/quick_segment.c",
        " || bytes < width ||\n        at > bytes - width)",
        ")",
        "c segment",
    ),
)
