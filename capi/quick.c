/* quick.c - try-put and try-get of small messages; see quick.h. The same as Ring.Append,
 * Ring.TakeFront and what surrounds them in runtime/queue/put.go and get.go, over the same layout
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

void pi_quick_open(uint32_t index, uint32_t handle, uint32_t me, void *memory) {
    struct pi_keep *keep = pi_now.keep;
    struct pi_quick *k = &keep->quick[index];
    char *const file = memory;
    k->me = me;
    k->queue = (struct pi_queue *)(file + PI_QUEUE_AT);
    k->ring = (struct pi_ring *)(file + PI_RING_AT);
    k->data = file + PI_DATA_AT;
    k->size = k->queue->data; /* checked when the queue was opened; the mapping is what it says */
    atomic_store(&k->spin, 0);
    atomic_store(&k->spin_held, 0);
    uint32_t top = atomic_load(&keep->quick_top);
    while (top <= index && !atomic_compare_exchange_weak(&keep->quick_top, &top, index + 1))
        ;
    atomic_store(&k->handle, handle);
}

/* Who is in there holds a lock for an instant, or waits for a message and looks at the handle after each
 * wake. Kicked again and again, since it may just be about to sleep. */
void pi_quick_close(uint32_t index) {
    struct pi_quick *k = &pi_now.keep->quick[index];
    if (atomic_exchange(&k->handle, 0) == 0)
        return;
    for (int round = 0; atomic_load(&k->putting) != 0 || atomic_load(&k->getting) != 0; round++) {
        struct pi_guard g;
        if (PI_GUARD(g))
            continue; /* truncated: they find out by themselves */
        _Atomic uint32_t *const word = &k->queue->readable;
        uint32_t v = atomic_load(word);
        while (!atomic_compare_exchange_weak(word, &v, (v | PI_FLAG) + 1))
            ;
        pi_futex_wake(word, INT32_MAX);
        PI_UNGUARD();
        if (round < 10)
            sched_yield();
        else
            usleep(100);
    }
}

/* The parent's threads are not in the child, and its token is not the child's. */
void pi_quick_in_child(struct pi_keep *keep) {
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

/* Counted in first, then looked: whoever closes zeroes the handle first, then looks at the count. */
static struct pi_quick *enter(struct pi_quick *k, _Atomic uint32_t *within, uint32_t handle) {
    atomic_fetch_add(within, 1);
    if (atomic_load(&k->handle) == handle)
        return k;
    atomic_fetch_sub(within, 1);
    return NULL;
}

static struct pi_quick *enter_put(uint32_t handle) {
    struct pi_quick *k = entry(handle);
    return k != NULL && handle != 0 ? enter(k, &k->putting, handle) : NULL;
}

struct pi_quick *pi_quick_enter_get(uint32_t handle) {
    struct pi_quick *k = entry(handle);
    return k != NULL && handle != 0 ? enter(k, &k->getting, handle) : NULL;
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

/* After a fault with the lock held. A staged record was not published, a message not taken: there is nothing
 * to mend. If the lock's own page is gone, so is what it guards. */
static void give_back(_Atomic uint32_t *word) {
    struct pi_guard g;
    if (word == NULL || PI_GUARD(g))
        return;
    unlock(word);
    PI_UNGUARD();
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

/* ---- records ----------------------------------------------------------------------------- */

static struct pi_record *record(const struct pi_quick *k, uint64_t position) {
    return (struct pi_record *)(k->data + (position & (k->size - 1) & ~UINT64_C(7)));
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

/* Puts as many of the messages as fit by what was seen of the head lately, under one lock and with one
 * commit; how many. 0 leaves everything as it was. */
static size_t put(struct pi_quick *k, const polyipc_slice *messages, size_t count, polyipc_format format,
                  bool many) {
    struct pi_queue *const q = k->queue;
    struct pi_ring *const r = k->ring;
    _Atomic uint32_t *volatile held = NULL;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        give_back(held);
        return 0;
    }
    size_t n = 0;
    if (lock(&q->producers, k->me)) {
        held = &q->producers;
        if (plain(q, r)) {
            const uint64_t tail = get64(&r->tail), newest = get64(&r->last);
            const uint64_t most = q->max_size != 0 ? q->max_size : UINT64_MAX;
            const uint64_t head = get64(&r->head_seen), head_seq = get64(&r->head_seq_seen);
            /* A newest record at or behind tail was staged and never published. */
            uint64_t seq = newest < tail ? record(k, newest)->sequence + 1 : record(k, tail)->sequence;
            uint64_t at = tail, last = tail;
            while (n < count && at - tail < BATCH_BYTES) {
                const size_t size = messages[n].size;
                const void *const body = messages[n].data;
                const uint64_t bytes = record_size(size);
                if (size > PI_INLINE || (body == NULL && size > 0) || seq - head_seq >= most ||
                    at - head + bytes > k->size)
                    break;
                struct pi_record *const rec = record(k, at);
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
                if (many)
                    PI_CRASH_POINT("queue.put_many.staged");
                atomic_store_explicit(&r->last, last, memory_order_release);
                atomic_store_explicit(&r->tail, at, memory_order_release); /* the commit */
                PI_CRASH_POINT(many ? "queue.put_many.published" : "queue.put.appended");
            }
        }
        held = NULL;
        unlock(&q->producers); /* a full fence: the commit is seen before the flag is looked at */
        if (n > 0) {
            if (!many)
                PI_CRASH_POINT("queue.put.unlocked");
            pi_quick_wake(&q->readable, (int)n);
        }
    }
    PI_UNGUARD();
    return n;
}

/* Copies the message at the head to buffer and moves the head over it. Consumer lock; nothing on it that
 * needs looking at. */
static bool take(struct pi_quick *k, void *buffer, size_t capacity, polyipc_message *m) {
    struct pi_ring *const r = k->ring;
    const uint64_t head = get64(&r->head);
    uint64_t tail = get64(&r->tail_seen);
    if (tail - head - 1 >= k->size) { /* nothing known, or nonsense */
        tail = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (tail - head - 1 >= k->size)
            return false;
        set64(&r->tail_seen, tail);
    }
    const struct pi_record *const rec = record(k, head);
    const uint64_t length = rec->length, bytes = record_size(length);
    const uint64_t state = atomic_load_explicit(&rec->state, memory_order_acquire);
    if ((state & PI_PHASE) != PI_READY || rec->flags != 0 || length > PI_INLINE || length > capacity ||
        bytes > tail - head)
        return false;
    m->format = rec->format;
    m->size = length;
    if (length > 0)
        memcpy(buffer, rec + 1, length);
    atomic_store_explicit(&r->head, head + bytes, memory_order_release); /* the commit */
    if (get64(&r->reach) > head + bytes)
        atomic_store(&k->queue->dirty, 1); /* records behind it may be finished already */
    return true;
}

/* Whether it is worth a lock. What consumers have seen leaves the producers' cache line alone. */
static bool maybe(const struct pi_quick *k) {
    const uint64_t head = get64(&k->ring->head);
    return get64(&k->ring->tail_seen) - head - 1 < k->size || get64(&k->ring->tail) != head;
}

size_t pi_quick_take_many(struct pi_quick *k, void *buffer, size_t capacity, polyipc_message *messages,
                          size_t most) {
    struct pi_queue *const q = k->queue;
    _Atomic uint32_t *volatile held = NULL;
    volatile size_t n = 0;
    struct pi_guard g;
    if (PI_GUARD(g)) {
        give_back(held);
        return n; /* what was taken is the caller's: the fault comes again with the next call */
    }
    bool dirty = false;
    if (maybe(k) && lock(&q->consumers, k->me)) {
        held = &q->consumers;
        if (get64(&q->first) == 0 && atomic_load_explicit(&q->rescan, memory_order_relaxed) == 0 &&
            atomic_load_explicit(&q->dirty, memory_order_relaxed) == 0 &&
            atomic_load_explicit(&q->shutdown, memory_order_relaxed) == 0) {
            size_t used = 0;
            while (n < most && used < BATCH_BYTES) {
                polyipc_message m = {.offset = used};
                if (!take(k, (char *)buffer + used, capacity - used, &m))
                    break;
                PI_CRASH_POINT(most > 1 ? "queue.get_many.took" : "queue.get.front");
                messages[n] = m;
                used += m.size;
                n = n + 1;
            }
        }
        held = NULL;
        unlock(&q->consumers);
        /* Whoever finishes a record without the lock sets dirty, then tries to lock: looked at behind the
         * unlock, one of the two sees the other. */
        dirty = atomic_load(&q->dirty) != 0;
        if (n > 0)
            pi_quick_wake(&q->writable, INT32_MAX);
    }
    PI_UNGUARD();
    if (dirty) {
        pi_enter_go();
        pg_queue_settle(atomic_load(&k->handle));
    }
    return n;
}

bool pi_quick_take(struct pi_quick *k, void *buffer, size_t capacity, size_t *out_size,
                   polyipc_format *out_format) {
    polyipc_message m;
    if (pi_quick_take_many(k, buffer, capacity, &m, 1) == 0)
        return false;
    if (out_size != NULL)
        *out_size = m.size;
    if (out_format != NULL)
        *out_format = m.format;
    return true;
}

bool pi_quick_readable(const struct pi_quick *k) {
    const struct pi_queue *const q = k->queue;
    const struct pi_ring *const r = k->ring;
    const uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    return (tail != get64(&r->head) && tail != get64(&r->cursor)) || get64(&r->next) != 0 ||
           get64(&q->first) != 0 || atomic_load_explicit(&q->rescan, memory_order_relaxed) != 0 ||
           atomic_load_explicit(&q->shutdown, memory_order_relaxed) != 0;
}

/* The head first: it never passes the tail, so a tail that is read later and no further was the head
 * then, too. */
bool pi_quick_empty(const struct pi_quick *k) {
    const struct pi_queue *const q = k->queue;
    const struct pi_ring *const r = k->ring;
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
                               polyipc_format format, bool many, size_t *n) {
    if (format > POLYIPC_MSGPACK)
        return PI_SLOW;
    struct pi_quick *k = enter_put(queue.id);
    if (k == NULL)
        return PI_SLOW;
    *n = put(k, messages, count, format, many);
    atomic_fetch_sub(&k->putting, 1);
    return *n > 0 ? POLYIPC_OK : PI_SLOW;
}

polyipc_status pi_quick_queue_put(polyipc_queue queue, const void *data, size_t size, polyipc_format format,
                                  int64_t timeout) {
    (void)timeout;
    size_t n;
    const polyipc_slice one = {.data = data, .size = size};
    return put_some(queue, &one, 1, format, false, &n);
}

polyipc_status pi_quick_queue_put_many(polyipc_queue queue, const polyipc_slice *messages, size_t count,
                                       polyipc_format format, int64_t timeout, size_t *out_count) {
    size_t n = 0;
    if (messages == NULL || out_count == NULL || count == 0 ||
        put_some(queue, messages, count, format, true, &n) != POLYIPC_OK)
        return PI_SLOW;
    if (n < count) {
        /* The rest the long way. What was put is put, whatever comes of the rest. */
        size_t more = 0;
        pi_enter_go();
        pg_queue_put_many(queue, (polyipc_slice *)messages + n, count - n, format, timeout, &more);
        n += more;
    }
    *out_count = n;
    return POLYIPC_OK;
}
