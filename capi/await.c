/* await.c - waiting for a message in C: the loop of runtime/internal/park, Wait, for get, get_many and
 * lease. It sleeps outside of Go, whose scheduler would otherwise wake some 30 times a second to see
 * whether the sleeper is still asleep, and need tens of microseconds to let it run again.
 *
 * Whatever is not a small message at the head of ring 0 is Go's to find: each round ends with the whole
 * call through Go, without waiting, which also looks for what the dead hold. */
#include "quick.h"

#include "go.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int64_t MS = 1000000;

/* The longest sleeps, as in runtime/internal/fifo/wait.go: a waker killed between its commit and its wake is
 * found out within 100 ms, and sooner by who has not slept long. */
static const int64_t IDLE = 90, BUSY = 50, FIRST = 20; /* ms */
/* The first sleep of a wait at a pipe, ns, before which it is not always asked for the other end: whoever
 * gets an answer in that time need not ask. Longer than a tick: to arm an earlier timer costs 2 us in a
 * virtual machine. */
static const int64_t UNSURE = 10000000;
/* An interruptible wait lasts no longer: a signal that came just before the sleep does not end it. */
static const int64_t INTERRUPT_EVERY = 200; /* ms */

/* Spinning, in rounds of some 15 ns; see Spin in park.go. */
enum {
    SPIN_HOLD = 200 /* sleeps */,
    SPIN_START = 1000,
    SPIN_LEAST = 20,
    SPIN_MOST = 4000,
    SPIN_WORTH = 60000 /* ns */
};

int64_t pi_quick_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Not the processor's PAUSE, which a virtual machine's host punishes. */
static void pause_some(void) {
    for (int i = 0; i < 50; i++)
        __asm__ volatile("");
}

static int clamp(int v, int least, int most) { return v < least ? least : v > most ? most : v; }

/* Tries, through Go only if the queue is not plainly empty. */
static polyipc_status try_once(struct pi_quick *k, struct pi_attempt *a) {
    if (a->most > 0 && pi_quick_take(k, a))
        return POLYIPC_OK;
    if (pi_quick_empty(k))
        return POLYIPC_EMPTY;
    pi_enter_go();
    return a->whole(a);
}

/* Tries, and if there is nothing and nobody at the other end either, leaves it to Go to look once more. */
static polyipc_status try_last(struct pi_quick *k, struct pi_attempt *a, bool sure) {
    const polyipc_status status = try_once(k, a);
    if (status != POLYIPC_EMPTY || pi_quick_other(k, sure))
        return status;
    pi_enter_go();
    return a->whole(a);
}

/* How often the hint is asked before it is true, at most budget; -1 if it never was, or the page is gone. */
static int until_readable(struct pi_quick *k, int budget) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return -1;
    int found = -1;
    for (int i = 0; i < budget && found < 0; i++) {
        if (pi_quick_readable(k))
            found = i;
        else
            pause_some();
    }
    PI_UNGUARD();
    return found;
}

static polyipc_status spin(struct pi_quick *k, struct pi_attempt *a) {
    if (pi_now.keep->alone)
        return POLYIPC_EMPTY;
    const int was = atomic_load_explicit(&k->spin, memory_order_relaxed);
    const int budget = was != 0 ? was : SPIN_START;
    for (int spun = 0; spun < budget; spun += SPIN_LEAST) { /* a hint that came to nothing costs as much */
        const int more = until_readable(k, budget - spun);
        if (more < 0)
            break;
        spun += more;
        const polyipc_status status = try_once(k, a);
        if (status != POLYIPC_EMPTY) {
            /* Twice what it took, approached slowly: enough for the next one, not much more. */
            const int next = budget + (2 * spun + SPIN_LEAST - budget) / 16;
            atomic_store_explicit(&k->spin, clamp(next, SPIN_START / 4, SPIN_MOST), memory_order_relaxed);
            return status;
        }
    }
    return POLYIPC_EMPTY;
}

/* Steers by a wait that ended in a sleep. If both sides sleep, each one's wait is as long as it takes to
 * wake the other: only who spins for so long once breaks out of that. But if even the longest spin ends in
 * a sleep, the other side cannot run, perhaps because this one has its processor: then there are no more
 * of them for SPIN_HOLD sleeps. */
static void learn(struct pi_quick *k, int64_t waited) {
    int budget = atomic_load_explicit(&k->spin, memory_order_relaxed);
    if (waited >= SPIN_WORTH) {
        budget -= budget / 4;
    } else if (atomic_load_explicit(&k->spin_held, memory_order_relaxed) > 0) {
        atomic_fetch_sub_explicit(&k->spin_held, 1, memory_order_relaxed);
        return;
    } else if (budget >= SPIN_MOST) {
        budget = SPIN_LEAST;
        atomic_store_explicit(&k->spin_held, SPIN_HOLD, memory_order_relaxed);
    } else {
        budget = 2 * budget + SPIN_LEAST;
    }
    atomic_store_explicit(&k->spin, clamp(budget, SPIN_LEAST, SPIN_MOST), memory_order_relaxed);
}

/* Says that somebody is about to sleep, and returns the value to sleep on. The fence: the last try must not
 * read the tail before the flag can be seen, which a processor with weaker order than amd64's could do behind
 * the swap alone. False: the page is gone. */
static bool arm(struct pi_quick *k, uint32_t *value) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return false;
    *value = atomic_fetch_or(&k->in.queue->readable, PI_FLAG) | PI_FLAG;
    atomic_thread_fence(memory_order_seq_cst);
    PI_UNGUARD();
    return true;
}

/* How long it is safe to sleep now, ns. Short while the dead might own something here. */
static int64_t slice(const struct pi_quick *k) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return 0;
    const struct pi_queue *const q = k->in.queue;
    const struct pi_ring *const r = k->in.ring;
    const bool busy = atomic_load(&q->producers) != 0 || atomic_load(&q->consumers) != 0 ||
                      atomic_load(&r->head) != atomic_load(&r->tail) || atomic_load(&r->next) != 0 ||
                      atomic_load(&q->first) != 0;
    PI_UNGUARD();
    return (busy ? BUSY : IDLE) * MS;
}

/* Takes a seat, by which an operator sees who waits; its number, or -1. Seats of the dead are Go's to
 * clear. */
static int sit(struct pi_quick *k, uint32_t handle, int64_t since) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return -1;
    for (int i = 0; i < PI_SEATS; i++) {
        const int n = (int)((k->me + (uint32_t)i) % PI_SEATS);
        struct pi_seat *const s = &k->in.queue->seat[n];
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&s->who, &nobody, (uint64_t)PI_WAITS_FOR_MESSAGE << 32 | k->me)) {
            atomic_store(&s->since, since);
            PI_UNGUARD();
            return n;
        }
    }
    PI_UNGUARD();
    pi_enter_go();
    return pg_quick_sit(handle);
}

/* Leaves the seat that an operator saw this sleeper in. */
static void rise(struct pi_quick *k, int seat) {
    struct pi_guard g;
    if (seat < 0 || PI_GUARD(g))
        return;
    uint64_t who = (uint64_t)PI_WAITS_FOR_MESSAGE << 32 | k->me;
    atomic_compare_exchange_strong(&k->in.queue->seat[seat].who, &who, 0);
    PI_UNGUARD();
}

/* A message may have been committed for more than one sleeper, and only this one was woken. */
static void pass_on(struct pi_quick *k) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return;
    if (pi_quick_readable(k))
        pi_quick_wake(&k->in.queue->readable, 1);
    PI_UNGUARD();
}

static polyipc_status ended(struct pi_attempt *a, polyipc_status status) {
    pi_fail_plain(a->operation, a->handle, status);
    return status;
}

static polyipc_status sleep_for(struct pi_quick *k, struct pi_attempt *a, int64_t began, int64_t deadline) {
    bool slept = false, again = false, interrupted = false;
    int seat = -1;
    polyipc_status status;
    for (;;) {
        uint32_t value = 0;
        const bool armed = arm(k, &value);
        status = try_last(k, a, slept);
        if (status != POLYIPC_EMPTY || again)
            break;
        if (atomic_load(&k->handle) != a->handle) {
            status = POLYIPC_CLOSED;
            break;
        }
        const int64_t t = pi_quick_now(), left = deadline - t;
        if (left <= 0) {
            status = POLYIPC_TIMEOUT;
            break;
        }
        int64_t ns = armed ? slice(k) : 0;
        if (!slept && ns > FIRST * MS)
            ns = k->kind == PI_PIPE ? UNSURE : FIRST * MS;
        if (ns > left)
            ns = left;
        if (!slept)
            seat = sit(k, a->handle, t);
        const int e = ns > 0 ? pi_futex_sleep(&k->in.queue->readable, value, ns) : 0;
        slept = true;
        if (pi_me.interruptible && (e == EINTR || pi_quick_now() - began > INTERRUPT_EVERY * MS)) {
            interrupted = true;
            again = true; /* tried once more: a wake may have come together with the signal */
        }
    }
    rise(k, seat);
    if (status == POLYIPC_EMPTY && interrupted)
        status = POLYIPC_INTERRUPTED;
    if (slept && (status == POLYIPC_OK || status == POLYIPC_TOO_SMALL))
        pass_on(k); /* also what is too large for this one */
    if (slept && status == POLYIPC_OK)
        learn(k, pi_quick_now() - began);
    return status;
}

/* Counted in; timeout is not 0. */
static polyipc_status await(struct pi_quick *k, struct pi_attempt *a, int64_t timeout) {
    const int64_t began = pi_quick_now();
    const int64_t deadline = timeout < 0 || timeout > INT64_MAX - began ? INT64_MAX : began + timeout;
    polyipc_status status = spin(k, a);
    if (status == POLYIPC_EMPTY)
        status = sleep_for(k, a, began, deadline);
    if (status == POLYIPC_BAD_HANDLE) /* it was good when the call came */
        status = POLYIPC_CLOSED;
    if (status == POLYIPC_TIMEOUT || status == POLYIPC_INTERRUPTED || status == POLYIPC_CLOSED)
        return ended(a, status);
    return status;
}

/* ---- calls ------------------------------------------------------------------------------- */

polyipc_status pi_quick_attempt(enum pi_kind kind, struct pi_attempt *a, int64_t timeout) {
    struct pi_quick *k = pi_quick_enter_get(a->handle, kind);
    if (k == NULL)
        return PI_SLOW;
    polyipc_status status = timeout == 0 ? try_last(k, a, true) : try_once(k, a);
    if (status == POLYIPC_EMPTY)
        status = timeout == 0 ? ended(a, status) : await(k, a, timeout);
    pi_quick_leave_get(k);
    return status;
}

static polyipc_status get_whole(struct pi_attempt *a) {
    return pg_queue_get((polyipc_queue){a->handle}, a->buffer, a->capacity, POLYIPC_TRY, a->out_size,
                        a->out_format);
}

polyipc_status pi_quick_queue_get(polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout,
                                  size_t *out_size, polyipc_format *out_format) {
    if (buffer == NULL && capacity > 0)
        return PI_SLOW;
    struct pi_attempt a = {.whole = get_whole,
                           .handle = queue.id,
                           .operation = PI_OP_GET,
                           .buffer = buffer,
                           .capacity = capacity,
                           .most = 1,
                           .out_size = out_size,
                           .out_format = out_format};
    return pi_quick_attempt(PI_QUEUE, &a, timeout);
}

static polyipc_status get_many_whole(struct pi_attempt *a) {
    return pg_queue_get_many((polyipc_queue){a->handle}, a->buffer, a->capacity, a->messages, a->most,
                             POLYIPC_TRY, a->out_count);
}

polyipc_status pi_quick_queue_get_many(polyipc_queue queue, void *buffer, size_t capacity,
                                       polyipc_message *messages, size_t most, int64_t timeout,
                                       size_t *out_count) {
    if ((buffer == NULL && capacity > 0) || messages == NULL || most == 0 || out_count == NULL)
        return PI_SLOW;
    struct pi_attempt a = {.whole = get_many_whole,
                           .handle = queue.id,
                           .operation = PI_OP_GET,
                           .buffer = buffer,
                           .capacity = capacity,
                           .messages = messages,
                           .most = most,
                           .out_count = out_count};
    return pi_quick_attempt(PI_QUEUE, &a, timeout);
}

static polyipc_status lease_whole(struct pi_attempt *a) {
    return pg_queue_lease((polyipc_queue){a->handle}, a->buffer, a->capacity, POLYIPC_TRY, a->lease,
                          a->out_size, a->out_format);
}

polyipc_status pi_quick_queue_lease(polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout,
                                    polyipc_lease *lease, size_t *out_size, polyipc_format *out_format) {
    if ((buffer == NULL && capacity > 0) || lease == NULL)
        return PI_SLOW;
    struct pi_attempt a = {.whole = lease_whole,
                           .handle = queue.id,
                           .operation = PI_OP_LEASE,
                           .buffer = buffer,
                           .capacity = capacity,
                           .lease = lease,
                           .out_size = out_size,
                           .out_format = out_format};
    return pi_quick_attempt(PI_QUEUE, &a, timeout);
}
