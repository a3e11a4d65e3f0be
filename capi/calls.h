/* calls.h - the list of exported functions that run Go.
 *
 * trampoline.c makes from it the exported functions and the tables they jump through. A function
 * of include/polyipc that is missing here does not link; one whose parameters differ does not
 * compile, neither against the header nor against the Go function pg_<name> behind it.
 *
 * PLAIN(name, parameters, arguments)
 * GATED(name, parameters, arguments)   makes or ends descriptors or handles: never torn by a fork
 * QUICK(name, parameters, arguments)   pi_quick_<name> is tried first (quick.h)
 *
 * Each noun has a list of its own; those here belong to none.
 *
 * The arguments are those of the Go function. Go knows no const, hence the casts.
 */
#ifndef PI_CALLS_H
#define PI_CALLS_H

#include "calls_manager.h"
#include "calls_pipe.h"
#include "calls_queue.h"
#include "calls_reference.h"
#include "calls_segment.h"
#include "calls_sync.h"
#include "calls_wait.h"

#define PI_CALLS(PLAIN, GATED, QUICK)                                                                    \
    PI_QUEUE_CALLS(PLAIN, GATED, QUICK)                                                                  \
    PI_PIPE_CALLS(PLAIN, GATED, QUICK)                                                                   \
    PI_SEGMENT_CALLS(PLAIN, GATED, QUICK)                                                                \
    PI_SYNC_CALLS(PLAIN, GATED, QUICK)                                                                   \
    PI_MANAGER_CALLS(PLAIN, GATED, QUICK)                                                                \
    PI_WAIT_CALLS(PLAIN, GATED, QUICK)                                                                   \
    PI_REFERENCE_CALLS(PLAIN, GATED, QUICK)                                                              \
    GATED(gc, (const char *root, int64_t *out_removed), ((char *)root, out_removed))                     \
    PLAIN(py_put_pieces,                                                                                 \
          (polyipc_queue queue, const polyipc_slice *pieces, size_t pieces_count, polyipc_format format, \
           const polyipc_reference *references, size_t count, int64_t timeout_ns),                       \
          (queue, (polyipc_slice *)pieces, pieces_count, format, (polyipc_reference *)references, count, \
           timeout_ns))                                                                                  \
    PLAIN(py_send_pieces,                                                                                \
          (polyipc_pipe pipe, const polyipc_slice *pieces, size_t pieces_count, polyipc_format format,   \
           const polyipc_reference *references, size_t count, int64_t timeout_ns),                       \
          (pipe, (polyipc_slice *)pieces, pieces_count, format, (polyipc_reference *)references, count,  \
           timeout_ns))                                                                                  \
    PLAIN(py_events, (char *buffer, size_t capacity, size_t *out_size), (buffer, capacity, out_size))

#endif
