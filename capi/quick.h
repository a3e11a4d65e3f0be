/* quick.h - put and get of small messages without Go.
 *
 * A call through an exported Go function costs more than all that a put of a small message does. So
 * what nearly every call is, a small message into a ring with room or the oldest one out of it, is
 * written a second time in C (quick.c, beside runtime/internal/ring/quick.go), and so is the wait
 * for a message (await.c, beside runtime/internal/park). What they can't do they leave undone, and
 * the call goes on to Go: a lock that is held or whose owner died, bounds, growth, large messages,
 * leases, damage, and everything that is an error.
 *
 * guard.c sees to it that memory which others truncated away, or a caller's wrong pointer, is no end of
 * the process here either. */
#ifndef PI_QUICK_H
#define PI_QUICK_H

#include "keep.h"
#include "shared.h"

/* Not a status: nothing was done, let Go do it. */
#define PI_SLOW ((polyipc_status) - 1)

/* Messages in one direction: where a header and its ring 0 are mapped. */
struct pi_side {
    struct pi_queue *queue;
    struct pi_ring *ring; /* ring 0 */
    char *data;           /* of ring 0 */
    uint64_t size;        /* of one of the two mappings of data */
};

/* The other end of a pipe. */
struct pi_other {
    _Atomic uint32_t *opened; /* in the file: whether it has ever been opened */
    int64_t lock;             /* which byte of the file is locked by who has it open */
};

/* What the quick ways need of an open queue or pipe. At the index of its handle; in the keep, because a
 * rewind must not forget it while another thread is in. Written by Go as it opens and closes
 * the handle (quick.go). A forked child starts with none. */
struct pi_quick {
    _Atomic uint32_t handle; /* stored last when opened, zeroed first when closed; 0: none */
    uint32_t kind;           /* enum pi_kind; functions of other kinds keep out */
    uint32_t me;             /* this process's owner token */
    struct pi_side in, out;  /* to get from and to put to: of a queue, the same; none: queue is NULL */
    struct pi_other other;   /* of a pipe */
    _Atomic int64_t asked;   /* when the other end of a pipe was last found to be open, ns */
    void *header;            /* of others, like the next two */
    char *data;
    uint64_t size;                   /* of data */
    _Atomic int32_t spin, spin_held; /* how long a get spins, see await.c */
    /* Somebody polls this handle: all goes through Go, which sees to its descriptors. */
    _Atomic bool polled;
    /* Threads within, on cache lines of their own: the mapping stays until they are out. */
    _Alignas(128) _Atomic uint32_t putting;
    _Alignas(128) _Atomic uint32_t getting;
};

/* The exported functions try these first. PI_SLOW, or the call's status. */
polyipc_status pi_quick_queue_put(polyipc_queue queue, const void *data, size_t size, polyipc_format format,
                                  int64_t timeout);
polyipc_status pi_quick_queue_put_many(polyipc_queue queue, const polyipc_slice *messages, size_t count,
                                       polyipc_format format, int64_t timeout, size_t *out_count);
polyipc_status pi_quick_queue_get(polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout,
                                  size_t *out_size, polyipc_format *out_format);
polyipc_status pi_quick_queue_get_many(polyipc_queue queue, void *buffer, size_t capacity,
                                       polyipc_message *messages, size_t most, int64_t timeout,
                                       size_t *out_count);
polyipc_status pi_quick_queue_lease(polyipc_queue queue, void *buffer, size_t capacity, int64_t timeout,
                                    polyipc_lease *lease, size_t *out_size, polyipc_format *out_format);

polyipc_status pi_quick_pipe_send(polyipc_pipe pipe, const void *data, size_t size, polyipc_format format,
                                  int64_t timeout);
polyipc_status pi_quick_pipe_recv(polyipc_pipe pipe, void *buffer, size_t capacity, int64_t timeout,
                                  size_t *out_size, polyipc_format *out_format);

/* ---- quick.c ---------------------------------------------------------------------------- */

/* Of what carries messages, and of other kinds. */
void pi_quick_open(uint32_t index, uint32_t handle, enum pi_kind kind, uint32_t me, struct pi_side in,
                   struct pi_side out, struct pi_other other);
void pi_quick_open_plain(uint32_t index, uint32_t handle, enum pi_kind kind, uint32_t me, void *header,
                         void *data, uint64_t size);
/* Leaves an open handle to Go. */
void pi_quick_polled(uint32_t index, uint32_t handle);
/* Lets nobody in any more, wakes who waits there and returns when the last one is out. */
void pi_quick_close(uint32_t index);
void pi_quick_in_child(struct pi_keep *keep);
/* Lets others run who are in k, which is closed: longer from the tenth round on, since they may have less
 * priority. */
void pi_quick_yield(struct pi_quick *k, int round);
void pi_quick_nap(struct pi_quick *k, int64_t ns);

/* The entry of an open handle of that kind, with the caller counted in; NULL if there is none, or nothing to
 * get from or put to. */
struct pi_quick *pi_quick_enter_get(uint32_t handle, enum pi_kind kind);
struct pi_quick *pi_quick_enter_put(uint32_t handle, enum pi_kind kind); /* pi_quick_leave */
static inline void pi_quick_leave_get(struct pi_quick *k) { atomic_fetch_sub(&k->getting, 1); }

/* Puts as many of the messages as fit by what was seen of the head lately, under one lock and with one
 * commit; how many. 0 leaves everything as it was. Counted in. */
size_t pi_quick_put(struct pi_quick *k, const polyipc_slice *messages, size_t count, polyipc_format format,
                    size_t *out_count);

/* The same of any kind, for verbs that do not wait. */
struct pi_quick *pi_quick_enter(uint32_t handle, enum pi_kind kind);
static inline void pi_quick_leave(struct pi_quick *k) {
    if (__builtin_expect(pi_me.counted == 0, 1)) {
        atomic_store_explicit(&pi_me.within, NULL, memory_order_release);
        return;
    }
    pi_me.counted--;
    atomic_fetch_sub(&k->putting, 1);
}

struct pi_attempt;

/* Takes the oldest messages, as long as they are small and nothing else needs looking at. False if it
 * took none. Counted in. */
bool pi_quick_take(struct pi_quick *k, const struct pi_attempt *a);
/* A guess, without a lock, whether a get might find something. */
bool pi_quick_readable(const struct pi_quick *k);
/* There is not one record, so nothing to take and nothing that the dead might hold; nor a lock, whose dead
 * owner may have left something to mend. */
bool pi_quick_empty(const struct pi_quick *k);
void pi_quick_wake(_Atomic uint32_t *word, int most);

/* ---- quick_sync.c ----------------------------------------------------------------------- */

/* Takes and gives the lock of threads that lies at so many bytes behind the object's header. */
polyipc_status pi_quick_own(uint32_t handle, enum pi_kind kind, size_t at, int *out_owner_died);
polyipc_status pi_quick_disown(uint32_t handle, enum pi_kind kind, size_t at);

/* ---- within.c --------------------------------------------------------------------------- */

void pi_within_make(struct pi_keep *keep);
void pi_within_in_child(struct pi_keep *keep);
bool pi_within_list(void); /* a thread's first call; false: it must be counted */
/* Returns when no other thread is in k, whose handle was zeroed before. */
void pi_within_wait(struct pi_quick *k);

/* ---- await.c ---------------------------------------------------------------------------- */

/* A call that finds the queue empty as long as it returns POLYIPC_EMPTY. */
struct pi_attempt {
    polyipc_status (*whole)(struct pi_attempt *a); /* through Go, without waiting */
    uint32_t handle;
    enum pi_operation operation;
    void *buffer;
    size_t capacity;
    size_t most;      /* messages; 0: there is no quick way */
    size_t *out_size; /* NULL where the caller has no place for it, like the next three */
    polyipc_format *out_format;
    polyipc_message *messages;
    size_t *out_count;
    polyipc_lease *lease;
};

/* Tries, and repeats a while there is no message, until timeout (ns) is over. PI_SLOW if there is no quick
 * way into a handle of that kind. */
polyipc_status pi_quick_attempt(enum pi_kind kind, struct pi_attempt *a, int64_t timeout);
int64_t pi_quick_now(void); /* CLOCK_MONOTONIC, ns */

/* ---- quick_pipe.c ------------------------------------------------------------------------ */

/* Receives a message if that is quick and there is one. */
bool pi_quick_pipe_take(polyipc_pipe pipe, void *buffer, size_t capacity, size_t *out_size,
                        polyipc_format *out_format);
/* Whether somebody is at the other end of a pipe, or may come there, or k is no pipe. No means: let Go look,
 * which knows how to be certain. Without sure, what was known a moment ago will do. Counted in. */
bool pi_quick_other(struct pi_quick *k, bool sure);

/* ---- guard.c ---------------------------------------------------------------------------- */

/* Code between GUARD and UNGUARD may touch memory that is not there: if it does, it is left at once
 * for the block of GUARD. No function that it calls may hold anything that must be given back.
 *
 *     if (PI_GUARD(g)) { ... it happened ... }
 *     ...
 *     PI_UNGUARD();
 */
struct pi_guard {
    jmp_buf to;
};
#define PI_GUARD(g) (_setjmp((g).to) != 0 || (pi_guard_set(&(g)), 0))

static inline void pi_guard_set(struct pi_guard *g) {
    pi_me.guard = g;
    atomic_signal_fence(memory_order_seq_cst);
}
#define PI_UNGUARD() (atomic_signal_fence(memory_order_seq_cst), (void)(pi_me.guard = NULL))

/* ---- crash points, for tests ------------------------------------------------------------ */

#ifdef PI_CRASH
void pg_crash(char *name);
#define PI_CRASH_POINT(name) pg_crash((char *)(name))
#else
#define PI_CRASH_POINT(name) ((void)0)
#endif

#endif
