/* polyipc/process.h - starting programs and handing objects over to them.
 *
 * The child finds what it is given by roles: polyipc_inherited("jobs", POLYIPC_KIND_QUEUE, 0, &queue.id), and
 * the same in Python and Go. From the moment that polyipc_process_spawn returns, the parent may let go of an
 * anonymous object: it lives as long as the child holds it, which is until the child has closed what it
 * opened, or, of what it never asked for, until it ends.
 *
 * How the two speak is docs/spec/process.md. A child that knows nothing of polyipc is started all the same;
 * what it starts in its turn finds the objects as if it had been started by the parent. */
#ifndef POLYIPC_PROCESS_H
#define POLYIPC_PROCESS_H

#include <polyipc/options.h>
#include <polyipc/reference.h>
#include <polyipc/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A child process. {0} is none. A forked child of this process has no part in its parent's children: there
 * the handles are BAD_HANDLE, and can only be closed. */
typedef struct polyipc_process {
    uint32_t id;
} polyipc_process;

/* An object for the child. */
typedef struct polyipc_process_object {
    const char *role; /* 1 to 128 of [A-Za-z0-9._-]; each once */
    uint32_t handle;  /* the id of an open handle: queue.id, ... */
    uint32_t reserved;
} polyipc_process_object;

typedef struct polyipc_process_options {
    uint32_t size;         /* sizeof(polyipc_process_options); other sizes are INVALID */
    uint32_t flags;        /* 0; others are INVALID */
    int32_t standard[3];   /* descriptors for the child's input, output and error; -1: the caller's own */
    uint32_t reserved;     /* 0 */
    const char *directory; /* where the child begins; NULL: where the caller is */
    char *const *env;      /* its environment, ended by NULL; NULL: the caller's */
} polyipc_process_options;

#define POLYIPC_PROCESS_OPTIONS_INIT {sizeof(polyipc_process_options), 0u, {-1, -1, -1}, 0u, NULL, NULL}

/* Starts the program argv[0], which is looked for in PATH if there is no '/' in it, with the arguments argv,
 * ended by NULL. It begins with no signal blocked or ignored, and with the descriptors that are not
 * close-on-exec. options may be NULL. At most 256 objects. SIGCHLD must not be ignored, nor anybody else wait
 * for the child. NOT_FOUND (no such program or directory), DENIED, INVALID, BAD_HANDLE, LIMIT, NO_MEMORY,
 * UNSUPPORTED (before Linux 5.3). */
POLYIPC_API polyipc_status polyipc_process_spawn(char *const *argv, const polyipc_process_object *objects,
                                                 size_t count, const polyipc_process_options *options,
                                                 polyipc_process *out_process);

/* Opens what the parent process handed over in that role, which must be of that kind, and stores its handle's
 * id; POLYIPC_KIND_PIPE is either end of a pipe, the one that was handed over. It may be called again. flags:
 * POLYIPC_PICKLE and POLYIPC_TRUST_GROUP for what carries messages, as to open it by name; else 0. NOT_FOUND
 * (the text lists the roles there are), WRONG_KIND, GONE, INVALID, MISMATCH, and what opening by name says.
 */
POLYIPC_API polyipc_status polyipc_inherited(const char *role, polyipc_kind kind, uint32_t flags,
                                             uint32_t *out_object);

/* Waits until the process is gone. *out_status, which may be NULL, is its exit code, or minus the signal that
 * killed it. It may be called again. TIMEOUT, INTERRUPTED, CLOSED; GONE if the status was lost to another
 * wait. */
POLYIPC_API polyipc_status polyipc_process_wait(polyipc_process process, int64_t timeout_ns, int *out_status);

/* The process's id. When its status has been read, the number may be another's. */
POLYIPC_API polyipc_status polyipc_process_pid(polyipc_process process, int *out_pid);

/* A descriptor for poll, epoll and select, which is readable when the process is gone. It belongs to the
 * handle. */
POLYIPC_API polyipc_status polyipc_process_poll_fd(polyipc_process process, int *out_fd);

/* Sends the process a signal. OK also when it is gone already: another process is never hit. */
POLYIPC_API polyipc_status polyipc_process_kill(polyipc_process process, int signal);

/* Lets go of the process, which goes on. Other threads waiting for it return CLOSED. If it is gone its status
 * is read, so that no zombie is left; if it ends later, one is. */
POLYIPC_API polyipc_status polyipc_process_close(polyipc_process process);

#ifdef __cplusplus
}
#endif
#endif
