/* polyipc/queue.h - a bounded or growing FIFO between processes: many producers, many competing
 * consumers.
 *
 * Every function may be called from any thread, also several at once on one handle, and in a
 * forked child on a handle made before the fork.
 *
 * Messages are bytes with a format beside them, so that a reader knows what it got. A put is
 * committed when it returns: from then on the message survives its producer. A plain get is at
 * most once: a process killed inside the call loses at most what that call took. A lease is at
 * least once: until it is acked the message belongs to the queue, and when its holder dies it is
 * delivered again, before newer messages and with a higher delivery count.
 *
 * Order is the order of the puts, as far as consumers compete fairly: a get takes the oldest
 * message that is neither leased nor still being written.
 */
#ifndef POLYIPC_QUEUE_H
#define POLYIPC_QUEUE_H

#include <polyipc/message.h>
#include <polyipc/options.h>
#include <polyipc/reference.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle. {0} is none. Closed and made-up handles are POLYIPC_BAD_HANDLE, never a crash. */
typedef struct polyipc_queue {
    uint32_t id;
} polyipc_queue;

typedef struct polyipc_queue_options {
    uint32_t size;    /* sizeof(polyipc_queue_options); other sizes are INVALID */
    uint32_t flags;   /* POLYIPC_KEPT, _TRANSIENT, _PICKLE, _TRUST_GROUP; other bits are INVALID */
    int64_t max_size; /* most live messages, 1 to 2^40; 0: no limit */
    int64_t capacity; /* bytes for live messages, each with 24 bytes of header, rounded up to a
                         power of two of at least 64 KiB, at most 2^36; 0: grows as needed */
    const char *root; /* directory; NULL: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid> */
} polyipc_queue_options;

/* All defaults: no limits, default root, lifetime by name. */
#define POLYIPC_QUEUE_OPTIONS_INIT {sizeof(polyipc_queue_options), 0u, 0, 0, NULL}

/* Makes a queue. name is 1 to 128 of [A-Za-z0-9._-], not starting with '.'; NULL makes an
 * anonymous queue, named by a UUID. options may be NULL.
 * EXISTS, INVALID, NO_SPACE, NO_MEMORY, DENIED, LIMIT. */
POLYIPC_API polyipc_status polyipc_queue_create(const char *name, const polyipc_queue_options *options,
                                                polyipc_queue *out_queue);

/* Opens an existing queue. Of options root and TRUST_GROUP are used, and limits that are not 0 must be
 * the queue's own, as must PICKLE if it is set (else MISMATCH).
 * NOT_FOUND, WRONG_KIND, MISMATCH, VERSION, CORRUPT, DENIED, NO_MEMORY, LIMIT. */
POLYIPC_API polyipc_status polyipc_queue_open(const char *name, const polyipc_queue_options *options,
                                              polyipc_queue *out_queue);

/* Opens the queue if it exists, with the same limits, else makes it. */
POLYIPC_API polyipc_status polyipc_queue_open_or_create(const char *name,
                                                        const polyipc_queue_options *options,
                                                        polyipc_queue *out_queue);

/* Closes the handle. Other threads waiting in it return CLOSED. Messages stay; a transient queue
 * without another user goes. Closing twice is BAD_HANDLE and harmless. */
POLYIPC_API polyipc_status polyipc_queue_close(polyipc_queue queue);

/* Removes the name: OK also when there is none. Processes that have the queue open go on using it;
 * it goes with the last of them. root as in the options. */
POLYIPC_API polyipc_status polyipc_queue_unlink(const char *name, const char *root);

/* Copies the queue's name with its NUL; at most 129 bytes. TOO_SMALL if it does not fit. */
POLYIPC_API polyipc_status polyipc_queue_name(polyipc_queue queue, char *buffer, size_t capacity);

/* Puts size bytes. data may be NULL when size is 0. size is at most 2^40.
 * FULL or TIMEOUT, SHUTDOWN, TOO_LARGE, NO_SPACE (nothing was put), CLOSED. */
POLYIPC_API polyipc_status polyipc_queue_put(polyipc_queue queue, const void *data, size_t size,
                                             polyipc_format format, int64_t timeout_ns);

/* Puts a message that refers to count objects, at most 255, which this process must have open, in the queue's
 * root. Each reference in it may be told once or several times. Else as polyipc_queue_put.
 * Besides the errors of that: INVALID for an object that is not open here or lies in another root, GONE for
 * one whose file was removed by hand. */
POLYIPC_API polyipc_status polyipc_queue_put_referring(polyipc_queue queue, const void *data, size_t size,
                                                       polyipc_format format,
                                                       const polyipc_reference *references, size_t count,
                                                       int64_t timeout_ns);

/* Bytes to put. */
typedef struct polyipc_slice {
    const void *data;
    size_t size;
} polyipc_slice;

/* Puts count messages in order, as many at a time as there is room for. OK means that *out_count,
 * at least 1 (0 if count is 0), were put; less than count only when the deadline passed or the queue
 * was shut down. When nothing was put, the status is that of a put. */
POLYIPC_API polyipc_status polyipc_queue_put_many(polyipc_queue queue, const polyipc_slice *messages,
                                                  size_t count, polyipc_format format, int64_t timeout_ns,
                                                  size_t *out_count);

/* Gets the next message into buffer. *out_size is its size in bytes, *out_format its format;
 * either may be NULL. TOO_SMALL leaves the message in the queue and its size in *out_size: another
 * consumer may take it before you come back, so call in a loop.
 * EMPTY or TIMEOUT, SHUTDOWN (and nothing left), TOO_SMALL, CORRUPT, CLOSED. */
POLYIPC_API polyipc_status polyipc_queue_get(polyipc_queue queue, void *buffer, size_t capacity,
                                             int64_t timeout_ns, size_t *out_size,
                                             polyipc_format *out_format);

/* A message within the buffer of a get_many. */
typedef struct polyipc_message {
    size_t offset; /* from the buffer's start */
    size_t size;
    polyipc_format format;
    uint32_t reserved; /* 0 */
} polyipc_message;

/* Waits for one message, then takes what else is there without waiting: at most max_count
 * messages, at most capacity bytes, one behind the other in buffer. *out_count is at least 1
 * after OK (0 if max_count is 0). TOO_SMALL, with the size in out_messages[0].size, when even the
 * first message does not fit. */
POLYIPC_API polyipc_status polyipc_queue_get_many(polyipc_queue queue, void *buffer, size_t capacity,
                                                  polyipc_message *out_messages, size_t max_count,
                                                  int64_t timeout_ns, size_t *out_count);

/* A message that this process works on and the queue still owns. Plain data: keep or drop it
 * freely; only ack, nack and the process's death end the lease. */
typedef struct polyipc_lease {
    uint64_t ring;
    uint64_t position;
    uint64_t state;
    uint32_t deliveries; /* 1 the first time, 2 after one redelivery, ...; stays at 4095 */
    uint32_t reserved;
} polyipc_lease;

/* As get, but the message stays leased to this process until polyipc_queue_ack or
 * polyipc_queue_nack, or until the process is gone. A forked child does not inherit leases. */
POLYIPC_API polyipc_status polyipc_queue_lease(polyipc_queue queue, void *buffer, size_t capacity,
                                               int64_t timeout_ns, polyipc_lease *out_lease, size_t *out_size,
                                               polyipc_format *out_format);

/* The work is done: the message goes, and counts as one task_done. LEASE_LOST when this lease
 * is no longer held (acked or returned already, discarded by a shutdown). */
POLYIPC_API polyipc_status polyipc_queue_ack(polyipc_queue queue, const polyipc_lease *lease);

/* Gives the message back, to be delivered again before newer ones. LEASE_LOST as for ack. */
POLYIPC_API polyipc_status polyipc_queue_nack(polyipc_queue queue, const polyipc_lease *lease);

/* Says that the work on one plainly gotten message is done. INVALID if called more often than
 * messages were put. */
POLYIPC_API polyipc_status polyipc_queue_task_done(polyipc_queue queue);

/* Waits until every message put so far and since is done: acked, or gotten and task_done. */
POLYIPC_API polyipc_status polyipc_queue_join(polyipc_queue queue, int64_t timeout_ns);

/* Ends the queue for good. After it returned no put commits: they fail with SHUTDOWN. Gets empty
 * what is left, then fail with SHUTDOWN; with immediate (not 0) what is left is discarded at once
 * and counts as done. Leases already given may still be acked or nacked. Calling again is allowed, also to
 * add immediate. */
POLYIPC_API polyipc_status polyipc_queue_shutdown(polyipc_queue queue, int immediate);

/* How many messages a get could take now. Stale as soon as it returns. */
POLYIPC_API polyipc_status polyipc_queue_size(polyipc_queue queue, int64_t *out_size);

/* A descriptor for poll, epoll and select: readable while the queue is what, as far as this handle can know.
 * It is made on the first call for what and belongs to the handle, whose close closes it. For both kinds of
 * what it is poll's POLLIN that says so; nothing is to be read from it or written to it.
 *
 * what is POLYIPC_READABLE: a get would not say EMPTY; or POLYIPC_WRITABLE: a put of a small message would
 * not say FULL. Both also after a shutdown. Another process may be quicker all the same; the get or put that
 * then fails makes the descriptor unreadable again. Where nobody else gets, a get behind it finds a message,
 * so it may be one that waits. In a forked child the descriptor is closed: ask for it anew. INVALID for
 * another what, LIMIT (256 such descriptors of one queue, or no descriptor left), NO_SPACE. */
POLYIPC_API polyipc_status polyipc_queue_poll_fd(polyipc_queue queue, uint32_t what, int *out_fd);

typedef struct polyipc_queue_stat_s {
    uint32_t size;        /* set to sizeof(polyipc_queue_stat_t) before the call */
    uint32_t flags;       /* POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_PICKLE */
    int64_t max_size;     /* as made */
    int64_t capacity;     /* bytes, rounded up; 0: grows */
    int64_t messages;     /* a get could take */
    int64_t bytes;        /* of live records, headers included */
    int64_t leased;       /* in the hands of consumers */
    int64_t reserved;     /* being written */
    int64_t unfinished;   /* put and not done */
    uint64_t put;         /* committed or being written, since creation */
    uint64_t taken;       /* gotten or acked */
    uint64_t redelivered; /* leases that came back */
    uint64_t take_overs;  /* locks taken over from the dead */
    uint64_t abandoned;   /* puts whose producer died or gave up while writing */
    uint64_t grown;       /* rings added */
    uint32_t rings;       /* in use now */
    uint32_t shutdown;    /* 0 no, 1 draining, 2 immediate */
} polyipc_queue_stat_t;

/* A consistent snapshot, taken under the queue's locks. */
POLYIPC_API polyipc_status polyipc_queue_stat(polyipc_queue queue, polyipc_queue_stat_t *out_stat);

#ifdef __cplusplus
}
#endif
#endif
