/* polyipc/wait.h - waiting for the first of many things: objects of any kind, child processes, descriptors.
 *
 * Event loops of their own take a descriptor instead: polyipc_queue_poll_fd and its like. */
#ifndef POLYIPC_WAIT_H
#define POLYIPC_WAIT_H

#include <polyipc/options.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Something to wait for. */
typedef struct polyipc_wait_item {
    uint32_t handle; /* the id of an open handle: queue.id, process.id, ...; 0: fd is meant */
    int32_t fd;      /* a descriptor that is none of polyipc's, if handle is 0 */
    uint32_t events; /* POLYIPC_READABLE, POLYIPC_WRITABLE or both; of a process READABLE: it is gone */
    uint32_t ready;  /* set by the call: those of events that are so */
} polyipc_wait_item;

/* Waits until one of the items is ready, and says of each which of its events are so; *out_ready, which may
 * be NULL, counts those that are. A descriptor's end and its errors count as ready. POLYIPC_TRY is a look
 * without waiting. The thread uses no processor meanwhile.
 *
 * Ready means that a try would not say EMPTY or FULL at that moment, whatever else it says: also what
 * is shut down is ready. Another process may be quicker; who must not wait tries.
 *
 * TIMEOUT (*out_ready is 0), INVALID (events that the item cannot be waited for, or a descriptor that is not
 * open), BAD_HANDLE, CLOSED, INTERRUPTED, LIMIT; what is wrong with an object, such as CORRUPT. */
POLYIPC_API polyipc_status polyipc_wait(polyipc_wait_item *items, size_t count, int64_t timeout_ns,
                                        size_t *out_ready);

#ifdef __cplusplus
}
#endif
#endif
