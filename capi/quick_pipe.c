/* quick_pipe.c - send and recv of small messages without Go; see quick.h. A pipe's directions are what a
 * queue is, so this adds only who is at the other end: Pipe.other in runtime/pipe/pipe.go. */
#include "quick.h"

#include "go.h"

#include <fcntl.h>
#include <sys/stat.h>

/* For how long a send believes that somebody is at the other end, ns. Asking takes about as long as ten
 * sends; a process needs longer to be killed and missed. */
static const int64_t ASK_EVERY = 50000;

/* Asks the kernel who else has the file locked, through the pipe's own descriptor, which may no longer be
 * that: a host can close it, and get its number for another file. */
static bool locked(const struct pi_quick *k) {
    const struct pi_keep *const keep = pi_now.keep;
    const struct pi_entry *const e = &keep->entries[k - keep->quick];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = k->other.lock, .l_len = 1};
    struct stat file;
    return fcntl(e->descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK &&
           fstat(e->descriptor, &file) == 0 && file.st_dev == e->file.device && file.st_ino == e->file.inode;
}

static bool opened(const struct pi_quick *k) {
    struct pi_guard g;
    if (PI_GUARD(g))
        return true; /* truncated: Go will say so */
    const bool yes = atomic_load(k->other.opened) != 0;
    PI_UNGUARD();
    return yes;
}

bool pi_quick_other(struct pi_quick *k, bool sure) {
    if (k->kind != PI_PIPE || !opened(k))
        return true;
    const int64_t now = pi_quick_now();
    if (!sure && now - atomic_load_explicit(&k->asked, memory_order_relaxed) < ASK_EVERY)
        return true;
    const bool there = locked(k);
    atomic_store_explicit(&k->asked, there ? now : 0, memory_order_relaxed);
    return there;
}

polyipc_status pi_quick_pipe_send(polyipc_pipe pipe, const void *data, size_t size, polyipc_format format,
                                  int64_t timeout) {
    (void)timeout;
    if (format > POLYIPC_MSGPACK)
        return PI_SLOW;
    struct pi_quick *k = pi_quick_enter_put(pipe.id, PI_PIPE);
    if (k == NULL)
        return PI_SLOW;
    const polyipc_slice one = {.data = data, .size = size};
    const bool sent = pi_quick_other(k, false) && pi_quick_put(k, &one, 1, format, NULL) == 1;
    pi_quick_leave(k);
    return sent ? POLYIPC_OK : PI_SLOW;
}

static polyipc_status recv_whole(struct pi_attempt *a) {
    return pg_pipe_recv((polyipc_pipe){a->handle}, a->buffer, a->capacity, POLYIPC_TRY, a->out_size,
                        a->out_format);
}

static struct pi_attempt attempt(polyipc_pipe pipe, void *buffer, size_t capacity, size_t *out_size,
                                 polyipc_format *out_format) {
    return (struct pi_attempt){.whole = recv_whole,
                               .handle = pipe.id,
                               .operation = PI_OP_RECV,
                               .buffer = buffer,
                               .capacity = capacity,
                               .most = 1,
                               .out_size = out_size,
                               .out_format = out_format};
}

polyipc_status pi_quick_pipe_recv(polyipc_pipe pipe, void *buffer, size_t capacity, int64_t timeout,
                                  size_t *out_size, polyipc_format *out_format) {
    if (buffer == NULL && capacity > 0)
        return PI_SLOW;
    struct pi_attempt a = attempt(pipe, buffer, capacity, out_size, out_format);
    return pi_quick_attempt(PI_PIPE, &a, timeout);
}

bool pi_quick_pipe_take(polyipc_pipe pipe, void *buffer, size_t capacity, size_t *out_size,
                        polyipc_format *out_format) {
    struct pi_quick *k = pi_quick_enter_get(pipe.id, PI_PIPE);
    if (k == NULL)
        return false;
    const struct pi_attempt a = attempt(pipe, buffer, capacity, out_size, out_format);
    const bool taken = pi_quick_take(k, &a);
    pi_quick_leave_get(k);
    return taken;
}
