# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of a manager's objects."""

from __future__ import annotations

from mutant import Mutant

SUITES_OBJECTS = {
    "objects": "go test -count=1 -failfast -short -timeout 60s ./runtime/internal/live",
}

LIVE = "runtime/internal/live/"

MUTANTS_OBJECTS = (
    Mutant(
        "a dead owner's lock tells nobody",
        LIVE + "lock.go",
        "l.died, l.late = true, true",
        "l.late = true",
        "objects",
    ),
    Mutant(
        "a release that comes after the owner's death fails",
        LIVE + "lock.go",
        "l.died, l.late = true, true",
        "l.died = true",
        "objects",
    ),
    Mutant(
        "a release that comes after a death passes for ever",
        LIVE + "lock.go",
        "\t\tl.late = false\n\t\treturn",
        "\t\treturn",
        "objects",
    ),
    Mutant(
        "a release that comes after a death counts for the next owner",
        LIVE + "semaphore.go",
        "\ts.late = 0\n",
        "",
        "objects",
    ),
    Mutant(
        "an acquire taken back takes another's lock",
        LIVE + "lock.go",
        "if l.count < count || l.turn != turn {",
        "if l.count < count || l.turn < turn {",
        "objects",
    ),
    Mutant(
        "who takes an acquire back keeps to himself that an owner died",
        LIVE + "lock.go",
        "\t\tl.died = told\n",
        "\t\tl.died = l.died || false\n",
        "objects",
    ),
    Mutant(
        "a dead waiter takes its notification along",
        LIVE + "lock.go",
        "if wait != nil && notified {",
        "if wait != nil && notified && false {",
        "objects",
    ),
    Mutant(
        "a wait taken back takes its notification along",
        LIVE + "condition.go",
        "\t\tif notified {\n",
        "\t\tif notified && false {\n",
        "objects",
    ),
    Mutant(
        "an expired wait does without the lock",
        LIVE + "condition.go",
        "\tif d.lock.count > 0 {\n\t\td.queue(r, false)",
        "\tif d.lock.count > 99 {\n\t\td.queue(r, false)",
        "objects",
    ),
    Mutant(
        "a wait gets its rlock back once",
        LIVE + "condition.go",
        "l.take(r, r.place.count)",
        "l.take(r, 1)",
        "objects",
    ),
    Mutant(
        "a dead client's permits stay away",
        LIVE + "semaphore.go",
        "\ts.late += n\n\ts.add(n)\n",
        "\ts.late += n\n",
        "objects",
    ),
    Mutant(
        "a bounded semaphore grows with a death",
        LIVE + "semaphore.go",
        "s.value = min(s.value+n, s.most)",
        "s.value += n",
        "objects",
    ),
    Mutant(
        "a dead party keeps its place at a barrier",
        LIVE + "barrier.go",
        "func (b *barrier) Cancel(r *Request) { b.waiting.leave(r) }",
        "func (b *barrier) Cancel(*Request) {}",
        "objects",
    ),
    Mutant(
        "an item comes back behind younger ones",
        LIVE + "deque.go",
        "return q.slots[q.head+n].seq > i.seq",
        "return q.slots[q.head+n].seq > i.seq+1",
        "objects",
    ),
    Mutant(
        "a small put overtakes a large one",
        LIVE + "queue.go",
        "now := q.putters.n == 0 && q.fits(len(given))",
        "now := q.fits(len(given))",
        "objects",
    ),
    Mutant(
        "who gives a put up leaves others waiting",
        LIVE + "queue.go",
        "\tr.place = place{}\n\tq.serve()\n",
        "\tr.place = place{}\n",
        "objects",
    ),
    Mutant(
        "a get after a shutdown does not wait for leases",
        LIVE + "queue.go",
        " && len(q.leases) == q.held[c]\n",
        "\n",
        "objects",
    ),
    Mutant(
        "a dead client's leases stay away",
        LIVE + "queue_give.go",
        "\t\tif l.client == c {\n",
        "\t\tif l.client == c && false {\n",
        "objects",
    ),
    Mutant(
        "an item given away keeps its references",
        LIVE + "queue_give.go",
        "\t\tr.Shared = r.Shared || i.refs\n\t\tq.forget(i)\n",
        "\t\tr.Shared = r.Shared || i.refs\n",
        "objects",
    ),
    Mutant(
        "a put given up keeps its references",
        LIVE + "queue.go",
        "\tq.forget(r.place.items...)\n\tfor _, l := range []*line{&q.putters, &q.getters, &q.joiners} {\n\t\tl.leave(r)",
        "\tfor _, l := range []*line{&q.putters, &q.getters, &q.joiners} {\n\t\tl.leave(r)",
        "objects",
    ),
    Mutant(
        "a key that is there is counted again",
        LIVE + "dict.go",
        "d.drop(key, e.value)",
        "d.drop(e.value)",
        "objects",
    ),
    Mutant(
        "half of an update's references are kept",
        LIVE + "refs.go",
        "range values[:i] {",
        "range values[:min(i, 0)] {",
        "objects",
    ),
    Mutant(
        "a small integer in a long form is another key",
        LIVE + "canon.go",
        "return v[1] >= 0x80 && v[1] < 0xe0",
        "return v[1] >= 0x80",
        "objects",
    ),
    Mutant(
        "an order rounds large integers",
        LIVE + "number.go",
        "const exact = 1 << 53",
        "const exact = 1 << 62",
        "objects",
    ),
    Mutant(
        "a compacted table is indexed as before",
        LIVE + "table.go",
        "index[form(e.key)] = t.past + len(entries)",
        "index[form(e.key)] = t.index[form(e.key)]",
        "objects",
    ),
    Mutant(
        "entries slide, and are found where they were",
        LIVE + "table.go",
        "\tt.past += t.first\n",
        "",
        "objects",
    ),
    Mutant(
        "an undo looks into what is another request by then",
        LIVE + "semaphore.go",
        "s.add(s.giveUp(c, 1))",
        "s.add(s.giveUp(r.Client, 1))",
        "objects",
    ),
)
