/* polyipc/status.h - what every call returns.
 *
 * One list makes the enum, polyipc_status_name() and the Go package ipcerr; a
 * test holds the three together. Numbers never change and are never reused.
 */
#ifndef POLYIPC_STATUS_H
#define POLYIPC_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef POLYIPC_API
#define POLYIPC_API __attribute__((visibility("default")))
#endif

/* X(NAME, number, "returned when") */
#define POLYIPC_STATUSES(X)                                                                 \
    X(OK, 0, "the call did what it says")                                                   \
    X(TIMEOUT, 1, "the deadline of a blocking call passed")                                 \
    X(EMPTY, 2, "a get that does not wait found no message")                                \
    X(FULL, 3, "a put that does not wait found no room")                                    \
    X(CLOSED, 4, "the handle was closed while the call was under way")                      \
    X(SHUTDOWN, 5, "the queue was shut down")                                               \
    X(INTERRUPTED, 6, "a signal arrived and the thread asked to be told")                   \
    X(CANCELLED, 7, "the caller's context was cancelled")                                   \
    X(EXISTS, 8, "create met an object of that name")                                       \
    X(NOT_FOUND, 9, "open met no object of that name")                                      \
    X(GONE, 10, "the object a reference names no longer exists")                            \
    X(MISMATCH, 11, "the object exists with other options than those asked for")            \
    X(WRONG_KIND, 12, "the name belongs to an object of another kind")                      \
    X(BAD_HANDLE, 13, "the handle is zero, closed, made up or of another kind")             \
    X(INVALID, 14, "an argument is out of its range")                                       \
    X(TOO_SMALL, 15, "the buffer cannot hold the message, which stays where it is")         \
    X(TOO_LARGE, 16, "the message or name is over a limit that waiting cannot lift")        \
    X(NO_SPACE, 17, "the root's filesystem, or a data file's, has no room")                 \
    X(NO_MEMORY, 18, "the process cannot map or allocate memory")                           \
    X(DENIED, 19, "the operating system refused access")                                    \
    X(CORRUPT, 20, "shared bytes do not make sense: damaged, truncated or hostile")         \
    X(VERSION, 21, "the object or library has another layout or ABI version")               \
    X(LEASE_LOST, 22, "the lease is not held any more: acked, returned, or its queue gone") \
    X(OWNER_DIED, 23, "the former owner of the lock died")                                  \
    X(PEER_DIED, 24, "the process at the other end died; the call may have run")            \
    X(BROKEN, 25, "nobody is left at the other end")                                        \
    X(END_OF_FILE, 26, "the other end was closed and all it sent has been read")            \
    X(UNSUPPORTED, 27, "this machine, kernel or build cannot do it")                        \
    X(LIMIT, 28, "a table is full: descriptors, handles, or processes in the root")         \
    X(INTERNAL, 29, "a defect in polyipc itself; please report it")                         \
    X(REMOTE_ERROR, 30, "the method of a manager's object failed")

typedef enum polyipc_status {
#define POLYIPC_STATUS_ENUM(name, number, when) POLYIPC_##name = number,
    POLYIPC_STATUSES(POLYIPC_STATUS_ENUM)
#undef POLYIPC_STATUS_ENUM
        POLYIPC_STATUS_FORCE_INT32 = INT32_MAX
} polyipc_status;

/* The status's name without its prefix ("TIMEOUT"), or "UNKNOWN". Static storage; never NULL. */
POLYIPC_API const char *polyipc_status_name(polyipc_status status);

/* One sentence on when the status is returned, or "unknown status". Static storage; never NULL. */
POLYIPC_API const char *polyipc_status_text(polyipc_status status);

/* What the last failed call of this thread has to say: operation, object, cause and cure, such as
 * "create queue \"jobs\": exists already: open it, or unlink it first".
 *
 * Copies at most capacity bytes including the final NUL into buffer and returns the length of the
 * whole text without it, so a return value >= capacity means that it was cut. buffer may be NULL
 * when capacity is 0. A successful call leaves the text as it was. Thread-local. */
POLYIPC_API size_t polyipc_error_detail(char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
