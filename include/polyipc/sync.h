/* polyipc/sync.h - locks, semaphores, conditions, events, barriers and reader-writer locks between
 * processes.
 *
 * Every function may be called from any thread, also several at once on one handle, and in a forked
 * child on a handle made before the fork. What a process holds stays with it: a forked child holds
 * nothing.
 *
 * Death. What a process holds when it dies does not stay held. The next to acquire its lock gets it and
 * is told: *out_owner_died is 1, and what the lock protects may be half changed (else 0; the pointer
 * may be NULL). Its place in a condition or barrier is dropped, its read locks end, and its permits
 * return if the semaphore was made with RECLAIM. Who waits learns of it within 100 ms. A process that is
 * stopped is alive.
 *
 * Each type has the six functions that are explained here and not again:
 *
 *   create          makes one. EXISTS, INVALID, NO_SPACE, NO_MEMORY, DENIED, LIMIT.
 *   open            opens an existing one. WRONG_KIND also if it is of another type, which is named.
 *                   NOT_FOUND, MISMATCH, VERSION, CORRUPT, DENIED, NO_MEMORY, LIMIT.
 *   open_or_create  opens it if it exists, with the same options, else makes it.
 *   close           closes the handle. Other threads waiting in it return CLOSED. What this process
 *                   holds stays held until it is released through another handle, or the process ends.
 * Closing twice is BAD_HANDLE and harmless. name            copies the name with its NUL; at most 129 bytes.
 * TOO_SMALL if it does not fit. stat            tells how things stand, without stopping anybody.
 *
 * Names are as for queues (polyipc/queue.h); NULL makes an anonymous object. options may be NULL, save for
 * create of semaphores and barriers, whose value is in them. polyipc_sync_unlink removes a name of any type.
 *
 * Verbs that wait take a timeout: TIMEOUT when it passes, at once with POLYIPC_TRY. INTERRUPTED, CLOSED and
 * CORRUPT are possible everywhere.
 */
#ifndef POLYIPC_SYNC_H
#define POLYIPC_SYNC_H

#include <polyipc/options.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A bit of the flags besides KEPT and TRANSIENT. A semaphore to which the permits that a process has
 * acquired and not released return when it dies. A permit is then to be released by the process that
 * acquired it; who releases more than it acquired adds permits. */
#define POLYIPC_RECLAIM 16u

typedef struct polyipc_sync_options {
    uint32_t size;    /* sizeof(polyipc_sync_options); other sizes are INVALID */
    uint32_t flags;   /* POLYIPC_KEPT, _TRANSIENT; of semaphores also _RECLAIM; other bits are INVALID */
    int64_t value;    /* a semaphore's permits, 0 to 2^31-1; a barrier's parties, 1 to 1000; else 0 */
    const char *root; /* directory; NULL: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid> */
} polyipc_sync_options;

/* All defaults; set value for a semaphore or barrier. */
#define POLYIPC_SYNC_OPTIONS_INIT {sizeof(polyipc_sync_options), 0u, 0, NULL}

/* What an object is. */
enum polyipc_sync_type {
    POLYIPC_LOCK = 1,
    POLYIPC_RLOCK = 2,
    POLYIPC_SEMAPHORE = 3,
    POLYIPC_BOUNDED_SEMAPHORE = 4,
    POLYIPC_CONDITION = 5,
    POLYIPC_EVENT = 6,
    POLYIPC_BARRIER = 7,
    POLYIPC_RWLOCK = 8
};

typedef struct polyipc_sync_stat_s {
    uint32_t size;   /* set to sizeof(polyipc_sync_stat_t) before the call */
    uint32_t type;   /* enum polyipc_sync_type */
    uint32_t flags;  /* POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_RECLAIM */
    uint32_t broken; /* 1: a barrier is broken */
    int64_t limit;   /* a semaphore's first value, a barrier's parties */
    int64_t value; /* free permits; read locks that are held; 1 if an event is set; who waits at a barrier, or
                      to be notified */
    int64_t holder;      /* pid of who has the lock, or write lock; 0 nobody */
    int64_t held_ns;     /* for how long, at least: since somebody first waited for it or asked */
    char language[16];   /* of the holder's program: "go", "c", "python" */
    uint32_t depth;      /* of an rlock: how often its owner acquired it */
    uint32_t waiters;    /* as far as known by name: up to 64, in conditions and barriers all */
    uint64_t take_overs; /* locks taken over from the dead */
    uint64_t reclaimed;  /* permits, read locks and places taken back from the dead */
} polyipc_sync_stat_t;

/* Removes the name of an object of any of these types: OK also when there is none. Processes that have it
 * open go on using it; it goes with the last of them. root as in the options. */
POLYIPC_API polyipc_status polyipc_sync_unlink(const char *name, const char *root);

/* ---- lock -------------------------------------------------------------------------------- */

/* Mutual exclusion. It belongs to the process that acquired it; any thread of any process may release
 * it. A thread that has it and acquires it again waits for itself. */
typedef struct polyipc_lock {
    uint32_t id;
} polyipc_lock;

POLYIPC_API polyipc_status polyipc_lock_create(const char *name, const polyipc_sync_options *options,
                                               polyipc_lock *out_lock);
POLYIPC_API polyipc_status polyipc_lock_open(const char *name, const polyipc_sync_options *options,
                                             polyipc_lock *out_lock);
POLYIPC_API polyipc_status polyipc_lock_open_or_create(const char *name, const polyipc_sync_options *options,
                                                       polyipc_lock *out_lock);
POLYIPC_API polyipc_status polyipc_lock_close(polyipc_lock lock);
POLYIPC_API polyipc_status polyipc_lock_name(polyipc_lock lock, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_lock_stat(polyipc_lock lock, polyipc_sync_stat_t *out_stat);

POLYIPC_API polyipc_status polyipc_lock_acquire(polyipc_lock lock, int64_t timeout_ns, int *out_owner_died);

/* INVALID if nobody has it. */
POLYIPC_API polyipc_status polyipc_lock_release(polyipc_lock lock);

/* Whether somebody has it: 1 or 0. Stale as soon as it returns. */
POLYIPC_API polyipc_status polyipc_lock_locked(polyipc_lock lock, int *out_locked);

/* ---- rlock ------------------------------------------------------------------------------- */

/* A lock that belongs to a thread, which may acquire it again; free when it was released as often. */
typedef struct polyipc_rlock {
    uint32_t id;
} polyipc_rlock;

POLYIPC_API polyipc_status polyipc_rlock_create(const char *name, const polyipc_sync_options *options,
                                                polyipc_rlock *out_rlock);
POLYIPC_API polyipc_status polyipc_rlock_open(const char *name, const polyipc_sync_options *options,
                                              polyipc_rlock *out_rlock);
POLYIPC_API polyipc_status polyipc_rlock_open_or_create(const char *name, const polyipc_sync_options *options,
                                                        polyipc_rlock *out_rlock);
POLYIPC_API polyipc_status polyipc_rlock_close(polyipc_rlock rlock);
POLYIPC_API polyipc_status polyipc_rlock_name(polyipc_rlock rlock, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_rlock_stat(polyipc_rlock rlock, polyipc_sync_stat_t *out_stat);

/* LIMIT at the 2^30th time. */
POLYIPC_API polyipc_status polyipc_rlock_acquire(polyipc_rlock rlock, int64_t timeout_ns,
                                                 int *out_owner_died);

/* INVALID if this thread does not have it. */
POLYIPC_API polyipc_status polyipc_rlock_release(polyipc_rlock rlock);

/* Whether this thread has it: 1 or 0. */
POLYIPC_API polyipc_status polyipc_rlock_owned(polyipc_rlock rlock, int *out_owned);

/* ---- semaphore --------------------------------------------------------------------------- */

/* Permits that any process may acquire and release. */
typedef struct polyipc_semaphore {
    uint32_t id;
} polyipc_semaphore;

POLYIPC_API polyipc_status polyipc_semaphore_create(const char *name, const polyipc_sync_options *options,
                                                    polyipc_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_semaphore_open(const char *name, const polyipc_sync_options *options,
                                                  polyipc_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_semaphore_open_or_create(const char *name,
                                                            const polyipc_sync_options *options,
                                                            polyipc_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_semaphore_close(polyipc_semaphore semaphore);
POLYIPC_API polyipc_status polyipc_semaphore_name(polyipc_semaphore semaphore, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_semaphore_stat(polyipc_semaphore semaphore, polyipc_sync_stat_t *out_stat);

POLYIPC_API polyipc_status polyipc_semaphore_acquire(polyipc_semaphore semaphore, int64_t timeout_ns);

/* Gives count permits back. INVALID for 0, and if more than 2^31-1 were free. */
POLYIPC_API polyipc_status polyipc_semaphore_release(polyipc_semaphore semaphore, uint32_t count);

/* How many permits are free. Stale as soon as it returns. */
POLYIPC_API polyipc_status polyipc_semaphore_value(polyipc_semaphore semaphore, int64_t *out_value);

/* ---- bounded semaphore ------------------------------------------------------------------- */

/* A semaphore that never has more permits free than it was made with. */
typedef struct polyipc_bounded_semaphore {
    uint32_t id;
} polyipc_bounded_semaphore;

POLYIPC_API polyipc_status polyipc_bounded_semaphore_create(const char *name,
                                                            const polyipc_sync_options *options,
                                                            polyipc_bounded_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_open(const char *name,
                                                          const polyipc_sync_options *options,
                                                          polyipc_bounded_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_open_or_create(const char *name,
                                                                    const polyipc_sync_options *options,
                                                                    polyipc_bounded_semaphore *out_semaphore);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_close(polyipc_bounded_semaphore semaphore);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_name(polyipc_bounded_semaphore semaphore, char *buffer,
                                                          size_t capacity);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_stat(polyipc_bounded_semaphore semaphore,
                                                          polyipc_sync_stat_t *out_stat);

POLYIPC_API polyipc_status polyipc_bounded_semaphore_acquire(polyipc_bounded_semaphore semaphore,
                                                             int64_t timeout_ns);

/* INVALID also if more permits were free than it was made with. */
POLYIPC_API polyipc_status polyipc_bounded_semaphore_release(polyipc_bounded_semaphore semaphore,
                                                             uint32_t count);
POLYIPC_API polyipc_status polyipc_bounded_semaphore_value(polyipc_bounded_semaphore semaphore,
                                                           int64_t *out_value);

/* ---- condition --------------------------------------------------------------------------- */

/* Lets those who have a lock wait for others to notify them. It has a lock of its own, which works as an
 * rlock.
 *
 * A notification goes to the one who waits longest and lives; if that process dies before it has the lock
 * again, the next one gets it. More than those notified may wake: wait in a loop. */
typedef struct polyipc_condition {
    uint32_t id;
} polyipc_condition;

POLYIPC_API polyipc_status polyipc_condition_create(const char *name, const polyipc_sync_options *options,
                                                    polyipc_condition *out_condition);
POLYIPC_API polyipc_status polyipc_condition_open(const char *name, const polyipc_sync_options *options,
                                                  polyipc_condition *out_condition);
POLYIPC_API polyipc_status polyipc_condition_open_or_create(const char *name,
                                                            const polyipc_sync_options *options,
                                                            polyipc_condition *out_condition);
POLYIPC_API polyipc_status polyipc_condition_close(polyipc_condition condition);
POLYIPC_API polyipc_status polyipc_condition_name(polyipc_condition condition, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_condition_stat(polyipc_condition condition, polyipc_sync_stat_t *out_stat);

/* The condition's own lock, as polyipc_rlock_... */
POLYIPC_API polyipc_status polyipc_condition_acquire(polyipc_condition condition, int64_t timeout_ns,
                                                     int *out_owner_died);
POLYIPC_API polyipc_status polyipc_condition_release(polyipc_condition condition);
POLYIPC_API polyipc_status polyipc_condition_owned(polyipc_condition condition, int *out_owned);

/* A wait that was interrupted and is to go on. {0} is none. */
typedef struct polyipc_waiting {
    uint64_t ticket;
    uint32_t place;
    uint32_t depth;
    uint32_t phase; /* 0: none, the wait is over */
    uint32_t status;
} polyipc_waiting;

#define POLYIPC_WAITING_INIT {0u, 0u, 0u, 0u, 0u}

/* Frees the lock, which the caller must have (else INVALID), waits to be notified, and acquires the lock
 * again, as often as it was acquired. lock is the id of a polyipc_lock, a polyipc_rlock or a
 * polyipc_segment, whose lock it is then, or 0 for the condition's own.
 *
 * When it returns OK, TIMEOUT or, without waiting, INTERRUPTED, the caller has the lock; to get it, the
 * call may outlast its timeout. Not so after CLOSED or CORRUPT. LIMIT when 1024 threads wait; the lock was
 * not freed.
 *
 * waiting is for threads that asked to be interrupted, and may be NULL. With it, set to POLYIPC_WAITING_INIT
 * before the first call, INTERRUPTED leaves the caller in its place and without the lock: it must
 * call again with the same arguments and the time that is left, or with POLYIPC_TRY to give up, until it
 * gets another status. *out_owner_died is as for an acquire. */
POLYIPC_API polyipc_status polyipc_condition_wait(polyipc_condition condition, uint32_t lock,
                                                  int64_t timeout_ns, polyipc_waiting *waiting,
                                                  int *out_owner_died);

/* Wakes up to count of those who wait, the longest first. The caller should have the lock. */
POLYIPC_API polyipc_status polyipc_condition_notify(polyipc_condition condition, uint32_t count);
POLYIPC_API polyipc_status polyipc_condition_notify_all(polyipc_condition condition);

/* ---- event ------------------------------------------------------------------------------- */

/* A flag to wait for. If it is set and cleared again at once, all who waited wake nevertheless. */
typedef struct polyipc_event {
    uint32_t id;
} polyipc_event;

POLYIPC_API polyipc_status polyipc_event_create(const char *name, const polyipc_sync_options *options,
                                                polyipc_event *out_event);
POLYIPC_API polyipc_status polyipc_event_open(const char *name, const polyipc_sync_options *options,
                                              polyipc_event *out_event);
POLYIPC_API polyipc_status polyipc_event_open_or_create(const char *name, const polyipc_sync_options *options,
                                                        polyipc_event *out_event);
POLYIPC_API polyipc_status polyipc_event_close(polyipc_event event);
POLYIPC_API polyipc_status polyipc_event_name(polyipc_event event, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_event_stat(polyipc_event event, polyipc_sync_stat_t *out_stat);

POLYIPC_API polyipc_status polyipc_event_set(polyipc_event event);
POLYIPC_API polyipc_status polyipc_event_clear(polyipc_event event);

/* Whether it is set: 1 or 0. */
POLYIPC_API polyipc_status polyipc_event_is_set(polyipc_event event, int *out_set);

/* Waits until it is set, or was set since the call began. */
POLYIPC_API polyipc_status polyipc_event_wait(polyipc_event event, int64_t timeout_ns);

/* A descriptor for poll, epoll and select: readable while the event is set, as far as this handle can know; a
 * look (is_set) makes it unreadable again after another process cleared the event. what is POLYIPC_READABLE.
 * For the rest as polyipc_queue_poll_fd; polyipc_wait takes the handle as it is. */
POLYIPC_API polyipc_status polyipc_event_poll_fd(polyipc_event event, uint32_t what, int *out_fd);

/* ---- barrier ----------------------------------------------------------------------------- */

/* Lets nobody pass until as many wait as it has parties; then it lets them all pass, and the next round
 * begins. Who dies while it waits has not arrived: another takes its part. */
typedef struct polyipc_barrier {
    uint32_t id;
} polyipc_barrier;

POLYIPC_API polyipc_status polyipc_barrier_create(const char *name, const polyipc_sync_options *options,
                                                  polyipc_barrier *out_barrier);
POLYIPC_API polyipc_status polyipc_barrier_open(const char *name, const polyipc_sync_options *options,
                                                polyipc_barrier *out_barrier);
POLYIPC_API polyipc_status polyipc_barrier_open_or_create(const char *name,
                                                          const polyipc_sync_options *options,
                                                          polyipc_barrier *out_barrier);
POLYIPC_API polyipc_status polyipc_barrier_close(polyipc_barrier barrier);
POLYIPC_API polyipc_status polyipc_barrier_name(polyipc_barrier barrier, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_barrier_stat(polyipc_barrier barrier, polyipc_sync_stat_t *out_stat);

/* Waits for the others. *out_index, which may be NULL, is the number of this party in the round, 0 to
 * parties-1, each given once.
 *
 * TIMEOUT breaks the barrier until it is reset. BROKEN: it is, or somebody aborted or reset it
 * meanwhile. INTERRUPTED takes the arrival back.
 *
 * With out_turn not NULL, whoever arrives last does not let all pass yet: it gets a *out_turn that is not 0
 * (the others 0), does what is to be done between the rounds, and calls pass, or abort. */
POLYIPC_API polyipc_status polyipc_barrier_wait(polyipc_barrier barrier, int64_t timeout_ns,
                                                int64_t *out_index, uint64_t *out_turn);

/* Lets all pass. BROKEN if the barrier was aborted or reset since the turn was given. */
POLYIPC_API polyipc_status polyipc_barrier_pass(polyipc_barrier barrier, uint64_t turn);

/* Breaks the barrier: who waits and who comes gets BROKEN, until a reset. */
POLYIPC_API polyipc_status polyipc_barrier_abort(polyipc_barrier barrier);

/* Makes the barrier as new. Who waits gets BROKEN. */
POLYIPC_API polyipc_status polyipc_barrier_reset(polyipc_barrier barrier);

/* How many wait, and whether it is broken; either may be NULL. */
POLYIPC_API polyipc_status polyipc_barrier_waiting(polyipc_barrier barrier, int64_t *out_waiting,
                                                   int *out_broken);

/* ---- rwlock ------------------------------------------------------------------------------ */

/* Held by any number of readers or by one writer. Read and write locks belong to the process; any of
 * its threads may unlock them. A writer that waits lets no new readers in, so who has a read lock must
 * not wait for another one; readers that waited while a writer was in come before the next writer. */
typedef struct polyipc_rwlock {
    uint32_t id;
} polyipc_rwlock;

POLYIPC_API polyipc_status polyipc_rwlock_create(const char *name, const polyipc_sync_options *options,
                                                 polyipc_rwlock *out_rwlock);
POLYIPC_API polyipc_status polyipc_rwlock_open(const char *name, const polyipc_sync_options *options,
                                               polyipc_rwlock *out_rwlock);
POLYIPC_API polyipc_status polyipc_rwlock_open_or_create(const char *name,
                                                         const polyipc_sync_options *options,
                                                         polyipc_rwlock *out_rwlock);
POLYIPC_API polyipc_status polyipc_rwlock_close(polyipc_rwlock rwlock);
POLYIPC_API polyipc_status polyipc_rwlock_name(polyipc_rwlock rwlock, char *buffer, size_t capacity);
POLYIPC_API polyipc_status polyipc_rwlock_stat(polyipc_rwlock rwlock, polyipc_sync_stat_t *out_stat);

POLYIPC_API polyipc_status polyipc_rwlock_read_lock(polyipc_rwlock rwlock, int64_t timeout_ns);

/* INVALID if this process has no read lock. */
POLYIPC_API polyipc_status polyipc_rwlock_read_unlock(polyipc_rwlock rwlock);

/* *out_owner_died: a writer died with it, and no writer was told before. */
POLYIPC_API polyipc_status polyipc_rwlock_write_lock(polyipc_rwlock rwlock, int64_t timeout_ns,
                                                     int *out_owner_died);

/* INVALID if this process does not have the write lock. */
POLYIPC_API polyipc_status polyipc_rwlock_write_unlock(polyipc_rwlock rwlock);

#ifdef __cplusplus
}
#endif
#endif
