# ruff: noqa: E501 (lines of code, as they stand)
"""The mutants of the quick ways in C; see mutations.py."""

from __future__ import annotations

from mutant import Mutant

C_QUICK = "capi/quick.c"
C_AWAIT = "capi/await.c"
C_GUARD = "capi/guard.c"
C_WITHIN = "capi/within.c"

MUTANTS_C = (
    Mutant(
        "C: no dirty after a get before finished records",
        C_QUICK,
        "if (get64(&r->reach) > head + bytes)",
        "if (get64(&r->reach) > head + bytes && a->most == 0)",
        "c",
    ),
    Mutant(
        "C: room is not made known",
        C_QUICK,
        "pi_quick_wake(&q->writable, INT32_MAX);",
        "(void)n;",
        "c",
    ),
    Mutant(
        "C: a message is not made known",
        C_QUICK,
        "pi_quick_wake(&q->readable, (int)n);",
        "(void)n;",
        "c",
    ),
    Mutant(
        "C: no bound on messages",
        C_QUICK,
        "seq - head_seq >= most ||",
        "(most == 0 && head_seq == 0) ||",
        "c",
    ),
    Mutant(
        "C: a batch writes over its own way back",
        C_QUICK,
        "atomic_store_explicit(&r->last, tail, memory_order_release);",
        ";",
        "c points",
    ),
    Mutant(
        "C: what is at the head is taken, leased or not",
        C_QUICK,
        "(state & PI_PHASE) != PI_READY || ",
        "state == 0 || ",
        "c",
    ),
    Mutant(
        "C: a fault keeps the producer lock",
        C_QUICK,
        "            give_back(&q->producers);",
        "            (void)give_back;",
        "c",
    ),
    Mutant(
        "C: a message is lost to a wrong pointer",
        C_QUICK,
        "    if (a->messages != NULL)\n        a->messages[n] =",
        "    atomic_store(&r->head, head + bytes);\n    if (a->messages != NULL)\n        a->messages[n] =",
        "c",
    ),
    Mutant(
        "C: a child counts its parent's threads",
        C_QUICK,
        "        atomic_store(&k->getting, 0);\n",
        "",
        "c",
    ),
    Mutant(
        "C: close waits for nobody",
        C_QUICK,
        "atomic_load(&k->putting) != 0 || atomic_load(&k->getting) != 0; round++",
        "round < 0; round++",
        "c",
    ),
    Mutant(
        "C: a sleeper does not look at its handle",
        C_AWAIT,
        "if (atomic_load(&k->handle) != a->handle) {",
        "if (atomic_load(&k->handle) == UINT32_MAX) {",
        "c",
    ),
    Mutant(
        "C: a sleeper keeps its seat",
        C_AWAIT,
        "    rise(k, seat);\n",
        "    (void)rise;\n",
        "c",
    ),
    Mutant(
        "C: who is too small passes nothing on",
        C_AWAIT,
        "(status == POLYIPC_OK || status == POLYIPC_TOO_SMALL)",
        "status == POLYIPC_OK",
        "c",
    ),
    Mutant(
        "C: a queue is empty whose consumer died in it",
        C_QUICK,
        "atomic_load_explicit(&q->consumers, memory_order_relaxed) == 0 &&",
        "",
        "c points",
    ),
    Mutant(
        "C: a fault leaves signals blocked",
        C_GUARD,
        "        pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL);\n",
        "        (void)context;\n",
        "c",
    ),
    Mutant(
        "C: a child goes under its parent's name",
        C_QUICK,
        "        atomic_store(&k->handle, 0);\n        atomic_store(&k->putting, 0);",
        "        atomic_store(&k->putting, 0);",
        "c",
    ),
    Mutant(
        "C: only NULL is no pointer",
        "capi/queue.go",
        "case uintptr(data) < lowest:",
        "case data == nil:",
        "c",
    ),
    Mutant(
        "C: a sleeper does not say so",
        C_AWAIT,
        "*value = atomic_fetch_or(&k->in.queue->readable, PI_FLAG) | PI_FLAG;",
        "*value = atomic_load(&k->in.queue->readable);",
        "c",
    ),
    Mutant(
        "C: close does not wait for who noted where it is",
        C_QUICK,
        "    pi_within_wait(k);\n",
        "",
        "c",
    ),
    Mutant(
        "C: close believes old notes",
        C_WITHIN,
        "barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0",
        "keep->threads == NULL",
        "c",
    ),
    Mutant(
        "C: close is a cancellation point",
        C_QUICK,
        "pi_futex_wait(&k->handle, 0, ns);",
        "(void)k; usleep((useconds_t)(ns / 1000));",
        "c",
    ),
)
