/* polyipc/pipe.h - two connected ends: what one sends the other receives, message by message.
 *
 * Every function may be called from any thread, also several at once on one handle, and in a
 * forked child on a handle made before the fork.
 *
 * A pipe has a first and a second end. A duplex pipe carries messages both ways; of a one-way pipe the
 * first end receives and the second sends. An end may be open in any number of processes and
 * handles: they share it, and each message goes to one of them.
 *
 * A send is committed when it returns: from then on the message survives its sender, as long as
 * somebody has the pipe open. A receive is at most once: a process killed inside the call loses at most
 * the message that it was taking.
 *
 * The end of the other side. When the last holder of the other end has closed it or died, however that
 * happened, receives take what it has sent and then fail with END_OF_FILE, and sends fail with BROKEN. A
 * close is seen at once, a death within 100 ms by who waits; a send may still succeed within 0.1 ms of it. An
 * end that nobody has opened yet is not gone: until then sends fill the pipe and receives wait, also in a
 * kept pipe that nobody had open any more. Opened anew, an end is there again. A forked child has the ends
 * that its parent had: close those that it does not use.
 */
#ifndef POLYIPC_PIPE_H
#define POLYIPC_PIPE_H

#include <polyipc/message.h>
#include <polyipc/options.h>
#include <polyipc/reference.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A handle of one end. {0} is none. Closed and made-up handles are POLYIPC_BAD_HANDLE, never a crash. */
typedef struct polyipc_pipe {
    uint32_t id;
} polyipc_pipe;

/* A bit of polyipc_pipe_options.flags, beside those of polyipc/options.h. */
#define POLYIPC_ONE_WAY 16u /* messages go from the second end to the first only */

/* Which end to open. */
#define POLYIPC_END_DEFAULT 0u /* who makes the pipe has the first, who opens it the second */
#define POLYIPC_END_FIRST 1u
#define POLYIPC_END_SECOND 2u

typedef struct polyipc_pipe_options {
    uint32_t size;    /* sizeof(polyipc_pipe_options); other sizes are INVALID */
    uint32_t flags;   /* POLYIPC_KEPT, _TRANSIENT, _PICKLE, _TRUST_GROUP, _ONE_WAY; other bits are INVALID */
    int64_t capacity; /* bytes for messages under way in each direction, each with 24 bytes of header, rounded
                         up to a power of two of at least 64 KiB, at most 2^36; 0: 64 KiB. A larger message
                         goes alone */
    uint32_t end;     /* POLYIPC_END_DEFAULT, _FIRST, _SECOND */
    uint32_t reserved; /* 0 */
    const char *root;  /* directory; NULL: $POLYIPC_ROOT, or /dev/shm/polyipc-<uid> */
} polyipc_pipe_options;

/* All defaults: duplex, 64 KiB, default root, lifetime by name. */
#define POLYIPC_PIPE_OPTIONS_INIT {sizeof(polyipc_pipe_options), 0u, 0, POLYIPC_END_DEFAULT, 0u, NULL}

/* Makes a pipe and opens one end of it. name is 1 to 128 of [A-Za-z0-9._-], not starting with '.'; NULL
 * makes an anonymous pipe, named by a UUID. options may be NULL.
 * EXISTS, INVALID, NO_SPACE, NO_MEMORY, DENIED, LIMIT. */
POLYIPC_API polyipc_status polyipc_pipe_create(const char *name, const polyipc_pipe_options *options,
                                               polyipc_pipe *out_pipe);

/* Opens one end of an existing pipe. Of options root, end and TRUST_GROUP are used; a capacity that is not 0
 * must be the pipe's own, as must PICKLE and ONE_WAY if they are set (else MISMATCH).
 * NOT_FOUND, WRONG_KIND, MISMATCH, VERSION, CORRUPT, DENIED, NO_MEMORY, LIMIT. */
POLYIPC_API polyipc_status polyipc_pipe_open(const char *name, const polyipc_pipe_options *options,
                                             polyipc_pipe *out_pipe);

/* Opens the pipe if it exists, with the same capacity and directions, else makes it. */
POLYIPC_API polyipc_status polyipc_pipe_open_or_create(const char *name, const polyipc_pipe_options *options,
                                                       polyipc_pipe *out_pipe);

/* Makes a pipe and opens both ends. As polyipc_pipe_create; options->end must be POLYIPC_END_DEFAULT. */
POLYIPC_API polyipc_status polyipc_pipe_pair(const char *name, const polyipc_pipe_options *options,
                                             polyipc_pipe *out_first, polyipc_pipe *out_second);

/* Closes the handle. Other threads waiting in it return CLOSED. What was sent stays for the other end; a
 * transient pipe without another user goes. Closing twice is BAD_HANDLE and harmless. */
POLYIPC_API polyipc_status polyipc_pipe_close(polyipc_pipe pipe);

/* Removes the name: OK also when there is none. Processes that have the pipe open go on using it;
 * it goes with the last of them. root as in the options. */
POLYIPC_API polyipc_status polyipc_pipe_unlink(const char *name, const char *root);

/* Copies the pipe's name with its NUL; at most 129 bytes. TOO_SMALL if it does not fit. */
POLYIPC_API polyipc_status polyipc_pipe_name(polyipc_pipe pipe, char *buffer, size_t capacity);

/* Sends size bytes as one message. data may be NULL when size is 0: an empty message is a message. size
 * is at most 2^40. Waits for room if the other end is slow.
 * FULL or TIMEOUT, BROKEN, TOO_LARGE, NO_SPACE (nothing was sent), INVALID (this end only receives), CLOSED.
 */
POLYIPC_API polyipc_status polyipc_pipe_send(polyipc_pipe pipe, const void *data, size_t size,
                                             polyipc_format format, int64_t timeout_ns);

/* Sends a message that refers to count objects, at most 255, which this process must have open, in the pipe's
 * root: see polyipc/reference.h. Else as polyipc_pipe_send. As long as a message holds an end of a pipe, no
 * end of that pipe finds that nobody is at the other. Besides the errors of that: INVALID for an object that
 * is not open here or lies in another root, GONE for one whose file was removed by hand. */
POLYIPC_API polyipc_status polyipc_pipe_send_referring(polyipc_pipe pipe, const void *data, size_t size,
                                                       polyipc_format format,
                                                       const polyipc_reference *references, size_t count,
                                                       int64_t timeout_ns);

/* Receives the next message into buffer. *out_size is its size in bytes, *out_format its format;
 * either may be NULL. TOO_SMALL leaves the message in the pipe and its size in *out_size: another
 * holder of this end may take it before you come back, so call in a loop.
 * EMPTY or TIMEOUT, END_OF_FILE, TOO_SMALL, CORRUPT, INVALID (this end only sends), CLOSED. */
POLYIPC_API polyipc_status polyipc_pipe_recv(polyipc_pipe pipe, void *buffer, size_t capacity,
                                             int64_t timeout_ns, size_t *out_size,
                                             polyipc_format *out_format);

/* Waits until a receive would not wait: OK if there is a message, or the end of file.
 * EMPTY or TIMEOUT, CORRUPT, INVALID (this end only sends), CLOSED. */
POLYIPC_API polyipc_status polyipc_pipe_poll(polyipc_pipe pipe, int64_t timeout_ns);

/* A descriptor for poll, epoll and select: readable while the pipe is what, as far as this handle can know.
 * It is made on the first call for what and belongs to the handle, whose close closes it. For both kinds of
 * what it is poll's POLLIN that says so; nothing is to be read from it or written to it.
 *
 * what is POLYIPC_READABLE: a receive would not say EMPTY, also because of the end of file; or
 * POLYIPC_WRITABLE: a send of a small message would not say FULL, also because the pipe is broken. Another
 * holder of the end may be quicker all the same; the receive or send that then fails makes the descriptor
 * unreadable again. Where nobody else receives, a receive behind it finds a message, so it may be one that
 * waits. In a forked child the descriptor is closed: ask for it anew. INVALID for another what, or an end
 * that only sends or only receives; LIMIT (256 such descriptors of one direction, or no descriptor left),
 * NO_SPACE. */
POLYIPC_API polyipc_status polyipc_pipe_poll_fd(polyipc_pipe pipe, uint32_t what, int *out_fd);

/* One direction, as one end sees it. All 0 where the pipe is one-way the other way round. */
typedef struct polyipc_pipe_direction {
    int64_t messages;   /* sent and not received */
    int64_t bytes;      /* of them, headers included */
    uint64_t sent;      /* committed or being written, since creation */
    uint64_t received;  /* since creation */
    uint64_t abandoned; /* sends whose process died or gave up while writing */
} polyipc_pipe_direction;

typedef struct polyipc_pipe_stat_s {
    uint32_t size;       /* set to sizeof(polyipc_pipe_stat_t) before the call */
    uint32_t flags;      /* POLYIPC_KEPT, POLYIPC_TRANSIENT, POLYIPC_PICKLE, POLYIPC_ONE_WAY */
    int64_t capacity;    /* bytes for each direction, rounded up */
    uint32_t end;        /* POLYIPC_END_FIRST or POLYIPC_END_SECOND: this handle's */
    uint32_t other;      /* 0: the other end was not opened yet, 1: it is open, 2: it is gone */
    uint64_t take_overs; /* locks taken over from the dead */
    polyipc_pipe_direction in, out;
} polyipc_pipe_stat_t;

/* What is under way, counted under the pipe's locks, one direction after the other. */
POLYIPC_API polyipc_status polyipc_pipe_stat(polyipc_pipe pipe, polyipc_pipe_stat_t *out_stat);

#ifdef __cplusplus
}
#endif
#endif
