/* quick_sync.c - locks, semaphores without a ledger and events, as long as nobody has to wait; see quick.h.
 * The same as runtime/internal/mutex and runtime/psync, over the same layout and with the same crash points.
 *
 * What goes to Go: a lock that is held, by the living or the dead; what was misused; whatever has a guard. */
#include "quick_sync.h"

#include <sys/syscall.h>
#include <unistd.h>

/* The object behind a handle, with the caller counted in and guarded; else leave the function. */
#define ENTER(handle, kind)                                  \
    struct pi_quick *const k = pi_quick_enter(handle, kind); \
    if (k == NULL)                                           \
        return PI_SLOW;                                      \
    struct pi_guard g;                                       \
    if (PI_GUARD(g)) {                                       \
        pi_quick_leave(k);                                   \
        return PI_SLOW;                                      \
    }
#define ENTER_SYNC(handle, kind) \
    ENTER(handle, kind);         \
    struct pi_sync *const h = k->header
#define LEAVE(status)      \
    do {                   \
        PI_UNGUARD();      \
        pi_quick_leave(k); \
        return status;     \
    } while (0)

/* Written before anything else, with what it holds: if the place is not there, that must show before the
 * lock is taken. */
static void touch(int *out) {
    if (out != NULL)
        *(volatile int *)out = *(volatile int *)out;
}

/* ---- locks ------------------------------------------------------------------------------- */

static bool take(struct pi_mutex *m, uint32_t me) {
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&m->word, &none, me))
        return false;
    if (atomic_load_explicit(&m->since, memory_order_relaxed) != 0)
        atomic_store(&m->since, 0);
    return true;
}

/* Frees the word, which somebody has, and wakes one who waits. */
static void give(struct pi_mutex *m) {
    if (atomic_exchange(&m->word, 0) & (uint32_t)PI_WAITERS) {
        PI_CRASH_POINT("park.unlock.wake");
        pi_futex_wake(&m->word, 1);
    }
}

polyipc_status pi_quick_lock_acquire(polyipc_lock lock, int64_t timeout_ns, int *out_owner_died) {
    (void)timeout_ns;
    ENTER_SYNC(lock.id, PI_LOCK);
    touch(out_owner_died);
    if (!take(&h->lock, k->me))
        LEAVE(PI_SLOW);
    if (out_owner_died != NULL)
        *out_owner_died = 0;
    LEAVE(POLYIPC_OK);
}

polyipc_status pi_quick_lock_release(polyipc_lock lock) {
    ENTER_SYNC(lock.id, PI_LOCK);
    uint32_t v = atomic_load(&h->lock.word);
    while ((v & ~(uint32_t)PI_WAITERS) != 0)
        if (atomic_compare_exchange_weak(&h->lock.word, &v, 0)) {
            if (v & (uint32_t)PI_WAITERS) {
                PI_CRASH_POINT("park.release.wake");
                pi_futex_wake(&h->lock.word, 1);
            }
            LEAVE(POLYIPC_OK);
        }
    LEAVE(PI_SLOW);
}

/* This thread as an owner. A forked child's main thread has the variables of the one that forked, and another
 * number. */
static uint32_t thread(void) {
    const uint32_t forks = pi_now.keep->forks + 1;
    if (__builtin_expect(pi_me.numbered != forks, 0)) {
        pi_me.number = (uint32_t)syscall(SYS_gettid);
        pi_me.numbered = forks;
    }
    return pi_me.number;
}

/* The lock of threads that lies so many bytes behind an object's header. */
#define LOCK_AT(at) ((struct pi_mutex *)(void *)((char *)k->header + (at)))

polyipc_status pi_quick_own(uint32_t handle, enum pi_kind kind, size_t at, int *out_owner_died) {
    ENTER(handle, kind);
    struct pi_mutex *const m = LOCK_AT(at);
    const uint64_t me = (uint64_t)k->me << 32 | thread();
    touch(out_owner_died);
    if (atomic_load(&m->owner) == me) {
        const uint32_t depth = atomic_load_explicit(&m->depth, memory_order_relaxed);
        if (depth >= PI_MAX_DEPTH)
            LEAVE(PI_SLOW);
        atomic_store_explicit(&m->depth, depth + 1, memory_order_relaxed);
    } else {
        if (!take(m, k->me))
            LEAVE(PI_SLOW);
        PI_CRASH_POINT("mutex.rlock.locked");
        atomic_store_explicit(&m->depth, 1, memory_order_relaxed);
        atomic_store_explicit(&m->owner, me, memory_order_release);
    }
    if (out_owner_died != NULL)
        *out_owner_died = 0;
    LEAVE(POLYIPC_OK);
}

polyipc_status pi_quick_disown(uint32_t handle, enum pi_kind kind, size_t at) {
    ENTER(handle, kind);
    struct pi_mutex *const m = LOCK_AT(at);
    if (atomic_load(&m->owner) != ((uint64_t)k->me << 32 | thread()))
        LEAVE(PI_SLOW);
    const uint32_t depth = atomic_load_explicit(&m->depth, memory_order_relaxed);
    if (depth > 1) {
        atomic_store_explicit(&m->depth, depth - 1, memory_order_relaxed);
        LEAVE(POLYIPC_OK);
    }
    atomic_store_explicit(&m->owner, 0, memory_order_relaxed); /* the exchange comes behind it */
    PI_CRASH_POINT("mutex.rlock.disowned");
    give(m);
    LEAVE(POLYIPC_OK);
}

enum { AT = offsetof(struct pi_sync, lock) };

polyipc_status pi_quick_rlock_acquire(polyipc_rlock rlock, int64_t timeout_ns, int *out_owner_died) {
    (void)timeout_ns;
    return pi_quick_own(rlock.id, PI_RLOCK, AT, out_owner_died);
}

polyipc_status pi_quick_rlock_release(polyipc_rlock rlock) { return pi_quick_disown(rlock.id, PI_RLOCK, AT); }

polyipc_status pi_quick_condition_acquire(polyipc_condition condition, int64_t timeout_ns,
                                          int *out_owner_died) {
    (void)timeout_ns;
    return pi_quick_own(condition.id, PI_CONDITION, AT, out_owner_died);
}

polyipc_status pi_quick_condition_release(polyipc_condition condition) {
    return pi_quick_disown(condition.id, PI_CONDITION, AT);
}

/* ---- semaphores -------------------------------------------------------------------------- */

static polyipc_status take_permit(uint32_t handle, enum pi_kind kind) {
    ENTER_SYNC(handle, kind);
    uint64_t v = atomic_load(&h->value);
    while (h->flags == 0 && v != 0 && v <= INT32_MAX)
        if (atomic_compare_exchange_weak(&h->value, &v, v - 1))
            LEAVE(POLYIPC_OK);
    LEAVE(PI_SLOW);
}

static polyipc_status give_permits(uint32_t handle, enum pi_kind kind, uint32_t count) {
    ENTER_SYNC(handle, kind);
    const uint64_t most = kind == PI_BOUNDED_SEMAPHORE && h->limit < INT32_MAX ? h->limit : INT32_MAX;
    uint64_t v = atomic_load(&h->value);
    while (h->flags == 0 && count != 0 && v <= most && count <= most - v)
        if (atomic_compare_exchange_weak(&h->value, &v, v + count)) {
            PI_CRASH_POINT("psync.release.stored");
            pi_quick_wake(&h->word, (int)count);
            LEAVE(POLYIPC_OK);
        }
    LEAVE(PI_SLOW);
}

polyipc_status pi_quick_semaphore_acquire(polyipc_semaphore semaphore, int64_t timeout_ns) {
    (void)timeout_ns;
    return take_permit(semaphore.id, PI_SEMAPHORE);
}

polyipc_status pi_quick_semaphore_release(polyipc_semaphore semaphore, uint32_t count) {
    return give_permits(semaphore.id, PI_SEMAPHORE, count);
}

polyipc_status pi_quick_bounded_semaphore_acquire(polyipc_bounded_semaphore semaphore, int64_t timeout_ns) {
    (void)timeout_ns;
    return take_permit(semaphore.id, PI_BOUNDED_SEMAPHORE);
}

polyipc_status pi_quick_bounded_semaphore_release(polyipc_bounded_semaphore semaphore, uint32_t count) {
    return give_permits(semaphore.id, PI_BOUNDED_SEMAPHORE, count);
}

/* With a ledger too: what Semaphore.Value in Go looks at is this word. */
static polyipc_status permits(uint32_t handle, enum pi_kind kind, int64_t *out_value) {
    if (out_value == NULL)
        return PI_SLOW;
    ENTER_SYNC(handle, kind);
    *out_value = (int64_t)atomic_load(&h->value);
    LEAVE(POLYIPC_OK);
}

polyipc_status pi_quick_semaphore_value(polyipc_semaphore semaphore, int64_t *out_value) {
    return permits(semaphore.id, PI_SEMAPHORE, out_value);
}

polyipc_status pi_quick_bounded_semaphore_value(polyipc_bounded_semaphore semaphore, int64_t *out_value) {
    return permits(semaphore.id, PI_BOUNDED_SEMAPHORE, out_value);
}

/* ---- events ------------------------------------------------------------------------------ */

polyipc_status pi_quick_event_set(polyipc_event event) {
    ENTER_SYNC(event.id, PI_EVENT);
    uint32_t mark = atomic_load(&h->mark);
    while (!(mark & PI_SET) && !atomic_compare_exchange_weak(&h->mark, &mark, (mark + 2) | PI_SET))
        ;
    PI_CRASH_POINT("psync.set.stored");
    pi_quick_wake(&h->word, 1 << 30);
    /* Go sets it once more, which changes nothing, and rings. */
    const struct pi_bells *const bells = (const void *)((const char *)h + PI_SYNC_AREA_BEHIND);
    LEAVE(atomic_load(&bells->some[PI_BELL_READABLE]) == 0 ? POLYIPC_OK : PI_SLOW);
}

polyipc_status pi_quick_event_clear(polyipc_event event) {
    ENTER_SYNC(event.id, PI_EVENT);
    atomic_fetch_and(&h->mark, ~(uint32_t)PI_SET);
    LEAVE(POLYIPC_OK);
}

polyipc_status pi_quick_event_is_set(polyipc_event event, int *out_set) {
    if (out_set == NULL)
        return PI_SLOW;
    ENTER_SYNC(event.id, PI_EVENT);
    *out_set = (int)(atomic_load(&h->mark) & PI_SET);
    LEAVE(POLYIPC_OK);
}

polyipc_status pi_quick_event_wait(polyipc_event event, int64_t timeout_ns) {
    (void)timeout_ns;
    ENTER_SYNC(event.id, PI_EVENT);
    const bool is = atomic_load(&h->mark) & PI_SET;
    LEAVE(is ? POLYIPC_OK : PI_SLOW);
}
