/* polyipc.h - queues, pipes, shared segments, locks and a manager between Go, C and Python.
 *
 * This header is the manual; what is not in it does not exist.
 *
 * Status. Every function that can fail returns a polyipc_status: POLYIPC_OK (0) or why not.
 * polyipc_error_detail() then has the whole sentence for a person. Results come through trailing
 * out_ parameters, which keep their values when a call fails, except where said.
 *
 * Handles are small structs, passed by value, of one type per kind of object. {0} is never valid.
 * Handles are checked, not trusted: using one after its close is POLYIPC_BAD_HANDLE.
 *
 * Threads. Any thread may call any function at any time, also on the same handle. Closing a handle
 * makes the calls waiting in it return POLYIPC_CLOSED.
 *
 * Memory. The library keeps no pointer it was given beyond the call and gives out none to free.
 *
 * Timeouts are int64_t nanoseconds: negative waits for ever, 0 tries, positive waits that long.
 *
 * Signals. A blocking call that meets a signal goes on waiting for the time that is left, unless
 * the thread asked to be told with polyipc_thread_interruptible(). The library installs no handler
 * for signals that programs use, and its own threads block them. A handler must not call the library, nor
 * leave by longjmp a call that it interrupted. No call is a cancellation point, and none may be cancelled
 * asynchronously.
 *
 * fork. A child forked from a process that uses polyipc may use it too, with the handles it
 * inherited: on the first call the library sets itself up afresh there, in 1 to 3 ms. Locks and
 * leases stay with the parent. Not so in programs that link the static library: there, every call
 * in a forked child is POLYIPC_UNSUPPORTED.
 *
 * Events, such as a lock that is taken over from a dead process, are written to a file or stderr if
 * $POLYIPC_LOG asks for it: level[:file], level being debug, info, warn, error or off, as it is when the
 * library is first used (docs/howto/watching.md). Unasked the library writes nothing to stdout or stderr.
 *
 * Loading the library starts threads but changes nothing of its host: limits, signal mask and
 * dispositions, environment and locale stay as they were.
 */
#ifndef POLYIPC_H
#define POLYIPC_H

#include <polyipc/manager.h>
#include <polyipc/message.h>
#include <polyipc/options.h>
#include <polyipc/pipe.h>
#include <polyipc/process.h>
#include <polyipc/queue.h>
#include <polyipc/reference.h>
#include <polyipc/segment.h>
#include <polyipc/status.h>
#include <polyipc/sync.h>
#include <polyipc/version.h>
#include <polyipc/wait.h>

#ifdef __cplusplus
extern "C" {
#endif

/* With on not 0, blocking calls of this thread return POLYIPC_INTERRUPTED when a signal handler ran,
 * and may do so without one, at most every 200 ms; call again with the time that is left. Returns
 * the former setting. A forked child's only thread keeps the setting it had. */
POLYIPC_API int polyipc_thread_interruptible(int on);

/* Removes what dead processes left in a root (NULL: the default one): transient objects without
 * users, and parts without a parent. Any process does this as it joins or leaves a root; it is never needed
 * for correctness. *out_removed, which may be NULL, counts the files. */
POLYIPC_API polyipc_status polyipc_gc(const char *root, int64_t *out_removed);

#ifdef __cplusplus
}
#endif
#endif
