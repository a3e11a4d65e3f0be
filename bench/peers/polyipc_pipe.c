/* polyipc's pipe through its C ABI. */
#include "messages.h"
#include "polyipc_check.h"

/* The first end is that of who receives, or answers. One-way where messages go one way only. */
#define CAPACITY (1 << 20)

static polyipc_pipe pipe_;

void peer_open(const struct job *job) {
    polyipc_pipe_options options = POLYIPC_PIPE_OPTIONS_INIT;
    int one_way = job->role == PRODUCER || job->role == CONSUMER;
    if (job->role == IDLE || job->role == HOLDER)
        fail("polyipc_pipe: flows and round trips only");
    options.flags = POLYIPC_TRANSIENT | (one_way ? POLYIPC_ONE_WAY : 0u);
    options.end = job->role == CONSUMER || job->role == ECHO ? POLYIPC_END_FIRST : POLYIPC_END_SECOND;
    options.capacity = CAPACITY;
    if ((size_t)options.capacity < 4 * job->size)
        options.capacity = (int64_t)(4 * job->size);
    check(polyipc_pipe_open_or_create(job->name, &options, &pipe_));
}

void peer_put(const void *data, size_t size) {
    check(polyipc_pipe_send(pipe_, data, size, POLYIPC_RAW, POLYIPC_FOREVER));
}

size_t peer_get(void *buffer, size_t capacity) {
    size_t size;
    check(polyipc_pipe_recv(pipe_, buffer, capacity, POLYIPC_FOREVER, &size, NULL));
    return size;
}

void peer_put_many(const void *data, size_t size, size_t n) {
    (void)data, (void)size;
    fail("polyipc_pipe: no call for %zu messages", n);
}

size_t peer_get_many(size_t most) { fail("polyipc_pipe: no call for %zu messages", most); }

void peer_close(void) { check(polyipc_pipe_close(pipe_)); }
