/* quick.c - try-put and try-get of small messages; see quick.h. The same as Ring.Append,
 * Ring.TakeFront and what surrounds them in runtime/internal/fifo/put.go and get.go, over the same layout
 * and with the same crash points: what a process leaves behind that dies in here, the repairs there mend.
 *
 * Each function takes one lock, by one compare-and-swap, or does nothing. */
#include "quick.h"

#include "go.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BATCH_BYTES = 256 << 10 }; /* how much one hold of a lock copies */

/* ---- entries ----------------------------------------------------------------------------- */

/* The entry at a free index. What follows touches nothing of the file, which may be truncated already. */
static struct pi_quick *fresh(uint32_t index, enum pi_kind kind, uint32_t me) {
    struct pi_keep *keep = pi_now.keep;
    struct pi_quick *k = &keep->quick[index];
    k->kind = kind;
    k->me = me;
    atomic_store(&k->polled, false);
    uint32_t top = atomic_load(&keep->quick_top);
    while (top <= index && !atomic_compare_exchange_weak(&keep->quick_top, &top, index + 1))
        ;
    return k;
}

void pi_quick_open(uint32_t index, uint32_t handle, enum pi_kind kind, uint32_t me, struct pi_side in,
                   struct pi_side out, struct pi_other other) {
    struct pi_quick *k = fresh(index, kind, me);
    k->in = in;
    k->out = out;
    k->other = other;
    atomic_store(&k->asked, 0);
    atomic_store(&k->spin, 0);
    atomic_store(&k->spin_held, 0);
    atomic_store(&k->handle, handle);
}

void pi_quick_open_plain(uint32_t index, uint32_t handle, enum pi_kind kind, uint32_t me, void *header,
                         void *data, uint64_t size) {
    struct pi_quick *k = fresh(index, kind, me);
    k->in = k->out = (struct pi_side){.queue = NULL};
    k->header = header;
    k->data = data;
    k->size = size;
    atomic_store(&k->handle, handle);
}

void pi_quick_polled(uint32_t index, uint32_t handle) {
    struct pi_quick *k = &pi_now.keep->quick[index];
    if (atomic_load(&k->handle) == handle)
        atomic_store(&k->polled, true);
}

/* Makes every sleeper look up, also one that is about to sleep. */
static void kick(_Atomic uint32_t *word) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return; /* truncated: they find out by themselves */
    uint32_t v = atomic_load(word);
    while (!atomic_compare_exchange_weak(word, &v, (v | PI_FLAG) + 1))
        ;
    pi_futex_wake(word, INT32_MAX);
    PI_UNGUARD();
}

/* On a word that is 0 and that nobody wakes, since usleep would be a cancellation point: a thread that was
 * cancelled must not be unwound through Go. */
void pi_quick_nap(struct pi_quick *k, int64_t ns) { pi_futex_wait(&k->handle, 0, ns); }

void pi_quick_yield(struct pi_quick *k, int round) {
    if (round < 10)
        sched_yield();
    else
        pi_quick_nap(k, 100000);
}

/* Who is in there holds a lock for an instant, or waits for a message and looks at the handle after each
 * wake. Kicked again and again, since it may just be about to sleep. */
void pi_quick_close(uint32_t index) {
    struct pi_quick *k = &pi_now.keep->quick[index];
    if (atomic_exchange(&k->handle, 0) == 0)
        return;
    pi_within_wait(k);
    for (int round = 0; atomic_load(&k->putting) != 0 || atomic_load(&k->getting) != 0; round++) {
        if (k->in.queue != NULL)
            kick(&k->in.queue->readable);
        pi_quick_yield(k, round);
    }
}

/* The parent's threads are not in the child, and its token is not the child's. */
void pi_quick_in_child(struct pi_keep *keep) {
    pi_within_in_child(keep);
    const uint32_t top = atomic_load(&keep->quick_top);
    for (uint32_t i = 0; i < top; i++) {
        struct pi_quick *k = &keep->quick[i];
        atomic_store(&k->handle, 0);
        atomic_store(&k->putting, 0);
        atomic_store(&k->getting, 0);
    }
}

static struct pi_quick *entry(uint32_t handle) {
    struct pi_keep *keep = pi_now.keep;
    const uint32_t index = handle & (PI_MAX_HANDLES - 1);
    return keep != NULL && index < atomic_load_explicit(&keep->quick_top, memory_order_acquire)
               ? &keep->quick[index]
               : NULL;
}

static bool usable(const struct pi_quick *k, uint32_t handle, enum pi_kind kind) {
    return atomic_load(&k->handle) == handle && k->kind == kind &&
           !atomic_load_explicit(&k->polled, memory_order_relaxed);
}

/* Of a queue or pipe, which may have nothing to put to, or to get from. */
struct pi_quick *pi_quick_enter_put(uint32_t handle, enum pi_kind kind) {
    struct pi_quick *k = pi_quick_enter(handle, kind);
    if (k == NULL || k->out.queue != NULL)
        return k;
    pi_quick_leave(k);
    return NULL;
}

/* Noted or counted first, then looked: whoever closes zeroes the handle first, then looks at notes and
 * counts. What is left of an entry's former handle has another generation. */
struct pi_quick *pi_quick_enter(uint32_t handle, enum pi_kind kind) {
    struct pi_quick *k = entry(handle);
    if (k == NULL || handle == 0)
        return NULL;
    const bool listed = atomic_load_explicit(&pi_me.within_state, memory_order_relaxed) == PI_WITHIN_LISTED ||
                        pi_within_list();
    if (__builtin_expect(listed && atomic_load_explicit(&pi_me.within, memory_order_relaxed) == NULL &&
                             pi_me.counted == 0,
                         1)) {
        atomic_store_explicit(&pi_me.within, k, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
    } else {
        pi_me.counted++;
        atomic_fetch_add(&k->putting, 1);
    }
    if (usable(k, handle, kind))
        return k;
    pi_quick_leave(k);
    return NULL;
}

struct pi_quick *pi_quick_enter_get(uint32_t handle, enum pi_kind kind) {
    struct pi_quick *k = entry(handle);
    if (k == NULL || handle == 0)
        return NULL;
    atomic_fetch_add(&k->getting, 1);
    if (usable(k, handle, kind) && k->in.queue != NULL)
        return k;
    pi_quick_leave_get(k);
    return NULL;
}

/* ---- locks and wakes --------------------------------------------------------------------- */

static bool lock(_Atomic uint32_t *word, uint32_t me) {
    uint32_t unlocked = 0;
    return atomic_compare_exchange_strong(word, &unlocked, me);
}

/* Killed behind the swap, before the wake: the waiter's slice ends within 20 ms. */
static void unlock(_Atomic uint32_t *word) {
    if ((atomic_exchange(word, 0) & (uint32_t)PI_WAITERS) != 0) {
        PI_CRASH_POINT("park.unlock.wake");
        pi_futex_wake(word, 1);
    }
}

void pi_quick_wake(_Atomic uint32_t *word, int most) {
    uint32_t v = atomic_load(word);
    do {
        if ((v & PI_FLAG) == 0)
            return;
    } while (!atomic_compare_exchange_weak(word, &v, (v | PI_FLAG) + 1)); /* sequence + 1, no flag */
    if (pi_futex_wake(word, most) < most)
        return;
    atomic_fetch_or(word, PI_FLAG); /* there may be more of them, who must not be forgotten */
}

/* Is there a doorbell to ring? Behind a full fence after the commit. */
static bool armed(const struct pi_queue *q, int kind) {
    const struct pi_bells *const bells =
        (const struct pi_bells *)(const void *)((const char *)q + PI_BELLS_BEHIND);
    return atomic_load_explicit(&bells->some[kind], memory_order_relaxed) != 0;
}

/* ---- records ----------------------------------------------------------------------------- */

static struct pi_record *record(const struct pi_side *s, uint64_t position) {
    return (struct pi_record *)(s->data + (position & (s->size - 1) & ~UINT64_C(7)));
}

static uint64_t record_size(uint64_t payload) {
    return (sizeof(struct pi_record) + payload + 7) & ~UINT64_C(7);
}

static uint64_t get64(const _Atomic uint64_t *p) { return atomic_load_explicit(p, memory_order_relaxed); }
static void set64(_Atomic uint64_t *p, uint64_t v) { atomic_store_explicit(p, v, memory_order_relaxed); }

/* Ring 0 alone, and no bound but the number of messages needs a closer look. Producer lock. */
static bool plain(const struct pi_queue *q, const struct pi_ring *r) {
    return get64(&q->first) == 0 && get64(&r->next) == 0 && get64(&q->claimant) == 0 &&
           atomic_load_explicit(&q->shutdown, memory_order_relaxed) == 0 &&
           (q->capacity == 0 || get64(&q->side_seq) == 0);
}

/* After a fault with the lock held. What was staged was not published: there is nothing to mend. If the
 * lock's own page is gone, so is what it guards. */
static void give_back(_Atomic uint32_t *word) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return;
    unlock(word);
    PI_UNGUARD();
}

size_t pi_quick_put(struct pi_quick *k, const polyipc_slice *messages, size_t count, polyipc_format format,
                    size_t *out_count) {
    const bool many = out_count != NULL;
    struct pi_queue *const q = k->out.queue;
    struct pi_ring *const r = k->out.ring;
    volatile bool held = false;
    bool ring = false;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        if (held)
            give_back(&q->producers);
        return 0;
    }
    size_t n = 0;
    if (lock(&q->producers, k->me)) {
        held = true;
        if (plain(q, r)) {
            const uint64_t tail = get64(&r->tail), newest = get64(&r->last);
            const uint64_t most = q->max_size != 0 ? q->max_size : UINT64_MAX;
            const uint64_t head = get64(&r->head_seen), head_seq = get64(&r->head_seq_seen);
            /* A newest record at or behind tail was staged and never published. */
            uint64_t seq =
                newest < tail ? record(&k->out, newest)->sequence + 1 : record(&k->out, tail)->sequence;
            uint64_t at = tail, last = tail;
            while (n < count && at - tail < BATCH_BYTES) {
                const size_t size = messages[n].size;
                const void *const body = messages[n].data;
                const uint64_t bytes = record_size(size);
                if (size > PI_INLINE || (body == NULL && size > 0) || seq - head_seq >= most ||
                    at - head + bytes > k->out.size)
                    break;
                struct pi_record *const rec = record(&k->out, at);
                rec->sequence = seq;
                if (n == 0 && count > 1)
                    /* A batch may fill the ring and write over the newest record, by which the
                     * next sequence number is known; from here on it is known by the one at tail. */
                    atomic_store_explicit(&r->last, tail, memory_order_release);
                rec->length = (uint32_t)size;
                rec->flags = 0;
                rec->format = (uint16_t)format;
                atomic_store_explicit(&rec->state, PI_READY, memory_order_relaxed);
                if (size > 0)
                    memcpy(rec + 1, body, size);
                last = at;
                at += bytes;
                seq++;
                n++;
            }
            if (n > 0) {
                if (many) {
                    *out_count = n; /* before the commit: a wrong pointer puts nothing here */
                    PI_CRASH_POINT("fifo.put_many.staged");
                }
                atomic_store_explicit(&r->last, last, memory_order_release);
                atomic_store_explicit(&r->tail, at, memory_order_release); /* the commit */
                PI_CRASH_POINT(many ? "fifo.put_many.published" : "fifo.put.appended");
            }
        }
        held = false;
        unlock(&q->producers); /* a full fence: the commit is seen before the flag is looked at */
        if (n > 0) {
            if (!many)
                PI_CRASH_POINT("fifo.put.unlocked");
            pi_quick_wake(&q->readable, (int)n);
            ring = armed(q, PI_BELL_READABLE);
        }
    }
    PI_UNGUARD();
    if (ring) {
        pi_enter_go();
        pg_quick_ring(atomic_load(&k->handle), PI_BELL_READABLE);
    }
    return n;
}

/* Copies the message at the head to the attempt's buffer, used bytes into it, and moves the head over it: it
 * is the attempt's n-th, from 0. Consumer lock; nothing on the message that needs looking at. The caller's
 * memory is written before the commit, so that a pointer that is wrong costs no message. */
static bool take(struct pi_quick *k, const struct pi_attempt *a, size_t n, size_t *used) {
    struct pi_ring *const r = k->in.ring;
    const uint64_t head = get64(&r->head);
    uint64_t tail = get64(&r->tail_seen);
    if (tail - head - 1 >= k->in.size) { /* nothing known, or nonsense */
        tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (tail - head - 1 >= k->in.size)
            return false;
        set64(&r->tail_seen, tail);
    }
    const struct pi_record *const rec = record(&k->in, head);
    const uint64_t length = *(const volatile uint32_t *)&rec->length; /* once: it is checked */
    const uint64_t bytes = record_size(length);
    const uint64_t state = atomic_load_explicit(&rec->state, memory_order_acquire);
    if ((state & PI_PHASE) != PI_READY || rec->flags != 0 || length > PI_INLINE ||
        length > a->capacity - *used || bytes > tail - head)
        return false;
    if (length > 0)
        memcpy((char *)a->buffer + *used, rec + 1, length);
    if (a->messages != NULL)
        a->messages[n] = (polyipc_message){.offset = *used, .size = length, .format = rec->format};
    if (a->out_count != NULL)
        *a->out_count = n + 1;
    if (a->out_size != NULL)
        *a->out_size = length;
    if (a->out_format != NULL)
        *a->out_format = rec->format;
    atomic_store_explicit(&r->head, head + bytes, memory_order_release); /* the commit */
    if (get64(&r->reach) > head + bytes)
        atomic_store(&k->in.queue->dirty, 1); /* records behind it may be finished already */
    *used += length;
    return true;
}

/* Whether it is worth a lock. What consumers have seen leaves the producers' cache line alone. */
static bool maybe(const struct pi_quick *k) {
    const uint64_t head = get64(&k->in.ring->head);
    return get64(&k->in.ring->tail_seen) - head - 1 < k->in.size || get64(&k->in.ring->tail) != head;
}

enum { DIRTY = 1, RING = 2 }; /* what is left to Go behind a get */

/* Behind the lock: tells who waits for room that n messages are gone, and says whether somebody finished
 * records without the lock. He sets dirty, then tries to lock: looked at here, one of the two sees the
 * other. */
static int taken(struct pi_queue *q, size_t n) {
    int left = atomic_load(&q->dirty) != 0 ? DIRTY : 0;
    if (n > 0) {
        pi_quick_wake(&q->writable, INT32_MAX);
        if (armed(q, PI_BELL_WRITABLE))
            left |= RING;
    }
    return left;
}

/* A fault with the lock held: all that follows a get, for the n messages that were taken before it. They are
 * the caller's; the fault comes again with the next call. */
static int broken_off(struct pi_queue *q, size_t n) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return 0;
    unlock(&q->consumers);
    const int left = taken(q, n);
    PI_UNGUARD();
    return left;
}

bool pi_quick_take(struct pi_quick *k, const struct pi_attempt *a) {
    struct pi_queue *const q = k->in.queue;
    volatile bool held = false;
    volatile size_t n = 0;
    int left = 0;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        left = held ? broken_off(q, n) : 0;
    } else {
        if (maybe(k) && lock(&q->consumers, k->me)) {
            held = true;
            if (get64(&q->first) == 0 && atomic_load_explicit(&q->rescan, memory_order_relaxed) == 0 &&
                atomic_load_explicit(&q->dirty, memory_order_relaxed) == 0 &&
                atomic_load_explicit(&q->shutdown, memory_order_relaxed) == 0) {
                size_t used = 0;
                while (n < a->most && used < BATCH_BYTES && take(k, a, n, &used)) {
                    n = n + 1;
                    PI_CRASH_POINT(a->messages != NULL ? "fifo.get_many.took" : "fifo.get.front");
                }
            }
            held = false;
            unlock(&q->consumers);
            left = taken(q, n);
        }
        PI_UNGUARD();
    }
    if (left != 0)
        pi_enter_go();
    if (left & DIRTY)
        pg_quick_settle(atomic_load(&k->handle));
    if (left & RING)
        pg_quick_ring(atomic_load(&k->handle), PI_BELL_WRITABLE);
    return n > 0;
}

bool pi_quick_readable(const struct pi_quick *k) {
    const struct pi_queue *const q = k->in.queue;
    const struct pi_ring *const r = k->in.ring;
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return (tail != get64(&r->head) && tail != get64(&r->cursor)) || get64(&r->next) != 0 ||
           get64(&q->first) != 0 || atomic_load_explicit(&q->rescan, memory_order_relaxed) != 0 ||
           atomic_load_explicit(&q->shutdown, memory_order_relaxed) != 0;
}

/* The head first: it never passes the tail, so a tail that is read later and no further was the head
 * then, too. */
bool pi_quick_empty(const struct pi_quick *k) {
    const struct pi_queue *const q = k->in.queue;
    const struct pi_ring *const r = k->in.ring;
    struct pi_guard g;
    if (PI_GUARD(g))
        return false;
    const uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    const bool empty = atomic_load_explicit(&r->tail, memory_order_acquire) == head && get64(&r->next) == 0 &&
                       get64(&q->first) == 0 &&
                       atomic_load_explicit(&q->consumers, memory_order_relaxed) == 0 &&
                       atomic_load_explicit(&q->shutdown, memory_order_relaxed) == 0;
    PI_UNGUARD();
    return empty;
}

/* ---- calls ------------------------------------------------------------------------------- */

static polyipc_status put_some(polyipc_queue queue, const polyipc_slice *messages, size_t count,
                               polyipc_format format, size_t *n, size_t *out_count) {
    if (format > POLYIPC_MSGPACK)
        return PI_SLOW;
    struct pi_quick *k = pi_quick_enter_put(queue.id, PI_QUEUE);
    if (k == NULL)
        return PI_SLOW;
    *n = pi_quick_put(k, messages, count, format, out_count);
    pi_quick_leave(k);
    return *n > 0 ? POLYIPC_OK : PI_SLOW;
}

polyipc_status pi_quick_queue_put(polyipc_queue queue, const void *data, size_t size, polyipc_format format,
                                  int64_t timeout) {
    (void)timeout;
    size_t n;
    const polyipc_slice one = {.data = data, .size = size};
    return put_some(queue, &one, 1, format, &n, NULL);
}

polyipc_status pi_quick_queue_put_many(polyipc_queue queue, const polyipc_slice *messages, size_t count,
                                       polyipc_format format, int64_t timeout, size_t *out_count) {
    size_t n = 0;
    if (messages == NULL || out_count == NULL || count == 0 ||
        put_some(queue, messages, count, format, &n, out_count) != POLYIPC_OK)
        return PI_SLOW;
    if (n < count) {
        /* The rest the long way. What was put is put, whatever comes of the rest. */
        size_t more = 0;
        pi_enter_go();
        pg_queue_put_many(queue, (polyipc_slice *)messages + n, count - n, format, timeout, &more);
        *out_count = n + more;
    }
    return POLYIPC_OK;
}
