# ruff: noqa: E501 (lines of code, as they stand)
"""The mutants: one-line ways to break the code, each with the tests that must notice.

`old` stands exactly once in `file`; `new` takes its place. `tests` are names of SUITES.
"""

from __future__ import annotations

from mutant import Mutant
from mutations_aio import MUTANTS_AIO, SUITES_AIO
from mutations_c import MUTANTS_C
from mutations_compat import MUTANTS_COMPAT, SUITES_COMPAT
from mutations_data import MUTANTS_DATA, SUITES_DATA
from mutations_dropin import MUTANTS_DROPIN, SUITES_DROPIN
from mutations_hosted import MUTANTS_HOSTED, SUITES_HOSTED
from mutations_manager import MUTANTS_MANAGER, SUITES_MANAGER
from mutations_manager_c import MUTANTS_MANAGER_C, SUITES_MANAGER_C
from mutations_manager_go import MUTANTS_MANAGER_GO, SUITES_MANAGER_GO
from mutations_manager_py import MUTANTS_MANAGER_PY, SUITES_MANAGER_PY
from mutations_objects import MUTANTS_OBJECTS, SUITES_OBJECTS
from mutations_pipe import MUTANTS_PIPE, SUITES_PIPE
from mutations_reference import MUTANTS_REFERENCE
from mutations_segment import MUTANTS_SEGMENT, SUITES_SEGMENT
from mutations_sync import MUTANTS_SYNC, SUITES_SYNC
from mutations_synch import MUTANTS_SYNCH, SUITES_SYNCH
from mutations_tls import MUTANTS_TLS, SUITES_TLS
from mutations_tree import MUTANTS_TREE, SUITES_TREE
from mutations_wait import MUTANTS_WAIT, SUITES_WAIT
from suites import c

# What is run in a copy of the tree; the whole suite passes there before any mutant is tried.
SUITES = {
    **SUITES_SYNC,
    **SUITES_SYNCH,
    **SUITES_DATA,
    **SUITES_DROPIN,
    **SUITES_COMPAT,
    **SUITES_MANAGER,
    **SUITES_HOSTED,
    **SUITES_MANAGER_GO,
    **SUITES_MANAGER_PY,
    "ring": "go test -count=1 -failfast -timeout 30s ./runtime/internal/ring",
    "park": "go test -count=1 -failfast -timeout 20s ./runtime/internal/park",
    "layout": "go test -count=1 -failfast -timeout 60s ./runtime/internal/layout",
    "member": "go test -count=1 -failfast -timeout 120s ./runtime/internal/member",
    "shm": "go test -count=1 -failfast -timeout 120s ./runtime/internal/shm",
    "queue": "go test -count=1 -failfast -timeout 120s ./runtime/internal/fifo ./runtime/queue",
    "codec": "go test -count=1 -failfast -timeout 60s ./codec",
    **SUITES_MANAGER_C,
    **SUITES_OBJECTS,
    **SUITES_PIPE,
    **SUITES_SEGMENT,
    **SUITES_TLS,
    "reference": "go test -count=1 -failfast -timeout 60s -run 'Refer|Receipt|InMessage|Link' ./runtime/internal/shm ./runtime/queue ./runtime/pipe",
    "stopped": "go test -count=1 -failfast -timeout 100s -tags crash -run 'TestStopped|TestRecovery' ./tests/chaos",
    "points": "go test -count=1 -failfast -timeout 200s -tags crash -run TestCrashPoints/go ./tests/chaos",
    "c points": "go test -count=1 -failfast -timeout 300s -tags crash -run TestCrashPoints/c ./tests/chaos",
    "c": c(
        "c-test_quick*",
        "c-test_pipe*",
        "c-test_within*",
        "fork-pipe*",
        "fork-quick*",
        "fork-faults*",
    ),
    **SUITES_TREE,
    **SUITES_WAIT,
    **SUITES_AIO,
}

RING = "runtime/internal/ring/ring.go"
QUICK = "runtime/internal/ring/quick.go"
PARK = "runtime/internal/park/park.go"
LOCK = "runtime/internal/park/lock.go"
REPAIR = "runtime/internal/fifo/repair.go"
RINGS = "runtime/internal/fifo/rings.go"
PUT = "runtime/internal/fifo/put.go"
CALL = "runtime/internal/fifo/call.go"
TASKS = "runtime/internal/fifo/tasks.go"
LEASE = "runtime/internal/fifo/lease.go"
GET = "runtime/internal/fifo/get.go"

MUTANTS = (
    Mutant(
        "the first sleep of a wait is as long as any",
        "runtime/internal/fifo/wait.go",
        "return min(q.slice(), sliceFirst)",
        "return q.slice()",
        "queue",
    ),
    Mutant(
        "a bounded queue grows though room was just made",
        PUT,
        "room, soon := o.room(r, at, size)",
        "room, soon := false, false",
        "queue",
    ),
    # The ring.
    Mutant(
        "next sequence number of a put in the making",
        RING,
        "if last < tail {\n\t\treturn r.Data.Record(last)",
        "if last <= tail {\n\t\treturn r.Data.Record(last)",
        "ring",
    ),
    Mutant(
        "a full ring never sees the new head",
        RING,
        "\tr.H.HeadSeen = r.H.Head.Load()\n\tused",
        "\tused",
        "ring",
    ),
    Mutant(
        "the cursor passes a reserved record",
        RING,
        "\t\t\t\tif !behindReserved {\n\t\t\t\t\tbehindReserved = true",
        "\t\t\t\tif !behindReserved {\n\t\t\t\t\tbehindReserved = false",
        "ring",
    ),
    Mutant(
        "a large copy repeats its first piece",
        "runtime/internal/ring/copy.go",
        "to, from = to[piece:], from[piece:]",
        "to = to[piece:]",
        "ring",
    ),
    Mutant(
        "a claim does not move reach",
        RING,
        "\tif end <= r.reach() {\n\t\treturn false",
        "\tif end > 0 {\n\t\treturn false",
        "ring",
    ),
    Mutant(
        "a record's size is believed",
        RING,
        "if size > tail-pos || size > r.Data.Size() {",
        "if size > 1<<40 {",
        "ring",
    ),
    Mutant(
        "a record's phase is believed",
        RING,
        "if p := s.Phase(); p == layout.None || p > layout.Abandoned {",
        "if p := s.Phase(); p > 1<<63 && p < 1<<62 {",
        "ring",
    ),
    Mutant("a batch writes over its own way back", PUT, "\t\t\t\tr.Begin(seq)\n", "", "points"),
    Mutant(
        "what is at the head is taken, leased or not",
        QUICK,
        "rec.State().Phase() != layout.Ready || ",
        "",
        "queue",
    ),
    Mutant(
        "a returned lease keeps its count",
        "runtime/internal/layout/ring.go",
        "\t\ts += 1 << countShift\n",
        "\t\ts += 0\n",
        "ring",
    ),
    # Waiting.
    Mutant(
        "a waker forgets who still sleeps",
        PARK,
        "\tarm(w)\n}\n\n// WakeAll",
        "}\n\n// WakeAll",
        "park",
    ),
    Mutant(
        "a sleeper does not say so",
        PARK,
        "\t\tv := arm(w.Word)\n",
        "\t\tv := w.Word.Load()\n",
        "park",
    ),
    Mutant(
        "no last try before the sleep",
        PARK,
        "\t\tdone, err := w.Try()\n\t\tif done || err != nil {\n\t\t\tif slept && w.Pass",
        "\t\tdone, err := false, error(nil)\n\t\tif slept {\n\t\t\tdone, err = w.Try()\n\t\t}\n\t\tif done || err != nil {\n\t\t\tif slept && w.Pass",
        "park",
    ),
    Mutant(
        "a wake for many is not passed on",
        PARK,
        "if slept && w.Pass != nil && (done",
        "if slept && w.Pass == nil && (done",
        "park",
    ),
    Mutant("cancelling wakes nobody", PARK, "\t\tKick(w) // moves", "\t\t_ = w // moves", "park"),
    Mutant(
        "unlock wakes nobody",
        LOCK,
        'crash.Point("park.unlock.wake")\n\t\tfutex.Wake(w, 1)\n',
        'crash.Point("park.unlock.wake")\n',
        "park",
    ),
    Mutant(
        "who slept forgets who still sleeps",
        LOCK,
        "\t\t\tif w.CompareAndSwap(v, me|waiters) {\n\t\t\t\treturn false, nil",
        "\t\t\tif w.CompareAndSwap(v, me) {\n\t\t\t\treturn false, nil",
        "park",
    ),
    Mutant(
        "a take-over forgets who sleeps",
        LOCK,
        "\t\t\tif w.CompareAndSwap(v, me|waiters) {\n\t\t\t\tcrash",
        "\t\t\tif w.CompareAndSwap(v, me) {\n\t\t\t\tcrash",
        "park",
    ),
    Mutant(
        "nobody is ever dead", LOCK, "} else if !alive(v & owner) {", "} else if false {", "park"
    ),
    # Repairs.
    Mutant(
        "a take-over repairs nothing",
        CALL,
        "\t\tif side == producers {\n\t\t\to.repairProducers()",
        "\t\tif side == producers {\n\t\t\tq.h.TakeOvers.Add(0)",
        "points",
    ),
    Mutant(
        "a ring that was not published stays",
        REPAIR,
        '\t\t\t_ = q.obj.Root.RemovePart(q.obj.File.UUID, q.RingLetter, n)\n\t\t\tcrash.Point("fifo.repair.growing")',
        '\t\t\tcrash.Point("fifo.repair.growing")',
        "points",
    ),
    Mutant(
        "a ring that was retired stays",
        REPAIR,
        '\t\t\t_ = q.obj.Root.RemovePart(q.obj.File.UUID, q.RingLetter, n)\n\t\t\tcrash.Point("fifo.repair.retiring")',
        '\t\t\tcrash.Point("fifo.repair.retiring")',
        "points",
    ),
    Mutant(
        "the journal is not carried out",
        REPAIR,
        "\tif h.Sweep.Valid.Load() != 0 {",
        "\tif h.Sweep.Valid.Load() > 1 {",
        "points",
    ),
    Mutant("the ring in the making is not named", RINGS, "\th.Growing = n\n", "", "points"),
    Mutant("the ring that goes is not named", RINGS, "\t\th.Retiring = m.Number\n", "", "points"),
    Mutant(
        "leases of the dead stay",
        REPAIR,
        "if isDead(it.S.Owner()) && it.Rec.Move(it.S, it.S.Return()) {",
        "if false && it.Rec.Move(it.S, it.S.Return()) {",
        "queue",
    ),
    Mutant(
        "records of dead writers stay",
        REPAIR,
        "if isDead(it.S.Owner()) && it.Rec.Move(it.S, layout.Abandoned) {",
        "if false && it.Rec.Move(it.S, layout.Abandoned) {",
        "queue",
    ),
    Mutant(
        "a message given back by the dead is not found",
        REPAIR,
        "if m.Passed(it.Pos) && h.Rescan.Load() == 0 {",
        "if m.Passed(it.Pos) && h.Rescan.Load() == 2 {",
        "points",
    ),
    Mutant(
        "the consumers' side is not repaired",
        CALL,
        "\t\t} else {\n\t\t\to.repairConsumers()",
        "\t\t} else {\n\t\t\tq.h.TakeOvers.Add(0)",
        "points",
    ),
    Mutant(
        "a repair that finds nothing keeps the lock",
        "runtime/internal/object/call.go",
        "\tdefer func() { _ = recover() }()\n\tf()",
        "\tf()",
        "queue",
    ),
    Mutant(
        "large messages leave their parts behind",
        REPAIR,
        "m.Sweep(q.removeParts)",
        "m.Sweep(func(*ring.Item) {})",
        "points",
    ),
    Mutant(
        "the journal is written after its commit",
        REPAIR,
        "\t\t\th.Sweep.Head = sw.Head\n",
        "\t\t\tdefer func() { h.Sweep.Head = sw.Head }()\n",
        "points",
    ),
    Mutant(
        "the number of a ring is used again",
        RINGS,
        "\th.NextRing = n + 1\n",
        "\th.NextRing = n + 0\n",
        "queue",
    ),
    Mutant(
        "a ring with messages in it is retired",
        RINGS,
        "\tif !m.Empty() {\n\t\treturn false, nil\n\t}\n",
        "",
        "stopped",
    ),
    Mutant(
        "a put is taken over while it is read",
        PUT,
        "\tif !rec.Move(mine, layout.Ready) {",
        "\tif rec.Move(mine, layout.Ready); false {",
        "stopped",
    ),
    Mutant(
        "a batch that waits for the lock times out by itself",
        PUT,
        "return 0, busy(ctx, err, ipcerr.Full)",
        "return 0, err",
        "stopped",
    ),
    Mutant(
        "shut down while a lease may come back",
        TASKS,
        "back = it.S.Phase() == layout.Leased && it.S.Owner() != o.q.obj.Me ||",
        "back = it.S.Phase() == layout.None ||",
        "points",
    ),
    Mutant(
        "who joins looks for nobody",
        TASKS,
        "\t\t\t_, err = o.reclaim()\n",
        "",
        "points",
    ),
    Mutant(
        "a held lease hides what the dead reserved",
        REPAIR,
        "o.q.due(&o.q.passed)",
        "o.q.due(&o.q.reclaimed)",
        "points",
    ),
    Mutant(
        "the dead keep their leases while messages abound",
        REPAIR,
        "\tif !m.Passed(m.H.Head.Load()) {",
        "\tif m.Number < 1<<60 {",
        "points",
    ),
    Mutant(
        "what the dead reserved counts for ever",
        RING,
        "\t\treturn head\n\t}\n\treturn reach\n",
        "\t\treturn head\n\t}\n\treturn head\n",
        "stopped",
    ),
    # The queue's promises.
    Mutant(
        "a batch may exceed max size",
        PUT,
        "if c.Live()+staged(r, at, seq) >= h.MaxSize {",
        "if c.Live() >= h.MaxSize {",
        "queue",
    ),
    Mutant(
        "nothing larger than the capacity, ever",
        PUT,
        "if used+bytes > h.Capacity && used > 0 {",
        "if used+bytes > h.Capacity {",
        "queue",
    ),
    Mutant(
        "a lease that comes back is overlooked",
        GET,
        "\tif h.Rescan.Load() != 0 {",
        "\tif h.Rescan.Load() > 1 {",
        "queue",
    ),
    Mutant(
        "an ack is never swept",
        REPAIR,
        '\to.q.h.Dirty.Store(1)\n\tcrash.Point("fifo.settle.dirty")',
        '\tcrash.Point("fifo.settle.dirty")',
        "queue",
    ),
    Mutant(
        "puts after a shutdown",
        PUT,
        "\tif q.h.Shutdown.Load() != 0 {\n\t\treturn nil, 0, ipcerr.Shutdown",
        "\tif q.h.Shutdown.Load() > 9 {\n\t\treturn nil, 0, ipcerr.Shutdown",
        "queue",
    ),
    Mutant(
        "a shutdown lets puts under way commit",
        TASKS,
        "if it.S.Phase() == layout.Reserved && it.Rec.Move(it.S, layout.Abandoned) {",
        "if it.S.Phase() == layout.Reserved && it.S == 0 {",
        "stopped",
    ),
    Mutant(
        "close keeps the leases",
        "runtime/queue/queue.go",
        "\tif q.countOut() {",
        "\tif q.countOut() && false {",
        "queue",
    ),
    Mutant(
        "anybody may end a lease twice",
        LEASE,
        "\tif !ok || !rec.Move(s, to) {",
        "\tif !ok || !rec.Move(s, to) && false {",
        "queue",
    ),
    # The floors below.
    Mutant(
        "an opened file is not looked at again",
        "runtime/internal/shm/object.go",
        "\tif err == nil && !same {\n\t\terr = ErrBusy // removed",
        "\tif err == nil && !same && false {\n\t\terr = ErrBusy // removed",
        "shm",
    ),
    Mutant(
        "a removed file is not looked at again",
        "runtime/internal/shm/remove.go",
        "\tif err == nil && !same { // an unlink was here before us",
        "\tif err == nil && !same && false { // an unlink was here before us",
        "stopped",
    ),
    Mutant(
        "an object in a message has no user",
        "runtime/internal/shm/remove.go",
        "if st, err := fstat(c.fd); err != nil || st.Nlink > 1 {",
        "if _, err := fstat(c.fd); err != nil {",
        "shm",
    ),
    Mutant(
        "an unnamed file is not looked at again once locked",
        "runtime/internal/shm/build.go",
        "if still, err = names(b.tmp, &st); err == nil && !still {",
        "if still, err = names(b.tmp, &st); err == nil && !still && false {",
        "shm",
    ),
    Mutant(
        "a lost descriptor says that all are dead",
        "runtime/internal/member/member.go",
        "\treturn false, m.mine()\n",
        "\treturn false, true\n",
        "member",
    ),
    Mutant(
        "a slot keeps its generation",
        "runtime/internal/member/join.go",
        "if generation = (generation + 1) % layout.Generations; generation == 0 {",
        "if generation == 0 {",
        "member",
    ),
    Mutant(
        "a forked child counts as its parent",
        "runtime/internal/shm/mapping.go",
        "unix.Madvise(pin, unix.MADV_DONTFORK)",
        "unix.Madvise(pin, unix.MADV_NORMAL)",
        "member",
    ),
    Mutant(
        "text need not be UTF-8",
        "codec/reader.go",
        "if !utf8.Valid(b) {",
        "if !utf8.Valid(b) && false {",
        "codec",
    ),
    *MUTANTS_C,
    *MUTANTS_DATA,
    *MUTANTS_MANAGER_C,
    *MUTANTS_DROPIN,
    *MUTANTS_COMPAT,
    *MUTANTS_OBJECTS,
    *MUTANTS_PIPE,
    *MUTANTS_REFERENCE,
    *MUTANTS_SEGMENT,
    *MUTANTS_SYNC,
    *MUTANTS_SYNCH,
    *MUTANTS_MANAGER,
    *MUTANTS_HOSTED,
    *MUTANTS_MANAGER_GO,
    *MUTANTS_MANAGER_PY,
    *MUTANTS_TLS,
    *MUTANTS_TREE,
    *MUTANTS_WAIT,
    *MUTANTS_AIO,
)
