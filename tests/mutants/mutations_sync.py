# ruff: noqa: E501 (lines of code, as they stand)
"""The mutants of locks and their kin; see mutations.py."""

from __future__ import annotations

from mutant import Mutant
from suites import c

MUTEX = "runtime/internal/mutex/mutex.go"
RLOCK = "runtime/internal/mutex/rlock.go"
CONDITION = "runtime/psync/condition.go"
BARRIER = "runtime/psync/barrier.go"
LEDGER = "runtime/psync/ledger.go"
RWLOCK = "runtime/psync/rwlock.go"
EVENT = "runtime/psync/event.go"
SEMAPHORE = "runtime/psync/semaphore.go"
C_SYNC = "capi/quick_sync.c"

SUITES_SYNC = {
    "psync": "go test -count=1 -failfast -timeout 60s ./runtime/internal/mutex ./runtime/psync",
    "sync points": "go test -count=1 -failfast -timeout 100s -tags crash -run TestCrashPoints/go/(semaphore|condition|barrier|rwlock)_ ./tests/chaos",
    "sync c": c("c-test_sync*"),
}

MUTANTS_SYNC = (
    Mutant(
        "the next owner is not told",
        MUTEX,
        'l.Obj.TookOver("lock", dead)\n\treturn true, nil',
        'l.Obj.TookOver("lock", dead)\n\treturn false, nil',
        "psync",
    ),
    Mutant(
        "a try does not take over",
        MUTEX,
        "token == l.Obj.Me || token != 0 && l.Obj.Member.Alive(token)",
        "token != 0",
        "psync",
    ),
    Mutant(
        "the age of another's hold",
        MUTEX,
        "l.H.Since.Store(0)",
        "l.H.Since.Load()",
        "psync",
    ),
    Mutant(
        "an rlock's owner stays named",
        RLOCK,
        'l.H.Owner.Store(0)\n\tcrash.Point("mutex.rlock.disowned")',
        'crash.Point("mutex.rlock.disowned")',
        "psync",
    ),
    Mutant(
        "what a dead owner left looks like mine",
        RLOCK,
        "return uint64(l.Obj.Me)<<32 | uint64(thread)",
        "return uint64(thread)",
        "psync",
    ),
    Mutant(
        "an rlock is as deep as once",
        RLOCK,
        "l.own(thread, depth)",
        "l.own(thread, 1)",
        "psync",
    ),
    Mutant(
        "permits of the dead stay with them",
        LEDGER,
        "if b.obj.Member.Alive(token) {\n\t\t\treturn e",
        "if b.obj.Member.Alive(token) || count > 0 {\n\t\t\treturn e",
        "psync",
    ),
    Mutant(
        "the guard's next holder does not count anew",
        "runtime/psync/guard.go",
        "case layout.SyncSemaphore, layout.SyncBoundedSemaphore, layout.SyncRWLock:\n\t\tb.recount()",
        "case layout.SyncSemaphore, layout.SyncBoundedSemaphore, layout.SyncRWLock:",
        "sync points",
    ),
    Mutant(
        "the guard's next holder does not end the round",
        "runtime/psync/guard.go",
        "case layout.SyncBarrier:\n\t\tb.endRound()",
        "case layout.SyncBarrier:",
        "sync points",
    ),
    Mutant(
        "a call that the dead did not hear is lost",
        CONDITION,
        "if state == layout.PlaceCalled {\n\t\t\to.call(living)",
        "if state == layout.PlaceCalled {",
        "sync points",
    ),
    Mutant(
        "the place is free before the next one is called",
        CONDITION,
        "if state == layout.PlaceCalled {\n\t\t\to.call(living)",
        'places[i].Who.CompareAndSwap(who, 0)\n\t\tif state == layout.PlaceCalled {\n\t\t\tcrash.Point("psync.pass.called")\n\t\t\to.call(living)',
        "sync points",
    ),
    Mutant(
        "a condition wakes the youngest",
        CONDITION,
        "p.Ticket < oldest.Ticket",
        "p.Ticket > oldest.Ticket",
        "psync",
    ),
    Mutant(
        "a call that comes with the timeout is lost",
        CONDITION,
        "notified = !c.vacate(w, layout.PlaceWaiting)",
        "c.vacate(w, layout.PlaceWaiting)",
        "psync",
    ),
    Mutant(
        "a dead party counts as arrived",
        BARRIER,
        "free, n = a.b.arrived(a.round, parties, a.b.living())",
        "free, n = a.b.arrived(a.round, parties, nil)",
        "psync",
    ),
    Mutant(
        "an action's death holds up the barrier",
        BARRIER,
        "if a.b.obj.Member.Alive(token) {\n\t\t\treturn false, nil",
        "if token != 0 {\n\t\t\treturn false, nil",
        "psync",
    ),
    Mutant(
        "a timeout does not break the barrier",
        BARRIER,
        "a.finish(a.round, broke)",
        "_ = broke",
        "psync",
    ),
    Mutant(
        "the dead read for ever",
        RWLOCK,
        "!o.b.search() || !o.reclaim() ||",
        "",
        "psync",
    ),
    Mutant(
        "a dead writer is forgotten",
        RWLOCK,
        "if h.Active.Load() != 0 {\n\t\th.Died.Store(1)",
        "if h.Active.Load() != 0 {\n\t\th.Died.Store(0)",
        "psync",
    ),
    Mutant(
        "a writer that was out is said to have died in it",
        RWLOCK,
        "if h.Active.Load() != 0 {\n\t\th.Died.Store(1)",
        "if h.Active.Load() <= 1 {\n\t\th.Died.Store(1)",
        "sync points",
    ),
    Mutant(
        "a dead writer is out before word is left",
        RWLOCK,
        "\t\th.Died.Store(1)\n\t\tcrash.Point",
        "\t\th.Active.Store(0)\n\t\tdefer h.Died.Store(1)\n\t\tcrash.Point",
        "sync points",
    ),
    Mutant(
        "readers starve",
        RWLOCK,
        "l.h.Admit = object.Now()",
        "l.h.Admit = 0",
        "psync",
    ),
    Mutant(
        "a writer that waits lets readers in",
        RWLOCK,
        "if token != 0 && (h.Active.Load() != 0 || !waited || h.Admit == 0) {",
        "if token != 0 && h.Active.Load() != 0 {",
        "psync",
    ),
    Mutant(
        "an event that is cleared at once was never set",
        EVENT,
        "return e.h.Mark.Load() != began, nil",
        "return e.h.Mark.Load()&set != 0, nil",
        "psync",
    ),
    Mutant(
        "permits wake nobody",
        SEMAPHORE,
        "park.Wake(&s.h.Word, int(n))",
        "_ = n",
        "psync",
    ),
    Mutant(
        "C: an rlock's owner stays named",
        C_SYNC,
        "atomic_store_explicit(&m->owner, 0,",
        "atomic_store_explicit(&m->owner, atomic_load(&m->owner),",
        "sync c",
    ),
    Mutant(
        "C: a free lock is released",
        C_SYNC,
        "while ((v & ~(uint32_t)PI_WAITERS) != 0)",
        "while (true)",
        "sync c",
    ),
    Mutant(
        "C: one who waits for a lock is not woken",
        C_SYNC,
        "pi_futex_wake(&h->lock.word, 1);",
        "(void)0;",
        "sync c",
    ),
    Mutant(
        "C: a bound is none",
        C_SYNC,
        "kind == PI_BOUNDED_SEMAPHORE && h->limit < INT32_MAX ? h->limit : INT32_MAX",
        "INT32_MAX",
        "sync c",
    ),
)
