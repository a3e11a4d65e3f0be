# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of doorbells, of waiting for many, and of child processes."""

from __future__ import annotations

from mutant import Mutant
from suites import c

SUITES_WAIT = {
    "wait": "go test -count=1 -failfast -timeout 60s ./runtime/internal/doorbell ./runtime/internal/handover ./runtime/wait ./runtime/process ./spawn ./runtime/pipe -run 'Test[^M]'",
    "poll": "go test -count=1 -failfast -timeout 90s -run 'Readable|Writable|Polling|Bell' ./runtime/internal/fifo",
    "many points": "go test -count=1 -failfast -timeout 200s -tags crash -run 'TestCrashPoints/go/(bell|ringer|process_killed|holder_of_a_lease_dies_while)' ./tests/chaos",
    "c wait": c("c-test_wait*", "c-test_process*", "fork-poll*"),
}

BELL = "runtime/internal/doorbell/doorbell.go"
POLL = "runtime/internal/fifo/poll.go"
TAKE = "runtime/internal/handover/take.go"

MUTANTS_WAIT = (
    Mutant(
        "a loop is told of an end that others still have",
        "runtime/pipe/pipe.go",
        "\tif p.obj.File.EndLeft(p.end) {\n",
        "\tif false {\n",
        "wait",
    ),
    Mutant(
        "the byte of a ringer on his way comes for nothing",
        BELL,
        "!shm.DrainBell(own.fd) && owed && readable(own.fd, slowest)",
        "!shm.DrainBell(own.fd) && owed && readable(own.fd, 0)",
        "wait",
    ),
    Mutant(
        "a bell is armed without a second look",
        BELL,
        "if ready, err = b.ready(kind, sure); !ready && err == nil && b.obj.Gone() == nil {",
        "if err == nil {",
        "wait",
    ),
    Mutant(
        "a bell is armed with a byte in it",
        BELL,
        "if !shm.DrainBell(own.fd) && owed",
        "if owed",
        "wait",
    ),
    Mutant(
        "a bell is armed where nobody looks",
        BELL,
        "\t\tb.h.Some[kind].Store(1)\n",
        "",
        "wait",
    ),
    Mutant(
        "seats of the dead stay",
        BELL,
        "\tb.free(seat, word)\n",
        "",
        "wait",
    ),
    Mutant(
        "who is rung is not told of a close",
        BELL,
        "\t\t\tshm.WriteBell(own.fd)\n\t\t}\n\t}\n}\n\n// Close gives",
        "\t\t\t_ = own.fd\n\t\t}\n\t}\n}\n\n// Close gives",
        "c wait",
    ),
    Mutant(
        "the watch does not look",
        "runtime/internal/doorbell/watch.go",
        "_, _ = b.settle(kind, own, true)",
        "_ = own",
        "many points",
    ),
    Mutant(
        "a seat of the dead keeps its bits",
        "runtime/internal/doorbell/seat.go",
        "\t\tb.disarm(kind, seat)\n",
        "\t\t_ = kind\n",
        "wait",
    ),
    Mutant(
        "numbers that come round are not passed over",
        "runtime/internal/doorbell/seat.go",
        "case ipcerr.Exists: // the numbers have come round",
        "case ipcerr.Internal: // the numbers have come round",
        "wait",
    ),
    Mutant(
        "a put does not ring",
        POLL,
        "\tq.bells.Ring(layout.BellReadable)\n",
        "",
        "poll",
    ),
    Mutant(
        "a get does not ring",
        POLL,
        "\tq.bells.Ring(layout.BellWritable)\n",
        "",
        "poll",
    ),
    Mutant(
        "a verb leaves its descriptor as it was",
        "runtime/internal/fifo/call.go",
        "\t\to.q.bells.Settle()\n",
        "",
        "poll",
    ),
    Mutant(
        "who looks at a bell does not look for the dead",
        POLL,
        "err = o.orReclaim(ipcerr.Full, o.probe)",
        "err = o.probe()",
        "poll",
    ),
    Mutant(
        "a bell does not see that an end was closed",
        POLL,
        "!sure && there.Load() == seen",
        "!sure",
        "poll",
    ),
    Mutant(
        "a bell that must be sure believes what it heard",
        POLL,
        "!sure && there.Load() == seen",
        "there.Load() == seen",
        "poll",
    ),
    Mutant(
        "a bell forgets that an end is lost",
        "runtime/internal/fifo/other.go",
        "q.there[kind].Store(0)",
        "_ = kind",
        "poll",
    ),
    Mutant(
        "a wait believes a descriptor",
        "runtime/wait/wait.go",
        "yes, err := t.Ready()",
        "yes, err := t != nil, error(nil)",
        "wait",
    ),
    Mutant(
        "a killed process has an exit code",
        "runtime/process/process.go",
        "-int(ws.Signal())",
        "int(ws.Signal())",
        "wait",
    ),
    Mutant(
        "a descriptor is taken for the one that was handed over",
        TAKE,
        "err != nil || id != e.Ref.UUID {",
        "err != nil && id == e.Ref.UUID {",
        "wait",
    ),
    Mutant(
        "what was handed over goes on to grandchildren",
        TAKE,
        "\t\tunix.CloseOnExec(e.FD)\n",
        "",
        "wait",
    ),
    Mutant(
        "what was handed over is kept for ever",
        TAKE,
        "\t_ = unix.Close(fd)\n",
        "\t_ = fd\n",
        "c wait",
    ),
    Mutant(
        "a carried descriptor is closed at each question",
        TAKE,
        "\tstate.Held[i/64] &^= bit\n",
        "",
        "c wait",
    ),
    Mutant(
        "a put in C does not ring",
        "capi/quick.c",
        "ring = armed(q, PI_BELL_READABLE);",
        "ring = false;",
        "c wait",
    ),
    Mutant(
        "a get in C does not ring",
        "capi/quick.c",
        "left |= RING;",
        "left |= 0;",
        "c wait",
    ),
    Mutant(
        "C takes from a queue that is polled",
        "capi/quick.c",
        "!atomic_load_explicit(&k->polled, memory_order_relaxed)",
        "true",
        "c wait",
    ),
    Mutant(
        "a program is started with signals blocked",
        "capi/process.c",
        "POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF",
        "POSIX_SPAWN_SETSIGDEF",
        "c wait",
    ),
    Mutant(
        "a program is started with signals ignored",
        "capi/process.c",
        "POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF",
        "POSIX_SPAWN_SETSIGMASK",
        "c wait",
    ),
)
